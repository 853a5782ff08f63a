//! The state machine of maintenance sessions, without anything that lives: no
//! clock, no store, no network.
//!
//! A [`Session`] is a document. Its driver asks [`Session::advance`] what is to be done
//! next, does that, and reports with [`Session::finish`] what came of it.
//! Every transition is in [`TRANSITIONS`].

mod action;
mod capacity;
mod constraint;
mod inventory;
mod machine;
mod metadata;
mod plan;
mod progress;
mod reply;
mod round;
mod session;
mod situation;
mod state;
mod step;
mod work;

pub use crate::action::{Action, ActionType};
pub use crate::constraint::{GroupConstraint, InstanceConstraint};
pub use crate::inventory::{Host, HostKind, Instance, Inventory};
pub use crate::metadata::Metadata;
pub use crate::plan::{InvalidField, NewPlan, Plan, Workflow};
pub use crate::reply::{InstanceAction, NotTaken, Reply};
pub use crate::session::{Failure, NotResumed, Project, Session};
pub use crate::situation::Situation;
pub use crate::state::{NotAState, State, TRANSITIONS};
pub use crate::step::Step;
pub use crate::work::{Done, HostState, Instruction, Job, Notice, Timeouts, Work};
