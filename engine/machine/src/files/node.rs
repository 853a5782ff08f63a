//! One file of any kind: what it is, and what is told of it.

use super::content::Content;
use super::folder::Folder;
use crate::device::Device;

/// Names a file as long as it has a name or is held open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// The folder at the top.
    pub const ROOT: Self = Self(0);
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A store of bytes.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device.
    Device(Device),
}

/// When something last happened to a file, in nanoseconds since 1970 of the run's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// When it was last read.
    pub accessed: u64,
    /// When its content last changed.
    pub modified: u64,
    /// When anything about it last changed. No guest can set this.
    pub changed: u64,
}

/// Whose file it is. Nothing is forbidden by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub user: u32,
    /// The group's number.
    pub group: u32,
}

/// What is told of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The inode's number: files are numbered in the order in which they were made, and no
    /// number is used twice.
    pub number: u64,
    /// What kind it is.
    pub kind: Kind,
    /// The permission bits.
    pub mode: u16,
    /// Whose it is.
    pub owner: Owner,
    /// How many names it has; a folder's own `.` and the `..` of those in it count too.
    pub links: u64,
    /// Its length in bytes; that of a symbolic link is the length of its target.
    pub size: u64,
    /// The bytes of the blocks that it takes.
    pub held: u64,
    /// When something last happened to it.
    pub times: Times,
}

/// One file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) number: u64,
    pub(super) data: Data,
    pub(super) mode: u16,
    pub(super) owner: Owner,
    /// The entries that name it.
    pub(super) names: u32,
    /// The holders that have it open.
    pub(super) open: u32,
    pub(super) times: Times,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub(super) enum Data {
    File(Content),
    Folder(Folder),
    Link(Box<[u8]>),
    Device(Device),
}

impl Data {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::File(_) => Kind::File,
            Self::Folder(_) => Kind::Folder,
            Self::Link(_) => Kind::Link,
            Self::Device(device) => Kind::Device(*device),
        }
    }
}
