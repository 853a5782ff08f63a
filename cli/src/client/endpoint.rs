//! The server's address and the token for it: from flags, or from its data folder.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use ureq::http::Uri;

use crate::serve::{ADDRESS_FILE, DEFAULT_DATA, LOCK_FILE, OWNER_TOKEN_FILE};

/// Flags of every command that talks to a server.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct Flags {
    /// Where the server is, such as `http://127.0.0.1:8080` [default: what the
    /// running server has noted in its data folder].
    #[arg(long, global = true, value_name = "URL", env = "TENTERHOOK_SERVER")]
    server: Option<String>,
    /// The token to use [default: the owner's, from the data folder].
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "TENTERHOOK_TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
    /// The server's data folder [default: ./tenterhook-data].
    #[arg(long, global = true, value_name = "DIR", env = "TENTERHOOK_DATA")]
    data_dir: Option<PathBuf>,
}

/// A server and the token for it.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// `http://HOST:PORT`, without a slash at the end.
    pub(super) server: String,
    pub(super) credential: Credential,
}

/// A token and where it came from.
pub(super) struct Credential {
    pub(super) token: String,
    /// Where it was found, for error messages.
    pub(super) origin: String,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential(from {})", self.origin)
    }
}

impl Endpoint {
    /// Uses the flags; what they leave out is read from the data folder.
    pub(super) fn find(flags: &Flags) -> anyhow::Result<Self> {
        let folder = flags
            .data_dir
            .clone()
            .unwrap_or_else(|| DEFAULT_DATA.into());
        let noted = read_address_file(&folder)?;
        let server = match (&flags.server, &noted) {
            (Some(text), _) => read_url(text)?,
            (None, Some(noted)) => noted.clone(),
            (None, None) => bail!(
                "no server is running on the data folder {}; start one with `tenterhook serve`, or name it with --server or --data-dir",
                folder.display()
            ),
        };
        if let Some(token) = &flags.token {
            let credential = Credential {
                token: check_token(token)?,
                origin: "--token or TENTERHOOK_TOKEN".into(),
            };
            return Ok(Self { server, credential });
        }
        // One server's token must not be sent to another.
        if flags.data_dir.is_none() && noted.as_ref() != Some(&server) {
            bail!(
                "no token for {server}: give one with --token or TENTERHOOK_TOKEN, or name its data folder with --data-dir"
            );
        }
        let credential = owner_token(&folder)?;
        Ok(Self { server, credential })
    }
}

/// Reads the address that a running server has noted. The note of a server that was killed
/// is ignored: another process may be listening there meanwhile, waiting for a token.
fn read_address_file(folder: &Path) -> anyhow::Result<Option<String>> {
    let file = folder.join(ADDRESS_FILE);
    match fs::read_to_string(&file) {
        Ok(_) if !is_served(folder) => Ok(None),
        Ok(text) => read_url(text.trim())
            .map(Some)
            .with_context(|| format!("cannot read {}", file.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Whether a server holds the folder's lock.
fn is_served(folder: &Path) -> bool {
    let lock = File::open(folder.join(LOCK_FILE)).map(|file| file.try_lock_shared());
    matches!(lock, Ok(Err(TryLockError::WouldBlock)))
}

fn owner_token(folder: &Path) -> anyhow::Result<Credential> {
    let file = folder.join(OWNER_TOKEN_FILE);
    let text = fs::read_to_string(&file).with_context(|| {
        format!(
            "no token: give one with --token or TENTERHOOK_TOKEN; cannot read {}",
            file.display()
        )
    })?;
    Ok(Credential {
        token: check_token(&text).with_context(|| format!("cannot use {}", file.display()))?,
        origin: file.display().to_string(),
    })
}

/// Checks that a token can be sent in a header.
fn check_token(text: &str) -> anyhow::Result<String> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!(
            "not a valid token: it must be one word of printable ASCII, as the server printed it"
        );
    }
    Ok(text.to_owned())
}

/// Reads `http://HOST:PORT`; `http://` may be left out.
fn read_url(text: &str) -> anyhow::Result<String> {
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let wrong = || {
        format!(
            "`{}` is not a server URL, such as http://127.0.0.1:8080",
            text.escape_debug()
        )
    };
    let uri: Uri = with_scheme.parse().with_context(wrong)?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => bail!(
            "https is not supported yet: use the server's own http:// address on its machine, or a tunnel to it (ssh -L 8080:127.0.0.1:8080 HOST)"
        ),
        _ => bail!(wrong()),
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        bail!("{}, without a path", wrong());
    }
    let authority = uri.authority().with_context(wrong)?;
    if authority.host().is_empty() || authority.as_str().contains('@') {
        bail!(wrong());
    }
    Ok(format!("http://{authority}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data folder as a running server has it, and the lock that this holds.
    fn folder(address: &str, token: &str) -> (tempfile::TempDir, File) {
        let folder = tempfile::tempdir().unwrap();
        let lock = File::create(folder.path().join(LOCK_FILE)).unwrap();
        lock.lock().unwrap();
        fs::write(folder.path().join(ADDRESS_FILE), address).unwrap();
        fs::write(folder.path().join(OWNER_TOKEN_FILE), token).unwrap();
        (folder, lock)
    }

    #[test]
    fn address_and_token_are_found_in_the_data_folder() {
        let (folder, lock) = folder("127.0.0.1:8081\n", "th_x\n");
        let flags = Flags {
            data_dir: Some(folder.path().into()),
            ..Flags::default()
        };
        let endpoint = Endpoint::find(&flags).unwrap();
        assert_eq!(endpoint.server, "http://127.0.0.1:8081");
        assert_eq!(endpoint.credential.token, "th_x");
        assert!(!format!("{endpoint:?}").contains("th_x"));
        drop(lock);
        let error = Endpoint::find(&flags).unwrap_err().to_string();
        assert!(error.contains("no server is running"), "{error}");
    }

    #[test]
    fn a_folders_token_is_not_sent_to_a_server_that_is_not_its_own() {
        let flags = Flags {
            server: Some("http://192.0.2.1:8080".into()),
            ..Flags::default()
        };
        let error = Endpoint::find(&flags).unwrap_err().to_string();
        assert!(error.contains("--token"), "{error}");
    }

    #[test]
    fn without_a_server_the_error_explains_how_to_reach_one() {
        let folder = tempfile::tempdir().unwrap();
        let flags = Flags {
            data_dir: Some(folder.path().into()),
            token: Some("th_x".into()),
            ..Flags::default()
        };
        let error = Endpoint::find(&flags).unwrap_err().to_string();
        assert!(error.contains("tenterhook serve"), "{error}");
    }

    #[test]
    fn valid_urls_are_read_and_others_refused() {
        for (text, read) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("hooks.example:80", "http://hooks.example:80"),
            ("[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(read_url(text).unwrap(), read);
        }
        for text in [
            "",
            "https://hooks.example",
            "ftp://x",
            "http://",
            "http://me@host",
            "http://host/api",
            "http://host?x",
            "a b",
            "\u{1b}[2J",
        ] {
            let error = format!("{:#}", read_url(text).unwrap_err());
            assert!(!error.chars().any(char::is_control), "{error}");
        }
        let error = read_url("https://hooks.example").unwrap_err().to_string();
        assert!(error.contains("ssh -L"), "{error}");
    }

    #[test]
    fn a_token_is_one_word() {
        assert_eq!(check_token(" th_x\n").unwrap(), "th_x");
        for text in ["", "a b", "th_\u{1b}"] {
            assert!(check_token(text).is_err(), "{text:?}");
        }
    }
}
