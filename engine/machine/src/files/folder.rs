//! The entries of a folder, by name and in the order in which they were made.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::NodeId;

/// The place of the first entry: `.` and `..` come before it.
const FIRST: u64 = 2;

/// The entries of one folder.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// The folder that it is in; itself at the root.
    pub(super) parent: NodeId,
    by_name: BTreeMap<Arc<[u8]>, (u64, NodeId)>,
    /// Places are never used twice, so a reader that continues at one neither misses nor
    /// repeats what was there all the time.
    by_place: BTreeMap<u64, (Arc<[u8]>, NodeId)>,
    next: u64,
    /// How many of the entries are folders.
    pub(super) folders: u32,
}

impl Folder {
    pub(super) fn new(parent: NodeId) -> Self {
        Self {
            parent,
            by_name: BTreeMap::new(),
            by_place: BTreeMap::new(),
            next: FIRST,
            folders: 0,
        }
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<NodeId> {
        self.by_name.get(name).map(|(_, node)| *node)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Adds an entry of a new name.
    pub(super) fn insert(&mut self, name: &[u8], node: NodeId) {
        let name: Arc<[u8]> = name.into();
        self.by_name.insert(Arc::clone(&name), (self.next, node));
        self.by_place.insert(self.next, (name, node));
        self.next += 1;
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Option<NodeId> {
        let (place, node) = self.by_name.remove(name)?;
        self.by_place.remove(&place);
        Some(node)
    }

    /// Returns the entries in the order of their names.
    pub(super) fn sorted(&self) -> impl Iterator<Item = (&[u8], NodeId)> {
        self.by_name
            .iter()
            .map(|(name, (_, node))| (&**name, *node))
    }

    /// Returns the entries from this place on, with the place of each.
    pub(super) fn from(&self, place: u64) -> impl Iterator<Item = (u64, &[u8], NodeId)> {
        let entries = self.by_place.range(place.max(FIRST)..);
        entries.map(|(place, (name, node))| (*place, &**name, *node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_continues_at_its_place_whatever_was_removed() {
        let root = NodeId::ROOT;
        let mut folder = Folder::new(root);
        for name in [b"a", b"b", b"c"] {
            folder.insert(name, root);
        }
        let places: Vec<u64> = folder.from(0).map(|(place, ..)| place).collect();
        assert_eq!(places, [2, 3, 4]);
        folder.remove(b"b");
        folder.insert(b"d", root);
        let rest: Vec<&[u8]> = folder.from(3).map(|(_, name, _)| name).collect();
        assert_eq!(rest, [b"c", b"d"]);
        assert_eq!(folder.from(u64::MAX).count(), 0);
    }
}
