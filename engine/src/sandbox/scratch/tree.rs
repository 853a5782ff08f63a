//! What a scratch folder looks like: `/work`, `/tmp` and the event.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_NOW, fstat, utimensat};
use tenterhook_sdk::contract::{EVENT_FILE, TEMP_DIR, VERDICT_FILE, VERDICT_MAX_BYTES, WORK_DIR};

use super::berths::{Berth, Berths};
use super::pool::Order;
use crate::limits::Limits;
use crate::sandbox::verdict::Left;

/// Inodes that the folder itself takes: root, work, tmp and the event.
const OWN_INODES: u32 = 4;

/// The kernel's clock for change times may stand still for this long: the
/// longest tick is 10 ms. A change within a tick of the making cannot be seen.
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
    /// When `/work` and `/tmp` were changed last: nobody has made, renamed or
    /// removed anything in them as long as these stay the same.
    changed: [Timespec; 2],
    /// The same of the root, which is put in order between runs, and since when
    /// that is so.
    root_changed: Timespec,
    root_settled_at: Instant,
    _place: Place,
}

/// Whether a run that is over may still have a write under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writers {
    /// None: each of its calls was over before the next.
    Gone,
    /// To a file that it had open: a component's streams write behind its back.
    Perhaps,
}

/// Where it lies. This is dropped after everything that is open there.
enum Place {
    Mounted { _berth: Berth },
    Folder { _folder: tempfile::TempDir },
}

impl Tree {
    /// Makes one on a memory file system of its own.
    pub(super) fn mount(
        berths: &mut Berths,
        limits: &Limits,
        orders: &Sender<Order>,
    ) -> io::Result<Self> {
        let inodes = limits.inodes.saturating_add(OWN_INODES);
        let (root, berth) = berths.mount(limits.files, inodes, orders)?;
        let host_path = format!("/proc/self/fd/{}", root.as_raw_fd()).into();
        let bounds = (limits.files, limits.inodes);
        let place = Place::Mounted { _berth: berth };
        Self::furnish(Dir::from_std_file(root), host_path, bounds, place)
    }

    /// Makes one in a plain folder.
    pub(super) fn folder(parent: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(parent)?;
        let root = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority())?;
        let host_path = folder.path().to_owned();
        Self::furnish(root, host_path, (0, 0), Place::Folder { _folder: folder })
    }

    fn furnish(
        root: Dir,
        host_path: PathBuf,
        bounds: (u64, u32),
        place: Place,
    ) -> io::Result<Self> {
        let make = |path| -> io::Result<Dir> {
            root.create_dir(relative(path))?;
            root.open_dir(relative(path))
        };
        let (work, temp) = (make(WORK_DIR)?, make(TEMP_DIR)?);
        let event = root.create(relative(EVENT_FILE))?.into_std();
        let changed = [change(&work)?, change(&temp)?];
        let root_changed = change(&root)?;
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
            root_settled_at: made_at,
            _place: place,
        })
    }

    /// The path under which the host opens exactly this folder.
    pub(crate) fn host_path(&self) -> &Path {
        &self.host_path
    }

    /// Whether the kernel holds it to these limits.
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

    /// Bytes that the file system holds; of a plain folder, what its disk holds.
    pub(super) fn held(&self) -> u64 {
        rustix::fs::fstatvfs(&self.root).map_or(0, |fs| (fs.f_blocks - fs.f_bfree) * fs.f_frsize)
    }

    /// Makes the folder as it was before the run that began at `since`, if that
    /// left `/work` and `/tmp` alone; `false` if it did not, or nobody can tell.
    ///
    /// The kernel's change times tell, which a guest cannot set. A folder so new
    /// that they could hide a change counts as changed. The run has to be over, with
    /// all that it has asked for.
    pub(super) fn restore(&mut self, since: Instant, writers: Writers) -> io::Result<bool> {
        let settled = |at: Instant| since.saturating_duration_since(at) >= CLOCK_TICK;
        if !settled(self.made_at) || [change(&self.work)?, change(&self.temp)?] != self.changed {
            return Ok(false);
        }
        let untouched = !self.event_unlinked
            && settled(self.root_settled_at)
            && change(&self.root)? == self.root_changed;
        if untouched && writers == Writers::Gone {
            self.event.set_len(0)?;
            (&self.event).rewind()?;
            return Ok(true);
        }
        self.tidy_root()
    }

    /// Removes the event and the verdict, and makes the event's file anew: whoever
    /// still has the old one open writes into nothing. `false` if anything else is
    /// there.
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
        // A guest may have set the times of the folder itself, for the next to read.
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        let now = Timestamps {
            last_access: now,
            last_modification: now,
        };
        utimensat(&self.root, ".", &now, AtFlags::empty())?;
        self.root_changed = change(&self.root)?;
        self.root_settled_at = Instant::now();
        Ok(true)
    }

    /// Reads what the hook left as its verdict.
    ///
    /// Nothing but a plain file inside the scratch is ever opened.
    pub(crate) fn verdict(&self) -> Left {
        let name = relative(VERDICT_FILE);
        match self.root.symlink_metadata(name) {
            Ok(found) if found.is_file() => {}
            Ok(_) => return Left::NoFile,
            Err(_) => return Left::Nothing,
        }
        let mut json = Vec::new();
        let read = self.root.open(name).and_then(|file| {
            file.take(VERDICT_MAX_BYTES as u64 + 1)
                .read_to_end(&mut json)
        });
        match read {
            Err(_) => Left::NoFile,
            Ok(_) if json.len() > VERDICT_MAX_BYTES => Left::TooLong,
            Ok(_) => Left::Text(json),
        }
    }
}

/// A path of the contract, as seen from the folder's root.
fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn change(dir: &Dir) -> io::Result<Timespec> {
    let stat = fstat(dir)?;
    Ok(Timespec {
        tv_sec: stat.st_ctime,
        tv_nsec: stat.st_ctime_nsec.cast_signed(),
    })
}
