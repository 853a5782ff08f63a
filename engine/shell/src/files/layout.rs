//! What a script finds when it starts, and what is taken when it ended.

use super::content::Write;
use super::device::Device;
use super::entries::Reach;
use super::node::{Access, Body};
use super::quota::Quota;
use super::script::SCRIPTS;
use super::tree::Tree;
use super::{Files, error};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tenterhook_contract::TEMP_DIR;

pub use tenterhook_contract::{EVENT_FILE, VERDICT_FILE, WORK_DIR};

/// The home folder of the script's user.
pub const HOME: &str = "/root";

/// The user database: the script is root in its own world.
const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
const OS: &[u8] = b"NAME=Tenterhook\nID=tenterhook\nPRETTY_NAME=\"Tenterhook sandbox\"\n";
const GROUP: &[u8] = b"root:x:0:\nnogroup:x:65534:\n";

impl Files {
    /// Lays out the folders and devices that every run starts with.
    pub fn new() -> Self {
        let mut tree = Tree::new(Quota {
            bytes: u64::MAX,
            inodes: u64::MAX,
        });
        populate(&mut tree).expect("the layout fits into an empty tree");
        Self(Arc::new(Mutex::new(tree)))
    }

    /// Starts a run: sets its quota, dates the layout to now, places the event.
    ///
    /// The layout and the event do not count against the quota.
    pub fn begin(&self, quota: Quota, event: Option<Vec<u8>>) {
        let mut tree = self.tree();
        if let Some(event) = event
            && let Ok((root, name)) = tree.find_parent(Path::new(EVENT_FILE))
            && let Ok(id) = tree.insert(root, name, Body::File(event), 0o444)
        {
            tree.get_mut(id).access = Access::Sealed;
        }
        tree.date_all();
        tree.ledger.restart(quota);
    }

    /// Takes the content of the verdict file out, if the script wrote one.
    ///
    /// # Errors
    ///
    /// When something stands in its place that is not a readable file.
    pub fn take_verdict(&self) -> bashkit::Result<Option<Vec<u8>>> {
        let mut tree = self.tree();
        let Ok(id) = tree.find(Path::new(VERDICT_FILE)) else {
            return Ok(None);
        };
        match &mut tree.get_mut(id).body {
            Body::File(content) => Ok(Some(std::mem::take(content))),
            Body::Folder(_) => Err(error::is_a_directory()),
            Body::Fifo(_) | Body::Link(_) | Body::Device(_) => Err(error::invalid()),
        }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}

fn populate(tree: &mut Tree) -> bashkit::Result<()> {
    for folder in [
        WORK_DIR,
        HOME,
        TEMP_DIR,
        "/dev",
        "/etc",
        "/var/lib",
        "/var/log",
        "/var/tmp",
        "/run",
        "/home",
        "/lib",
        "/sbin",
        "/sys",
        "/usr/sbin",
        "/usr/local/bin",
        "/mnt",
        "/opt",
        SCRIPTS,
    ] {
        tree.make_folder(Path::new(folder), Reach::Whole)?;
    }
    tree.make(Path::new("/var/run"), Body::Link("/run".into()), 0o777)?;
    tree.change_mode(Path::new(HOME), 0o700)?;
    tree.change_mode(Path::new(TEMP_DIR), 0o1777)?;
    tree.change_mode(Path::new("/var/tmp"), 0o1777)?;
    for (name, device) in [
        ("/dev/null", Device::Null),
        ("/dev/zero", Device::Zero),
        ("/dev/full", Device::Full),
        ("/dev/urandom", Device::Random),
        ("/dev/random", Device::Random),
    ] {
        tree.make(Path::new(name), Body::Device(device), 0o666)?;
    }
    tree.write(Path::new("/etc/passwd"), Write::Replace, PASSWD)?;
    tree.write(Path::new("/etc/group"), Write::Replace, GROUP)?;
    tree.write(Path::new("/etc/os-release"), Write::Replace, OS)?;
    Ok(())
}
