//! The interpreter's view of the files: bashkit's `FileSystem` trait.
//!
//! Paths arrive absolute and are normalised here. Nothing below awaits, so a
//! change is never seen half done.

use super::content::Write;
use super::entries::Reach;
use super::error;
use super::execution::as_run;
use super::node::{Access, Body};
use super::{Files, Quota};
use async_trait::async_trait;
use bashkit::{DirEntry, FileSystem, FileSystemExt, FsLimits, FsUsage, Metadata, Result};
use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// `path` from the root, without `.` and `..`.
fn normal(path: &Path) -> Cow<'_, Path> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::RootDir);
    if path.has_root() && path.components().all(plain) {
        return Cow::Borrowed(path);
    }
    let mut out = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => {
                out.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Cow::Owned(out)
}

fn reach(recursive: bool) -> Reach {
    if recursive {
        Reach::Whole
    } else {
        Reach::Single
    }
}

#[async_trait]
impl FileSystem for Files {
    async fn read_file(&self, path: &Path) -> Result<Vec<u8>> {
        let path = normal(path);
        let mut tree = self.tree();
        let file = tree.find(&path)?;
        let content = tree.read(&path)?;
        let folder = path.parent().and_then(|folder| tree.find(folder).ok());
        let is_executable = tree.get(file).mode & 0o111 != 0;
        if tree.execution.is_run(file, folder, &path) && is_executable {
            return Ok(as_run(&content).unwrap_or(content));
        }
        Ok(content)
    }

    async fn write_file(&self, path: &Path, content: &[u8]) -> Result<()> {
        self.changed().write(&normal(path), Write::Replace, content)
    }

    async fn append_file(&self, path: &Path, content: &[u8]) -> Result<()> {
        self.changed().write(&normal(path), Write::Append, content)
    }

    async fn mkdir(&self, path: &Path, recursive: bool) -> Result<()> {
        self.changed().make_folder(&normal(path), reach(recursive))
    }

    async fn remove(&self, path: &Path, recursive: bool) -> Result<()> {
        self.changed().remove(&normal(path), reach(recursive))
    }

    async fn stat(&self, path: &Path) -> Result<Metadata> {
        let mut tree = self.tree();
        let path = normal(path);
        let id = tree.find(&path)?;
        let node = tree.get(id);
        let metadata = node.metadata();
        // A link is only followed.
        if !matches!(node.body, Body::Link(_)) {
            tree.execution.examine(id, &path);
        }
        Ok(metadata)
    }

    async fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>> {
        let tree = self.changed();
        let entries = tree.entries(tree.find(&normal(path))?)?;
        Ok(entries
            .iter()
            .map(|(name, id)| DirEntry {
                name: name.clone(),
                metadata: tree.get(*id).metadata(),
            })
            .collect())
    }

    async fn exists(&self, path: &Path) -> Result<bool> {
        Ok(self.tree().find(&normal(path)).is_ok())
    }

    async fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.changed().rename(&normal(from), &normal(to))
    }

    async fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        self.changed().copy(&normal(from), &normal(to))
    }

    async fn symlink(&self, target: &Path, link: &Path) -> Result<()> {
        let body = Body::Link(target.to_path_buf());
        self.changed().make(&normal(link), body, 0o777)
    }

    async fn read_link(&self, path: &Path) -> Result<PathBuf> {
        let tree = self.tree();
        match &tree.get(tree.find(&normal(path))?).body {
            Body::Link(target) => Ok(target.clone()),
            _ => Err(error::invalid()),
        }
    }

    async fn chmod(&self, path: &Path, mode: u32) -> Result<()> {
        self.changed().change_mode(&normal(path), mode)
    }

    async fn set_modified_time(&self, path: &Path, time: SystemTime) -> Result<()> {
        let mut tree = self.changed();
        let id = tree.find(&normal(path))?;
        if tree.get(id).access == Access::Sealed {
            return Err(error::sealed());
        }
        tree.get_mut(id).modified = time;
        Ok(())
    }
}

#[async_trait]
impl FileSystemExt for Files {
    fn usage(&self) -> FsUsage {
        let tree = self.tree();
        let (files, folders) = tree.census();
        FsUsage::new(tree.ledger.bytes(), files, folders)
    }

    fn limits(&self) -> FsLimits {
        let Quota { bytes, inodes } = self.tree().ledger.quota();
        let mut limits = FsLimits::unlimited();
        limits.max_total_bytes = bytes;
        limits.max_file_size = bytes;
        limits.max_file_count = inodes;
        limits.max_dir_count = inodes;
        limits
    }

    async fn mkfifo(&self, path: &Path, mode: u32) -> Result<()> {
        self.changed()
            .make(&normal(path), Body::Fifo(Vec::new()), mode)
    }

    fn backend_kind(&self) -> &'static str {
        "tenterhook"
    }
}
