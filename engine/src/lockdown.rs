//! The second layer: threads drop the rights that they do not need, so that even an escape
//! from a sandbox finds nothing to use.
//!
//! It is not a boundary by itself. Threads share memory and descriptors, so native code
//! in one of them can attack the others; but it would have to.

mod calls;
mod capabilities;
mod files;
mod guests;
mod layers;
mod requirements;
mod restrictions;
mod signals;
mod worker;

pub(crate) use self::guests::GuestLockdown;
pub use self::layers::Layers;
pub use self::requirements::Requirements;
pub(crate) use self::requirements::lock_down_process;
pub use self::restrictions::NotApplied;
pub(crate) use self::worker::lock_down_compiler;

/// Whether threads drop the rights that they do not need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lockdown {
    /// They do, as far as the kernel supports it.
    #[default]
    On,
    /// They keep all rights of the process: for a kernel or a tracer that does not work
    /// with the lockdown.
    Off,
}
