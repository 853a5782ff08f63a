//! Programs that are ready to run, by the digest of their bytes.
//!
//! Bounded: what was not used for longest goes first. However many executions
//! want a program that is not here, it is loaded once.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tenterhook_engine::{Digest, Engine, Kind, Program};
use tenterhook_ledger::Holder;
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::store::Store;

/// Programs that are ready to run.
pub(crate) struct Programs {
    most: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    by_digest: HashMap<(Digest, Kind), Slot>,
    /// Counts uses; determines which slot was used least recently.
    uses: u64,
}

struct Slot {
    program: Arc<OnceCell<Program>>,
    used: u64,
}

/// Reads the bytes of a program, and checks that they are those that were stored: what
/// was changed since is neither run nor given to anybody.
///
/// # Errors
///
/// [`Error::Store`], [`Error::DamagedProgram`].
pub(crate) async fn read(store: &dyn Store, digest: Digest) -> Result<Bytes, Error> {
    const DOING: &str = "read the program";
    let bytes = store
        .program(digest)
        .await?
        .ok_or_else(|| Error::store(DOING, "its bytes are gone"))?;
    let found = {
        let bytes = bytes.clone();
        tokio::task::spawn_blocking(move || Digest::of(&bytes))
            .await
            .map_err(|error| Error::store(DOING, error))?
    };
    if found != digest {
        return Err(Error::DamagedProgram { digest, found });
    }
    Ok(bytes)
}

impl Programs {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            held: Mutex::default(),
        }
    }

    /// Finds a program, or loads it from the store.
    pub(crate) async fn get(
        &self,
        engine: &Engine,
        store: &dyn Store,
        holder: Holder,
        digest: Digest,
        kind: Kind,
    ) -> Result<Program, Error> {
        let slot = self.slot(digest, kind);
        let load = async || {
            let bytes = read(store, digest).await?;
            Ok(engine.load_for(holder, kind, bytes).await?)
        };
        // A failure leaves the cell empty, so the next one tries again.
        slot.get_or_try_init(load).await.cloned()
    }

    /// Finds a program that is ready.
    pub(crate) fn ready(&self, digest: Digest, kind: Kind) -> Option<Program> {
        let mut held = self.held.lock();
        held.uses += 1;
        let used = held.uses;
        let slot = held.by_digest.get_mut(&(digest, kind))?;
        slot.used = used;
        slot.program.get().cloned()
    }

    /// Keeps a program that was loaded already.
    pub(crate) fn keep(&self, program: &Program) {
        let slot = self.slot(program.digest(), program.kind());
        let _there = slot.set(program.clone());
    }

    /// Keeps a program no longer. What runs it goes on.
    pub(crate) fn forget(&self, digest: Digest) {
        let mut held = self.held.lock();
        held.by_digest.retain(|(known, _), _| *known != digest);
    }

    fn slot(&self, digest: Digest, kind: Kind) -> Arc<OnceCell<Program>> {
        let mut held = self.held.lock();
        held.uses += 1;
        let used = held.uses;
        if let Some(slot) = held.by_digest.get_mut(&(digest, kind)) {
            slot.used = used;
            return Arc::clone(&slot.program);
        }
        if held.by_digest.len() >= self.most
            && let Some(oldest) = held
                .by_digest
                .iter()
                .min_by_key(|(_, slot)| slot.used)
                .map(|(key, _)| *key)
        {
            held.by_digest.remove(&oldest);
        }
        let program = Arc::new(OnceCell::new());
        let slot = Slot {
            program: Arc::clone(&program),
            used,
        };
        held.by_digest.insert((digest, kind), slot);
        program
    }
}
