//! Scratch file systems, created ahead of time and unmounted in the background by a
//! thread that does nothing else and alone keeps the right to.
//!
//! Creating one costs several times as much as a whole run. The folder of a run that left
//! no more than a verdict is restored and reused; any other is discarded.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::Instant;

use parking_lot::Mutex;

use super::mount_namespace::MountNamespace;
use super::tree::{Tree, Writers};
use crate::error::Error;
use crate::limits::Limits;
use crate::lockdown::{Lockdown, lock_down_scratch_thread};

/// The number of folders that are kept ready.
const READY: usize = 32;

/// Folders with the default limits, ready for use.
pub(crate) struct Pool {
    ready: Arc<Mutex<Vec<Tree>>>,
    orders: Sender<Order>,
    parent: OwnedFd,
}

/// What the thread is asked to do, in order: a run that needs a folder waits for those
/// that were discarded before, so they cannot pile up.
pub(super) enum Order {
    /// Create a folder with these limits.
    Make(Box<Limits>, Sender<io::Result<Tree>>),
    /// Close this one. Dropping it sends the order to unmount it.
    Close(Tree),
    /// Unmount what is no longer used.
    Unmount(u64),
    /// Stop the thread.
    Stop,
}

/// Why there is no pool.
pub(super) enum NoPool {
    /// Mounting is not possible here.
    CannotMount(io::Error),
    /// The thread could not be locked down.
    Lockdown(Error),
}

impl Pool {
    /// Starts the thread that fills the pool and unmounts used folders. It ends when the
    /// pool is dropped.
    pub(super) fn start(lockdown: Lockdown) -> Result<Self, NoPool> {
        let ready = Arc::new(Mutex::new(Vec::with_capacity(READY)));
        let stock = Arc::clone(&ready);
        let (orders, received) = channel();
        let sender = orders.clone();
        let (ready_sender, ready_receiver) = sync_channel(1);
        let work = move || {
            let opened = open(lockdown, &sender);
            let _ = match opened {
                Ok((mounts, parent)) => {
                    let sent = ready_sender.send(Ok(parent));
                    keep_stocked(mounts, &stock, &received, &sender);
                    sent
                }
                Err(error) => ready_sender.send(Err(error)),
            };
        };
        thread::Builder::new()
            .name("scratch".into())
            .spawn(work)
            .map_err(NoPool::CannotMount)?;
        let ended = |_| NoPool::CannotMount(io::Error::other("its thread ended"));
        let parent = ready_receiver.recv().map_err(ended)??;
        Ok(Self {
            ready,
            orders,
            parent,
        })
    }

    /// Returns the folder that contains all of them.
    pub(super) fn parent(&self) -> BorrowedFd<'_> {
        self.parent.as_fd()
    }

    /// Takes a clean folder with these limits: a ready one, or a new one.
    pub(super) fn take(&self, limits: &Limits) -> io::Result<Tree> {
        let ready = self.ready.lock().pop_if(|tree| tree.has_bounds(limits));
        ready.map_or_else(|| self.order(limits), Ok)
    }

    fn order(&self, limits: &Limits) -> io::Result<Tree> {
        let (answer, made) = channel();
        let ended = || io::Error::other("the thread that creates scratch folders ended");
        self.orders
            .send(Order::Make(Box::new(limits.clone()), answer))
            .map_err(|_| ended())?;
        made.recv().map_err(|_| ended())?
    }

    /// Takes back the folder of a run that began at `since` and has ended.
    pub(super) fn give_back(&self, mut tree: Tree, since: Instant, writers: Writers) {
        if tree.has_bounds(&Limits::default())
            && tree.restore(since, writers).is_ok_and(|restored| restored)
        {
            let mut ready = self.ready.lock();
            if ready.len() < READY {
                ready.push(tree);
                return;
            }
        }
        self.discard(tree);
    }

    /// Discards the folder of a run that was interrupted: what it has requested may still
    /// happen.
    pub(super) fn discard(&self, tree: Tree) {
        // A thread that has ended took all mounts with it.
        let _ = self.orders.send(Order::Close(tree));
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // A thread that has already ended need not be stopped.
        let _ = self.orders.send(Order::Stop);
    }
}

/// Opens the mount namespace, checks that mounting works, and drops all other rights.
fn open(lockdown: Lockdown, orders: &Sender<Order>) -> Result<(MountNamespace, OwnedFd), NoPool> {
    let try_it = || {
        let mut mounts = MountNamespace::open()?;
        Tree::mount(&mut mounts, &Limits::default(), orders)?;
        let parent = mounts.parent().try_clone()?;
        Ok((mounts, parent))
    };
    let opened = try_it().map_err(NoPool::CannotMount)?;
    lock_down_scratch_thread(lockdown).map_err(|source| {
        NoPool::Lockdown(Error::Lockdown {
            what: "the thread that mounts scratch file systems",
            source,
        })
    })?;
    Ok(opened)
}

fn keep_stocked(
    mut mounts: MountNamespace,
    stock: &Mutex<Vec<Tree>>,
    received: &Receiver<Order>,
    orders: &Sender<Order>,
) {
    loop {
        let order = match received.try_recv() {
            Ok(order) => order,
            Err(TryRecvError::Disconnected) => return,
            Err(TryRecvError::Empty) => {
                let short = stock.lock().len() < READY;
                if short && let Ok(tree) = Tree::mount(&mut mounts, &Limits::default(), orders) {
                    stock.lock().push(tree);
                    continue;
                }
                // Full, or mounting fails: a run that needs a folder gets the error.
                match received.recv() {
                    Ok(order) => order,
                    Err(_) => return,
                }
            }
        };
        match order {
            Order::Make(limits, answer) => {
                // The caller may be gone; then the folder is dropped as well.
                let _ = answer.send(Tree::mount(&mut mounts, &limits, orders));
            }
            Order::Close(tree) => drop(tree),
            Order::Unmount(name) => mounts.unmount(name),
            Order::Stop => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;
    use std::time::Duration;

    use rustix::fs::{fstat, major, minor, stat};

    use super::*;

    fn pool() -> Pool {
        let pool = Pool::start(Lockdown::On);
        pool.unwrap_or_else(|_| panic!("these tests need a machine that lets them mount"))
    }

    /// Returns the number of mounted folders.
    fn mounted(pool: &Pool) -> usize {
        let parent = cap_std::fs::Dir::reopen_dir(&pool.parent).unwrap();
        parent.entries().unwrap().count()
    }

    #[test]
    fn used_folders_leave_no_mount_behind() {
        let pool = pool();
        for round in 0..3 {
            let trees: Vec<_> = (0..40)
                .map(|_| pool.take(&Limits::default()).unwrap())
                .collect();
            for tree in trees {
                File::create(tree.host_path().join("work/file")).unwrap();
                pool.give_back(tree, Instant::now(), Writers::Gone);
            }
            // All are closed before the first is created, and unmounted before the second.
            for _ in 0..2 {
                pool.order(&Limits::for_testing()).unwrap();
            }
            assert!(mounted(&pool) <= READY + 2, "round {round}");
        }
    }

    /// Returns a folder that is old enough for the kernel's clock, and when its run began.
    fn aged() -> (Pool, Tree, Instant) {
        let pool = pool();
        let tree = pool.order(&Limits::default()).unwrap();
        (pool, tree, Instant::now() + Duration::from_secs(1))
    }

    /// Returns the names in the root, sorted.
    fn root(tree: &Tree) -> Vec<String> {
        let entries = fs::read_dir(tree.host_path()).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
        let mut names: Vec<_> = entries.map(|entry| name(entry).unwrap()).collect();
        names.sort();
        names
    }

    const CLEAN: [&str; 3] = ["event.json", "tmp", "work"];

    #[test]
    fn a_folder_with_no_more_than_a_verdict_is_restored() {
        for writers in [Writers::Gone, Writers::Perhaps] {
            let (_pool, mut tree, since) = aged();
            tree.place_event(b"secret").unwrap();
            fs::write(tree.host_path().join("verdict.json"), "{}").unwrap();
            assert!(tree.restore(since, writers).unwrap());
            assert_eq!(root(&tree), CLEAN);
            tree.place_event(b"new").unwrap();
            let event = fs::read(tree.host_path().join("event.json")).unwrap();
            assert_eq!(event, b"new");
        }
    }

    #[test]
    fn an_untouched_folder_is_restored() {
        let (_pool, mut tree, since) = aged();
        tree.place_event(b"secret").unwrap();
        assert!(tree.restore(since, Writers::Gone).unwrap());
        let event = fs::read(tree.host_path().join("event.json")).unwrap();
        assert_eq!((root(&tree).len(), event.len()), (3, 0));
    }

    #[test]
    fn a_run_without_an_event_has_no_event_file_and_the_next_has_its_own() {
        for writers in [Writers::Gone, Writers::Perhaps] {
            let (_pool, mut tree, since) = aged();
            tree.place_event(b"").unwrap();
            assert_eq!(root(&tree), ["tmp", "work"]);
            assert!(tree.restore(since, writers).unwrap());
            assert_eq!(root(&tree), CLEAN);
            tree.place_event(b"new").unwrap();
            let event = fs::read(tree.host_path().join("event.json")).unwrap();
            assert_eq!(event, b"new");
        }
    }

    #[test]
    fn a_folder_with_anything_else_is_not_reused() {
        let spoil: [fn(&Path); 8] = [
            |root| drop(File::create(root.join("tmp/file")).unwrap()),
            |root| fs::create_dir(root.join("work/folder")).unwrap(),
            |root| drop(File::create(root.join("other")).unwrap()),
            |root| fs::create_dir(root.join("verdict.json")).unwrap(),
            |root| fs::rename(root.join("event.json"), root.join("work/kept")).unwrap(),
            |root| fs::hard_link(root.join("event.json"), root.join("other")).unwrap(),
            |root| {
                fs::remove_dir(root.join("work")).unwrap();
                fs::create_dir(root.join("work")).unwrap();
            },
            |root| {
                fs::rename(root.join("work"), root.join("elsewhere")).unwrap();
                fs::rename(root.join("elsewhere"), root.join("work")).unwrap();
            },
        ];
        for (number, spoil) in spoil.iter().enumerate() {
            let (_pool, mut tree, since) = aged();
            // The kernel's clock has to advance between creating and spoiling it.
            let made = fs::metadata(tree.host_path().join("work")).unwrap();
            let made = (made.ctime(), made.ctime_nsec());
            let probe = tempfile::tempdir().unwrap();
            let later = (0..1_000_000).any(|try_number| {
                let file = probe.path().join(try_number.to_string());
                let file = File::create(file).unwrap().metadata().unwrap();
                (file.ctime(), file.ctime_nsec()) > made
            });
            assert!(later, "the clock stands still");
            spoil(tree.host_path());
            let restored = tree.restore(since, Writers::Gone);
            assert!(!restored.is_ok_and(|restored| restored), "{number}");
        }
    }

    #[test]
    fn a_folder_whose_times_are_inconclusive_is_not_reused() {
        let pool = pool();
        let mut tree = pool.order(&Limits::default()).unwrap();
        assert!(!tree.restore(Instant::now(), Writers::Gone).unwrap());
    }

    #[test]
    fn a_late_write_does_not_reach_the_next_run() {
        let (_pool, mut tree, since) = aged();
        let mut late = File::options()
            .write(true)
            .open(tree.host_path().join("event.json"))
            .unwrap();
        assert!(tree.restore(since, Writers::Perhaps).unwrap());
        tree.place_event(b"new").unwrap();
        late.write_all(b"evil").unwrap();
        let event = fs::read(tree.host_path().join("event.json")).unwrap();
        assert_eq!(event, b"new");
    }

    #[test]
    fn times_set_by_a_guest_do_not_reach_the_next_run() {
        let (_pool, mut tree, since) = aged();
        let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(7);
        let folder = File::open(tree.host_path()).unwrap();
        folder.set_modified(old).unwrap();
        assert!(tree.restore(since, Writers::Perhaps).unwrap());
        assert_ne!(folder.metadata().unwrap().modified().unwrap(), old);
    }

    #[test]
    fn no_other_thread_sees_the_mounts() {
        let pool = pool();
        let tree = pool.take(&Limits::default()).unwrap();
        let device = |found: rustix::fs::Stat| {
            let (major, minor) = (major(found.st_dev), minor(found.st_dev));
            format!(" {major}:{minor} ")
        };
        let seen = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
        for own in [fstat(&pool.parent), stat(tree.host_path())] {
            let own = device(own.unwrap());
            assert!(!seen.contains(&own), "{own}\n{seen}");
        }
        let root = device(stat("/").unwrap());
        assert!(seen.contains(&root), "{root}\n{seen}");
    }
}
