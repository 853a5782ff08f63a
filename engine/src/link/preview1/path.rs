//! Calls that take a path, beneath a folder that is open.

use tenterhook_machine::{Errno, Kind, Last, Open, PATH_MAX_BYTES, Start};
use wasmtime::Linker;

use super::descriptor::set_times;
use super::errno::{Fault, INVAL, NAMETOOLONG, PERM};
use super::layout::Layout;
use super::{Call, define, rights};
use crate::sandbox::descriptors::{Descriptor, OpenFile};
use crate::sandbox::guest::Guest;
use crate::sandbox::meter::{CHANGE_CALL, PATH_CALL};

/// The flag of a look-up that follows a symbolic link at the end.
const FOLLOW: u32 = 1;

/// The flags of opening.
const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;

/// Adds these calls.
pub(super) fn add(linker: &mut Linker<Guest>, layout: &'static Layout) -> wasmtime::Result<()> {
    define! {
        linker, layout:
        path_create_directory(dir: u32, path: u32, len: u32);
        path_filestat_get(dir: u32, lookup: u32, path: u32, len: u32, stat: u32);
        path_filestat_set_times(
            dir: u32, lookup: u32, path: u32, len: u32, accessed: u64, modified: u64, flags: u32
        );
        path_link(
            dir: u32, lookup: u32, path: u32, len: u32, to: u32, name: u32, name_len: u32
        );
        path_open(
            dir: u32, lookup: u32, path: u32, len: u32, open: u32, base: u64, _inheriting: u64,
            flags: u32, fd: u32
        );
        path_readlink(dir: u32, path: u32, len: u32, buffer: u32, size: u32, used: u32);
        path_remove_directory(dir: u32, path: u32, len: u32);
        path_rename(dir: u32, path: u32, len: u32, to: u32, name: u32, name_len: u32);
        path_symlink(target: u32, target_len: u32, dir: u32, path: u32, len: u32);
        path_unlink_file(dir: u32, path: u32, len: u32);
    }
    Ok(())
}

impl Call<'_> {
    /// Returns the folder that a path starts in, with what is beneath it in reach.
    fn start(&mut self, dir: u32) -> Result<Start, Fault> {
        let node = self.file(dir)?.node;
        match self.files().kind(node) {
            Kind::Folder => Ok(Start::Beneath(node)),
            Kind::File | Kind::Link | Kind::Device(_) => Err(Errno::Notdir.into()),
        }
    }

    /// Reads a path, which is relative, for its price.
    fn path(&self, at: u32, len: u32) -> Result<Vec<u8>, Fault> {
        self.guest.meter.owe(PATH_CALL);
        if len as usize > PATH_MAX_BYTES {
            return Err(NAMETOOLONG);
        }
        self.guest.meter.owe_bytes(len as usize);
        let path = self.memory.bytes(at, len)?.to_vec();
        match path.first() {
            Some(b'/') => Err(PERM),
            _ => Ok(path),
        }
    }

    /// Owes what was done beside reading the path, and the steps that it took.
    fn pay<T>(&self, price: u64, done: Result<T, Errno>) -> Result<T, Fault> {
        self.owe(price);
        Ok(done?)
    }
}

fn last(lookup: u32) -> Result<Last, Fault> {
    match lookup {
        0 => Ok(Last::Keep),
        FOLLOW => Ok(Last::Follow),
        _ => Err(INVAL),
    }
}

fn path_create_directory(mut call: Call<'_>, dir: u32, path: u32, len: u32) -> Result<(), Fault> {
    let (path, start) = (call.path(path, len)?, call.start(dir)?);
    let made = call.files().make_folder(start, &path, 0o755);
    call.pay(CHANGE_CALL, made).map(drop)
}

fn path_filestat_get(
    mut call: Call<'_>,
    dir: u32,
    lookup: u32,
    path: u32,
    len: u32,
    stat: u32,
) -> Result<(), Fault> {
    let (path, start) = (call.path(path, len)?, call.start(dir)?);
    let found = call.files().find(start, &path, last(lookup)?);
    let node = call.pay(0, found)?;
    let told = call.files().stat(node);
    let told = call.layout.filestat(&told);
    call.memory.put(stat, &told)
}

#[expect(
    clippy::too_many_arguments,
    reason = "these are its parameters in WASI"
)]
fn path_filestat_set_times(
    mut call: Call<'_>,
    dir: u32,
    lookup: u32,
    path: u32,
    len: u32,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<(), Fault> {
    let (path, start) = (call.path(path, len)?, call.start(dir)?);
    let found = call.files().find(start, &path, last(lookup)?);
    let node = call.pay(0, found)?;
    set_times(&mut call, node, accessed, modified, flags)
}

#[expect(
    clippy::too_many_arguments,
    reason = "these are its parameters in WASI"
)]
fn path_link(
    mut call: Call<'_>,
    dir: u32,
    lookup: u32,
    path: u32,
    len: u32,
    to: u32,
    name: u32,
    name_len: u32,
) -> Result<(), Fault> {
    let (path, start) = (call.path(path, len)?, call.start(dir)?);
    let (name, to) = (call.path(name, name_len)?, call.start(to)?);
    let last = last(lookup)?;
    let linked = call.files().link((start, &path, last), (to, &name));
    call.pay(CHANGE_CALL, linked)
}

#[expect(
    clippy::too_many_arguments,
    reason = "these are its parameters in WASI"
)]
fn path_open(
    mut call: Call<'_>,
    dir: u32,
    lookup: u32,
    path: u32,
    len: u32,
    open: u32,
    base: u64,
    _: u64,
    flags: u32,
    fd: u32,
) -> Result<(), Fault> {
    let (path, start) = (call.path(path, len)?, call.start(dir)?);
    let last = last(lookup)?;
    if open & !(CREATE | DIRECTORY | EXCLUSIVE | TRUNCATE) != 0 {
        return Err(INVAL);
    }
    // Writes that wait for a disk have none to wait for.
    let flags = u16::try_from(flags).ok().filter(|flags| *flags < 1 << 5);
    let flags = flags.ok_or(INVAL)?;
    // The place for the number has to be there before anything is made.
    call.memory.bytes(fd, 4)?;
    call.guest.world.descriptors.may_open()?;
    let inherited = call.file(dir)?.inherited;
    let how = Open {
        create: open & CREATE != 0,
        exclusive: open & EXCLUSIVE != 0,
        folder: open & DIRECTORY != 0,
        truncate: open & TRUNCATE != 0,
        write: base & rights::FD_WRITE != 0,
    };
    let price = if how.create { CHANGE_CALL } else { 0 };
    let opened = call.files().open(start, &path, last, how, 0o644);
    let node = call.pay(price, opened)?;
    let opened = Descriptor::File(OpenFile {
        node,
        position: 0,
        flags,
        rights: base & inherited,
        // Some libraries name only what they do with the folder itself; what is opened
        // beneath it says what it is for.
        inherited,
        preopened: None,
    });
    let number = call.guest.world.descriptors.add(opened)?;
    call.memory.put_u32(fd, number)
}

fn path_readlink(
    mut call: Call<'_>,
    dir: u32,
    path: u32,
    len: u32,
    buffer: u32,
    size: u32,
    used: u32,
) -> Result<(), Fault> {
    let (path, start) = (call.path(path, len)?, call.start(dir)?);
    let target = call.files().read_link(start, &path).map(<[u8]>::to_vec);
    let target = call.pay(0, target)?;
    let given = &target[..target.len().min(size as usize)];
    call.memory.put(buffer, given)?;
    call.memory.put_len(used, given.len())
}

fn path_remove_directory(mut call: Call<'_>, dir: u32, path: u32, len: u32) -> Result<(), Fault> {
    let (path, start) = (call.path(path, len)?, call.start(dir)?);
    let removed = call.files().remove_folder(start, &path);
    call.pay(CHANGE_CALL, removed)
}

fn path_rename(
    mut call: Call<'_>,
    dir: u32,
    path: u32,
    len: u32,
    to: u32,
    name: u32,
    name_len: u32,
) -> Result<(), Fault> {
    let (path, start) = (call.path(path, len)?, call.start(dir)?);
    let (name, to) = (call.path(name, name_len)?, call.start(to)?);
    let renamed = call.files().rename((start, &path), (to, &name));
    call.pay(CHANGE_CALL, renamed)
}

fn path_symlink(
    mut call: Call<'_>,
    target: u32,
    target_len: u32,
    dir: u32,
    path: u32,
    len: u32,
) -> Result<(), Fault> {
    if target_len as usize > PATH_MAX_BYTES {
        return Err(NAMETOOLONG);
    }
    let target = call.memory.bytes(target, target_len)?.to_vec();
    if target.first() == Some(&b'/') {
        // What it means would depend on where it is followed from.
        return Err(PERM);
    }
    let (path, start) = (call.path(path, len)?, call.start(dir)?);
    let linked = call.files().symlink(&target, start, &path);
    call.pay(CHANGE_CALL, linked)
}

fn path_unlink_file(mut call: Call<'_>, dir: u32, path: u32, len: u32) -> Result<(), Fault> {
    let (path, start) = (call.path(path, len)?, call.start(dir)?);
    let removed = call.files().unlink(start, &path);
    call.pay(CHANGE_CALL, removed)
}
