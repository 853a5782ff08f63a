//! The files of one run: a tree of inodes, with the rules of POSIX and a quota.

mod change;
mod content;
mod digest;
mod folder;
mod node;
mod quota;
mod walk;

pub use self::change::Open;
pub use self::content::BLOCK_BYTES;
use self::content::Content;
pub use self::digest::Digesting;
use self::folder::Folder;
use self::node::{Data, Node};
pub use self::node::{Kind, NodeId, Owner, Stat, Times};
pub use self::quota::Quota;
pub use self::walk::{Last, NAME_MAX_BYTES, PATH_MAX_BYTES, Place, Start, Target};
use crate::device::Device;
use crate::errno::Errno;

/// Bytes of host memory that an inode may take beside its blocks: itself, a name of the
/// longest kind in its folder's two orders, and a target that takes no block.
pub const INODE_BYTES: u64 = 1024;

/// What a folder claims as its size, in bytes.
const FOLDER_BYTES: u64 = BLOCK_BYTES as u64;

/// The files of one run.
///
/// A file exists as long as it has a name or is held open. Holders open and close it in
/// pairs; a [`NodeId`] must not be used after that.
#[derive(Clone, Debug)]
pub struct Files {
    nodes: Vec<Option<Node>>,
    vacant: Vec<u32>,
    /// The number of the next file.
    next: u64,
    quota: Quota,
    now: u64,
    work: u64,
}

/// An entry of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name.
    pub name: &'a [u8],
    /// Where reading continues after it.
    pub next: u64,
    /// The number of the inode.
    pub number: u64,
    /// What kind of file it is.
    pub kind: Kind,
}

impl Files {
    /// Makes an empty root folder, at the time `now` in nanoseconds since 1970.
    #[must_use]
    pub fn new(quota: Quota, now: u64) -> Self {
        let mut files = Self {
            nodes: Vec::new(),
            vacant: Vec::new(),
            next: 1,
            quota,
            now,
            work: 0,
        };
        let root = files.insert(Data::Folder(Folder::new(NodeId::ROOT)), 0o755);
        debug_assert_eq!(root, NodeId::ROOT);
        files
    }

    /// Sets the time of what happens next, in nanoseconds since 1970.
    pub fn set_now(&mut self, now: u64) {
        self.now = now;
    }

    /// Begins to count for a run: `quota` is what it is allowed on top of what is there,
    /// which is the host's own.
    pub fn begin(&mut self, quota: Quota) {
        self.quota = quota.beside(&self.quota);
    }

    /// Returns what the files hold.
    #[must_use]
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// Returns how many steps were taken since this was last asked: components of paths,
    /// entries and blocks. What a call costs grows with them.
    pub fn take_work(&mut self) -> u64 {
        std::mem::take(&mut self.work)
    }

    /// Makes a device.
    ///
    /// # Errors
    ///
    /// Those of [`walk`](Self::walk); [`Errno::Exist`] and [`Errno::Nospc`].
    pub fn make_device(
        &mut self,
        start: Start,
        path: &[u8],
        device: Device,
        mode: u16,
    ) -> Result<(), Errno> {
        let place = self.walk(start, path, Last::Name)?;
        match place.target {
            Target::Entry {
                folder,
                name,
                node: None,
            } => self
                .make(folder, &name, Data::Device(device), mode)
                .map(drop),
            Target::Entry { .. } | Target::Folder(_) => Err(Errno::Exist),
        }
    }

    /// Holds a file open, until [`close`](Self::close).
    pub fn hold(&mut self, node: NodeId) {
        self.node_mut(node).open += 1;
    }

    /// Ends what [`open`](Self::open) or [`hold`](Self::hold) began.
    pub fn close(&mut self, node: NodeId) {
        let held = self.node_mut(node);
        held.open = held.open.saturating_sub(1);
        self.free_unless_held(node);
    }

    /// Returns what is told of a file.
    #[must_use]
    pub fn stat(&self, node: NodeId) -> Stat {
        let node = self.node(node);
        let (size, held, links) = match &node.data {
            Data::File(content) => (
                content.len(),
                content.blocks() * BLOCK_BYTES as u64,
                node.names.into(),
            ),
            // Its own entry and `.`, and `..` of each folder in it; none once it is removed.
            Data::Folder(folder) => {
                let own = if node.is_in_tree() { 2 } else { 0 };
                (FOLDER_BYTES, 0, own + u64::from(folder.folders))
            }
            Data::Link(target) => {
                let held = u64::from(change::takes_block(target)) * BLOCK_BYTES as u64;
                (target.len() as u64, held, node.names.into())
            }
            Data::Device(_) => (0, 0, node.names.into()),
        };
        Stat {
            number: node.number,
            kind: node.data.kind(),
            mode: node.mode,
            owner: node.owner,
            links,
            size,
            held,
            times: node.times,
        }
    }

    /// Returns what kind of file it is.
    #[must_use]
    pub fn kind(&self, node: NodeId) -> Kind {
        self.node(node).data.kind()
    }

    /// Sets the permission bits.
    pub fn set_mode(&mut self, node: NodeId, mode: u16) {
        let now = self.now;
        let node = self.node_mut(node);
        node.mode = mode & 0o7777;
        node.times.changed = now;
    }

    /// Sets the owner.
    pub fn set_owner(&mut self, node: NodeId, owner: Owner) {
        let now = self.now;
        let node = self.node_mut(node);
        node.owner = owner;
        node.times.changed = now;
    }

    /// Sets when a file was read and modified; `None` leaves a time as it is.
    pub fn set_times(&mut self, node: NodeId, accessed: Option<u64>, modified: Option<u64>) {
        let now = self.now;
        let times = &mut self.node_mut(node).times;
        times.accessed = accessed.unwrap_or(times.accessed);
        times.modified = modified.unwrap_or(times.modified);
        times.changed = now;
    }

    /// Copies what a regular file has from `at` on; returns how much, zero at its end.
    ///
    /// # Errors
    ///
    /// [`Errno::Isdir`] and [`Errno::Inval`] for anything else.
    pub fn read(&mut self, node: NodeId, at: u64, out: &mut [u8]) -> Result<usize, Errno> {
        let now = self.now;
        let node = self.node_mut(node);
        let Data::File(content) = &node.data else {
            return Err(no_file(&node.data));
        };
        let read = content.read(at, out);
        node.times.accessed = now;
        Ok(read)
    }

    /// Writes to a regular file as much as there is room for; returns how much.
    ///
    /// # Errors
    ///
    /// [`Errno::Isdir`] and [`Errno::Inval`] for anything else, [`Errno::Fbig`] and
    /// [`Errno::Nospc`].
    pub fn write(&mut self, node: NodeId, at: u64, bytes: &[u8]) -> Result<usize, Errno> {
        let now = self.now;
        let (node, quota) = self.parts(node);
        let Data::File(content) = &mut node.data else {
            return Err(no_file(&node.data));
        };
        let written = content.write(at, bytes, quota)?;
        if written > 0 {
            node.times.modified = now;
            node.times.changed = now;
        }
        Ok(written)
    }

    /// Returns the length of a regular file, zero for anything else.
    #[must_use]
    pub fn size(&self, node: NodeId) -> u64 {
        match &self.node(node).data {
            Data::File(content) => content.len(),
            _ => 0,
        }
    }

    /// Cuts a regular file, or makes it longer by a hole.
    ///
    /// # Errors
    ///
    /// [`Errno::Isdir`] and [`Errno::Inval`] for anything else, and [`Errno::Fbig`].
    pub fn resize(&mut self, node: NodeId, len: u64) -> Result<(), Errno> {
        let now = self.now;
        let before = self.node(node).blocks();
        let (node, quota) = self.parts(node);
        let Data::File(content) = &mut node.data else {
            return Err(no_file(&node.data));
        };
        content.resize(len, quota)?;
        node.times.modified = now;
        node.times.changed = now;
        let freed = before - node.blocks().min(before);
        self.work += freed;
        Ok(())
    }

    /// Fills the holes of a range of a regular file, which reaches to its end then.
    ///
    /// # Errors
    ///
    /// [`Errno::Isdir`] and [`Errno::Inval`] for anything else or an empty range,
    /// [`Errno::Fbig`] and [`Errno::Nospc`].
    pub fn allocate(&mut self, node: NodeId, at: u64, len: u64) -> Result<(), Errno> {
        if len == 0 {
            return Err(Errno::Inval);
        }
        let now = self.now;
        // As many steps as there are blocks to look at: no more than fit, and those there.
        let blocks = self.node(node).blocks() + self.quota.free_blocks() + 1;
        self.work += len.div_ceil(BLOCK_BYTES as u64).min(blocks);
        let (node, quota) = self.parts(node);
        let Data::File(content) = &mut node.data else {
            return Err(no_file(&node.data));
        };
        content.allocate(at, len, quota)?;
        node.times.modified = now;
        node.times.changed = now;
        Ok(())
    }

    /// Returns the entries of a folder from a place on: zero, or the
    /// [`next`](Entry::next) of one that was read before.
    ///
    /// # Errors
    ///
    /// [`Errno::Notdir`] for anything else.
    pub fn entries(
        &self,
        folder: NodeId,
        place: u64,
    ) -> Result<impl Iterator<Item = Entry<'_>>, Errno> {
        let itself = self.node(folder);
        let Data::Folder(found) = &itself.data else {
            return Err(Errno::Notdir);
        };
        let own = [(&b"."[..], folder), (&b".."[..], found.parent)];
        let own = own.into_iter().enumerate().filter_map(move |(at, it)| {
            let at = at as u64;
            (at >= place && itself.is_in_tree()).then_some((at, it.0, it.1))
        });
        Ok(own
            .chain(found.from(place))
            .map(|(place, name, node)| Entry {
                name,
                next: place + 1,
                number: self.node(node).number,
                kind: self.kind(node),
            }))
    }

    fn insert(&mut self, data: Data, mode: u16) -> NodeId {
        let node = Node {
            number: self.next,
            data,
            mode,
            owner: Owner::default(),
            names: 0,
            open: 0,
            times: Times {
                accessed: self.now,
                modified: self.now,
                changed: self.now,
            },
        };
        self.next += 1;
        if let Some(at) = self.vacant.pop() {
            self.nodes[at as usize] = Some(node);
            return NodeId(at);
        }
        self.nodes.push(Some(node));
        NodeId(u32::try_from(self.nodes.len() - 1).expect("the quota is far smaller"))
    }

    /// Removes a file that has no name and that nobody holds.
    fn free_unless_held(&mut self, id: NodeId) {
        let freed = self.node(id).blocks();
        let (node, quota) = self.parts(id);
        if node.names > 0 || node.open > 0 || id == NodeId::ROOT {
            return;
        }
        match &mut node.data {
            Data::File(content) => content.clear(quota),
            Data::Link(target) if change::takes_block(target) => quota.give_blocks(1),
            Data::Link(_) | Data::Folder(_) | Data::Device(_) => {}
        }
        quota.give_inode();
        self.work += freed;
        self.nodes[id.0 as usize] = None;
        self.vacant.push(id.0);
    }

    fn node(&self, node: NodeId) -> &Node {
        let node = self.nodes.get(node.0 as usize).and_then(Option::as_ref);
        node.expect("a file exists as long as it is held")
    }

    fn node_mut(&mut self, node: NodeId) -> &mut Node {
        self.parts(node).0
    }

    fn parts(&mut self, node: NodeId) -> (&mut Node, &mut Quota) {
        let node = self.nodes.get_mut(node.0 as usize).and_then(Option::as_mut);
        let node = node.expect("a file exists as long as it is held");
        (node, &mut self.quota)
    }
}

impl Node {
    fn blocks(&self) -> u64 {
        match &self.data {
            Data::File(content) => content.blocks(),
            _ => 0,
        }
    }

    /// Returns whether it is in the tree.
    fn is_in_tree(&self) -> bool {
        self.names > 0 || self.number == 1
    }
}

/// Why this cannot be read or written.
fn no_file(data: &Data) -> Errno {
    match data {
        Data::Folder(_) => Errno::Isdir,
        Data::File(_) | Data::Link(_) | Data::Device(_) => Errno::Inval,
    }
}
