//! The secret by which an installation recognizes the code that it compiled itself.
//!
//! It is stored outside the folder of code, so that write access to the folder is not
//! enough to forge a file. It does not keep code secret.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::TryRng as _;
use rand::rngs::SysRng;
use rustix::fs::OFlags;
use sha2::Sha256;

/// Bytes of the secret: as many as the hash has; more do not help (RFC 2104, section 3).
const SECRET_BYTES: usize = 32;

/// Bytes of a message authentication code.
pub(super) const MAC_BYTES: usize = 32;

/// The secret of one installation.
#[derive(Clone)]
pub(super) struct Key(Hmac<Sha256>);

impl Key {
    /// Reads the secret, or creates one if there is none. A secret that other users may
    /// have read, or that is damaged, is replaced: all code then counts as foreign.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        match read(path) {
            Ok(secret) => return Ok(Self::of(&secret)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(
                    file = %path.display(), %error,
                    "replacing the key of compiled code; all programs are recompiled"
                );
                remove(path)?;
            }
        }
        let made = make(path);
        match made {
            Ok(secret) => Ok(Self::of(&secret)),
            // Another process was faster; both are to use the same.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                read(path).map(|secret| Self::of(&secret))
            }
            Err(error) => Err(error),
        }
    }

    fn of(secret: &[u8; SECRET_BYTES]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }

    /// Returns the authentication code for these bytes, which needs the secret.
    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = self.0.clone();
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    /// Returns whether `mac` is the code for these bytes, in constant time.
    pub(super) fn verifies(&self, bytes: &[u8], mac: &[u8]) -> bool {
        let mut expected = self.0.clone();
        expected.update(bytes);
        expected.verify_slice(mac).is_ok()
    }
}

fn read(path: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    // A symbolic link would lead elsewhere, and a pipe would wait for a writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let found = file.metadata()?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if !found.is_file() || !ours || found.mode() & 0o077 != 0 {
        return Err(invalid("it must be a file of this user alone"));
    }
    if found.len() != SECRET_BYTES as u64 {
        return Err(invalid("it does not have the length of a key"));
    }
    let mut secret = [0; SECRET_BYTES];
    file.read_exact(&mut secret)?;
    Ok(secret)
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Creates a secret. The file is complete, and on disk, before it gets its name.
fn make(path: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    let mut secret = [0; SECRET_BYTES];
    SysRng
        .try_fill_bytes(&mut secret)
        .map_err(io::Error::other)?;
    let folder = path
        .parent()
        .ok_or_else(|| invalid("it has no folder to lie in"))?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    // Files of `tempfile` are readable by this user alone.
    let mut part = tempfile::NamedTempFile::new_in(folder)?;
    part.write_all(&secret)?;
    part.as_file().sync_all()?;
    part.persist_noclobber(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    /// Returns whether two keys are the same.
    fn same(one: &Key, other: &Key) -> bool {
        other.verifies(b"words", &one.sign(b"words"))
    }

    #[test]
    fn the_key_is_created_once_and_for_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/code.key");
        let first = Key::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(same(&first, &Key::open(&path).unwrap()));
        let other = Key::open(&folder.path().join("b/code.key")).unwrap();
        assert!(!same(&first, &other));
    }

    #[test]
    fn many_that_start_at_one_time_have_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let open = || Key::open(&path).unwrap();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(keys.iter().all(|key| same(key, &keys[0])));
    }

    #[test]
    fn a_key_that_cannot_be_trusted_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.key");
        let first = Key::open(&path).unwrap();
        let secret = fs::read(&path).unwrap();
        let spoil: [&dyn Fn(); 4] = [
            &|| fs::write(&path, &secret[1..]).unwrap(),
            &|| fs::write(&path, [&secret[..], b"x"].concat()).unwrap(),
            &|| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap(),
            &|| {
                let elsewhere = folder.path().join("elsewhere");
                fs::rename(&path, &elsewhere).unwrap();
                symlink(&elsewhere, &path).unwrap();
            },
        ];
        for spoil in spoil {
            fs::write(&path, &secret).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(same(&first, &Key::open(&path).unwrap()));
            spoil();
            let second = Key::open(&path).unwrap();
            assert!(!same(&first, &second));
            assert!(same(&second, &Key::open(&path).unwrap()));
        }
    }
}
