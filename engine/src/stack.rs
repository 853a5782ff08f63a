//! How much stack a guest may use.
//!
//! It is a setting of the engine and not a limit of a hook: the stacks of all runs are slots
//! of one pool, which have one size. Compiled code does not depend on it.

const KIB: u32 = 1 << 10;

/// Stack for the host functions that a guest calls, beyond its own. Upstream recommends at
/// least 1 MiB.
const HOST_BYTES: usize = 1536 << 10;

/// Bytes of stack that a guest may use; deeper recursion is a trap. Default: 512 KiB.
///
/// A program that was compiled by LLVM also has a stack in its linear memory, whose size its
/// linker decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GuestStack(u32);

impl GuestStack {
    /// The least that can be set. Ordinary programs and scripts run on it, and a smaller one
    /// would make no run cheaper.
    pub const LEAST: Self = Self(64 * KIB);

    /// The most that can be set. All of it is charged to every run, whether or not it recurses
    /// that deep.
    pub const MOST: Self = Self(8 * 1024 * KIB);

    /// Returns a stack of this size; `None` unless that is from [`LEAST`](Self::LEAST) to
    /// [`MOST`](Self::MOST).
    #[must_use]
    pub fn new(bytes: u64) -> Option<Self> {
        let stack = Self(u32::try_from(bytes).ok()?);
        (Self::LEAST..=Self::MOST).contains(&stack).then_some(stack)
    }

    /// Returns its size in bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0.into()
    }

    /// Returns the bytes of host memory that a run takes for it beyond what every run takes,
    /// which covers a stack of the default size.
    #[must_use]
    pub fn extra_memory(self) -> u64 {
        self.0.saturating_sub(Self::default().0).into()
    }

    /// Gives the runs of an engine stacks of this size.
    pub(crate) fn configure(self, config: &mut wasmtime::Config) {
        let own = usize::try_from(self.0).expect("8 MiB fit an address");
        config
            .max_wasm_stack(own)
            .async_stack_size(own + HOST_BYTES);
    }

    /// Describes the trap of a guest that needed more.
    pub(crate) fn exhausted(self) -> String {
        if self == Self::MOST {
            return "call stack exhausted at 8 MiB, the most that a guest may use".into();
        }
        let kib = self.0 / KIB;
        format!("call stack exhausted at {kib} KiB; `--stack` allows more")
    }
}

impl Default for GuestStack {
    fn default() -> Self {
        Self(512 * KIB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sizes_within_the_bounds_are_stacks() {
        for (bytes, is_one) in [
            (0, false),
            (GuestStack::LEAST.bytes() - 1, false),
            (GuestStack::LEAST.bytes(), true),
            (GuestStack::default().bytes(), true),
            (GuestStack::MOST.bytes(), true),
            (GuestStack::MOST.bytes() + 1, false),
            (u64::from(u32::MAX) + 1 + GuestStack::LEAST.bytes(), false),
        ] {
            assert_eq!(GuestStack::new(bytes).is_some(), is_one, "{bytes}");
        }
    }

    #[test]
    fn only_what_is_beyond_the_default_is_extra_memory() {
        assert_eq!(GuestStack::LEAST.extra_memory(), 0);
        assert_eq!(GuestStack::default().extra_memory(), 0);
        assert_eq!(GuestStack::MOST.extra_memory(), (8 << 20) - (512 << 10));
    }

    #[test]
    fn a_guest_at_the_most_is_not_told_of_a_flag_that_cannot_help() {
        let default = GuestStack::default().exhausted();
        assert_eq!(
            default,
            "call stack exhausted at 512 KiB; `--stack` allows more"
        );
        assert!(!GuestStack::MOST.exhausted().contains("--stack"));
    }
}
