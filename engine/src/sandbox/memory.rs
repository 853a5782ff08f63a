//! The limit on a guest's memory, over all its memories and tables.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::gauge::Gauge;
use crate::runtime::TABLE_ELEMENTS;

/// Bytes that one table element costs the host.
const ELEMENT_BYTES: usize = 16;

/// Counts one run's memory against its limit.
pub(crate) struct Memory {
    limit: usize,
    held: usize,
    peak: usize,
    denied: bool,
    /// What happens beyond the limit.
    beyond: Beyond,
    gauge: Option<Arc<Gauge>>,
}

/// What happens to a guest that requests more than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// The growth fails, and the guest may continue without it.
    Denied,
    /// The run ends: the guest was promised more than its host has.
    Ends,
}

/// The guest needed memory that it was promised but its host does not have.
#[derive(Debug, thiserror::Error)]
#[error("the host has no more memory for the guest")]
pub(crate) struct Outgrown;

impl Memory {
    pub(crate) fn new(limit: u64, beyond: Beyond, gauge: Option<Arc<Gauge>>) -> Self {
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            held: 0,
            peak: 0,
            denied: false,
            beyond,
            gauge,
        }
    }

    /// Returns the peak, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak as u64
    }

    /// Returns whether the guest requested more than it may hold.
    pub(crate) fn denied(&self) -> bool {
        self.denied
    }

    fn grow(&mut self, current: usize, desired: usize, unit: usize) -> Result<bool, Outgrown> {
        let more = desired.saturating_sub(current).saturating_mul(unit);
        let held = self.held.saturating_add(more);
        if held > self.limit {
            self.denied = true;
            return match self.beyond {
                Beyond::Denied => Ok(false),
                Beyond::Ends => Err(Outgrown),
            };
        }
        self.held = held;
        if held > self.peak {
            self.peak = held;
            if let Some(gauge) = &self.gauge {
                gauge.memory_peak(held);
            }
        }
        Ok(true)
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, 1)?)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS && self.grow(current, desired, ELEMENT_BYTES)?)
    }

    fn instances(&self) -> usize {
        256
    }

    fn memories(&self) -> usize {
        16
    }

    fn tables(&self) -> usize {
        64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_of_a_guest_share_one_limit() {
        let mut memory = Memory::new(100, Beyond::Denied, None);
        assert!(memory.grow(0, 60, 1).unwrap());
        assert!(memory.grow(0, 40, 1).unwrap());
        assert!(!memory.denied());
        assert!(!memory.grow(40, 41, 1).unwrap());
        assert!(memory.denied());
        assert_eq!(memory.peak(), 100);
    }

    #[test]
    fn a_guest_that_was_promised_more_memory_than_exists_ends() {
        let mut memory = Memory::new(100, Beyond::Ends, None);
        assert!(memory.grow(0, 100, 1).unwrap());
        assert!(memory.grow(100, 101, 1).is_err());
    }
}
