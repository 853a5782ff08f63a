#![doc = include_str!("../README.md")]

pub mod answer;
pub mod argument;
pub mod catalog;
#[doc(hidden)]
pub mod check;
pub mod contract;
mod data;
mod event;
pub mod events;
mod handler;
mod hook;
mod json;
pub mod log;
mod panics;
pub mod params;
mod run;
pub mod testing;
pub mod typed;
mod verdict;

pub use crate::answer::Answer;
pub use crate::data::Data;
pub use crate::event::{Event, EventFault};
pub use crate::handler::Handler;
pub use crate::hook::{Hook, Limits, NoParameter, Server, Unreadable};
pub use crate::run::run;
pub use crate::verdict::{TooLong, Verdict};
pub use tenterhook_sdk_macros::hook;
