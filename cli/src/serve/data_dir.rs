//! The data folder, which holds everything that a server stores and belongs to it alone.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::fs::Mode;

use super::address::ADDRESS_FILE;
use super::lock::Lock;

/// The file that a running server keeps locked.
pub(crate) const LOCK_FILE: &str = "lock";

/// The database, unless it is elsewhere.
pub(super) const DATABASE_FILE: &str = "tenterhook.db";

/// The file that marks a backup that is being restored.
pub(super) const RESTORING_FILE: &str = "restoring";

/// The folder with compiled code.
pub(super) const CODE_FOLDER: &str = "code";

/// The file with the key that seals it.
pub(super) const CODE_KEY_FILE: &str = "code.key";

/// The folder for files of runs.
pub(super) const SCRATCH_FOLDER: &str = "scratch";

/// The file with the owner's token.
pub(crate) const OWNER_TOKEN_FILE: &str = "owner.token";

/// An open data folder. No other server can open it at the same time.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    _lock: Lock,
}

impl DataDir {
    /// Creates the folder if it is missing, checks that it is ours, and locks it.
    ///
    /// From here on, files that this process creates are accessible to its user alone.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        rustix::process::umask(Mode::from_raw_mode(0o077));
        let cannot = || format!("cannot use the data folder {}", path.display());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(cannot)?;
        let path = path.canonicalize().with_context(cannot)?;
        let found = fs::metadata(&path).with_context(cannot)?;
        if found.uid() != rustix::process::geteuid().as_raw() || found.mode() & 0o022 != 0 {
            bail!(
                "cannot use the data folder {}: it must belong to this user and not be writable by others \
                 (chmod go-w)",
                path.display()
            );
        }
        let lock = Lock::take(&path.join(LOCK_FILE))?;
        let data = Self { path, _lock: lock };
        // The server that left an address file has ended: clients must not connect to it.
        let _ = fs::remove_file(data.address());
        Ok(data)
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file with the owner's token.
    pub(super) fn owner_token(&self) -> PathBuf {
        self.path.join(OWNER_TOKEN_FILE)
    }

    /// The file in which a running server notes its address.
    pub(super) fn address(&self) -> PathBuf {
        self.path.join(ADDRESS_FILE)
    }

    /// The database, unless it is elsewhere.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE_FILE)
    }

    /// The file that marks an unfinished first start: until the database exists, nothing in
    /// the folder is from an earlier run.
    pub(super) fn first_start(&self) -> PathBuf {
        self.path.join("first-start")
    }

    /// The file that marks a backup that is being restored into the folder: until the
    /// database exists, nothing else is in it.
    pub(super) fn restoring(&self) -> PathBuf {
        self.path.join(RESTORING_FILE)
    }

    /// Marks the folder as unused until its database exists.
    pub(super) fn begin_first_start(&self) -> anyhow::Result<()> {
        let file = self.first_start();
        fs::write(&file, "").with_context(|| format!("cannot write {}", file.display()))?;
        remove(&self.restoring())
    }

    /// Removes the marks once the database exists.
    pub(super) fn end_first_start(&self) -> anyhow::Result<()> {
        remove(&self.first_start())?;
        remove(&self.restoring())
    }

    /// The folder with compiled code.
    pub(super) fn code(&self) -> PathBuf {
        self.path.join(CODE_FOLDER)
    }

    /// The same, ready to be used: anything else in its place is removed, as its content is
    /// disposable.
    pub(super) fn prepare_code(&self) -> anyhow::Result<PathBuf> {
        let code = self.code();
        if code.symlink_metadata().is_ok() && !code.is_dir() {
            tracing::warn!(
                path = %code.display(),
                "the folder for compiled code is not a folder; it is removed, and code is compiled again"
            );
            remove(&code)?;
        }
        Ok(code)
    }

    /// The folder that older servers had for files of runs.
    pub(super) fn scratch_folder(&self) -> PathBuf {
        self.path.join(SCRATCH_FOLDER)
    }

    /// The file with the key that seals compiled code: not in its folder.
    pub(super) fn code_key(&self) -> PathBuf {
        self.path.join(CODE_KEY_FILE)
    }

    /// Removes the folder that older servers had for files of runs.
    pub(super) fn remove_scratch(&self) -> anyhow::Result<()> {
        let scratch = self.scratch_folder();
        let removed = match scratch.is_dir() && !scratch.is_symlink() {
            true => fs::remove_dir_all(&scratch),
            false => fs::remove_file(&scratch),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", scratch.display()))
            }
            _ => Ok(()),
        }
    }
}

/// Removes a file that need not exist.
pub(super) fn remove(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_new_folder_is_for_this_user_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        DataDir::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_folder_that_others_can_write_into_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("not be writable by others"), "{error}");
    }

    #[test]
    fn a_folder_is_open_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDir::open(folder.path()).unwrap();
        let error = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("in use by another server"), "{error}");
        drop(first);
        DataDir::open(folder.path()).unwrap();
    }

    #[test]
    fn a_file_in_place_of_a_folder_for_disposable_files_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        fs::write(folder.path().join("code"), "no folder").unwrap();
        assert!(!data.prepare_code().unwrap().exists());
    }

    #[test]
    fn what_an_older_server_left_of_its_runs_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let left = folder.path().join("scratch");
        fs::create_dir_all(left.join("run-1")).unwrap();
        data.remove_scratch().unwrap();
        assert!(!left.exists());
        fs::write(&left, "no folder").unwrap();
        data.remove_scratch().unwrap();
        data.remove_scratch().unwrap();
        assert!(!left.exists());
    }
}
