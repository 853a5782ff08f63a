//! One thing that a session has done, for an admin who has to understand it later.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::state::State;

/// One thing that a session has done. Steps are only ever added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Counted from 1 within the session.
    pub serial: u64,
    /// When it was over.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The state that the session was in.
    pub state: State,
    /// What was done, in one word: `create`, `enter`, `notify`, `reply`, `pick`,
    /// `instruct`, `left`, `close`, `host`, `action`, `decide`, `transition`, `resume`.
    pub what: String,
    /// The host that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The project that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The plug-in or workflow that ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// Whether it went well.
    pub ok: bool,
    /// What came of it, in one line of at most 1,000 characters.
    pub result: String,
    /// What the admin can do about it, if it went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The task that ran it, to read its output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Uuid>,
}
