//! What an interface notes about each change that was asked of it.
//!
//! A record becomes an `OnAudit` event, so that a tenant's own hook can receive it.
//! Records of what a hook or an audit caused never do: that ends every loop.

use serde::Serialize;
use serde_json::{Map, Value};

/// One request that changed something, or tried to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditRecord {
    /// Area of the interface, such as `events` or `servers`.
    pub category: String,
    /// What was done, such as `create_hook`.
    pub operation: String,
    /// Who did it.
    pub username: String,
    /// The address that the request came from.
    pub ip: String,
    /// The HTTP method.
    pub method: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The path of the request.
    pub endpoint: String,
    /// The request's query parameters.
    pub query_params: Map<String, Value>,
    /// The request's body, shortened and without secrets.
    pub body: String,
}

/// Who is behind a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A person or program outside.
    #[default]
    Outside,
    /// A hook run; such a change fires no audit hooks.
    Hook,
}
