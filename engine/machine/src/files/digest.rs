//! What a run's files amount to, as one number.

use std::collections::BTreeMap;
use std::hash::Hasher as _;

use twox_hash::XxHash3_64;

use super::Files;
use super::content::BLOCK_BYTES;
use super::node::{Data, NodeId};

/// What follows in a digest.
#[derive(Clone, Copy)]
enum Mark {
    File,
    Folder,
    Link,
    Device,
    Again,
    End,
}

/// A digest that is being taken, piece by piece: there may be a gigabyte of files.
pub struct Digesting<'a> {
    files: &'a Files,
    hash: XxHash3_64,
    /// What is left of each folder on the way; a stack of its own, since folders may be
    /// nested deeper than the host's.
    folders: Vec<Entries<'a>>,
    /// The files of several names that were met, in that order: each is read once.
    linked: BTreeMap<NodeId, u64>,
    /// What is left of the present file.
    blocks: Option<Blocks<'a>>,
}

type Entries<'a> = Box<dyn Iterator<Item = (&'a [u8], NodeId)> + Send + 'a>;
type Blocks<'a> = Box<dyn Iterator<Item = (u64, &'a [u8; BLOCK_BYTES])> + Send + 'a>;

impl Files {
    /// Begins a digest of all files that have a name: of names, kinds, permission bits,
    /// owners, contents, targets, and which names are links to one file. Neither times count
    /// nor the order in which the files were made.
    ///
    /// It is no cryptographic hash: two trees with one digest can be made on purpose.
    #[must_use]
    pub fn digest(&self) -> Digesting<'_> {
        let mut digesting = Digesting {
            files: self,
            hash: XxHash3_64::default(),
            folders: Vec::new(),
            linked: BTreeMap::new(),
            blocks: None,
        };
        digesting.node(NodeId::ROOT);
        digesting
    }
}

impl<'a> Digesting<'a> {
    /// Continues with so many blocks and entries; returns the digest at the end.
    pub fn step(&mut self, most: usize) -> Option<u64> {
        for _ in 0..most {
            if let Some(blocks) = &mut self.blocks {
                match blocks.next() {
                    // One that reads like a hole counts as one.
                    Some((_, block)) if block.iter().all(|byte| *byte == 0) => {}
                    Some((place, block)) => {
                        self.hash.write_u64(place);
                        self.hash.write(block);
                    }
                    None => {
                        self.blocks = None;
                        self.mark(Mark::End);
                    }
                }
                continue;
            }
            let Some(entries) = self.folders.last_mut() else {
                return Some(self.hash.finish());
            };
            match entries.next() {
                Some((name, node)) => {
                    self.bytes(name);
                    self.node(node);
                }
                None => {
                    self.folders.pop();
                    self.mark(Mark::End);
                }
            }
        }
        None
    }

    fn node(&mut self, id: NodeId) {
        let files: &'a Files = self.files;
        let node = files.node(id);
        if node.names > 1 {
            let next = self.linked.len() as u64;
            let met = *self.linked.entry(id).or_insert(next);
            if met != next {
                self.mark(Mark::Again);
                self.hash.write_u64(met);
                return;
            }
        }
        self.hash.write_u16(node.mode);
        self.hash.write_u32(node.owner.user);
        self.hash.write_u32(node.owner.group);
        match &node.data {
            Data::Folder(folder) => {
                self.mark(Mark::Folder);
                self.folders.push(Box::new(folder.sorted()));
            }
            Data::File(content) => {
                self.mark(Mark::File);
                self.hash.write_u64(content.len());
                self.blocks = Some(Box::new(content.written()));
            }
            Data::Link(target) => {
                self.mark(Mark::Link);
                self.bytes(target);
            }
            Data::Device(device) => {
                self.mark(Mark::Device);
                self.hash.write_u8(*device as u8);
            }
        }
    }

    fn mark(&mut self, mark: Mark) {
        self.hash.write_u8(mark as u8);
    }

    /// With its length, so that no two lists of texts are written alike.
    fn bytes(&mut self, bytes: &[u8]) {
        self.hash.write_u64(bytes.len() as u64);
        self.hash.write(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Last, Open, Quota, Start};

    const TOP: Start = Start::At(NodeId::ROOT);

    fn empty() -> Files {
        Files::new(Quota::new(1 << 20, 100_000), 0)
    }

    fn with(change: impl FnOnce(&mut Files)) -> u64 {
        let mut files = empty();
        change(&mut files);
        digest(&files)
    }

    fn digest(files: &Files) -> u64 {
        let mut digesting = files.digest();
        loop {
            if let Some(digest) = digesting.step(3) {
                return digest;
            }
        }
    }

    fn file(files: &mut Files, path: &str, at: u64, content: &[u8]) -> NodeId {
        let how = Open {
            create: true,
            ..Open::default()
        };
        let node = files
            .open(TOP, path.as_bytes(), Last::Keep, how, 0o644)
            .unwrap();
        files.write(node, at, content).unwrap();
        files.close(node);
        node
    }

    #[test]
    fn equal_files_have_one_digest_however_they_were_made() {
        let one = with(|files| {
            file(files, "a", 0, b"x");
            file(files, "b", 0, b"y");
            file(files, "c", 4096, b"z");
        });
        let other = with(|files| {
            files.set_now(7);
            file(files, "c", 0, &[0; 4096]);
            file(files, "c", 4096, b"z");
            file(files, "b", 0, b"other");
            files.unlink(TOP, b"b").unwrap();
            file(files, "b", 0, b"y");
            file(files, "new", 0, b"x");
            files.rename((TOP, b"new"), (TOP, b"a")).unwrap();
        });
        assert_eq!(one, other);
    }

    #[test]
    fn each_difference_gives_another_digest() {
        let digests = [
            with(|_| ()),
            with(|files| _ = file(files, "a", 0, b"x")),
            with(|files| _ = file(files, "a", 0, b"y")),
            with(|files| _ = file(files, "a", 0, b"x\0")),
            with(|files| _ = file(files, "a", 1, b"x")),
            with(|files| _ = file(files, "b", 0, b"x")),
            with(|files| {
                let node = file(files, "a", 0, b"x");
                files.set_mode(node, 0o600);
            }),
            with(|files| _ = files.make_folder(TOP, b"a", 0o755).unwrap()),
            with(|files| files.symlink(b"x", TOP, b"a").unwrap()),
            with(|files| {
                files.make_folder(TOP, b"a", 0o755).unwrap();
                file(files, "a/b", 0, b"");
            }),
            with(|files| {
                files.make_folder(TOP, b"a", 0o755).unwrap();
                file(files, "b", 0, b"");
            }),
        ];
        let mut distinct = digests.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), digests.len());
    }

    #[test]
    fn a_file_of_many_names_is_read_once() {
        let mut files = empty();
        file(&mut files, "a", 0, &[1; 100 * 4096]);
        for name in 0..1_000 {
            files
                .link((TOP, b"a", Last::Keep), (TOP, name.to_string().as_bytes()))
                .unwrap();
        }
        let mut digesting = files.digest();
        assert!(digesting.step(2 * 1_001 + 100 + 10).is_some());
    }

    #[test]
    fn folders_may_be_nested_deeply() {
        let mut files = empty();
        let mut at = NodeId::ROOT;
        for _ in 0..50_000 {
            at = files.make_folder(Start::At(at), b"d", 0o755).unwrap();
        }
        assert_ne!(digest(&files), digest(&empty()));
    }
}
