//! One inode: its body, mode bits and times.

use super::device::Device;
use bashkit::{FileType, Metadata};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

/// Index of a node in the tree's slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(pub(super) usize);

/// What a node holds.
#[derive(Debug)]
pub(super) enum Body {
    File(Vec<u8>),
    /// A named pipe, which keeps what was written until it is read.
    Fifo(Vec<u8>),
    Folder(BTreeMap<String, NodeId>),
    Link(PathBuf),
    Device(Device),
}

/// Whether a script may change a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Open,
    /// Neither content, mode nor name can change.
    Sealed,
}

/// One file, folder, link, pipe or device.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) body: Body,
    pub(super) mode: u32,
    pub(super) access: Access,
    pub(super) modified: SystemTime,
    pub(super) created: SystemTime,
}

impl Node {
    pub(super) fn new(body: Body, mode: u32, now: SystemTime) -> Self {
        Self {
            body,
            mode,
            access: Access::Open,
            modified: now,
            created: now,
        }
    }

    /// Bytes that count against the quota.
    pub(super) fn stored(&self) -> usize {
        match &self.body {
            Body::File(content) | Body::Fifo(content) => content.len(),
            Body::Folder(_) | Body::Link(_) | Body::Device(_) => 0,
        }
    }

    pub(super) fn metadata(&self) -> Metadata {
        let (file_type, size) = match &self.body {
            Body::File(content) => (FileType::File, content.len()),
            Body::Fifo(_) => (FileType::Fifo, 0),
            Body::Folder(_) => (FileType::Directory, 4096),
            Body::Link(target) => (FileType::Symlink, target.as_os_str().len()),
            Body::Device(_) => (FileType::File, 0),
        };
        Metadata {
            file_type,
            size: size as u64,
            mode: self.mode,
            modified: self.modified,
            created: self.created,
        }
    }
}
