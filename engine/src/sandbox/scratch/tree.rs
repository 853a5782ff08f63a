//! The layout of a scratch folder: `/work`, `/tmp` and the event.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_NOW, fstat, utimensat};
use tenterhook_contract::{EVENT_FILE, TEMP_DIR, VERDICT_FILE, VERDICT_MAX_BYTES, WORK_DIR};

use super::mount_namespace::{Mount, MountNamespace};
use super::pool::Order;
use crate::limits::Limits;
use crate::sandbox::verdict::VerdictFile;

/// Inodes that the folder itself takes: root, work, tmp and the event.
const OWN_INODES: u32 = 4;

/// The kernel's clock for change times may stand still for this long: the longest tick is
/// 10 ms. A change within a tick of the creation cannot be detected.
const CLOCK_TICK: Duration = Duration::from_millis(50);

/// A scratch folder, in use or ready for it.
pub(crate) struct Tree {
    root: Dir,
    work: Dir,
    temp: Dir,
    event: File,
    /// Whether the event's file was unlinked, for a run without an event.
    event_unlinked: bool,
    host_path: PathBuf,
    bounds: (u64, u32),
    made_at: Instant,
    /// The change times of `/work` and `/tmp`: as long as these stay the same, nothing was
    /// created, renamed or removed in them.
    changed: [Timespec; 2],
    /// The same for the root, which is tidied up between runs, and when it last was.
    root_changed: Timespec,
    root_tidied_at: Instant,
    _storage: TreeStorage,
}

/// Whether a run that has ended may still have a write in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writers {
    /// It has none: each of its calls returned before the next.
    Gone,
    /// It may, to a file that it had open: a component's streams write in the background.
    Perhaps,
}

/// What the folder is stored on. This is dropped after everything that is open there.
enum TreeStorage {
    Mounted { _mount: Mount },
    Folder { _folder: tempfile::TempDir },
}

impl Tree {
    /// Creates one on a tmpfs of its own.
    pub(super) fn mount(
        mounts: &mut MountNamespace,
        limits: &Limits,
        orders: &Sender<Order>,
    ) -> io::Result<Self> {
        let inodes = limits.inodes.saturating_add(OWN_INODES);
        let (root, mount) = mounts.mount(limits.files, inodes, orders)?;
        let host_path = format!("/proc/self/fd/{}", root.as_raw_fd()).into();
        let bounds = (limits.files, limits.inodes);
        let storage = TreeStorage::Mounted { _mount: mount };
        Self::populate(Dir::from_std_file(root), host_path, bounds, storage)
    }

    /// Creates one in a plain folder.
    pub(super) fn folder(parent: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(parent)?;
        let root = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority())?;
        let host_path = folder.path().to_owned();
        Self::populate(
            root,
            host_path,
            (0, 0),
            TreeStorage::Folder { _folder: folder },
        )
    }

    fn populate(
        root: Dir,
        host_path: PathBuf,
        bounds: (u64, u32),
        storage: TreeStorage,
    ) -> io::Result<Self> {
        let make = |path| -> io::Result<Dir> {
            root.create_dir(relative(path))?;
            root.open_dir(relative(path))
        };
        let (work, temp) = (make(WORK_DIR)?, make(TEMP_DIR)?);
        let event = root.create(relative(EVENT_FILE))?.into_std();
        let changed = [change_time(&work)?, change_time(&temp)?];
        let root_changed = change_time(&root)?;
        let made_at = Instant::now();
        Ok(Self {
            root,
            work,
            temp,
            event,
            event_unlinked: false,
            host_path,
            bounds,
            made_at,
            changed,
            root_changed,
            root_tidied_at: made_at,
            _storage: storage,
        })
    }

    /// Returns the path by which the host opens exactly this folder.
    pub(crate) fn host_path(&self) -> &Path {
        &self.host_path
    }

    /// Returns whether the kernel enforces these limits on it.
    pub(super) fn has_bounds(&self, limits: &Limits) -> bool {
        self.bounds == (limits.files, limits.inodes)
    }

    /// Writes the event into its file. A run without an event has no such file; it stays
    /// open here, so that its inode is counted either way.
    pub(super) fn place_event(&mut self, event: &[u8]) -> io::Result<()> {
        if event.is_empty() {
            self.root.remove_file(relative(EVENT_FILE))?;
            self.event_unlinked = true;
            return Ok(());
        }
        (&self.event).write_all(event)
    }

    /// Returns the used bytes of the file system; for a plain folder, those of its disk.
    pub(super) fn held(&self) -> u64 {
        rustix::fs::fstatvfs(&self.root).map_or(0, |fs| (fs.f_blocks - fs.f_bfree) * fs.f_frsize)
    }

    /// Restores the folder to what it was before the run that began at `since`, if that run
    /// left `/work` and `/tmp` alone; returns `false` if it did not, or if that is unknown.
    ///
    /// The kernel's change times show it, which a guest cannot set. A folder so new that
    /// they could hide a change counts as changed. The run and all that it has requested
    /// must have ended.
    pub(super) fn restore(&mut self, since: Instant, writers: Writers) -> io::Result<bool> {
        let is_old_enough = |at: Instant| since.saturating_duration_since(at) >= CLOCK_TICK;
        if !is_old_enough(self.made_at)
            || [change_time(&self.work)?, change_time(&self.temp)?] != self.changed
        {
            return Ok(false);
        }
        let untouched = !self.event_unlinked
            && is_old_enough(self.root_tidied_at)
            && change_time(&self.root)? == self.root_changed;
        if untouched && writers == Writers::Gone {
            self.event.set_len(0)?;
            (&self.event).rewind()?;
            return Ok(true);
        }
        self.tidy_root()
    }

    /// Removes the event and the verdict, and recreates the event's file: a write to the
    /// old one goes nowhere. Returns `false` if anything else is there.
    fn tidy_root(&mut self) -> io::Result<bool> {
        for entry in self.root.entries()? {
            let name = entry?.file_name();
            let is = |path| name == relative(path);
            if is(EVENT_FILE) || is(VERDICT_FILE) {
                self.root.remove_file(&name)?;
            } else if !is(WORK_DIR) && !is(TEMP_DIR) {
                return Ok(false);
            }
        }
        self.event = self.root.create(relative(EVENT_FILE))?.into_std();
        self.event_unlinked = false;
        // A guest may have set the times of the folder itself, for the next one to read.
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        let now = Timestamps {
            last_access: now,
            last_modification: now,
        };
        utimensat(&self.root, ".", &now, AtFlags::empty())?;
        self.root_changed = change_time(&self.root)?;
        self.root_tidied_at = Instant::now();
        Ok(true)
    }

    /// Reads what the hook left as its verdict.
    ///
    /// Nothing but a regular file inside the scratch folder is ever opened.
    pub(crate) fn verdict(&self) -> VerdictFile {
        let name = relative(VERDICT_FILE);
        match self.root.symlink_metadata(name) {
            Ok(found) if found.is_file() => {}
            Ok(_) => return VerdictFile::NotRegular,
            Err(_) => return VerdictFile::Absent,
        }
        let mut json = Vec::new();
        let read = self.root.open(name).and_then(|file| {
            file.take(VERDICT_MAX_BYTES as u64 + 1)
                .read_to_end(&mut json)
        });
        match read {
            Err(_) => VerdictFile::NotRegular,
            Ok(_) if json.len() > VERDICT_MAX_BYTES => VerdictFile::TooLong,
            Ok(_) => VerdictFile::Content(json),
        }
    }
}

/// Returns a path of the contract relative to the folder's root.
fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn change_time(dir: &Dir) -> io::Result<Timespec> {
    let stat = fstat(dir)?;
    Ok(Timespec {
        tv_sec: stat.st_ctime,
        tv_nsec: stat.st_ctime_nsec.cast_signed(),
    })
}
