//! Calls on what is open.

use tenterhook_machine::{Errno, Kind, NodeId, Owner, Stat, Times};
use wasmtime::Linker;

use super::errno::{BADF, Fault, INVAL, NAMETOOLONG, NOTCAPABLE, SPIPE};
use super::layout::{Layout, filetype};
use super::memory::{PIECES_MAX, Piece, total};
use super::{Call, define, rights};
use crate::invocation::Stream;
use crate::sandbox::descriptors::{Descriptor, OpenFile};
use crate::sandbox::guest::Guest;
use crate::sandbox::meter::{FILE_CALL, PIECE, READ_ENTRY};

/// The flags of a descriptor.
pub(super) const APPEND: u16 = 1;
const NONBLOCK: u16 = 4;

/// The size of an entry before its name, in bytes.
const ENTRY_BYTES: usize = 24;

/// Adds these calls.
pub(super) fn add(linker: &mut Linker<Guest>, layout: &'static Layout) -> wasmtime::Result<()> {
    define! {
        linker, layout:
        fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
        fd_allocate(fd: u32, offset: u64, len: u64);
        fd_close(fd: u32);
        fd_datasync(fd: u32);
        fd_fdstat_get(fd: u32, stat: u32);
        fd_fdstat_set_flags(fd: u32, flags: u32);
        fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
        fd_filestat_get(fd: u32, stat: u32);
        fd_filestat_set_size(fd: u32, size: u64);
        fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32);
        fd_pread(fd: u32, pieces: u32, count: u32, offset: u64, read: u32);
        fd_prestat_dir_name(fd: u32, path: u32, len: u32);
        fd_prestat_get(fd: u32, stat: u32);
        fd_pwrite(fd: u32, pieces: u32, count: u32, offset: u64, written: u32);
        fd_read(fd: u32, pieces: u32, count: u32, read: u32);
        fd_readdir(fd: u32, buffer: u32, len: u32, cookie: u64, used: u32);
        fd_renumber(from: u32, to: u32);
        fd_seek(fd: u32, offset: i64, whence: u32, position: u32);
        fd_sync(fd: u32);
        fd_tell(fd: u32, position: u32);
        fd_write(fd: u32, pieces: u32, count: u32, written: u32);
    }
    Ok(())
}

impl Call<'_> {
    fn descriptor(&self, fd: u32) -> Result<&Descriptor, Fault> {
        Ok(self.guest.world.descriptors.get(fd)?)
    }

    /// Returns what is open as a file or a folder.
    pub(super) fn file(&mut self, fd: u32) -> Result<&mut OpenFile, Fault> {
        match self.guest.world.descriptors.get_mut(fd)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Stdin | Descriptor::Output(_) => Err(BADF),
        }
    }

    /// Returns the regular file or device that is open with one of these rights.
    fn content(&mut self, fd: u32, right: u64) -> Result<(NodeId, Kind), Fault> {
        let file = self.file(fd)?;
        let (node, allowed) = (file.node, file.rights & right != 0);
        match self.files().kind(node) {
            Kind::Folder => Err(BADF),
            _ if !allowed => Err(BADF),
            kind => Ok((node, kind)),
        }
    }

    /// Reads a list of buffers, for its price.
    fn pieces(&self, at: u32, count: u32) -> Result<Vec<Piece>, Fault> {
        self.guest
            .meter
            .owe(u64::from(count.min(PIECES_MAX)) * PIECE);
        self.memory.pieces(at, count)
    }

    /// Closes what a descriptor stood for.
    pub(super) fn close(&mut self, descriptor: Descriptor) {
        if let Descriptor::File(file) = descriptor
            && file.node != NodeId::ROOT
        {
            self.files().close(file.node);
            self.owe(FILE_CALL);
        }
    }
}

fn fd_advise(mut call: Call<'_>, fd: u32, _: u64, _: u64, advice: u32) -> Result<(), Fault> {
    if let Descriptor::Stdin | Descriptor::Output(_) = call.descriptor(fd)? {
        return Err(SPIPE);
    }
    call.content(fd, u64::MAX)?;
    match advice {
        0..=5 => Ok(()),
        _ => Err(INVAL),
    }
}

fn fd_allocate(mut call: Call<'_>, fd: u32, offset: u64, len: u64) -> Result<(), Fault> {
    let (node, _) = call.content(fd, rights::FD_WRITE)?;
    let allocated = call.files().allocate(node, offset, len);
    call.owe(FILE_CALL);
    Ok(allocated?)
}

fn fd_close(mut call: Call<'_>, fd: u32) -> Result<(), Fault> {
    let closed = call.guest.world.descriptors.remove(fd)?;
    call.close(closed);
    Ok(())
}

fn fd_renumber(mut call: Call<'_>, from: u32, to: u32) -> Result<(), Fault> {
    let replaced = call.guest.world.descriptors.renumber(from, to)?;
    if let Some(replaced) = replaced {
        call.close(replaced);
    }
    Ok(())
}

/// What is in memory is as safe as it will be.
fn fd_datasync(call: Call<'_>, fd: u32) -> Result<(), Fault> {
    call.descriptor(fd).map(drop)
}

fn fd_sync(call: Call<'_>, fd: u32) -> Result<(), Fault> {
    call.descriptor(fd).map(drop)
}

fn fd_fdstat_get(mut call: Call<'_>, fd: u32, stat: u32) -> Result<(), Fault> {
    let (kind, flags, base, inheriting) = match call.descriptor(fd)? {
        Descriptor::Stdin => (UNKNOWN, 0, rights::STDIN, 0),
        Descriptor::Output(_) => (UNKNOWN, 0, rights::OUTPUT, 0),
        Descriptor::File(file) => {
            let file = file.clone();
            let kind = match file.node {
                // Asked for by every program at its start.
                NodeId::ROOT => Kind::Folder,
                node => call.files().kind(node),
            };
            let base = file.rights & rights::of(kind);
            (filetype(kind), file.flags, base, file.inherited)
        }
    };
    let mut bytes = [0; 24];
    bytes[0] = kind;
    bytes[2..4].copy_from_slice(&flags.to_le_bytes());
    bytes[8..16].copy_from_slice(&base.to_le_bytes());
    bytes[16..].copy_from_slice(&inheriting.to_le_bytes());
    call.memory.put(stat, &bytes)
}

/// The type of a stream that is neither a terminal nor a file.
const UNKNOWN: u8 = 0;

fn fd_fdstat_set_flags(mut call: Call<'_>, fd: u32, flags: u32) -> Result<(), Fault> {
    let flags = u16::try_from(flags).map_err(|_| INVAL)?;
    if flags & !(APPEND | NONBLOCK) != 0 {
        return Err(INVAL);
    }
    call.file(fd)?.flags = flags;
    Ok(())
}

fn fd_fdstat_set_rights(
    mut call: Call<'_>,
    fd: u32,
    base: u64,
    inheriting: u64,
) -> Result<(), Fault> {
    let file = call.file(fd)?;
    if base & !file.rights != 0 || inheriting & !file.inherited != 0 {
        return Err(NOTCAPABLE);
    }
    file.rights = base;
    file.inherited = inheriting;
    Ok(())
}

fn fd_filestat_get(mut call: Call<'_>, fd: u32, stat: u32) -> Result<(), Fault> {
    let told = match call.descriptor(fd)? {
        Descriptor::Stdin | Descriptor::Output(_) => {
            let mut told = call.layout.filestat(&Stat {
                number: 0,
                kind: Kind::File,
                mode: 0,
                owner: Owner::default(),
                links: 0,
                size: 0,
                held: 0,
                times: Times::default(),
            });
            // Not of the one file system.
            told[..8].fill(0);
            told[16] = UNKNOWN;
            told
        }
        Descriptor::File(file) => {
            let node = file.node;
            let told = call.files().stat(node);
            call.layout.filestat(&told)
        }
    };
    call.memory.put(stat, &told)
}

fn fd_filestat_set_size(mut call: Call<'_>, fd: u32, size: u64) -> Result<(), Fault> {
    let (node, kind) = call.content(fd, rights::FD_WRITE)?;
    if kind != Kind::File {
        return Err(INVAL);
    }
    let resized = call.files().resize(node, size);
    call.owe(FILE_CALL);
    Ok(resized?)
}

fn fd_filestat_set_times(
    mut call: Call<'_>,
    fd: u32,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<(), Fault> {
    let node = call.file(fd)?.node;
    set_times(&mut call, node, accessed, modified, flags)
}

/// Sets the times that the flags name: to those given, or to the present.
pub(super) fn set_times(
    call: &mut Call<'_>,
    node: NodeId,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<(), Fault> {
    let now = super::process::now(&call.guest.clocks, 0);
    let time = |given: u64, flags: u32| match flags & 3 {
        0 => Ok(None),
        1 => Ok(Some(given)),
        2 => Ok(now),
        _ => Err(INVAL),
    };
    if flags > 0b1111 {
        return Err(INVAL);
    }
    let (accessed, modified) = (time(accessed, flags)?, time(modified, flags >> 2)?);
    call.files().set_times(node, accessed, modified);
    call.owe(FILE_CALL);
    Ok(())
}

fn fd_prestat_get(mut call: Call<'_>, fd: u32, stat: u32) -> Result<(), Fault> {
    let path = call.file(fd)?.preopened.ok_or(BADF)?;
    let mut bytes = [0; 8];
    let len = u32::try_from(path.len()).expect("paths are short");
    bytes[4..].copy_from_slice(&len.to_le_bytes());
    call.memory.put(stat, &bytes)
}

fn fd_prestat_dir_name(mut call: Call<'_>, fd: u32, at: u32, len: u32) -> Result<(), Fault> {
    let path = call.file(fd)?.preopened.ok_or(BADF)?;
    if (len as usize) < path.len() {
        return Err(NAMETOOLONG);
    }
    call.memory.put(at, path.as_bytes())
}

fn fd_read(mut call: Call<'_>, fd: u32, pieces: u32, count: u32, read: u32) -> Result<(), Fault> {
    call.memory.bytes(read, 4)?;
    let pieces = call.pieces(pieces, count)?;
    if let Descriptor::Stdin = call.descriptor(fd)? {
        let done = read_stdin(&mut call, &pieces)?;
        return call.memory.put_len(read, done);
    }
    if let Descriptor::Output(_) = call.descriptor(fd)? {
        return Err(BADF);
    }
    let position = call.file(fd)?.position;
    let done = read_at(&mut call, fd, &pieces, position)?;
    call.file(fd)?.position = position + done as u64;
    call.memory.put_len(read, done)
}

fn fd_pread(
    mut call: Call<'_>,
    fd: u32,
    pieces: u32,
    count: u32,
    offset: u64,
    read: u32,
) -> Result<(), Fault> {
    call.memory.bytes(read, 4)?;
    let pieces = call.pieces(pieces, count)?;
    check_offset(&call, fd, offset)?;
    let done = read_at(&mut call, fd, &pieces, offset)?;
    call.memory.put_len(read, done)
}

fn fd_write(
    mut call: Call<'_>,
    fd: u32,
    pieces: u32,
    count: u32,
    written: u32,
) -> Result<(), Fault> {
    call.memory.bytes(written, 4)?;
    let pieces = call.pieces(pieces, count)?;
    let stream = match call.descriptor(fd)? {
        Descriptor::Stdin => return Err(BADF),
        Descriptor::Output(stream) => Some(*stream),
        Descriptor::File(_) => None,
    };
    if let Some(stream) = stream {
        print(&call, stream, &pieces)?;
        return call.memory.put_len(written, total(&pieces));
    }
    let (node, _) = call.content(fd, rights::FD_WRITE)?;
    let file = call.file(fd)?;
    let (position, appends) = (file.position, file.flags & APPEND != 0);
    let position = match appends {
        true => call.files().size(node),
        false => position,
    };
    let done = write_at(&mut call, fd, &pieces, position)?;
    call.file(fd)?.position = position + done as u64;
    call.memory.put_len(written, done)
}

/// Prints buffers, those of a list as one.
fn print(call: &Call<'_>, stream: Stream, pieces: &[Piece]) -> Result<(), Fault> {
    let output = &call.guest.world.output;
    let printed = match pieces {
        [] => Ok(()),
        [piece] => output.write(stream, call.memory.bytes(piece.at, piece.len)?),
        pieces => {
            let mut bytes = Vec::with_capacity(total(pieces));
            for piece in pieces {
                bytes.extend_from_slice(call.memory.bytes(piece.at, piece.len)?);
            }
            output.write(stream, &bytes)
        }
    };
    printed.map_err(|flooded| Fault::Trap(flooded.into()))
}

fn fd_pwrite(
    mut call: Call<'_>,
    fd: u32,
    pieces: u32,
    count: u32,
    offset: u64,
    written: u32,
) -> Result<(), Fault> {
    call.memory.bytes(written, 4)?;
    let pieces = call.pieces(pieces, count)?;
    check_offset(&call, fd, offset)?;
    let done = write_at(&mut call, fd, &pieces, offset)?;
    call.memory.put_len(written, done)
}

/// Checks that a descriptor has positions, and that this is one.
fn check_offset(call: &Call<'_>, fd: u32, offset: u64) -> Result<(), Fault> {
    match call.descriptor(fd)? {
        Descriptor::Stdin | Descriptor::Output(_) => Err(SPIPE),
        Descriptor::File(_) if i64::try_from(offset).is_err() => Err(INVAL),
        Descriptor::File(_) => Ok(()),
    }
}

fn read_stdin(call: &mut Call<'_>, pieces: &[Piece]) -> Result<usize, Fault> {
    let mut done = 0;
    for piece in pieces {
        let stdin = &mut call.guest.world.stdin;
        let len = stdin.len().min(piece.len as usize);
        let taken = stdin.split_to(len);
        call.memory.put(piece.at, &taken)?;
        done += len;
    }
    call.guest.meter.owe_bytes(done);
    Ok(done)
}

/// Fills buffers from a position on; returns how many bytes there were.
fn read_at(call: &mut Call<'_>, fd: u32, pieces: &[Piece], at: u64) -> Result<usize, Fault> {
    let (node, kind) = call.content(fd, rights::FD_READ)?;
    call.guest.meter.owe_bytes(total(pieces));
    let mut done = 0;
    for piece in pieces {
        let buffer = call.memory.bytes_mut(piece.at, piece.len)?;
        let files = &call.guest.world.files;
        let read = files.read((node, kind), at + done as u64, buffer)?;
        done += read;
        if read < piece.len as usize {
            break;
        }
    }
    call.owe(FILE_CALL);
    Ok(done)
}

/// Writes buffers from a position on; returns how many bytes there was room for.
fn write_at(call: &mut Call<'_>, fd: u32, pieces: &[Piece], at: u64) -> Result<usize, Fault> {
    let (node, kind) = call.content(fd, rights::FD_WRITE)?;
    // A copy, and a block to be made for it.
    call.guest.meter.owe_bytes(2 * total(pieces));
    let mut done = 0;
    for piece in pieces {
        let bytes = call.memory.bytes(piece.at, piece.len)?;
        let files = &call.guest.world.files;
        let written = files.write((node, kind), at + done as u64, bytes);
        match written {
            Ok(written) => done += written,
            Err(_) if done > 0 => break,
            Err(error) => {
                call.owe(FILE_CALL);
                return Err(error.into());
            }
        }
        if matches!(written, Ok(written) if written < bytes.len()) {
            break;
        }
    }
    call.owe(FILE_CALL);
    Ok(done)
}

fn fd_seek(
    mut call: Call<'_>,
    fd: u32,
    offset: i64,
    whence: u32,
    position: u32,
) -> Result<(), Fault> {
    call.memory.bytes(position, 8)?;
    if let Descriptor::Stdin | Descriptor::Output(_) = call.descriptor(fd)? {
        return Err(SPIPE);
    }
    let (node, _) = call.content(fd, u64::MAX)?;
    let [start, current, end] = call.layout.whence;
    let from = match whence {
        _ if whence == start => 0,
        _ if whence == current => call.file(fd)?.position,
        _ if whence == end => call.files().size(node),
        _ => return Err(INVAL),
    };
    let sought = from.checked_add_signed(offset).ok_or(INVAL)?;
    if i64::try_from(sought).is_err() {
        return Err(INVAL);
    }
    call.file(fd)?.position = sought;
    call.memory.put_u64(position, sought)
}

fn fd_tell(mut call: Call<'_>, fd: u32, position: u32) -> Result<(), Fault> {
    if let Descriptor::Stdin | Descriptor::Output(_) = call.descriptor(fd)? {
        return Err(SPIPE);
    }
    call.content(fd, u64::MAX)?;
    let at = call.file(fd)?.position;
    call.memory.put_u64(position, at)
}

/// Stores entries until the buffer is full; the last may be cut, which tells the guest
/// that there are more.
fn fd_readdir(
    mut call: Call<'_>,
    fd: u32,
    buffer: u32,
    len: u32,
    cookie: u64,
    used: u32,
) -> Result<(), Fault> {
    let node = call.file(fd)?.node;
    if call.files().kind(node) != Kind::Folder {
        return Err(Errno::Notdir.into());
    }
    let out = call.memory.bytes_mut(buffer, len)?;
    let (mut filled, mut read) = (0, 0);
    for entry in call.guest.world.files.work().entries(node, cookie)? {
        read += 1;
        let mut head = [0; ENTRY_BYTES];
        head[..8].copy_from_slice(&entry.next.to_le_bytes());
        head[8..16].copy_from_slice(&entry.number.to_le_bytes());
        let name_len = u32::try_from(entry.name.len()).expect("names are short");
        head[16..20].copy_from_slice(&name_len.to_le_bytes());
        head[20] = filetype(entry.kind);
        for bytes in [&head[..], entry.name] {
            let given = bytes.len().min(out.len() - filled);
            out[filled..filled + given].copy_from_slice(&bytes[..given]);
            filled += given;
        }
        if filled == out.len() {
            break;
        }
    }
    call.guest.meter.owe_bytes(filled);
    call.owe(FILE_CALL + read * READ_ENTRY);
    call.memory.put_len(used, filled)
}
