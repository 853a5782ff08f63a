//! From a path to a file, as a kernel resolves it.

use super::node::{Data, NodeId};
use super::{Files, Node};
use crate::errno::Errno;

/// The longest path, in bytes; the same as on Linux.
pub const PATH_MAX_BYTES: usize = 4096;

/// The longest name of an entry, in bytes; the same as on Linux.
pub const NAME_MAX_BYTES: usize = 255;

/// The most symbolic links on the way; the same as on Linux.
const LINKS_MAX: u32 = 40;

/// The bytes of a path that are copied for the price of a step.
const COPIED_PER_STEP: u64 = 512;

/// Where a path starts, and what it can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// In this folder, with everything in reach, as for a process.
    At(NodeId),
    /// In this folder, with nothing in reach but what is beneath it, as for a descriptor of
    /// WASI. Leaving it is [`Errno::Perm`].
    Beneath(NodeId),
}

/// What is done with a symbolic link at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// It is followed.
    Follow,
    /// It is what was meant, unless a slash follows.
    Keep,
    /// Its name is what was meant, whatever follows: for calls that change entries.
    Name,
}

/// What a path is resolved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Any,
    /// To make a file if there is none: no name with a slash behind it can be its name, nor
    /// can one in a link on the way. That is [`Errno::Isdir`].
    MakeFile,
}

/// Where a path ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What is there.
    pub target: Target,
    /// Whether the path ends with a slash.
    pub slash: bool,
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An entry of a folder, which may not exist.
    Entry {
        /// The folder.
        folder: NodeId,
        /// The entry's name.
        name: Box<[u8]>,
        /// What is there.
        node: Option<NodeId>,
    },
    /// A folder that was reached without its name: by `.`, `..` or `/`.
    Folder(NodeId),
}

impl Place {
    /// Returns what is there.
    ///
    /// # Errors
    ///
    /// [`Errno::Noent`] if nothing is.
    pub fn node(&self) -> Result<NodeId, Errno> {
        match &self.target {
            Target::Entry { node, .. } => node.ok_or(Errno::Noent),
            Target::Folder(node) => Ok(*node),
        }
    }
}

impl Start {
    /// Returns the folder where the path starts.
    #[must_use]
    pub fn folder(self) -> NodeId {
        match self {
            Self::At(folder) | Self::Beneath(folder) => folder,
        }
    }

    /// Returns where an absolute path starts.
    fn top(self) -> Result<NodeId, Errno> {
        match self {
            Self::Beneath(folder) if folder != NodeId::ROOT => Err(Errno::Perm),
            Self::At(_) | Self::Beneath(_) => Ok(NodeId::ROOT),
        }
    }

    /// Returns the folder above another.
    fn above(self, folder: NodeId, parent: NodeId) -> Result<NodeId, Errno> {
        match self {
            Self::Beneath(floor) if floor == folder => Err(Errno::Perm),
            Self::At(_) | Self::Beneath(_) => Ok(parent),
        }
    }
}

impl Files {
    /// Resolves a path.
    ///
    /// # Errors
    ///
    /// [`Errno::Noent`] for an empty path or a missing folder on the way, [`Errno::Notdir`],
    /// [`Errno::Nametoolong`], [`Errno::Loop`], [`Errno::Inval`] for a NUL, and
    /// [`Errno::Perm`] for what is not beneath the start.
    pub fn walk(&mut self, start: Start, path: &[u8], last: Last) -> Result<Place, Errno> {
        self.walk_for(start, path, last, Purpose::Any)
    }

    /// Resolves a path for a purpose.
    pub(super) fn walk_for(
        &mut self,
        start: Start,
        path: &[u8],
        last: Last,
        purpose: Purpose,
    ) -> Result<Place, Errno> {
        if path.is_empty() {
            return Err(Errno::Noent);
        }
        if path.len() > PATH_MAX_BYTES {
            return Err(Errno::Nametoolong);
        }
        if path.contains(&0) {
            return Err(Errno::Inval);
        }
        // What is still to be resolved, from `next` on; a link puts its target in front.
        let mut rest = path.to_vec();
        let mut at = match path[0] {
            b'/' => start.top()?,
            _ => start.folder(),
        };
        let mut links = 0;
        let mut next = slashes(&rest, 0);
        loop {
            if next == rest.len() {
                // Nothing but slashes: the top, or a target that is all of them.
                return Ok(Place {
                    target: Target::Folder(at),
                    slash: true,
                });
            }
            let len = rest[next..].iter().position(|byte| *byte == b'/');
            let end = len.map_or(rest.len(), |len| next + len);
            let after = slashes(&rest, end);
            let (slash, is_last) = (end < after, after == rest.len());
            self.work += 1;
            let Data::Folder(folder) = &self.node(at).data else {
                return Err(Errno::Notdir);
            };
            let found = match &rest[next..end] {
                b"." => at,
                b".." => start.above(at, folder.parent)?,
                _ if is_last && slash && purpose == Purpose::MakeFile => return Err(Errno::Isdir),
                name if name.len() > NAME_MAX_BYTES => return Err(Errno::Nametoolong),
                name => {
                    let node = folder.get(name);
                    let data = node.map(|node| &self.node(node).data);
                    let follows = match last {
                        Last::Follow => true,
                        Last::Keep => slash,
                        Last::Name => false,
                    };
                    match (node, data) {
                        (_, Some(Data::Link(target))) if !is_last || follows => {
                            links += 1;
                            if links > LINKS_MAX {
                                return Err(Errno::Loop);
                            }
                            if target.first() == Some(&b'/') {
                                at = start.top()?;
                            }
                            let mut expanded = target.to_vec();
                            if slash {
                                expanded.push(b'/');
                            }
                            expanded.extend_from_slice(&rest[after..]);
                            self.work += expanded.len() as u64 / COPIED_PER_STEP;
                            next = slashes(&expanded, 0);
                            rest = expanded;
                            continue;
                        }
                        (node, _) if is_last => {
                            return Ok(Place {
                                target: Target::Entry {
                                    folder: at,
                                    name: name.into(),
                                    node,
                                },
                                slash,
                            });
                        }
                        (Some(node), _) => node,
                        (None, _) => return Err(Errno::Noent),
                    }
                }
            };
            if is_last {
                return Ok(Place {
                    target: Target::Folder(found),
                    slash,
                });
            }
            at = found;
            next = after;
        }
    }

    /// Returns the file that a path names.
    ///
    /// # Errors
    ///
    /// Those of [`walk`](Self::walk); [`Errno::Notdir`] if a slash follows what is no
    /// folder.
    pub fn find(&mut self, start: Start, path: &[u8], last: Last) -> Result<NodeId, Errno> {
        let place = self.walk(start, path, last)?;
        let node = place.node()?;
        if place.slash && !self.node(node).is_folder() {
            return Err(Errno::Notdir);
        }
        Ok(node)
    }
}

/// Returns where the slashes at `from` end.
fn slashes(path: &[u8], from: usize) -> usize {
    let other = path[from..].iter().position(|byte| *byte != b'/');
    other.map_or(path.len(), |other| from + other)
}

impl Node {
    pub(super) fn is_folder(&self) -> bool {
        matches!(self.data, Data::Folder(_))
    }
}
