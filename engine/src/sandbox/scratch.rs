//! The folder that one run may write into, and that is gone afterwards.
//!
//! Where the kernel lets us, it is a memory file system of its own with a bound
//! on bytes and inodes, mounted nowhere. Otherwise it is a plain folder whose
//! quota the host counts.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount,
    fsopen,
};
use tenterhook_sdk::contract::{EVENT_FILE, TEMP_DIR, VERDICT_FILE, VERDICT_MAX_BYTES, WORK_DIR};

use super::quota::FolderQuota;
use crate::error::Error;
use crate::limits::Limits;

/// Inodes that the scratch itself takes: root, work, tmp and the event.
const OWN_INODES: u32 = 4;

/// How scratch folders are made on this machine.
#[derive(Clone, Debug)]
pub(crate) enum Scratches {
    /// Each on a file system of its own.
    Mounted,
    /// Each a folder in this one.
    Folders(PathBuf),
}

/// One run's scratch folder.
pub(crate) struct Scratch {
    dir: Dir,
    host_path: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

impl Scratches {
    /// Finds out which way this machine allows.
    pub(crate) fn probe(parent: &Path) -> Self {
        match mount(1 << 20, 16) {
            Ok(_) => Self::Mounted,
            Err(error) => {
                tracing::warn!(
                    %error,
                    "cannot mount scratch file systems; files of modules are counted instead, \
                     and components get theirs read-only"
                );
                Self::Folders(parent.to_owned())
            }
        }
    }

    /// Whether the kernel holds the quota.
    pub(crate) fn are_mounted(&self) -> bool {
        matches!(self, Self::Mounted)
    }

    /// What the host has to count for a run with these limits.
    pub(crate) fn quota(&self, limits: &Limits) -> Option<FolderQuota> {
        (!self.are_mounted()).then_some(FolderQuota {
            bytes: limits.files,
            inodes: limits.inodes,
            file_bytes: limits.files,
        })
    }

    /// Makes a scratch folder and places the event in it.
    pub(crate) fn open(&self, limits: &Limits, event: &[u8]) -> Result<Scratch, Error> {
        let parent = match self {
            Self::Mounted => Path::new("tmpfs"),
            Self::Folders(parent) => parent,
        };
        self.try_open(limits, event)
            .map_err(|source| Error::Scratch {
                path: parent.to_owned(),
                source,
            })
    }

    fn try_open(&self, limits: &Limits, event: &[u8]) -> io::Result<Scratch> {
        let scratch = match self {
            Self::Mounted => {
                let root = mount(limits.files, limits.inodes.saturating_add(OWN_INODES))?;
                let host_path = format!("/proc/self/fd/{}", root.as_raw_fd()).into();
                Scratch {
                    dir: Dir::from_std_file(File::from(root)),
                    host_path,
                    _folder: None,
                }
            }
            Self::Folders(parent) => {
                let folder = tempfile::Builder::new().prefix("run-").tempdir_in(parent)?;
                Scratch {
                    dir: Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority())?,
                    host_path: folder.path().to_owned(),
                    _folder: Some(folder),
                }
            }
        };
        scratch.dir.create_dir(relative(WORK_DIR))?;
        scratch.dir.create_dir(relative(TEMP_DIR))?;
        if !event.is_empty() {
            scratch.dir.write(relative(EVENT_FILE), event)?;
        }
        Ok(scratch)
    }
}

impl Scratch {
    /// The path under which the host opens exactly this folder.
    pub(crate) fn host_path(&self) -> &Path {
        &self.host_path
    }

    /// Bytes that the files hold, where the kernel counts them.
    pub(crate) fn used(&self) -> u64 {
        rustix::fs::fstatvfs(&self.dir).map_or(0, |fs| (fs.f_blocks - fs.f_bfree) * fs.f_frsize)
    }

    /// Reads the hook's verdict; `None` when there is none that we accept.
    ///
    /// Nothing but a plain file inside the scratch is ever opened.
    pub(crate) fn verdict(&self) -> Option<Vec<u8>> {
        let name = relative(VERDICT_FILE);
        if !self.dir.symlink_metadata(name).ok()?.is_file() {
            return None;
        }
        let file = self.dir.open(name).ok()?;
        let mut json = Vec::new();
        file.take(VERDICT_MAX_BYTES as u64 + 1)
            .read_to_end(&mut json)
            .ok()?;
        (json.len() <= VERDICT_MAX_BYTES).then_some(json)
    }
}

/// A path of the contract, as seen from the scratch's root.
fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// Makes a memory file system with these bounds that is mounted nowhere.
fn mount(bytes: u64, inodes: u32) -> io::Result<OwnedFd> {
    let fs = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&fs, "size", bytes.to_string())?;
    fsconfig_set_string(&fs, "nr_inodes", inodes.to_string())?;
    fsconfig_set_string(&fs, "mode", "0700")?;
    fsconfig_create(&fs)?;
    let flags = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    Ok(fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, flags)?)
}
