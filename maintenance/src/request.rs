//! What a caller asks for, and what is stored of a session.

use tenterhook_dispatch::AccountId;
use tenterhook_session::{NewPlan, Session};
use time::OffsetDateTime;

/// A session to create.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSession {
    /// What it is asked to do.
    pub plan: NewPlan,
    /// The principal that asks.
    pub created_by: String,
    /// Where projects reach this server, unless the settings say so: scheme and
    /// authority, such as `http://10.0.0.5:8080`.
    pub base_url: String,
}

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The account that it belongs to.
    pub account: AccountId,
    /// The session itself.
    pub session: Session,
    /// The principal that created it.
    pub created_by: String,
    /// Where projects reach this server.
    pub base_url: String,
    /// When it was created.
    pub created_at: OffsetDateTime,
}
