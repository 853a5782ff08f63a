//! Where scratch file systems are mounted: in the private mount namespace of one thread,
//! beneath one folder.
//!
//! No other thread sees these mounts, and they end with the thread. They are beneath one
//! folder for Landlock, which judges a file by the folders above it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::mpsc::Sender;

use rustix::fs::{AtFlags, Mode, mkdirat, unlinkat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, UnmountFlags,
    fsconfig_create, fsconfig_set_string, fsmount, fsopen, mount_change, move_mount, unmount,
};
use rustix::process::fchdir;
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::pool::Order;

/// Bytes and inodes of the folder that contains them all: a page, since zero would mean
/// no bound, and an inode for each.
const PARENT: (u64, u32) = (4096, 65_536);

/// The mount namespace of one thread, which is the only one that may use it.
pub(super) struct MountNamespace {
    parent: OwnedFd,
    next: u64,
}

/// A mounted file system. Dropping it makes the thread unmount it.
pub(super) struct Mount {
    name: u64,
    orders: Sender<Order>,
}

impl MountNamespace {
    /// Gives the calling thread a mount namespace of its own. What is mounted there is
    /// visible nowhere else; what others unmount disappears here too.
    #[expect(
        unsafe_code,
        reason = "a thread gets a mount namespace and a current folder of its own; no descriptor is closed"
    )]
    pub(super) fn open() -> io::Result<Self> {
        // SAFETY: without `FILES` the thread keeps sharing its descriptors, so that no
        // descriptor changes its meaning.
        unsafe { unshare_unsafe(UnshareFlags::NEWNS)? };
        let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
        mount_change("/", slave)?;
        let parent = file_system(PARENT.0, PARENT.1)?;
        attach(parent.as_fd(), rustix::fs::CWD, "/")?;
        // For `unmount`, which takes no descriptor.
        fchdir(&parent)?;
        Ok(Self { parent, next: 0 })
    }

    /// Returns the folder that contains all mounts.
    pub(super) fn parent(&self) -> &OwnedFd {
        &self.parent
    }

    /// Mounts a tmpfs with these bounds.
    pub(super) fn mount(
        &mut self,
        bytes: u64,
        inodes: u32,
        orders: &Sender<Order>,
    ) -> io::Result<(File, Mount)> {
        let root = file_system(bytes, inodes)?;
        let name = self.next;
        self.next += 1;
        mkdirat(&self.parent, name.to_string(), Mode::RWXU)?;
        if let Err(error) = attach(root.as_fd(), self.parent.as_fd(), &name.to_string()) {
            self.remove(name);
            return Err(error);
        }
        let orders = orders.clone();
        Ok((root.into(), Mount { name, orders }))
    }

    /// Unmounts what was mounted under this name. Files that are open there stay usable.
    pub(super) fn unmount(&self, name: u64) {
        if let Err(error) = unmount(name.to_string(), UnmountFlags::DETACH) {
            tracing::warn!(%error, "cannot unmount a scratch file system");
        }
        self.remove(name);
    }

    fn remove(&self, name: u64) {
        // An empty folder that is left over costs an inode.
        let _ = unlinkat(&self.parent, name.to_string(), AtFlags::REMOVEDIR);
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A thread that has ended took its mounts with it.
        let _ = self.orders.send(Order::Unmount(self.name));
    }
}

/// Creates a tmpfs with these bounds.
fn file_system(bytes: u64, inodes: u32) -> io::Result<OwnedFd> {
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

fn attach(mount: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    let by_descriptor = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(move_mount(mount, "", to, name, by_descriptor)?)
}
