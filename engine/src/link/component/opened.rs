//! What a component has open: files, folders, and readers of folders.

use std::sync::Arc;

use tenterhook_machine::{Errno, NodeId};
use wasmtime_wasi::p2::bindings::filesystem::types::DescriptorFlags;

use crate::sandbox::files::RunFiles;

/// What a component has open, by the numbers of its resources.
pub(crate) struct Opened {
    files: Slots<File>,
    readers: Slots<Reader>,
    /// Counts what is held, by descriptors and by streams alone.
    held: Arc<()>,
    most: usize,
}

/// A file or a folder that is open.
pub(super) struct File {
    pub(super) held: Arc<Held>,
    pub(super) flags: DescriptorFlags,
}

/// Reads a folder, and knows how far it has come.
pub(super) struct Reader {
    pub(super) folder: Arc<Held>,
    pub(super) place: u64,
}

/// Keeps a file open as long as a descriptor or a stream of it exists.
pub(super) struct Held {
    pub(super) node: NodeId,
    pub(super) files: RunFiles,
    _counted: Option<Arc<()>>,
}

impl Opened {
    /// Starts with nothing; so many files may be open beside the root folder.
    pub(crate) fn new(most: u32) -> Self {
        Self {
            files: Slots::default(),
            readers: Slots::default(),
            held: Arc::new(()),
            most: most as usize,
        }
    }

    /// Opens the root folder, which does not count.
    pub(super) fn root(&mut self, files: &RunFiles) -> u32 {
        self.files.add(File {
            held: Arc::new(Held {
                node: NodeId::ROOT,
                files: files.clone(),
                _counted: None,
            }),
            flags: DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
        })
    }

    /// Checks that one more file may be open.
    pub(super) fn may_open(&self) -> Result<(), Errno> {
        match Arc::strong_count(&self.held) <= self.most {
            true => Ok(()),
            false => Err(Errno::Mfile),
        }
    }

    /// Takes over a file that was opened.
    pub(super) fn add(&mut self, files: &RunFiles, node: NodeId, flags: DescriptorFlags) -> u32 {
        let held = Arc::new(Held {
            node,
            files: files.clone(),
            _counted: Some(Arc::clone(&self.held)),
        });
        self.files.add(File { held, flags })
    }

    /// Returns what a descriptor's number stands for.
    pub(super) fn get(&self, number: u32) -> Result<&File, Errno> {
        self.files.get(number)
    }

    pub(super) fn close(&mut self, number: u32) {
        self.files.remove(number);
    }

    /// Begins to read a folder.
    pub(super) fn read(&mut self, folder: &Arc<Held>) -> u32 {
        /// `.` and `..` are not listed in WASI 0.2.
        const FIRST: u64 = 2;
        self.readers.add(Reader {
            folder: Arc::clone(folder),
            place: FIRST,
        })
    }

    /// Returns a reader of a folder.
    pub(super) fn reader(&mut self, number: u32) -> Result<&mut Reader, Errno> {
        self.readers.get_mut(number)
    }

    pub(super) fn stop_reading(&mut self, number: u32) {
        self.readers.remove(number);
    }

    /// Returns how many root folders and readers there are at most.
    pub(super) fn spare(&self) -> usize {
        let files = Arc::strong_count(&self.held) - 1;
        (self.files.count + self.readers.count).saturating_sub(files)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.node != NodeId::ROOT {
            self.files.work().close(self.node);
        }
    }
}

/// Things by numbers that are used again.
struct Slots<T> {
    slots: Vec<Option<T>>,
    count: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            count: 0,
        }
    }
}

impl<T> Slots<T> {
    fn add(&mut self, thing: T) -> u32 {
        self.count += 1;
        let free = self.slots.iter().position(Option::is_none);
        let at = free.unwrap_or(self.slots.len());
        match free {
            Some(_) => self.slots[at] = Some(thing),
            None => self.slots.push(Some(thing)),
        }
        u32::try_from(at).expect("their count is bounded")
    }

    fn get(&self, number: u32) -> Result<&T, Errno> {
        let found = self.slots.get(number as usize);
        found.and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    fn get_mut(&mut self, number: u32) -> Result<&mut T, Errno> {
        let found = self.slots.get_mut(number as usize);
        found.and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    fn remove(&mut self, number: u32) {
        let place = self.slots.get_mut(number as usize);
        if place.and_then(Option::take).is_some() {
            self.count -= 1;
        }
    }
}
