//! Scratch file systems made ahead of time, and taken apart behind the scenes, by
//! a thread that does nothing else and alone keeps the right to.
//!
//! Making one costs several times as much as a whole run. A run that left its
//! folder untouched gives it back as it was; one that did not throws it away.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::Instant;

use parking_lot::Mutex;

use super::berths::Berths;
use super::tree::Tree;
use crate::error::Error;
use crate::limits::Limits;
use crate::lockdown::{Lockdown, hold_scratch_thread};

/// Folders that are kept ready.
const READY: usize = 32;

/// Folders with the default limits, ready for use.
pub(crate) struct Pool {
    ready: Arc<Mutex<Vec<Tree>>>,
    orders: Sender<Order>,
    parent: OwnedFd,
}

/// What the thread is asked to do, in this order. A folder is made after all that
/// were thrown away before, so those cannot pile up.
pub(super) enum Order {
    /// A folder with these limits.
    Make(Box<Limits>, Sender<io::Result<Tree>>),
    /// Take this one apart; whoever had it has closed it.
    Unmount(u64),
    /// No more.
    Stop,
}

/// Why there is no pool.
pub(super) enum NoPool {
    /// Nobody may mount here.
    CannotMount(io::Error),
    /// The thread has more rights than it should.
    NotHeld(Error),
}

impl Pool {
    /// Starts the thread that fills the pool and takes used folders apart. It
    /// ends when the pool is dropped.
    pub(super) fn start(lockdown: Lockdown) -> Result<Self, NoPool> {
        let ready = Arc::new(Mutex::new(Vec::with_capacity(READY)));
        let stock = Arc::clone(&ready);
        let (orders, received) = channel();
        let sender = orders.clone();
        let (answer, answered) = sync_channel(1);
        let work = move || {
            let opened = open(lockdown, &sender);
            let _ = match opened {
                Ok((berths, parent)) => {
                    let told = answer.send(Ok(parent));
                    keep_stocked(berths, &stock, &received, &sender);
                    told
                }
                Err(error) => answer.send(Err(error)),
            };
        };
        thread::Builder::new()
            .name("scratch".into())
            .spawn(work)
            .map_err(NoPool::CannotMount)?;
        let ended = |_| NoPool::CannotMount(io::Error::other("its thread ended"));
        let parent = answered.recv().map_err(ended)??;
        Ok(Self {
            ready,
            orders,
            parent,
        })
    }

    /// The folder beneath which all of them lie.
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
        let ended = || io::Error::other("the thread that makes scratch folders ended");
        self.orders
            .send(Order::Make(Box::new(limits.clone()), answer))
            .map_err(|_| ended())?;
        made.recv().map_err(|_| ended())?
    }

    /// Takes a folder back from a run that began at `since`.
    pub(super) fn give_back(&self, tree: Tree, since: Instant) {
        if tree.has_bounds(&Limits::default())
            && tree.is_untouched(since)
            && tree.clear_event().is_ok()
        {
            let mut ready = self.ready.lock();
            if ready.len() < READY {
                ready.push(tree);
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // A thread that has ended already needs not be asked to.
        let _ = self.orders.send(Order::Stop);
    }
}

/// Opens the place for the mounts, makes sure that one can be made, and gives up
/// everything else.
fn open(lockdown: Lockdown, orders: &Sender<Order>) -> Result<(Berths, OwnedFd), NoPool> {
    let try_it = || {
        let mut berths = Berths::open()?;
        Tree::mount(&mut berths, &Limits::default(), orders)?;
        let parent = berths.parent().try_clone()?;
        Ok((berths, parent))
    };
    let opened = try_it().map_err(NoPool::CannotMount)?;
    hold_scratch_thread(lockdown).map_err(|source| {
        NoPool::NotHeld(Error::Lockdown {
            what: "the thread that mounts scratch file systems",
            source,
        })
    })?;
    Ok(opened)
}

fn keep_stocked(
    mut berths: Berths,
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
                if short && let Ok(tree) = Tree::mount(&mut berths, &Limits::default(), orders) {
                    stock.lock().push(tree);
                    continue;
                }
                // Full, or none can be made: whoever needs one hears of it.
                match received.recv() {
                    Ok(order) => order,
                    Err(_) => return,
                }
            }
        };
        match order {
            Order::Make(limits, answer) => {
                // Whoever asked may have gone; then the folder goes as well.
                let _ = answer.send(Tree::mount(&mut berths, &limits, orders));
            }
            Order::Unmount(name) => berths.unmount(name),
            Order::Stop => return,
        }
    }
}
