#![doc = include_str!("../README.md")]

pub mod catalog;
pub mod contract;
mod event;
pub mod events;
mod hook;
pub mod log;
pub mod typed;
mod verdict;

pub use crate::event::{Event, Fault};
pub use crate::hook::{Hook, Unreadable};
pub use crate::verdict::Verdict;
pub use tenterhook_sdk_macros::hook;
