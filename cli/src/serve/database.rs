//! The server's database: where it is, and how it is opened.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tenterhook_delivery::Outbox;
use tenterhook_dispatch::Store;
use tenterhook_maintenance::SessionStore;
use tenterhook_store::Sqlite;

use super::data_dir::DataDir;
use super::lock::Lock;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DatabaseUrl {
    /// A SQLite file in the data folder.
    InDataFolder,
    /// A SQLite file somewhere else.
    Sqlite(PathBuf),
}

/// An open database, locked if it lies outside the data folder.
pub(super) struct Database {
    pub(super) store: Arc<dyn Store>,
    pub(super) sessions: Arc<dyn SessionStore>,
    pub(super) outbox: Arc<dyn Outbox>,
    _lock: Option<Lock>,
}

impl DatabaseUrl {
    /// Returns the folder of a database outside the data folder. SQLite keeps more files
    /// beside it.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::InDataFolder => None,
            Self::Sqlite(path) => Some(match path.parent() {
                Some(folder) if folder != Path::new("") => folder,
                _ => Path::new("."),
            }),
        }
    }

    /// Parses a URL such as `sqlite:/var/lib/hooks.db` or `sqlite:///var/lib/hooks.db`.
    pub(super) fn parse(url: Option<&str>) -> Result<Self, &'static str> {
        let Some(url) = url else {
            return Ok(Self::InDataFolder);
        };
        let scheme = url.split(':').next().unwrap_or_default();
        if matches!(scheme, "postgres" | "postgresql") {
            return Err(
                "names PostgreSQL, which is not supported yet; name a SQLite file, such as sqlite:/var/lib/hooks.db, \
                        or leave the flag out",
            );
        }
        let path = url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
            .filter(|path| !path.is_empty() && !path.contains(['?', '#']) && !path.starts_with(':'))
            .ok_or("must name a SQLite file, such as sqlite:/var/lib/hooks.db")?;
        Ok(Self::Sqlite(path.into()))
    }
}

/// Whether a new database may be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NewDatabase {
    /// Only in a data folder that was never used.
    OnlyIfUnused,
    /// The operator asked for one.
    Requested,
}

/// Refuses a data folder that was used and has lost its database: a new one in its place
/// would answer as if nothing had ever been there.
pub(super) fn check(url: &DatabaseUrl, data: &DataDir, new: NewDatabase) -> anyhow::Result<()> {
    let path = match url {
        DatabaseUrl::InDataFolder => data.database(),
        DatabaseUrl::Sqlite(path) => path.clone(),
    };
    // SQLite treats an empty file as a new database.
    let is_there = fs::metadata(&path).is_ok_and(|file| file.len() > 0);
    match (is_there, new) {
        (true, NewDatabase::Requested) => bail!(
            "cannot start with a new database: {} exists; move it away first, or omit --new-database",
            path.display()
        ),
        (true, NewDatabase::OnlyIfUnused) => return Ok(()),
        (false, NewDatabase::Requested) => return data.begin_first_start(),
        (false, NewDatabase::OnlyIfUnused) => {}
    }
    if data.restoring().exists() {
        bail!(
            "cannot start on the data folder {}: restoring a backup into it was interrupted; run `tenterhook restore` \
             again, or, to begin with an empty database and a new owner token, pass --new-database",
            data.path().display()
        );
    }
    if let Some(trace) = find_trace(&path, data)? {
        bail!(
            "cannot find the database {}, although the data folder {} has been used ({} exists): {}restore the \
             database, name the one that belongs to the folder (--database), or, to begin with an empty one and a \
             new owner token, pass --new-database",
            path.display(),
            data.path().display(),
            trace.display(),
            match trace.extension() {
                Some(end) if end == PART => {
                    "copying it was interrupted; remove that file and restore the backup again into an empty folder, "
                }
                _ => "",
            }
        );
    }
    data.begin_first_start()
}

/// The extension of a copy that is not complete.
pub(super) const PART: &str = "part";

/// Finds a file that exists only if the folder has been used.
fn find_trace(database: &Path, data: &DataDir) -> anyhow::Result<Option<PathBuf>> {
    // Empty files prove nothing: a clean shutdown empties the log.
    let is_used = |trace: &PathBuf| fs::metadata(trace).is_ok_and(|file| file.len() > 0);
    let mut traces = vec![data.owner_token()];
    traces.extend(["-wal", "-running"].map(|end| beside(database, end)));
    if let Some(trace) = traces.into_iter().find(is_used) {
        return Ok(Some(trace));
    }
    // A copy is named before it has any content.
    let name = database
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let folder = database.parent().filter(|folder| *folder != Path::new(""));
    for entry in fs::read_dir(folder.unwrap_or(Path::new(".")))
        .into_iter()
        .flatten()
    {
        let entry = entry.context("cannot look into the folder of the database")?;
        let found = entry.file_name().to_string_lossy().into_owned();
        let rest = name
            .as_ref()
            .and_then(|name| found.strip_prefix(name.as_str()));
        if rest.is_some_and(|rest| rest.starts_with('.') && rest.ends_with(&format!(".{PART}"))) {
            return Ok(Some(entry.path()));
        }
    }
    // A first start creates these before the database, and may have been interrupted in
    // between. It creates its lock before its mark, so a lock alone proves nothing.
    if data.first_start().exists() {
        return Ok(None);
    }
    let reserve = beside(database, "-reserve");
    Ok(
        [data.code_key(), data.code(), data.scratch_folder(), reserve]
            .into_iter()
            .find(|trace| trace.symlink_metadata().is_ok()),
    )
}

/// Opens the database, and creates it if it is missing.
pub(super) async fn open(url: &DatabaseUrl, data: &DataDir) -> anyhow::Result<Database> {
    let (path, lock) = match url {
        DatabaseUrl::InDataFolder => (data.database(), None),
        DatabaseUrl::Sqlite(path) => (path.clone(), Some(Lock::take(&beside(path, ".lock"))?)),
    };
    let store = Sqlite::open(&path).await?;
    data.end_first_start()?;
    Ok(Database {
        sessions: Arc::new(store.clone()),
        outbox: Arc::new(store.clone()),
        store: Arc::new(store),
        _lock: lock,
    })
}

/// Adds a remedy to the error if the database is damaged.
pub(super) fn explain(error: anyhow::Error) -> anyhow::Error {
    const DAMAGE_MESSAGES: [&str; 2] =
        ["database disk image is malformed", "file is not a database"];
    let is_damaged = error.chain().any(|cause| {
        let cause = cause.to_string();
        DAMAGE_MESSAGES
            .iter()
            .any(|message| cause.contains(message))
    });
    match is_damaged {
        true => error.context(
            "the database is damaged where the server needs it: `tenterhook check-data` reports what is wrong, \
             and `tenterhook restore` restores a backup into another data folder",
        ),
        false => error,
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_database_is_reported_with_a_remedy() {
        let error = anyhow::anyhow!("(code: 11) database disk image is malformed");
        let text = format!("{:#}", explain(error.context("cannot take over tasks")));
        assert!(
            text.contains("check-data") && text.contains("cannot take over tasks"),
            "{text}"
        );
        let other = explain(anyhow::anyhow!("something else"));
        assert_eq!(other.to_string(), "something else");
    }

    #[test]
    fn a_url_names_a_sqlite_file() {
        let file = |path: &str| Ok(DatabaseUrl::Sqlite(path.into()));
        assert_eq!(DatabaseUrl::parse(None), Ok(DatabaseUrl::InDataFolder));
        assert_eq!(
            DatabaseUrl::parse(Some("sqlite:hooks.db")),
            file("hooks.db")
        );
        assert_eq!(
            DatabaseUrl::parse(Some("sqlite:///var/hooks.db")),
            file("/var/hooks.db")
        );
    }

    #[test]
    fn unsupported_databases_are_refused_by_name() {
        let error = DatabaseUrl::parse(Some("postgres://localhost/hooks")).unwrap_err();
        assert!(error.contains("PostgreSQL"), "{error}");
        for url in [
            "",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:a?mode=ro",
            "mysql://x",
            "hooks.db",
        ] {
            assert!(DatabaseUrl::parse(Some(url)).is_err(), "{url}");
        }
    }
}
