//! The tree of inodes: lookup, creation, removal and renaming.
//!
//! A slab of nodes under one root. Links are stored, never followed: the
//! interpreter follows them above this layer.

use super::error;
use super::execution::Execution;
use super::node::{Access, Body, Node, NodeId};
use super::quota::{Ledger, Quota};
use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::time::{Duration, SystemTime};

/// Longest name of one path component in bytes, as on Linux.
const NAME_MAX: usize = 255;
/// Longest path in bytes, as on Linux.
const PATH_MAX: usize = 4096;
const ROOT: NodeId = NodeId(0);

/// All files of one run.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Option<Node>>,
    free: Vec<NodeId>,
    pub(super) ledger: Ledger,
    last_tick: SystemTime,
    pub(super) execution: Execution,
}

impl Tree {
    pub(super) fn new(quota: Quota) -> Self {
        let root = Node::new(Body::Folder(BTreeMap::new()), 0o755, SystemTime::UNIX_EPOCH);
        Self {
            nodes: vec![Some(root)],
            free: Vec::new(),
            ledger: Ledger::new(quota),
            last_tick: SystemTime::UNIX_EPOCH,
            execution: Execution::default(),
        }
    }

    /// Now, but later than every earlier answer, so that the order of two
    /// changes can be detected even if the clock stands still.
    pub(super) fn tick(&mut self) -> SystemTime {
        let now = SystemTime::now();
        self.last_tick = if now > self.last_tick {
            now
        } else {
            self.last_tick + Duration::from_nanos(1)
        };
        self.last_tick
    }

    /// Dates everything that exists so far to now.
    pub(super) fn date_all(&mut self) {
        self.last_tick = SystemTime::UNIX_EPOCH;
        let now = self.tick();
        for node in self.nodes.iter_mut().flatten() {
            node.modified = now;
            node.created = now;
        }
    }

    pub(super) fn get(&self, id: NodeId) -> &Node {
        self.nodes[id.0].as_ref().expect("a linked node exists")
    }

    pub(super) fn get_mut(&mut self, id: NodeId) -> &mut Node {
        self.nodes[id.0].as_mut().expect("a linked node exists")
    }

    /// The node at `path`.
    pub(super) fn find(&self, path: &Path) -> bashkit::Result<NodeId> {
        if path.as_os_str().len() > PATH_MAX {
            return Err(error::name_too_long());
        }
        let mut here = ROOT;
        for part in path.components() {
            let Component::Normal(name) = part else {
                continue;
            };
            let Body::Folder(entries) = &self.get(here).body else {
                return Err(error::not_a_directory());
            };
            let name = name.to_str().ok_or_else(error::invalid)?;
            here = *entries.get(name).ok_or_else(error::not_found)?;
        }
        Ok(here)
    }

    /// The folder that holds `path`, and the name of `path` in it.
    pub(super) fn find_parent<'a>(&self, path: &'a Path) -> bashkit::Result<(NodeId, &'a str)> {
        let name = path.file_name().ok_or_else(error::busy)?;
        let name = name.to_str().ok_or_else(error::invalid)?;
        if name.len() > NAME_MAX {
            return Err(error::name_too_long());
        }
        let parent = self.find(path.parent().unwrap_or(Path::new("/")))?;
        match self.get(parent).body {
            Body::Folder(_) => Ok((parent, name)),
            _ => Err(error::not_a_directory()),
        }
    }

    pub(super) fn entries(&self, id: NodeId) -> bashkit::Result<&BTreeMap<String, NodeId>> {
        match &self.get(id).body {
            Body::Folder(entries) => Ok(entries),
            _ => Err(error::not_a_directory()),
        }
    }

    fn entries_mut(&mut self, id: NodeId) -> &mut BTreeMap<String, NodeId> {
        match &mut self.get_mut(id).body {
            Body::Folder(entries) => entries,
            _ => unreachable!("the caller looked up a folder"),
        }
    }

    /// Makes a node named `name` in the folder `parent`.
    pub(super) fn insert(
        &mut self,
        parent: NodeId,
        name: &str,
        body: Body,
        mode: u32,
    ) -> bashkit::Result<NodeId> {
        self.ledger.check_inodes(1)?;
        let now = self.tick();
        let node = Node::new(body, mode, now);
        let id = match self.free.pop() {
            Some(id) => {
                self.nodes[id.0] = Some(node);
                id
            }
            None => {
                self.nodes.push(Some(node));
                NodeId(self.nodes.len() - 1)
            }
        };
        self.ledger.add_inode();
        self.entries_mut(parent).insert(name.to_owned(), id);
        self.get_mut(parent).modified = now;
        Ok(id)
    }

    /// Takes the entry `name` out of `parent` and frees all that hangs on it.
    pub(super) fn unlink(&mut self, parent: NodeId, name: &str) {
        let Some(top) = self.entries_mut(parent).remove(name) else {
            return;
        };
        self.get_mut(parent).modified = self.tick();
        let mut doomed = vec![top];
        while let Some(id) = doomed.pop() {
            let node = self.nodes[id.0].take().expect("a linked node exists");
            self.ledger.move_bytes(node.stored(), 0);
            self.ledger.drop_inode();
            self.free.push(id);
            if let Body::Folder(entries) = node.body {
                doomed.extend(entries.into_values());
            }
        }
    }

    /// Moves an entry to another folder or name; nothing may be there.
    pub(super) fn relink(&mut self, from: (NodeId, &str), to: (NodeId, &str)) {
        if let Some(id) = self.entries_mut(from.0).remove(from.1) {
            self.entries_mut(to.0).insert(to.1.to_owned(), id);
        }
        let now = self.tick();
        self.get_mut(from.0).modified = now;
        self.get_mut(to.0).modified = now;
    }

    /// Whether anything at or below `id` is sealed.
    pub(super) fn holds_sealed(&self, id: NodeId) -> bool {
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            let node = self.get(id);
            if node.access == Access::Sealed {
                return true;
            }
            if let Body::Folder(entries) = &node.body {
                pending.extend(entries.values());
            }
        }
        false
    }

    /// Counts of files and of folders.
    pub(super) fn census(&self) -> (u64, u64) {
        let mut counts = (0, 0);
        for node in self.nodes.iter().flatten() {
            match node.body {
                Body::Folder(_) => counts.1 += 1,
                _ => counts.0 += 1,
            }
        }
        counts
    }
}
