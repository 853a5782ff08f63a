//! What a run is admitted with: its share of what tenants share.
//!
//! This decides how much a run needs; who has to wait for it is up to the caller.

use tenterhook_ledger::{Amounts, Guard, Holder, Ledger, Resource, Shortage};

use crate::limits::Limits;
use crate::program::Program;
use crate::stack::GuestStack;

/// What a run is admitted with. Dropping it returns everything.
///
/// It outlives the run's sandbox, so that what it covers is really free for the next run.
#[derive(Debug)]
pub struct Permit {
    guard: Guard,
    limits: Limits,
    lowered: bool,
}

impl Permit {
    /// Takes what a run of `program` within `limits` may hold, all of it or nothing. If
    /// that is more than this host can ever provide, as for a hook that was created on a
    /// larger host, takes as much as possible: the run then has lower limits.
    pub(crate) fn take(
        ledger: &Ledger,
        holder: Holder,
        program: &Program,
        limits: &Limits,
        stack: GuestStack,
    ) -> Result<Self, Shortage> {
        let take = |limits: Limits, lowered| -> Result<Self, Shortage> {
            let guard = ledger.take(holder, demand(program, &limits, stack))?;
            Ok(Self {
                guard,
                limits,
                lowered,
            })
        };
        match take(limits.clone(), false) {
            Err(shortage) if shortage.is_lasting() => {
                let most = ledger.most(Resource::Memory);
                take(limits.fitting(most, stack), true)
            }
            taken => taken,
        }
    }

    /// Returns whose run it is.
    #[must_use]
    pub fn holder(&self) -> Holder {
        self.guard.holder()
    }

    /// Splits off what covers the run's output, to be kept after the run until the output
    /// is stored.
    pub fn keep_output(&mut self) -> Guard {
        self.guard
            .split(Resource::Memory, self.limits.output_memory())
    }

    /// Returns the limits that it covers: those that were asked for, or lower ones.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns whether they are lower than requested, for lack of room.
    #[must_use]
    pub fn is_lowered(&self) -> bool {
        self.lowered
    }

    pub(crate) fn guard_mut(&mut self) -> &mut Guard {
        &mut self.guard
    }
}

/// Returns what a run of `program` within `limits`, on such a stack, may hold.
fn demand(program: &Program, limits: &Limits, stack: GuestStack) -> Amounts {
    let files = match program.inner.uses_files {
        true => limits.files_memory(),
        false => 0,
    };
    let memory = limits.memory_without_files(stack).saturating_add(files);
    let demand = program.inner.parts.and(Resource::RunSlots, 1);
    demand.and(Resource::Memory, memory)
}
