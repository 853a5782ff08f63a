//! The lockdown of the rest of a server: it keeps its folders, its sockets and the right
//! to start the compiler process.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::thread::CapabilitySet;

use super::calls::Calls;
use super::files::{Connect, Files, Use};
use super::layers::Layers;
use super::restrictions::{NotApplied, Restrictions};

/// The files that a server needs once it serves. A folder includes everything beneath it;
/// missing paths are skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Folders whose files it reads, changes, creates and removes.
    pub change: Vec<PathBuf>,
    /// Files and folders that it reads.
    pub read: Vec<PathBuf>,
    /// Devices that it reads and writes.
    pub devices: Vec<PathBuf>,
    /// Programs that it starts, and their loaders.
    pub start: Vec<PathBuf>,
}

/// Restricts the calling thread, and all threads and processes that it starts from now on,
/// to `requirements`. It may connect, but not listen on another TCP port.
pub(crate) fn lock_down_process(requirements: &Requirements) -> Result<Layers, NotApplied> {
    let mut files = Files::none(Connect::Yes)?;
    if let Some(mut rules) = files.take() {
        for (paths, what) in [
            (&requirements.change, Use::Change),
            (&requirements.read, Use::Read),
            (&requirements.devices, Use::Device),
            (&requirements.start, Use::Start),
        ] {
            for path in paths {
                if let Some(place) = open(path)? {
                    rules = rules.allow(place, what)?;
                }
            }
        }
        files = Some(rules);
    }
    let restrictions = Restrictions {
        capabilities: CapabilitySet::empty(),
        files,
        calls: Calls::of_server()?,
    };
    restrictions.apply()
}

/// Opens a path just far enough to be used in a rule.
fn open(path: &Path) -> Result<Option<OwnedFd>, NotApplied> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    match opened {
        Ok(file) => Ok(Some(file.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let named = io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            Err(NotApplied::new("Landlock", named))
        }
    }
}
