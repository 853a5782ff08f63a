#![doc = include_str!("../README.md")]

mod bulk;
mod cache;
mod code;
mod compile;
mod digest;
mod engine;
mod error;
mod gauge;
mod invocation;
mod limits;
mod link;
mod lockdown;
mod outcome;
mod permit;
mod program;
mod report;
mod runtime;
mod sandbox;
mod shell;
mod stats;
mod transfer;

pub use crate::cache::CodeCache;
pub use crate::compile::{CompileLimits, compile_worker};
pub use crate::digest::{Digest, NotADigest};
pub use crate::engine::{Engine, Settings};
pub use crate::error::Error;
pub use crate::gauge::{Gauge, SoFar};
pub use crate::invocation::{Clock, Invocation, OutputSink, Seed, Stream};
pub use crate::limits::{AskedLimits, Limits, OverCeiling};
pub use crate::lockdown::{Layers, Lockdown, NotApplied, Requirements};
pub use crate::outcome::{Limit, Outcome, Trap};
pub use crate::permit::Permit;
pub use crate::program::Program;
pub use crate::report::{Report, Usage};
pub use crate::stats::Stats;
pub use tenterhook_admission::{Kind, Refusal, Survey};
