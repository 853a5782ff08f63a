//! A file of compiled code that is being written, until it has its name.

use std::fs::File;
use std::io;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};

/// The prefix of files that are being written.
pub(super) const PREFIX: &str = ".part-";

/// A file that is being written. It is removed unless it gets a name.
pub(super) struct Part<'a> {
    dir: &'a Dir,
    name: String,
    file: File,
    kept: bool,
}

impl<'a> Part<'a> {
    /// Creates an empty one, which nobody can open for writing again.
    pub(super) fn create(dir: &'a Dir) -> io::Result<Self> {
        let name = format!("{PREFIX}{:016x}", rand::random::<u64>());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o400);
        let file = dir.open_with(&name, &options)?.into_std();
        Ok(Self {
            dir,
            name,
            file,
            kept: false,
        })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Gives it a name, in place of what has that name, and closes it.
    pub(super) fn keep_as(mut self, name: &str) -> io::Result<()> {
        self.dir.rename(&self.name, self.dir, name)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if !self.kept {
            // What stays is removed at the next start.
            let _ = self.dir.remove_file(&self.name);
        }
    }
}
