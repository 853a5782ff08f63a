//! Making, naming, moving and removing files.

use super::folder::Folder;
use super::node::{Data, NodeId};
use super::walk::{Last, NAME_MAX_BYTES, PATH_MAX_BYTES, Place, Purpose, Start, Target};
use super::{Content, Files};
use crate::errno::Errno;

/// The most names of one file; the same as on ext4.
const NAMES_MAX: u32 = 65_000;

/// How [`Files::open`] treats what is there, and what is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// A file is made if there is none.
    pub create: bool,
    /// Only a file that is made is opened.
    pub exclusive: bool,
    /// Only a folder is opened.
    pub folder: bool,
    /// The file is emptied.
    pub truncate: bool,
    /// It is going to be written to, which a folder cannot be.
    pub write: bool,
}

impl Files {
    /// Opens a file, or makes it; it is to be closed by [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// Those of [`walk`](Self::walk); [`Errno::Exist`], [`Errno::Isdir`], [`Errno::Notdir`],
    /// [`Errno::Inval`] for making a folder, [`Errno::Nospc`], and [`Errno::Loop`] for a
    /// symbolic link that is not followed.
    pub fn open(
        &mut self,
        start: Start,
        path: &[u8],
        last: Last,
        how: Open,
        mode: u16,
    ) -> Result<NodeId, Errno> {
        if how.create && how.folder {
            return Err(Errno::Inval);
        }
        let last = match how.create && how.exclusive {
            true => Last::Name,
            false => last,
        };
        let purpose = match how.create {
            true => Purpose::MakeFile,
            false => Purpose::Any,
        };
        let place = self.walk_for(start, path, last, purpose)?;
        let node = match (&place.target, place.node()) {
            (_, Ok(_)) if how.create && how.exclusive => return Err(Errno::Exist),
            (_, Ok(node)) => node,
            (Target::Entry { folder, name, .. }, Err(Errno::Noent)) if how.create => {
                let data = Data::File(Content::default());
                let node = self.make(*folder, name, data, mode)?;
                self.hold(node);
                return Ok(node);
            }
            (_, Err(error)) => return Err(error),
        };
        match self.node(node).data {
            Data::Folder(_) if how.write || how.truncate || how.create => {
                return Err(Errno::Isdir);
            }
            Data::Folder(_) => {}
            _ if how.folder || place.slash => return Err(Errno::Notdir),
            Data::Link(_) => return Err(Errno::Loop),
            Data::File(_) if how.truncate => self.resize(node, 0)?,
            Data::File(_) | Data::Device(_) => {}
        }
        self.hold(node);
        Ok(node)
    }

    /// Makes a folder.
    ///
    /// # Errors
    ///
    /// Those of [`walk`](Self::walk); [`Errno::Exist`] and [`Errno::Nospc`].
    pub fn make_folder(&mut self, start: Start, path: &[u8], mode: u16) -> Result<NodeId, Errno> {
        let place = self.walk(start, path, Last::Name)?;
        let (folder, name) = vacant(&place)?;
        self.make(folder, name, Data::Folder(Folder::new(folder)), mode)
    }

    /// Makes a symbolic link to `target`, which need not exist.
    ///
    /// # Errors
    ///
    /// Those of [`walk`](Self::walk); [`Errno::Exist`], [`Errno::Nospc`], and for the target
    /// [`Errno::Noent`] if it is empty, [`Errno::Nametoolong`] and [`Errno::Inval`].
    pub fn symlink(&mut self, target: &[u8], start: Start, path: &[u8]) -> Result<(), Errno> {
        match target {
            [] => return Err(Errno::Noent),
            _ if target.len() > PATH_MAX_BYTES => return Err(Errno::Nametoolong),
            _ if target.contains(&0) => return Err(Errno::Inval),
            _ => {}
        }
        let place = self.walk(start, path, Last::Name)?;
        let (folder, name) = vacant(&place)?;
        if place.slash {
            return Err(Errno::Noent);
        }
        let long = takes_block(target);
        if long {
            self.quota.take_block()?;
        }
        let made = self.make(folder, name, Data::Link(target.into()), 0o777);
        if made.is_err() && long {
            self.quota.give_blocks(1);
        }
        made.map(drop)
    }

    /// Gives a file another name.
    ///
    /// # Errors
    ///
    /// Those of [`walk`](Self::walk); [`Errno::Perm`] for a folder, [`Errno::Exist`],
    /// [`Errno::Mlink`] and [`Errno::Nospc`].
    pub fn link(
        &mut self,
        (start, path, last): (Start, &[u8], Last),
        (to, name): (Start, &[u8]),
    ) -> Result<(), Errno> {
        let node = self.find(start, path, last)?;
        let place = self.walk(to, name, Last::Name)?;
        let (folder, name) = vacant(&place)?;
        if place.slash {
            return Err(Errno::Noent);
        }
        if self.node(node).is_folder() {
            return Err(Errno::Perm);
        }
        if self.node(node).names >= NAMES_MAX {
            return Err(Errno::Mlink);
        }
        self.check_alive(folder)?;
        if self.node(node).names > 0 {
            self.quota.take_inode()?;
        }
        self.name(folder, name, node);
        self.node_mut(node).times.changed = self.now;
        Ok(())
    }

    /// Removes the name of a file that is no folder.
    ///
    /// # Errors
    ///
    /// Those of [`walk`](Self::walk); [`Errno::Isdir`] for a folder.
    pub fn unlink(&mut self, start: Start, path: &[u8]) -> Result<(), Errno> {
        let place = self.walk(start, path, Last::Name)?;
        let node = place.node()?;
        let Target::Entry { folder, name, .. } = &place.target else {
            return Err(Errno::Isdir);
        };
        match self.node(node).is_folder() {
            true => Err(Errno::Isdir),
            false if place.slash => Err(Errno::Notdir),
            false => {
                self.unname(*folder, name);
                Ok(())
            }
        }
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    ///
    /// Those of [`walk`](Self::walk); [`Errno::Notdir`], [`Errno::Notempty`],
    /// [`Errno::Inval`] for `.`, and [`Errno::Busy`] for the top.
    pub fn remove_folder(&mut self, start: Start, path: &[u8]) -> Result<(), Errno> {
        let place = self.walk(start, path, Last::Name)?;
        let node = place.node()?;
        let Target::Entry { folder, name, .. } = &place.target else {
            let mut names = path.rsplit(|byte| *byte == b'/');
            return Err(match names.find(|name| !name.is_empty()) {
                Some(b"..") => Errno::Notempty,
                Some(_) => Errno::Inval,
                None => Errno::Busy,
            });
        };
        match &self.node(node).data {
            Data::Folder(found) if !found.is_empty() => Err(Errno::Notempty),
            Data::Folder(_) => {
                self.unname(*folder, name);
                Ok(())
            }
            _ => Err(Errno::Notdir),
        }
    }

    /// Moves a file to another name, in place of what has that name.
    ///
    /// # Errors
    ///
    /// Those of [`walk`](Self::walk); [`Errno::Isdir`], [`Errno::Notdir`],
    /// [`Errno::Notempty`], [`Errno::Inval`] for moving a folder beneath itself, and
    /// [`Errno::Busy`] for a folder without its name.
    pub fn rename(
        &mut self,
        (start, path): (Start, &[u8]),
        (to, new_path): (Start, &[u8]),
    ) -> Result<(), Errno> {
        let old = self.walk(start, path, Last::Name)?;
        let new = self.walk(to, new_path, Last::Name)?;
        let (
            Target::Entry {
                folder,
                name,
                node: Some(node),
            },
            Target::Entry {
                folder: new_folder,
                name: new_name,
                node: there,
            },
        ) = (&old.target, &new.target)
        else {
            let folders = [&old.target, &new.target];
            let is_busy = folders.iter().any(|it| matches!(it, Target::Folder(_)));
            return Err(if is_busy { Errno::Busy } else { Errno::Noent });
        };
        let is_folder = self.node(*node).is_folder();
        if !is_folder && (old.slash || new.slash) {
            return Err(Errno::Notdir);
        }
        if is_folder && self.is_within(*new_folder, *node) {
            return Err(Errno::Inval);
        }
        self.check_alive(*new_folder)?;
        if let Some(there) = there {
            if self.node(*there).is_folder() && self.is_within(*folder, *there) {
                return Err(Errno::Notempty);
            }
            match &self.node(*there).data {
                // Two names of one file: there is nothing to do.
                _ if there == node => return Ok(()),
                Data::Folder(_) if !is_folder => return Err(Errno::Isdir),
                Data::Folder(found) if !found.is_empty() => return Err(Errno::Notempty),
                Data::Folder(_) => {}
                _ if is_folder => return Err(Errno::Notdir),
                _ => {}
            }
            self.unname(*new_folder, new_name);
        }
        // Held meanwhile: between its names it has none.
        self.hold(*node);
        self.unname(*folder, name);
        if self.node(*node).names > 0 {
            // What its old name has just given back.
            self.quota.take_inode()?;
        }
        self.name(*new_folder, new_name, *node);
        self.close(*node);
        let now = self.now;
        let moved = self.node_mut(*node);
        moved.times.changed = now;
        if let Data::Folder(moved) = &mut moved.data {
            moved.parent = *new_folder;
        }
        Ok(())
    }

    /// Returns the target of a symbolic link.
    ///
    /// # Errors
    ///
    /// Those of [`walk`](Self::walk); [`Errno::Inval`] for anything else.
    pub fn read_link(&mut self, start: Start, path: &[u8]) -> Result<&[u8], Errno> {
        let node = self.find(start, path, Last::Keep)?;
        match &self.node(node).data {
            Data::Link(target) => Ok(target),
            _ => Err(Errno::Inval),
        }
    }

    /// Makes a file with one name.
    pub(super) fn make(
        &mut self,
        folder: NodeId,
        name: &[u8],
        data: Data,
        mode: u16,
    ) -> Result<NodeId, Errno> {
        debug_assert!(!name.is_empty() && name.len() <= NAME_MAX_BYTES);
        self.check_alive(folder)?;
        self.quota.take_inode()?;
        let node = self.insert(data, mode);
        self.name(folder, name, node);
        Ok(node)
    }

    /// Adds an entry.
    fn name(&mut self, folder: NodeId, name: &[u8], node: NodeId) {
        let is_folder = self.node(node).is_folder();
        self.node_mut(node).names += 1;
        let now = self.now;
        let parent = self.node_mut(folder);
        parent.times.modified = now;
        parent.times.changed = now;
        if let Data::Folder(parent) = &mut parent.data {
            parent.insert(name, node);
            parent.folders += u32::from(is_folder);
        }
    }

    /// Removes an entry, and the file if nothing else holds it.
    fn unname(&mut self, folder: NodeId, name: &[u8]) {
        let now = self.now;
        let parent = self.node_mut(folder);
        parent.times.modified = now;
        parent.times.changed = now;
        let Data::Folder(entries) = &mut parent.data else {
            return;
        };
        let Some(node) = entries.remove(name) else {
            return;
        };
        let is_folder = self.node(node).is_folder();
        if let Data::Folder(parent) = &mut self.node_mut(folder).data {
            parent.folders -= u32::from(is_folder);
        }
        let found = self.node_mut(node);
        found.names -= 1;
        found.times.changed = now;
        if let (0, Data::Folder(removed)) = (found.names, &mut found.data) {
            // What was above may be gone before what holds this open.
            removed.parent = node;
        }
        if found.names > 0 {
            self.quota.give_inode();
        }
        self.free_unless_held(node);
    }

    /// Checks that a folder was not removed: nothing can be made in one that was.
    fn check_alive(&self, folder: NodeId) -> Result<(), Errno> {
        match self.node(folder).is_in_tree() {
            true => Ok(()),
            false => Err(Errno::Noent),
        }
    }

    /// Returns whether a folder is another, or beneath it.
    fn is_within(&mut self, mut folder: NodeId, other: NodeId) -> bool {
        loop {
            self.work += 1;
            if folder == other {
                return true;
            }
            match &self.node(folder).data {
                Data::Folder(found) if found.parent != folder => folder = found.parent,
                _ => return false,
            }
        }
    }
}

/// Returns whether a link's target takes a block beside its inode.
pub(super) fn takes_block(target: &[u8]) -> bool {
    target.len() > NAME_MAX_BYTES
}

/// Returns the place of a new entry.
fn vacant(place: &Place) -> Result<(NodeId, &[u8]), Errno> {
    match &place.target {
        Target::Entry {
            folder,
            name,
            node: None,
        } => Ok((*folder, name)),
        Target::Entry { .. } | Target::Folder(_) => Err(Errno::Exist),
    }
}
