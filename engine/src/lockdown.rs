//! The second layer: threads give up what they do not need, so that even an
//! escape from a sandbox meets an empty house.
//!
//! It is no boundary of its own. Threads share memory and descriptors, so whoever
//! runs native code in one may attack the others; it makes that necessary.

mod calls;
mod capabilities;
mod files;
mod guests;
mod layers;
mod lock;
mod needs;
mod scratch;
mod worker;

pub(crate) use self::guests::GuestLock;
pub use self::layers::Layers;
pub use self::lock::NotHeld;
pub use self::needs::Needs;
pub(crate) use self::needs::hold_process;
pub(crate) use self::scratch::hold_scratch_thread;
pub(crate) use self::worker::hold_compiler;

/// Whether threads give up what they do not need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lockdown {
    /// They do, as far as the kernel has the means.
    #[default]
    On,
    /// They keep everything that the process has: for a kernel or a tracer that
    /// cannot live with it.
    Off,
}
