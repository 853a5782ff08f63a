//! Where a server has stored everything, for the commands that work on it beside the
//! server or without one. They never take its lock.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use super::config::DEFAULT_DATA;
use super::data_dir::{DATABASE_FILE, DataDir, LOCK_FILE};
use super::database::DatabaseUrl;

/// Where a server has stored everything.
#[derive(Debug, Args)]
pub(crate) struct Stored {
    /// The server's data folder [default: ./tenterhook-data].
    #[arg(long, value_name = "DIR", env = "TENTERHOOK_DATA")]
    data: Option<PathBuf>,
    /// Its database, if that is not in the data folder, such as
    /// `sqlite:/var/lib/hooks.db`.
    #[arg(long, value_name = "URL", env = "TENTERHOOK_DATABASE")]
    database: Option<String>,
}

impl Stored {
    /// The database, which is there.
    pub(crate) fn database(&self) -> anyhow::Result<PathBuf> {
        let path = match DatabaseUrl::parse(self.database.as_deref()) {
            Ok(DatabaseUrl::Sqlite(path)) => path,
            Ok(DatabaseUrl::InDataFolder) => {
                let data = self.data.as_deref().unwrap_or(Path::new(DEFAULT_DATA));
                data.join(DATABASE_FILE)
            }
            Err(reason) => bail!("`--database` {reason}"),
        };
        if !path.is_file() {
            bail!(
                "there is no database {}; name the server's data folder with `--data`",
                path.display()
            );
        }
        Ok(path)
    }
}

/// Lets a database be put into a data folder that is not there yet or empty. No server can
/// start on it meanwhile.
pub(crate) fn restore_into<E>(
    data: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> anyhow::Result<()>
where
    anyhow::Error: From<E>,
{
    check_empty(data)?;
    let data = DataDir::open(data)?;
    check_empty(data.path())?;
    fill(&data.database())?;
    Ok(())
}

fn check_empty(folder: &Path) -> anyhow::Result<()> {
    let Ok(entries) = folder.read_dir() else {
        // It is not there, or what else is wrong with it is found when it is made.
        return Ok(());
    };
    for entry in entries {
        if entry?.file_name() != LOCK_FILE {
            bail!(
                "cannot restore into {}: it is not empty; name another folder with `--data`, or move what is in it \
                 away",
                folder.display()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_restored_over_what_is_there() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("data");
        let fill = |database: &Path| std::fs::write(database, "restored");
        restore_into(&data, fill).unwrap();
        let error = restore_into(&data, fill).unwrap_err().to_string();
        assert!(error.contains("not empty"), "{error}");
    }

    #[test]
    fn a_database_that_is_not_there_is_told() {
        let parent = tempfile::tempdir().unwrap();
        let stored = Stored {
            data: Some(parent.path().into()),
            database: None,
        };
        let error = stored.database().unwrap_err().to_string();
        assert!(error.contains("--data"), "{error}");
    }
}
