#![doc = include_str!("../README.md")]

pub mod contract;
mod event;
mod hook;
mod verdict;

pub use crate::event::{Event, Fault};
pub use crate::hook::{Hook, Unreadable};
pub use crate::verdict::Verdict;
