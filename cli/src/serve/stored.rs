//! Locates a server's database and data folder for the commands that work on them, with or
//! without a running server. They never take its lock.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use tenterhook_store::Checked;

use super::config::DEFAULT_DATA;
use super::data_dir::{DATABASE_FILE, DataDir, LOCK_FILE, RESTORING_FILE, remove};
use super::database::{DatabaseUrl, PART};
use super::files;

/// The flags that locate a server's data.
#[derive(Debug, Args)]
pub(crate) struct StorageFlags {
    /// The server's data folder [default: ./tenterhook-data].
    #[arg(long, value_name = "DIR", env = "TENTERHOOK_DATA")]
    data_dir: Option<PathBuf>,
    /// Its database, if that is not in the data folder, such as
    /// `sqlite:/var/lib/hooks.db`.
    #[arg(long, value_name = "URL", env = "TENTERHOOK_DATABASE")]
    database: Option<String>,
}

impl StorageFlags {
    /// Returns the path of the database, which exists.
    pub(crate) fn database(&self) -> anyhow::Result<PathBuf> {
        let path = match DatabaseUrl::parse(self.database.as_deref()) {
            Ok(DatabaseUrl::Sqlite(path)) => path,
            Ok(DatabaseUrl::InDataFolder) => {
                let data = self.data_dir.as_deref().unwrap_or(Path::new(DEFAULT_DATA));
                data.join(DATABASE_FILE)
            }
            Err(reason) => bail!("`--database` {reason}"),
        };
        if !path.is_file() {
            bail!(
                "the database {} does not exist; name the server's data folder with `--data-dir`",
                path.display()
            );
        }
        Ok(path)
    }

    /// Checks the files beside the database in the data folder; `None` if the database is
    /// elsewhere and no folder is named.
    pub(crate) fn files(&self) -> Option<Checked> {
        let is_here = self.database.is_none();
        let usual = is_here.then_some(Path::new(DEFAULT_DATA));
        self.data_dir.as_deref().or(usual).map(files::check)
    }
}

/// Has `fill` write a database into a data folder that does not exist yet or is empty, or
/// where that was interrupted before. No server can start on it meanwhile, nor on a folder
/// where it was interrupted.
pub(crate) fn restore_into<E>(
    data: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> anyhow::Result<()>
where
    anyhow::Error: From<E>,
{
    check_empty(data)?;
    let marker = mark(data)?;
    let data = match DataDir::open(data) {
        Ok(data) => data,
        Err(error) => {
            // Another process has the folder, and this restore has not begun.
            if let Some(marker) = marker {
                remove(&marker)?;
            }
            return Err(error);
        }
    };
    check_empty(data.path())?;
    for part in parts(data.path())? {
        remove(&part)?;
    }
    let filled = fill(&data.database());
    // The database exists, or nothing does: the restore has ended either way.
    remove(&data.restoring())?;
    Ok(filled?)
}

/// Marks the folder as being restored, before anything else is in it. Returns the mark, if
/// it is new.
fn mark(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let marker = folder.join(RESTORING_FILE);
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| File::create_new(&marker));
    match made {
        Ok(_) => Ok(Some(marker)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && marker.is_file() => Ok(None),
        Err(error) => {
            Err(error).with_context(|| format!("cannot use the data folder {}", folder.display()))
        }
    }
}

fn check_empty(folder: &Path) -> anyhow::Result<()> {
    let Ok(entries) = folder.read_dir() else {
        // It does not exist, or creating it will report what is wrong.
        return Ok(());
    };
    let was_begun = folder.join(RESTORING_FILE).exists();
    for entry in entries {
        let name = entry?.file_name();
        let is_left_over = was_begun && (name == RESTORING_FILE || is_part(&name));
        if name != LOCK_FILE && !is_left_over {
            bail!(
                "cannot restore into {}: it is not empty; name another folder with `--data-dir`, or move what is in it \
                 away",
                folder.display()
            );
        }
    }
    Ok(())
}

/// Returns incomplete copies of the database.
fn parts(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    let cannot = || format!("cannot look into {}", folder.display());
    for entry in folder.read_dir().with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        if is_part(&entry.file_name()) {
            parts.push(entry.path());
        }
    }
    Ok(parts)
}

fn is_part(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(DATABASE_FILE) && name.contains(&format!(".{PART}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restore_overwrites_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("data");
        let fill = |database: &Path| std::fs::write(database, "restored");
        restore_into(&data, fill).unwrap();
        let error = restore_into(&data, fill).unwrap_err().to_string();
        assert!(error.contains("not empty"), "{error}");
    }

    #[test]
    fn an_interrupted_restore_starts_again_and_a_failed_one_leaves_nothing_behind() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("data");
        std::fs::create_dir(&data).unwrap();
        for left in ["lock", "restoring", "tenterhook.db.0a1b.part"] {
            std::fs::write(data.join(left), "left").unwrap();
        }
        let fail = |_: &Path| Err(io::Error::other("no room"));
        let error = restore_into(&data, fail).unwrap_err().to_string();
        assert!(error.contains("no room"), "{error}");
        assert!(!data.join("restoring").exists());
        assert!(!data.join("tenterhook.db.0a1b.part").exists());

        restore_into(&data, |database| std::fs::write(database, "restored")).unwrap();
        assert!(data.join("tenterhook.db").exists());
        assert!(!data.join("restoring").exists());
    }

    #[test]
    fn a_missing_database_is_reported() {
        let parent = tempfile::tempdir().unwrap();
        let stored = StorageFlags {
            data_dir: Some(parent.path().into()),
            database: None,
        };
        let error = stored.database().unwrap_err().to_string();
        assert!(error.contains("--data-dir"), "{error}");
    }
}
