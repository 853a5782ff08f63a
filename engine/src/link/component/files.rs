//! The files of WASI 0.2, in front of wasmtime-wasi's own: priced and counted.
//!
//! Each call below goes to another thread and back, which the base price of a call does
//! not cover. Descriptors count as long as anything holds them open: a stream does, even
//! after its descriptor was dropped.

use std::sync::Arc;

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, Host, HostDescriptor, HostDirectoryEntryStream,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::stream::Metered;
use crate::sandbox::guest::Guest;
use crate::sandbox::meter::{COPIED_BYTE, FILE_CALL, Meter, PATH_CALL, READ_ENTRY};
use crate::sandbox::quota::Quota;

/// Puts these calls in front of those that the linker has.
pub(super) fn add(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    types::add_to_linker::<Guest, Files>(linker, |guest| View {
        meter: &guest.meter,
        quota: &mut guest.quota,
        upstream: guest.wasi.filesystem(),
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

struct Files;

impl HasData for Files {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    meter: &'a Arc<Meter>,
    quota: &'a mut Quota,
    upstream: WasiFilesystemCtxView<'a>,
}

type Fd = Resource<Descriptor>;

impl Host for View<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.upstream.convert_error_code(error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.upstream.filesystem_error_code(error)
    }
}

/// Upstream's calls, for a price that is owed before they begin.
macro_rules! priced {
    ($($call:ident($($arg:ident: $ty:ty),*) -> $result:ty, $price:expr;)*) => {
        $(
            async fn $call(&mut self, fd: Fd, $($arg: $ty),*) -> $result {
                self.meter.owe($price);
                self.upstream.$call(fd, $($arg),*).await
            }
        )*
    };
}

impl HostDescriptor for View<'_> {
    priced! {
        advise(offset: Filesize, len: Filesize, advice: Advice) -> FsResult<()>, FILE_CALL;
        sync_data() -> FsResult<()>, FILE_CALL;
        sync() -> FsResult<()>, FILE_CALL;
        get_flags() -> FsResult<DescriptorFlags>, FILE_CALL;
        get_type() -> FsResult<DescriptorType>, FILE_CALL;
        set_size(size: Filesize) -> FsResult<()>, FILE_CALL;
        set_times(accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()>, FILE_CALL;
        read(len: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)>, FILE_CALL + bytes(len);
        write(buffer: Vec<u8>, offset: Filesize) -> FsResult<Filesize>,
            FILE_CALL + bytes(buffer.len() as u64);
        stat() -> FsResult<DescriptorStat>, FILE_CALL;
        stat_at(flags: PathFlags, path: String) -> FsResult<DescriptorStat>, named(&path);
        set_times_at(flags: PathFlags, path: String, accessed: NewTimestamp, modified: NewTimestamp)
            -> FsResult<()>, named(&path);
        readlink_at(path: String) -> FsResult<String>, named(&path);
        remove_directory_at(path: String) -> FsResult<()>, named(&path);
        rename_at(path: String, to: Fd, name: String) -> FsResult<()>, named(&path) + named(&name);
        unlink_file_at(path: String) -> FsResult<()>, named(&path);
        is_same_object(other: Fd) -> wasmtime::Result<bool>, 2 * FILE_CALL;
        metadata_hash() -> FsResult<MetadataHashValue>, FILE_CALL;
        metadata_hash_at(flags: PathFlags, path: String) -> FsResult<MetadataHashValue>,
            named(&path);
    }

    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        self.meter.owe(named(&path));
        // WASI 0.2 has no error of its own for too many descriptors.
        self.quota.reserve().map_err(|_| ErrorCode::Quota)?;
        if open_flags.contains(OpenFlags::CREATE) {
            self.quota.count_entry();
        }
        let opened = self
            .upstream
            .open_at(fd, path_flags, path, open_flags, flags)
            .await?;
        self.quota.track(match self.upstream.table.get(&opened)? {
            Descriptor::File(file) => &file.file,
            Descriptor::Dir(dir) => &dir.dir,
        });
        Ok(opened)
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.meter.owe(named(&path));
        self.quota.count_entry();
        self.upstream.create_directory_at(fd, path).await
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        self.meter.owe(named(&target) + named(&path));
        self.quota.count_entry();
        self.upstream.symlink_at(fd, target, path).await
    }

    async fn link_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        to: Fd,
        name: String,
    ) -> FsResult<()> {
        self.meter.owe(named(&path) + named(&name));
        self.quota.count_entry();
        self.upstream.link_at(fd, flags, path, to, name).await
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        // The whole folder is read at once, however little of it is asked for.
        self.meter
            .owe(PATH_CALL + self.quota.entries() * READ_ENTRY);
        self.upstream.read_directory(fd).await
    }

    fn read_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let stream = self.upstream.read_via_stream(fd, offset)?;
        let inner = self.upstream.table.delete(stream)?;
        let metered: DynInputStream = Box::new(Metered::new(inner, self.meter));
        Ok(self.upstream.table.push(metered)?)
    }

    fn write_via_stream(
        &mut self,
        fd: Fd,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.upstream.write_via_stream(fd, offset)?;
        self.metered(stream)
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.upstream.append_via_stream(fd)?;
        self.metered(stream)
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        HostDescriptor::drop(&mut self.upstream, fd)
    }
}

impl HostDirectoryEntryStream for View<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.upstream.read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.upstream, stream)
    }
}

impl View<'_> {
    fn metered(
        &mut self,
        stream: Resource<DynOutputStream>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let inner = self.upstream.table.delete(stream)?;
        let metered: DynOutputStream = Box::new(Metered::new(inner, self.meter));
        Ok(self.upstream.table.push(metered)?)
    }
}

/// Returns the price of a call that takes a path.
fn named(path: &str) -> u64 {
    PATH_CALL.saturating_add(bytes(path.len() as u64))
}

/// Returns the price of copying so many bytes, of which a call copies a bounded part.
fn bytes(count: u64) -> u64 {
    count.min(super::super::CALL_COPY_MAX_BYTES as u64) * COPIED_BYTE
}
