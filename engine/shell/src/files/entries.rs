//! Making, moving and removing entries: folders, links, copies, names.

use super::error;
use super::node::{Access, Body};
use super::tree::Tree;
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// Whether an operation includes what lies below or above its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The path alone.
    Single,
    /// Missing parents when making, everything below when removing.
    Whole,
}

impl Tree {
    pub(super) fn make_folder(&mut self, path: &Path, reach: Reach) -> bashkit::Result<()> {
        if reach == Reach::Single {
            return self.make(path, Body::Folder(BTreeMap::new()), 0o755);
        }
        let mut here = std::path::PathBuf::from("/");
        for part in path.components() {
            let Component::Normal(name) = part else {
                continue;
            };
            here.push(name);
            match self.find(&here) {
                Ok(id) => match self.get(id).body {
                    Body::Folder(_) => {}
                    _ => return Err(error::exists()),
                },
                Err(_) => self.make(&here, Body::Folder(BTreeMap::new()), 0o755)?,
            }
        }
        Ok(())
    }

    /// Makes a new node; nothing may exist at `path`.
    pub(super) fn make(&mut self, path: &Path, body: Body, mode: u32) -> bashkit::Result<()> {
        if path.file_name().is_none() {
            return Err(error::exists());
        }
        let (parent, name) = self.find_parent(path)?;
        if self.entries(parent)?.contains_key(name) {
            return Err(error::exists());
        }
        self.insert(parent, name, body, mode)?;
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path, reach: Reach) -> bashkit::Result<()> {
        let id = self.find(path)?;
        let (parent, name) = self.find_parent(path)?;
        if self.holds_sealed(id) {
            return Err(error::sealed());
        }
        if let Body::Folder(entries) = &self.get(id).body
            && reach == Reach::Single
            && !entries.is_empty()
        {
            return Err(error::not_empty());
        }
        self.unlink(parent, name);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> bashkit::Result<()> {
        let source = self.find(from)?;
        let (from_parent, from_name) = self.find_parent(from)?;
        let (to_parent, to_name) = self.find_parent(to)?;
        if self.holds_sealed(source) {
            return Err(error::sealed());
        }
        if to.starts_with(from) {
            return if to == from {
                Ok(())
            } else {
                Err(error::invalid())
            };
        }
        if let Some(&target) = self.entries(to_parent)?.get(to_name) {
            let moves_folder = matches!(self.get(source).body, Body::Folder(_));
            if self.get(target).access == Access::Sealed {
                return Err(error::sealed());
            }
            match &self.get(target).body {
                Body::Folder(_) if !moves_folder => return Err(error::is_a_directory()),
                Body::Folder(entries) if !entries.is_empty() => return Err(error::not_empty()),
                Body::Folder(_) => {}
                _ if moves_folder => return Err(error::not_a_directory()),
                _ => {}
            }
            self.unlink(to_parent, to_name);
        }
        self.relink((from_parent, from_name), (to_parent, to_name));
        Ok(())
    }

    /// Copies content and mode; the copy's time is now.
    pub(super) fn copy(&mut self, from: &Path, to: &Path) -> bashkit::Result<()> {
        let source = self.find(from)?;
        if matches!(self.get(source).body, Body::Folder(_)) {
            return Err(error::is_a_directory());
        }
        let mode = self.get(source).mode;
        let content = self.read(from)?;
        let is_new = self.find(to).is_err();
        self.write(to, super::content::Write::Replace, &content)?;
        if is_new {
            let copied = self.find(to)?;
            self.get_mut(copied).mode = mode;
        }
        Ok(())
    }

    pub(super) fn change_mode(&mut self, path: &Path, mode: u32) -> bashkit::Result<()> {
        let id = self.find(path)?;
        let node = self.get_mut(id);
        if node.access == Access::Sealed {
            return Err(error::sealed());
        }
        node.mode = mode & 0o7777;
        Ok(())
    }
}
