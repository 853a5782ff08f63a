//! The time, of two sorts: what the wall shows, and what has passed.
//!
//! The wall's time is for people and for what outlives the process. It can be set,
//! so nothing in memory waits for it: waits are measured by what has passed. How long
//! to wait before a retry is decided here too. No crate here knows of a
//! store or of the network.

mod backoff;
mod clock;
mod history;
mod jump;
mod stepped;
mod system;
mod timepiece;
mod waits;

pub use crate::backoff::{Backoff, full_jitter};
pub use crate::clock::{Clock, Moment, Sleep};
pub use crate::history::{CONFIRMED_AFTER, Doubt, HistoryClock};
pub use crate::jump::{Jump, JumpWatch};
pub use crate::stepped::SteppedClock;
pub use crate::system::{SystemClock, is_in_range, new_id, wall};
pub use crate::timepiece::Timepiece;
