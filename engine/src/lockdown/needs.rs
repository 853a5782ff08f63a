//! The lock on the rest of a server: it keeps its folders, its sockets and the
//! means to start the compiler process.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::thread::CapabilitySet;

use super::calls::Calls;
use super::files::{Connect, Files, Use};
use super::layers::Layers;
use super::lock::{Lock, NotHeld};

/// The files that a server needs once it serves. Folders mean all beneath them;
/// what is not there is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Folders whose files it reads, changes, makes and removes.
    pub change: Vec<PathBuf>,
    /// Files and folders that it reads.
    pub read: Vec<PathBuf>,
    /// Devices that it reads and writes.
    pub devices: Vec<PathBuf>,
    /// Programs that it starts, and what loads them.
    pub start: Vec<PathBuf>,
}

/// Holds the calling thread, and all that it starts from now on, to `needs` and
/// to the scratch folders. It may connect, but listen on no further TCP port.
pub(crate) fn hold_process(needs: &Needs, scratch: BorrowedFd<'_>) -> Result<Layers, NotHeld> {
    let mut files = Files::none(Connect::Yes)?;
    if let Some(rules) = files.take() {
        let mut rules = rules.allow(scratch, Use::Change)?;
        for (paths, what) in [
            (&needs.change, Use::Change),
            (&needs.read, Use::Read),
            (&needs.devices, Use::Device),
            (&needs.start, Use::Start),
        ] {
            for path in paths {
                if let Some(place) = open(path)? {
                    rules = rules.allow(place, what)?;
                }
            }
        }
        files = Some(rules);
    }
    let lock = Lock {
        capabilities: CapabilitySet::empty(),
        files,
        calls: Calls::of_server()?,
    };
    lock.hold()
}

/// Opens a place so far that it can be named in a rule.
fn open(path: &Path) -> Result<Option<OwnedFd>, NotHeld> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    match opened {
        Ok(file) => Ok(Some(file.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let told = io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            Err(NotHeld::new("Landlock", told))
        }
    }
}
