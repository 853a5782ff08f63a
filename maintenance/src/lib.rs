//! Live maintenance sessions: stored, driven from state to state, and announced to
//! their projects.
//!
//! [`Maintenance`] does what a [`Session`](tenterhook_session::Session) needs: it
//! fires events, runs plug-ins in the sandbox, delivers notifications, waits. After each
//! step the session is stored, so that a restart goes on where it was.

mod answer;
mod driver;
mod error;
mod event;
mod inventory;
mod job;
mod live;
mod maintenance;
mod request;
mod settings;
mod store;

pub use crate::error::Error;
pub use crate::maintenance::Maintenance;
pub use crate::request::{NewSession, Stored};
pub use crate::settings::Settings;
pub use crate::store::SessionStore;
