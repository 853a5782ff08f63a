//! What accounts have on the disk, as the ledger knows it: what the store has counted,
//! which is exact, and what was written since, which is estimated from above. It is asked
//! before anything is written. What is small and rare (recipes, the sources that come
//! with an account) is left to the store's next count, which comes within seconds.

pub(crate) mod size;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tenterhook_engine::Report;
use tenterhook_ledger::{Amounts, Guard, Holder, Ledger, Resource};

use self::size::ROW;
use crate::error::Error;
use crate::id::AccountId;
use crate::runs::work::Retention;
use crate::store::Store;

/// What accounts have on the disk.
pub(crate) struct Disk {
    ledger: Ledger,
    books: Mutex<Books>,
    /// Whether a request found no room, or made some.
    wanted: AtomicBool,
}

#[derive(Default)]
struct Books {
    /// As the store has counted it last.
    counted: HashMap<AccountId, Guard>,
    /// Written since.
    since: HashMap<AccountId, Guard>,
}

impl Disk {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            books: Mutex::default(),
            wanted: AtomicBool::new(false),
        }
    }

    /// Takes room for what is about to be written.
    ///
    /// # Errors
    ///
    /// [`Error::DiskFull`].
    pub(crate) fn reserve(&self, account: AccountId, bytes: u64) -> Result<Guard, Error> {
        self.ledger
            .take(account.holder(), Amounts::of(Resource::Disk, bytes))
            .map_err(|shortage| {
                self.want_sweep();
                Error::DiskFull { shortage }
            })
    }

    /// Takes room for what a row that is about to be changed grows by. One that shrinks
    /// needs none, also where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::DiskFull`].
    pub(crate) fn reserve_growth(
        &self,
        account: AccountId,
        before: u64,
        after: u64,
    ) -> Result<Guard, Error> {
        match after.saturating_sub(before) {
            0 => Ok(self.ledger.empty(account.holder())),
            growth => self.reserve(account, growth),
        }
    }

    /// Counts what was reserved as written.
    pub(crate) fn written(&self, account: AccountId, reserved: Guard) {
        match self.books.lock().since.entry(account) {
            Entry::Vacant(place) => {
                place.insert(reserved);
            }
            Entry::Occupied(mut since) => {
                let amount = reserved.amount(Resource::Disk);
                since.get_mut().overdraw(Resource::Disk, amount);
            }
        }
    }

    /// Takes room for what an attempt has left behind, to be held until that is
    /// [written](Self::written). Where there is too little, the output is cut, and why is
    /// returned too: an outcome can always be stored.
    pub(crate) fn take_output(
        &self,
        account: AccountId,
        report: &mut Report,
    ) -> (Guard, Option<String>) {
        let printed = (report.stdout.len() + report.stderr.len()) as u64;
        let taken = self
            .ledger
            .take(account.holder(), Amounts::of(Resource::Disk, printed));
        let (mut guard, not_kept) = match taken {
            Ok(guard) => (guard, None),
            Err(shortage) => {
                self.want_sweep();
                let kept = cut(report, shortage.available);
                let mut guard = self.ledger.empty(account.holder());
                guard.overdraw(Resource::Disk, kept);
                let not_kept = format!(
                    "{} of {printed} bytes of output were not kept: {shortage}",
                    printed - kept
                );
                (guard, Some(not_kept))
            }
        };
        let verdict = report.verdict.as_ref().map_or(0, |verdict| {
            serde_json::to_string(verdict).map_or(0, |text| text.len())
        });
        guard.overdraw(Resource::Disk, ROW + verdict as u64);
        (guard, not_kept)
    }

    /// Takes over what the store has counted.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]; what was known stays.
    pub(crate) async fn count(&self, store: &dyn Store) -> Result<(), Error> {
        // What was written before is in the answer; what is written meanwhile may be
        // counted twice until the next time, but never not at all.
        let before = std::mem::take(&mut self.books.lock().since);
        let usage = match store.disk_usage().await {
            Ok(usage) => usage,
            Err(error) => {
                for (account, guard) in before {
                    self.written(account, guard);
                }
                return Err(error);
            }
        };
        let mut books = self.books.lock();
        for (account, bytes) in usage {
            let guard = books
                .counted
                .entry(account)
                .or_insert_with(|| self.ledger.empty(account.holder()));
            let known = guard.amount(Resource::Disk);
            guard.overdraw(Resource::Disk, bytes.saturating_sub(known));
            guard.shrink(Resource::Disk, known.saturating_sub(bytes));
        }
        Ok(())
    }

    /// How much finished work may be kept at the moment: what is set, but no more than
    /// leaves an account room for what comes next. With the usual factor an account is
    /// refused when it has three times what is free, and swept from half of that on.
    /// Where next to nothing is free, those that have most make room for the others.
    pub(crate) fn retention(&self, set: &Retention) -> Retention {
        let newcomer = self.ledger.room(Holder::Account(0), Resource::Disk);
        let books = self.books.lock();
        let most = books
            .counted
            .values()
            .map(|guard| guard.amount(Resource::Disk))
            .max();
        let share = newcomer.saturating_mul(2).max(most.unwrap_or_default() / 2);
        Retention {
            bytes_per_account: set.bytes_per_account.min(share),
            ..set.clone()
        }
    }

    /// Asks for a sweep soon, since there is too little room or there was made some.
    pub(crate) fn want_sweep(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Whether a sweep was asked for since the last one.
    pub(crate) fn take_wanted(&self) -> bool {
        self.wanted.swap(false, Ordering::Relaxed)
    }
}

/// Cuts the output to so many bytes, standard output first. Tells how many are kept.
fn cut(report: &mut Report, most: u64) -> u64 {
    let mut left = usize::try_from(most).unwrap_or(usize::MAX);
    for stream in [&mut report.stdout, &mut report.stderr] {
        let kept = stream.len().min(left);
        report.dropped_bytes += (stream.len() - kept) as u64;
        stream.truncate(kept);
        left -= kept;
    }
    (report.stdout.len() + report.stderr.len()) as u64
}
