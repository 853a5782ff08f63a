//! The files of WASI 0.2, on those of the run.
//!
//! A resource of WASI is a number, and ours name what [`Opened`] holds: upstream's own
//! kind of descriptor, which stands for a file of the host, is never made.

use std::sync::Arc;

use tenterhook_machine::{Errno, Kind, Last, NodeId, Open, Start, Stat};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, Host, HostDescriptor, HostDirectoryEntryStream,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::opened::{File, Opened};
use super::stream::{FileInput, FileOutput};
use crate::sandbox::files::RunFiles;
use crate::sandbox::guest::Guest;
use crate::sandbox::meter::{
    CHANGE_CALL, COPIED_BYTE, FILE_CALL, FILE_STEP, Meter, PATH_CALL, READ_ENTRY,
};
use crate::sandbox::world::WithFiles;

/// The most bytes that one call reads or writes.
const MOVED_MAX_BYTES: u64 = 1 << 20;

/// The most root folders and readers of folders that a component may have at a time, which
/// are no files of its own.
const SPARE_NUMBERS: usize = 64;

/// Puts these calls in front of those that the linker has.
pub(super) fn add(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    types::add_to_linker::<Guest, Files>(linker, |guest| View::of(guest))?;
    preopens::add_to_linker::<Guest, Files>(linker, |guest| View::of(guest))?;
    linker.allow_shadowing(false);
    Ok(())
}

struct Files;

impl HasData for Files {
    type Data<'a> = View<'a>;
}

/// What a call works with.
struct View<'a> {
    meter: Arc<Meter>,
    files: RunFiles,
    with_files: WithFiles,
    table: &'a mut ResourceTable,
    opened: &'a mut Opened,
}

type Fd = Resource<Descriptor>;

impl<'a> View<'a> {
    fn of(guest: &'a mut Guest) -> Self {
        let (meter, files) = (Arc::clone(&guest.meter), guest.world.files.clone());
        let with_files = guest.world.with_files;
        let wasi = guest.wasi();
        Self {
            meter,
            files,
            with_files,
            table: &mut wasi.table,
            opened: &mut wasi.opened,
        }
    }

    fn file(&self, fd: &Fd) -> FsResult<&File> {
        self.opened.get(fd.rep()).map_err(refused)
    }

    fn node(&self, fd: &Fd) -> FsResult<NodeId> {
        Ok(self.file(fd)?.held.node)
    }

    /// Returns what is open as a regular file or a device, for one of these uses.
    fn content(&self, fd: &Fd, right: DescriptorFlags) -> FsResult<(NodeId, Kind)> {
        let file = self.file(fd)?;
        match self.files.work().kind(file.held.node) {
            Kind::Folder => Err(ErrorCode::BadDescriptor.into()),
            _ if !file.flags.contains(right) => Err(ErrorCode::BadDescriptor.into()),
            kind => Ok((file.held.node, kind)),
        }
    }

    /// Returns the folder that a path starts in, with what is beneath it in reach, for the
    /// price of the path. That is relative.
    fn start(&self, fd: &Fd, path: &str) -> FsResult<Start> {
        self.meter.owe(PATH_CALL + bytes(path.len() as u64));
        if path.starts_with('/') {
            return Err(ErrorCode::NotPermitted.into());
        }
        let node = self.node(fd)?;
        match self.files.work().kind(node) {
            Kind::Folder => Ok(Start::Beneath(node)),
            Kind::File | Kind::Link | Kind::Device(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    /// Charges for what was done beside taking the path, and for its way.
    fn pay<T>(&self, price: u64, done: Result<T, Errno>) -> FsResult<T> {
        let steps = self.files.work().take_work();
        self.meter.owe(price + steps * FILE_STEP);
        done.map_err(refused)
    }

    fn times(&self, fd: NodeId, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        let now = self.files.now();
        let time = |given| match given {
            NewTimestamp::NoChange => Ok(None),
            NewTimestamp::Now => Ok(Some(now)),
            NewTimestamp::Timestamp(at) => nanos(at).map(Some),
        };
        let (accessed, modified) = (time(accessed)?, time(modified)?);
        self.files.work().set_times(fd, accessed, modified);
        Ok(())
    }
}

impl Host for View<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        let errno = self.table.get(&error)?.downcast_ref::<Errno>();
        Ok(errno.map(|errno| code(*errno)))
    }
}

impl preopens::Host for View<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Fd, String)>> {
        if self.with_files == WithFiles::No {
            return Ok(Vec::new());
        }
        if self.opened.spare() >= SPARE_NUMBERS {
            return Err(wasmtime::Error::msg("too many descriptors are open"));
        }
        let root = self.opened.root(&self.files);
        Ok(vec![(Resource::new_own(root), "/".into())])
    }
}

impl HostDescriptor for View<'_> {
    async fn advise(&mut self, fd: Fd, _: Filesize, _: Filesize, _: Advice) -> FsResult<()> {
        self.content(&fd, DescriptorFlags::empty()).map(drop)
    }

    // What is in memory is as safe as it will be.
    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.file(&fd).map(drop)
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.file(&fd).map(drop)
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        Ok(self.file(&fd)?.flags)
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        let node = self.node(&fd)?;
        Ok(descriptor_type(self.files.work().kind(node)))
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        let (node, _) = self.content(&fd, DescriptorFlags::WRITE)?;
        let resized = self.files.work().resize(node, size);
        self.pay(FILE_CALL, resized)
    }

    async fn set_times(
        &mut self,
        fd: Fd,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.times(self.node(&fd)?, accessed, modified)
    }

    async fn read(&mut self, fd: Fd, len: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)> {
        let (node, kind) = self.content(&fd, DescriptorFlags::READ)?;
        let len = usize::try_from(len.min(MOVED_MAX_BYTES)).expect("it is bounded");
        self.meter.owe(FILE_CALL);
        self.meter.owe_bytes(len);
        let mut buffer = vec![0; len];
        let read = self.files.read((node, kind), offset, &mut buffer);
        let read = read.map_err(refused)?;
        buffer.truncate(read);
        let ends = !matches!(kind, Kind::Device(_))
            && offset.saturating_add(read as u64) >= self.files.work().size(node);
        Ok((buffer, ends || (read == 0 && len > 0)))
    }

    async fn write(&mut self, fd: Fd, buffer: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        // Taking the bytes over has its price, whatever becomes of them.
        self.meter.owe_bytes(buffer.len());
        let (node, kind) = self.content(&fd, DescriptorFlags::WRITE)?;
        let written = write(&self.files, &self.meter, (node, kind), offset, &buffer);
        Ok(written.map_err(refused)? as u64)
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        let node = self.node(&fd)?;
        Ok(told(&self.files.work().stat(node)))
    }

    async fn stat_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        let start = self.start(&fd, &path)?;
        let found = self.files.work().find(start, path.as_bytes(), last(flags));
        let node = self.pay(0, found)?;
        Ok(told(&self.files.work().stat(node)))
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let start = self.start(&fd, &path)?;
        let found = self.files.work().find(start, path.as_bytes(), last(flags));
        let node = self.pay(0, found)?;
        self.times(node, accessed, modified)
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        let start = self.start(&fd, &path)?;
        let mut files = self.files.work();
        let target = files
            .read_link(start, path.as_bytes())
            .map(|target| String::from_utf8(target.to_vec()));
        drop(files);
        // Nothing but WASI 0.2 made it, whose texts are UTF-8.
        self.pay(0, target)?
            .map_err(|_| ErrorCode::IllegalByteSequence.into())
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let start = self.start(&fd, &path)?;
        let removed = self.files.work().remove_folder(start, path.as_bytes());
        self.pay(CHANGE_CALL, removed)
    }

    async fn rename_at(&mut self, fd: Fd, path: String, to: Fd, name: String) -> FsResult<()> {
        let (start, to) = (self.start(&fd, &path), self.start(&to, &name));
        let (start, to) = (start?, to?);
        let renamed = self
            .files
            .work()
            .rename((start, path.as_bytes()), (to, name.as_bytes()));
        self.pay(CHANGE_CALL, renamed)
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let start = self.start(&fd, &path)?;
        let removed = self.files.work().unlink(start, path.as_bytes());
        self.pay(CHANGE_CALL, removed)
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let start = self.start(&fd, &path)?;
        let made = self.files.work().make_folder(start, path.as_bytes(), 0o755);
        self.pay(CHANGE_CALL, made).map(drop)
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        self.meter.owe_bytes(target.len());
        if target.starts_with('/') {
            return Err(ErrorCode::NotPermitted.into());
        }
        let start = self.start(&fd, &path)?;
        let made = self
            .files
            .work()
            .symlink(target.as_bytes(), start, path.as_bytes());
        self.pay(CHANGE_CALL, made)
    }

    async fn link_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        to: Fd,
        name: String,
    ) -> FsResult<()> {
        let (start, to) = (self.start(&fd, &path), self.start(&to, &name));
        let (start, to) = (start?, to?);
        let linked = self
            .files
            .work()
            .link((start, path.as_bytes(), last(flags)), (to, name.as_bytes()));
        self.pay(CHANGE_CALL, linked)
    }

    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let start = self.start(&fd, &path)?;
        self.opened.may_open().map_err(refused)?;
        let how = Open {
            create: open_flags.contains(OpenFlags::CREATE),
            exclusive: open_flags.contains(OpenFlags::EXCLUSIVE),
            folder: open_flags.contains(OpenFlags::DIRECTORY),
            truncate: open_flags.contains(OpenFlags::TRUNCATE),
            write: flags.contains(DescriptorFlags::WRITE),
        };
        let price = if how.create { CHANGE_CALL } else { 0 };
        let last = last(path_flags);
        let opened = self
            .files
            .work()
            .open(start, path.as_bytes(), last, how, 0o644);
        let node = self.pay(price, opened)?;
        // What is opened for nothing is opened for reading.
        let flags = match flags.intersects(DescriptorFlags::READ | DescriptorFlags::WRITE) {
            true => flags,
            false => flags | DescriptorFlags::READ,
        };
        Ok(Resource::new_own(self.opened.add(&self.files, node, flags)))
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        let held = Arc::clone(&self.file(&fd)?.held);
        if self.files.work().kind(held.node) != Kind::Folder {
            return Err(ErrorCode::NotDirectory.into());
        }
        if self.opened.spare() >= SPARE_NUMBERS {
            return Err(refused(Errno::Mfile));
        }
        self.meter.owe(PATH_CALL);
        Ok(Resource::new_own(self.opened.read(&held)))
    }

    async fn is_same_object(&mut self, fd: Fd, other: Fd) -> wasmtime::Result<bool> {
        let node = |fd: &Fd| self.opened.get(fd.rep()).map(|file| file.held.node);
        Ok(node(&fd)? == node(&other)?)
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        let node = self.node(&fd)?;
        Ok(hash(&self.files.work().stat(node)))
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let start = self.start(&fd, &path)?;
        let found = self.files.work().find(start, path.as_bytes(), last(flags));
        let node = self.pay(0, found)?;
        Ok(hash(&self.files.work().stat(node)))
    }

    fn read_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let (_, kind) = self.content(&fd, DescriptorFlags::READ)?;
        let held = Arc::clone(&self.file(&fd)?.held);
        let stream: DynInputStream = Box::new(FileInput::new(held, kind, offset, &self.meter));
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(
        &mut self,
        fd: Fd,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.output(&fd, Some(offset))
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        self.output(&fd, None)
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.opened.close(fd.rep());
        Ok(())
    }
}

impl HostDirectoryEntryStream for View<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.meter.owe(READ_ENTRY);
        let reader = self.opened.reader(stream.rep()).map_err(refused)?;
        let files = self.files.work();
        let mut entries = files
            .entries(reader.folder.node, reader.place)
            .map_err(refused)?;
        let Some(entry) = entries.next() else {
            return Ok(None);
        };
        reader.place = entry.next;
        let name = String::from_utf8(entry.name.to_vec());
        Ok(Some(DirectoryEntry {
            type_: descriptor_type(entry.kind),
            name: name.map_err(|_| ErrorCode::IllegalByteSequence)?,
        }))
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.opened.stop_reading(stream.rep());
        Ok(())
    }
}

impl View<'_> {
    fn output(&mut self, fd: &Fd, offset: Option<u64>) -> FsResult<Resource<DynOutputStream>> {
        let (_, kind) = self.content(fd, DescriptorFlags::WRITE)?;
        let held = Arc::clone(&self.file(fd)?.held);
        let stream: DynOutputStream = Box::new(FileOutput::new(held, kind, offset, &self.meter));
        Ok(self.table.push(stream)?)
    }
}

/// Writes to a file or a device, for its price; returns how many bytes there was room for.
pub(super) fn write(
    files: &RunFiles,
    meter: &Meter,
    (node, kind): (NodeId, Kind),
    offset: u64,
    bytes: &[u8],
) -> Result<usize, Errno> {
    meter.owe(FILE_CALL);
    // A copy, and a block to be made for it.
    meter.owe_bytes(2 * bytes.len());
    files.write((node, kind), offset, bytes)
}

/// Returns the price of copying so many bytes.
fn bytes(count: u64) -> u64 {
    count * COPIED_BYTE
}

fn last(flags: PathFlags) -> Last {
    match flags.contains(PathFlags::SYMLINK_FOLLOW) {
        true => Last::Follow,
        false => Last::Keep,
    }
}

fn descriptor_type(kind: Kind) -> DescriptorType {
    match kind {
        Kind::File => DescriptorType::RegularFile,
        Kind::Folder => DescriptorType::Directory,
        Kind::Link => DescriptorType::SymbolicLink,
        Kind::Device(_) => DescriptorType::CharacterDevice,
    }
}

fn told(stat: &Stat) -> DescriptorStat {
    let time = |nanos: u64| {
        Some(Datetime {
            seconds: nanos / NANOS,
            nanoseconds: u32::try_from(nanos % NANOS).expect("it is less than a second"),
        })
    };
    DescriptorStat {
        type_: descriptor_type(stat.kind),
        link_count: stat.links,
        size: stat.size,
        data_access_timestamp: time(stat.times.accessed),
        data_modification_timestamp: time(stat.times.modified),
        status_change_timestamp: time(stat.times.changed),
    }
}

/// Nanoseconds in a second.
const NANOS: u64 = 1_000_000_000;

fn nanos(time: Datetime) -> FsResult<u64> {
    let seconds = time.seconds.checked_mul(NANOS);
    let nanos = seconds.and_then(|seconds| seconds.checked_add(time.nanoseconds.into()));
    nanos.ok_or_else(|| ErrorCode::Overflow.into())
}

/// Two values are equal if they are of the same file: its number is never used again.
fn hash(stat: &Stat) -> MetadataHashValue {
    MetadataHashValue {
        lower: stat.number,
        upper: 0,
    }
}

pub(super) fn refused(errno: Errno) -> FsError {
    code(errno).into()
}

fn code(errno: Errno) -> ErrorCode {
    match errno {
        Errno::Badf => ErrorCode::BadDescriptor,
        Errno::Busy => ErrorCode::Busy,
        Errno::Exist => ErrorCode::Exist,
        Errno::Fbig => ErrorCode::FileTooLarge,
        Errno::Inval => ErrorCode::Invalid,
        Errno::Isdir => ErrorCode::IsDirectory,
        Errno::Loop => ErrorCode::Loop,
        // WASI 0.2 has no error of its own for too many descriptors.
        Errno::Mfile => ErrorCode::Quota,
        Errno::Mlink => ErrorCode::TooManyLinks,
        Errno::Nametoolong => ErrorCode::NameTooLong,
        Errno::Noent => ErrorCode::NoEntry,
        Errno::Nospc => ErrorCode::InsufficientSpace,
        Errno::Notdir => ErrorCode::NotDirectory,
        Errno::Notempty => ErrorCode::NotEmpty,
        Errno::Notsup => ErrorCode::Unsupported,
        Errno::Overflow => ErrorCode::Overflow,
        Errno::Perm => ErrorCode::NotPermitted,
        Errno::Spipe => ErrorCode::InvalidSeek,
    }
}
