//! Random calls on files, beside the same calls on a tmpfs of the kernel: the same errors,
//! and the same files afterwards.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use proptest::prelude::*;
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, ftruncate, linkat, mkdirat, openat, readlinkat, renameat,
    statat, symlinkat, unlinkat,
};
use rustix::io::{Errno as KernelErrno, pread, pwrite};
use tenterhook_machine::{Errno, Files, Kind, Last, NodeId, Open, Quota, Start};

const TOP: Start = Start::At(NodeId::ROOT);

/// A call, with paths that start in the same folder.
#[derive(Clone, Debug)]
enum Call {
    Open(String, Open, Follow),
    Write(String, u16, u16),
    Read(String, u16, u16),
    Resize(String, u16),
    MakeFolder(String),
    Symlink(String, String),
    Link(String, String, Follow),
    Unlink(String),
    RemoveFolder(String),
    Rename(String, String),
    ReadLink(String),
    Stat(String, Follow),
    List(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follow {
    Yes,
    No,
}

impl Follow {
    fn last(self) -> Last {
        match self {
            Self::Yes => Last::Follow,
            Self::No => Last::Keep,
        }
    }
}

/// A path that never leaves the folder: every `..` comes after a name, and a link leads
/// further down than it is.
fn path() -> impl Strategy<Value = String> {
    // Few names, so that calls meet.
    let name = prop_oneof![8 => "[ab]", 1 => r"[ab]/\.\.", 1 => r"[ab]/\."];
    let names = proptest::collection::vec(name, 1..4);
    (
        names,
        prop_oneof![8 => Just(""), 1 => Just("/"), 1 => Just("/.")],
    )
        .prop_map(|(names, end)| names.join("/") + end)
}

fn target() -> impl Strategy<Value = String> {
    let names = proptest::collection::vec("[ab]", 1..3);
    (names, prop_oneof![4 => Just(""), 1 => Just("/")])
        .prop_map(|(names, end)| names.join("/") + end)
}

fn follow() -> impl Strategy<Value = Follow> {
    prop_oneof![Just(Follow::Yes), Just(Follow::No)]
}

fn how() -> impl Strategy<Value = Open> {
    (any::<[bool; 5]>()).prop_map(|[create, exclusive, folder, truncate, write]| Open {
        create,
        // Without `create` the kernel leaves it undefined.
        exclusive: exclusive && create,
        // Some kernels accept a folder that is to be made.
        folder: folder && !create,
        truncate: truncate && write,
        write,
    })
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        3 => (path(), how(), follow()).prop_map(|(a, b, c)| Call::Open(a, b, c)),
        2 => (path(), 0..9_000_u16, 0..9_000_u16).prop_map(|(a, b, c)| Call::Write(a, b, c)),
        1 => (path(), 0..9_000_u16, 0..9_000_u16).prop_map(|(a, b, c)| Call::Read(a, b, c)),
        1 => (path(), 0..9_000_u16).prop_map(|(a, b)| Call::Resize(a, b)),
        3 => path().prop_map(Call::MakeFolder),
        2 => (target(), path()).prop_map(|(a, b)| Call::Symlink(a, b)),
        2 => (path(), path(), follow()).prop_map(|(a, b, c)| Call::Link(a, b, c)),
        2 => path().prop_map(Call::Unlink),
        2 => path().prop_map(Call::RemoveFolder),
        3 => (path(), path()).prop_map(|(a, b)| Call::Rename(a, b)),
        1 => path().prop_map(Call::ReadLink),
        1 => (path(), follow()).prop_map(|(a, b)| Call::Stat(a, b)),
        1 => path().prop_map(Call::List),
    ]
}

/// What both sides answer: text that is equal if they agree.
type Answer = Result<String, Errno>;

fn shown(kind: &str, size: u64, links: u64) -> String {
    // The size of a folder is up to the file system.
    let size = if kind == "folder" { 0 } else { size };
    format!("{kind} {size} {links}")
}

/// The call, on the machine.
fn ours(files: &mut Files, call: &Call) -> Answer {
    let done = |()| String::new();
    let write = Open {
        write: true,
        ..Open::default()
    };
    match call {
        Call::Open(path, how, follow) => files
            .open(TOP, path.as_bytes(), follow.last(), *how, 0o644)
            .map(|node| files.close(node))
            .map(done),
        Call::Write(path, at, len) => {
            let node = files.open(TOP, path.as_bytes(), Last::Follow, write, 0)?;
            let written = files.write(node, (*at).into(), &bytes(*len));
            files.close(node);
            written.map(|count| count.to_string())
        }
        Call::Read(path, at, len) => {
            let node = files.open(TOP, path.as_bytes(), Last::Follow, Open::default(), 0)?;
            let mut out = vec![0; (*len).into()];
            let read = files.read(node, (*at).into(), &mut out);
            files.close(node);
            read.map(|count| format!("{:?}", &out[..count]))
        }
        Call::Resize(path, len) => {
            let node = files.open(TOP, path.as_bytes(), Last::Follow, write, 0)?;
            let resized = files.resize(node, (*len).into());
            files.close(node);
            resized.map(done)
        }
        Call::MakeFolder(path) => files
            .make_folder(TOP, path.as_bytes(), 0o755)
            .map(|_| String::new()),
        Call::Symlink(target, path) => files
            .symlink(target.as_bytes(), TOP, path.as_bytes())
            .map(done),
        Call::Link(path, name, follow) => files
            .link(
                (TOP, path.as_bytes(), follow.last()),
                (TOP, name.as_bytes()),
            )
            .map(done),
        Call::Unlink(path) => files.unlink(TOP, path.as_bytes()).map(done),
        Call::RemoveFolder(path) => files.remove_folder(TOP, path.as_bytes()).map(done),
        Call::Rename(path, name) => files
            .rename((TOP, path.as_bytes()), (TOP, name.as_bytes()))
            .map(done),
        Call::ReadLink(path) => files
            .read_link(TOP, path.as_bytes())
            .map(|target| String::from_utf8(target.to_vec()).unwrap()),
        Call::Stat(path, follow) => {
            let node = files.find(TOP, path.as_bytes(), follow.last())?;
            let stat = files.stat(node);
            Ok(shown(kind(stat.kind), stat.size, stat.links))
        }
        Call::List(path) => {
            let node = files.find(TOP, path.as_bytes(), Last::Follow)?;
            let entries = files.entries(node, 0)?;
            let names = entries.map(|entry| String::from_utf8(entry.name.to_vec()).unwrap());
            Ok(sorted(names.collect()))
        }
    }
}

/// The same call, on the kernel.
fn kernels(top: &OwnedFd, call: &Call) -> Result<String, KernelErrno> {
    let done = |()| String::new();
    let mode = Mode::from_raw_mode(0o644);
    let opened = |path: &str, flags| openat(top, path, flags, mode);
    let read = OFlags::RDONLY;
    let write = OFlags::WRONLY;
    let at_flags = |follow| match follow {
        Follow::Yes => AtFlags::empty(),
        Follow::No => AtFlags::SYMLINK_NOFOLLOW,
    };
    match call {
        Call::Open(path, how, follow) => {
            let mut flags = if how.write { write } else { read };
            for (is, flag) in [
                (how.create, OFlags::CREATE),
                (how.exclusive, OFlags::EXCL),
                (how.folder, OFlags::DIRECTORY),
                (how.truncate, OFlags::TRUNC),
                (*follow == Follow::No, OFlags::NOFOLLOW),
            ] {
                flags.set(flag, is);
            }
            opened(path, flags).map(|_| String::new())
        }
        Call::Write(path, at, len) => {
            let file = opened(path, write)?;
            pwrite(&file, &bytes(*len), (*at).into()).map(|count| count.to_string())
        }
        Call::Read(path, at, len) => {
            let file = opened(path, read)?;
            let mut out = vec![0; (*len).into()];
            pread(&file, &mut out[..], (*at).into()).map(|count| format!("{:?}", &out[..count]))
        }
        Call::Resize(path, len) => {
            let file = opened(path, write)?;
            ftruncate(&file, (*len).into()).map(done)
        }
        Call::MakeFolder(path) => mkdirat(top, path.as_str(), Mode::from_raw_mode(0o755)).map(done),
        Call::Symlink(target, path) => symlinkat(target.as_str(), top, path.as_str()).map(done),
        Call::Link(path, name, follow) => {
            let flags = match follow {
                Follow::Yes => AtFlags::SYMLINK_FOLLOW,
                Follow::No => AtFlags::empty(),
            };
            linkat(top, path.as_str(), top, name.as_str(), flags).map(done)
        }
        Call::Unlink(path) => unlinkat(top, path.as_str(), AtFlags::empty()).map(done),
        Call::RemoveFolder(path) => unlinkat(top, path.as_str(), AtFlags::REMOVEDIR).map(done),
        Call::Rename(path, name) => renameat(top, path.as_str(), top, name.as_str()).map(done),
        Call::ReadLink(path) => {
            readlinkat(top, path.as_str(), Vec::new()).map(|target| target.into_string().unwrap())
        }
        Call::Stat(path, follow) => {
            let stat = statat(top, path.as_str(), at_flags(*follow))?;
            let kind = match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => "folder",
                FileType::Symlink => "link",
                _ => "file",
            };
            Ok(shown(kind, stat.st_size.cast_unsigned(), stat.st_nlink))
        }
        Call::List(path) => {
            let folder = opened(path, read | OFlags::DIRECTORY)?;
            let names = Dir::read_from(&folder)?
                .map(|entry| Ok(entry?.file_name().to_str().unwrap().to_owned()));
            names.collect::<Result<Vec<_>, _>>().map(sorted)
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Folder => "folder",
        Kind::Link => "link",
        Kind::File | Kind::Device(_) => "file",
    }
}

fn sorted(mut names: Vec<String>) -> String {
    names.sort();
    names.join(" ")
}

fn bytes(len: u16) -> Vec<u8> {
    (0..len).map(|at| at.to_le_bytes()[0] | 1).collect()
}

fn errno(errno: KernelErrno) -> Errno {
    let known = BTreeMap::from([
        (KernelErrno::BADF.raw_os_error(), Errno::Badf),
        (KernelErrno::BUSY.raw_os_error(), Errno::Busy),
        (KernelErrno::EXIST.raw_os_error(), Errno::Exist),
        (KernelErrno::INVAL.raw_os_error(), Errno::Inval),
        (KernelErrno::ISDIR.raw_os_error(), Errno::Isdir),
        (KernelErrno::LOOP.raw_os_error(), Errno::Loop),
        (KernelErrno::NOENT.raw_os_error(), Errno::Noent),
        (KernelErrno::NOTDIR.raw_os_error(), Errno::Notdir),
        (KernelErrno::NOTEMPTY.raw_os_error(), Errno::Notempty),
        (KernelErrno::PERM.raw_os_error(), Errno::Perm),
    ]);
    match known.get(&errno.raw_os_error()) {
        Some(errno) => *errno,
        None => panic!("the kernel answers {errno}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn files_behave_as_those_of_a_tmpfs(calls in proptest::collection::vec(call(), 1..60)) {
        let folder = tempfile::tempdir_in("/dev/shm").expect("the kernel has a tmpfs there");
        let top = openat(
            rustix::fs::CWD,
            folder.path(),
            OFlags::DIRECTORY | OFlags::RDONLY,
            Mode::empty(),
        )
        .unwrap();
        let mut files = Files::new(Quota::new(1 << 24, 1_000), 0);
        for (index, call) in calls.iter().enumerate() {
            let expected = kernels(&top, call).map_err(errno);
            prop_assert_eq!(ours(&mut files, call), expected, "call {}: {:?}", index, call);
        }
        let left = tree(&mut files);
        for path in &left {
            for follow in [Follow::Yes, Follow::No] {
                let call = Call::Stat(path.clone(), follow);
                let expected = kernels(&top, &call).map_err(errno);
                prop_assert_eq!(ours(&mut files, &call), expected, "{}", path);
            }
        }
        let used = files.quota().used_inodes();
        prop_assert_eq!(used, left.len() as u64);
        for path in left.iter().rev() {
            let at = path.as_bytes();
            files.unlink(TOP, at).or_else(|_| files.remove_folder(TOP, at)).unwrap();
        }
        prop_assert_eq!(files.quota().used_inodes(), 0);
        prop_assert_eq!(files.quota().used_bytes(), 0);
    }
}

/// Returns the paths of everything there is, folders before what is in them.
fn tree(files: &mut Files) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let at = format!("{folder}.");
        let node = files.find(TOP, at.as_bytes(), Last::Keep).unwrap();
        let entries: Vec<_> = files
            .entries(node, 2)
            .unwrap()
            .map(|entry| (String::from_utf8(entry.name.to_vec()).unwrap(), entry.kind))
            .collect();
        for (name, kind) in entries {
            let path = format!("{folder}{name}");
            if kind == Kind::Folder {
                folders.push(format!("{path}/"));
            }
            found.push(path);
        }
    }
    found
}
