//! The files of one run, made when the first of them is used.
//!
//! Most runs use none: the layout costs some microseconds, a fifth of a run that prints a
//! line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use tenterhook_contract::{EVENT_FILE, TEMP_DIR, VERDICT_FILE, VERDICT_MAX_BYTES, WORK_DIR};
use tenterhook_machine::{
    Device, Errno, Files, INODE_BYTES, Kind, Last, NodeId, Open, Quota, Start,
};
use tokio::task::yield_now;

use super::clock::Clocks;
use super::random::{REQUEST_MAX_BYTES, Random};
use super::verdict::VerdictFile;
use crate::limits::Limits;

/// Where the host's own paths start.
const TOP: Start = Start::At(NodeId::ROOT);

/// Blocks of a digest before other runs have their turn, 4 MiB: less than a millisecond.
const DIGEST_BLOCKS: usize = 1_024;

/// The devices that a run has.
const DEVICES: [(&str, Device); 5] = [
    ("/dev/null", Device::Null),
    ("/dev/zero", Device::Zero),
    ("/dev/full", Device::Full),
    ("/dev/random", Device::Random),
    ("/dev/urandom", Device::Random),
];

/// The files of one run. Clones are the same files: the streams of a component hold one
/// each.
#[derive(Clone)]
pub(crate) struct RunFiles {
    kept: Arc<Mutex<Kept>>,
    clocks: Clocks,
}

struct Kept {
    made: Option<Box<Files>>,
    bytes: u64,
    inodes: u32,
    event: Bytes,
    random: Random,
}

/// The files while they are worked on.
pub(crate) type Working<'a> = MappedMutexGuard<'a, Files>;

impl RunFiles {
    /// Prepares files within these limits; an empty event is none.
    pub(crate) fn new(limits: &Limits, event: Bytes, clocks: Clocks, random: Random) -> Self {
        Self {
            kept: Arc::new(Mutex::new(Kept {
                made: None,
                bytes: limits.files,
                inodes: limits.inodes,
                event,
                random,
            })),
            clocks,
        }
    }

    /// Returns the run's present time, in nanoseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.clocks.wall_ns()
    }

    /// Returns the files, at the run's present time.
    pub(crate) fn work(&self) -> Working<'_> {
        let now = self.now();
        MutexGuard::map(self.kept.lock(), |kept| {
            let files = kept.made.get_or_insert_with(|| {
                let quota = Quota::new(kept.bytes, kept.inodes.into());
                Box::new(lay_out(quota, now, &kept.event))
            });
            files.set_now(now);
            &mut **files
        })
    }

    /// Reads from a file or a device; returns how much, zero at the end of a file.
    pub(crate) fn read(
        &self,
        (node, kind): (NodeId, Kind),
        at: u64,
        buffer: &mut [u8],
    ) -> Result<usize, Errno> {
        match kind {
            Kind::Device(Device::Null) => Ok(0),
            Kind::Device(Device::Zero | Device::Full) => {
                buffer.fill(0);
                Ok(buffer.len())
            }
            Kind::Device(Device::Random) => {
                let most = usize::try_from(REQUEST_MAX_BYTES).unwrap_or(usize::MAX);
                let len = buffer.len().min(most);
                self.kept.lock().random.fill(&mut buffer[..len]);
                Ok(len)
            }
            Kind::File | Kind::Folder | Kind::Link => self.work().read(node, at, buffer),
        }
    }

    /// Writes to a file or a device as much as there is room for; returns how much.
    pub(crate) fn write(
        &self,
        (node, kind): (NodeId, Kind),
        at: u64,
        bytes: &[u8],
    ) -> Result<usize, Errno> {
        match kind {
            Kind::Device(Device::Full) => Err(Errno::Nospc),
            Kind::Device(_) => Ok(bytes.len()),
            Kind::File | Kind::Folder | Kind::Link => self.work().write(node, at, bytes),
        }
    }

    /// Returns the bytes of the blocks that the run's files take.
    pub(crate) fn used_bytes(&self) -> u64 {
        let kept = self.kept.lock();
        let made = kept.made.as_ref();
        made.map_or(0, |files| files.quota().used_bytes())
    }

    /// Returns the bytes of host memory that the run's files take, about.
    pub(crate) fn held_bytes(&self) -> u64 {
        let kept = self.kept.lock();
        kept.made.as_ref().map_or(0, |files| {
            let quota = files.quota();
            quota.used_bytes() + quota.used_inodes() * INODE_BYTES
        })
    }

    /// Returns a digest of the files, if there are any; the run has ended. `yielded` is set
    /// whenever others have their turn.
    pub(crate) async fn digest(&self, yielded: &AtomicBool) -> Option<u64> {
        let files = self.kept.lock().made.take()?;
        let taken = Taken { files, run: self };
        let mut digesting = taken.files.digest();
        loop {
            if let Some(digest) = digesting.step(DIGEST_BLOCKS) {
                return Some(digest);
            }
            yielded.store(true, Ordering::Relaxed);
            yield_now().await;
        }
    }

    /// Returns what the run left in the place of the verdict.
    pub(crate) fn verdict(&self) -> VerdictFile {
        let mut kept = self.kept.lock();
        let Some(files) = &mut kept.made else {
            return VerdictFile::Absent;
        };
        let Ok(node) = files.find(TOP, VERDICT_FILE.as_bytes(), Last::Keep) else {
            return VerdictFile::Absent;
        };
        if files.kind(node) != Kind::File {
            return VerdictFile::NotRegular;
        }
        let mut json = vec![0; VERDICT_MAX_BYTES + 1];
        let len = files.read(node, 0, &mut json).unwrap_or(0);
        if len > VERDICT_MAX_BYTES {
            return VerdictFile::TooLong;
        }
        json.truncate(len);
        VerdictFile::Content(json)
    }
}

/// Files that are worked on for longer than a lock may be held. They go back however that
/// ends: what still holds some of them open closes them.
struct Taken<'a> {
    files: Box<Files>,
    run: &'a RunFiles,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let nothing = Box::new(Files::new(Quota::new(0, 0), 0));
        let files = std::mem::replace(&mut self.files, nothing);
        self.run.kept.lock().made = Some(files);
    }
}

/// Makes what every run finds.
fn lay_out(quota: Quota, now: u64, event: &[u8]) -> Files {
    let room = Quota::new(event.len() as u64 + (1 << 12), 16);
    let mut files = Files::new(room, now);
    place(&mut files, event).expect("there is room for what every run finds");
    files.begin(quota);
    files
}

fn place(files: &mut Files, event: &[u8]) -> Result<(), Errno> {
    for folder in [WORK_DIR, TEMP_DIR, "/dev"] {
        files.make_folder(TOP, folder.as_bytes(), 0o755)?;
    }
    for (path, device) in DEVICES {
        files.make_device(TOP, path.as_bytes(), device, 0o666)?;
    }
    if !event.is_empty() {
        let how = Open {
            create: true,
            ..Open::default()
        };
        let node = files.open(TOP, EVENT_FILE.as_bytes(), Last::Keep, how, 0o644)?;
        files.write(node, 0, event)?;
        files.close(node);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::invocation::Pace;
    use crate::sandbox::deadline::Deadline;
    use crate::seed::Seed;

    fn files(limits: &Limits, event: &'static [u8]) -> RunFiles {
        let deadline = Deadline::start(limits.wall, Pace::Skip, CancellationToken::new());
        let start = SystemTime::UNIX_EPOCH;
        let clocks = Clocks::new(start, Pace::Skip, &Arc::default(), &deadline);
        let random = Random::new(Seed::from(1), &Arc::default());
        RunFiles::new(limits, Bytes::from_static(event), clocks, random)
    }

    #[test]
    fn every_run_finds_the_same_and_may_fill_the_rest() {
        let limits = Limits {
            files: 4096,
            inodes: 1,
            ..Limits::default()
        };
        let run = files(&limits, b"{}");
        assert_eq!((run.used_bytes(), run.verdict()), (0, VerdictFile::Absent));
        let mut files = run.work();
        let names: Vec<_> = files
            .entries(NodeId::ROOT, 2)
            .unwrap()
            .map(|entry| entry.name.to_vec())
            .collect();
        assert_eq!(names, [&b"work"[..], b"tmp", b"dev", b"event.json"]);
        let how = Open {
            create: true,
            ..Open::default()
        };
        let path = VERDICT_FILE.as_bytes();
        let node = files.open(TOP, path, Last::Keep, how, 0o644).unwrap();
        files.write(node, 0, b"{\"allow\":true}").unwrap();
        assert_eq!(files.write(node, 4096, b"x"), Err(Errno::Nospc));
        assert_eq!(files.make_folder(TOP, b"work/x", 0o755), Err(Errno::Nospc));
        drop(files);
        assert_eq!(run.used_bytes(), 4096);
        let content = VerdictFile::Content(b"{\"allow\":true}".to_vec());
        assert_eq!(run.verdict(), content);
    }

    #[test]
    fn a_verdict_is_a_regular_file_of_bounded_length() {
        let run = files(&Limits::default(), b"");
        let path = VERDICT_FILE.as_bytes();
        run.work().symlink(b"work/elsewhere", TOP, path).unwrap();
        assert_eq!(run.verdict(), VerdictFile::NotRegular);
        let mut files = run.work();
        files.unlink(TOP, path).unwrap();
        let how = Open {
            create: true,
            ..Open::default()
        };
        let node = files.open(TOP, path, Last::Keep, how, 0o644).unwrap();
        files.resize(node, VERDICT_MAX_BYTES as u64).unwrap();
        drop(files);
        assert!(matches!(run.verdict(), VerdictFile::Content(_)));
        run.work()
            .resize(node, VERDICT_MAX_BYTES as u64 + 1)
            .unwrap();
        assert_eq!(run.verdict(), VerdictFile::TooLong);
    }
}
