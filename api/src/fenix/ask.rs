//! One request of this API: its caller, the ids in its path, and its body with the
//! bounds.

use axum::body::Body;
use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use serde_json::Value;
use serde_json::value::RawValue;
use tenterhook_dispatch::AccountId;
use tenterhook_engine::json;
use tenterhook_maintenance::Maintenance;
use uuid::Uuid;

use super::error::{Problem, Rejection};
use crate::app::App;
use crate::audit::AuditedBody;
use crate::auth::Caller;
use crate::body::{Pieces, without_bom};
use crate::door::Door;
use crate::extract::PathMembers;
use crate::host;

/// Bytes of a body. A session of a thousand hosts with their hints takes a quarter of it.
pub(super) const BODY_MAX_BYTES: u64 = 256 * 1024;

/// How deep a body may be nested. What is kept of it is nested deeper again, and
/// readers of JSON give up at 128.
const DEPTH_MAX: usize = 32;

/// Longest name in a path, in bytes; as long as the inventory's may be.
const NAME_MAX_BYTES: usize = 255;

/// A request that the guard has let through.
pub(super) struct Ask {
    app: App,
    caller: Caller,
    headers: HeaderMap,
    base_url: Option<String>,
    path: PathMembers,
    door: Door,
    audited: AuditedBody,
}

impl FromRequestParts<App> for Ask {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let path = PathMembers::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::Unprocessable("the path is not UTF-8".to_owned()))?;
        let host = host::of_target(&parts.uri, &parts.headers);
        Ok(Self {
            app: app.clone(),
            caller,
            base_url: host.map(|host| format!("http://{host}")),
            headers: parts.headers.clone(),
            path,
            door: Door::of(&parts.extensions),
            audited: parts
                .extensions
                .get::<AuditedBody>()
                .cloned()
                .unwrap_or_default(),
        })
    }
}

impl Ask {
    pub(super) fn maintenance(&self) -> &Maintenance {
        self.app.maintenance()
    }

    pub(super) fn account(&self) -> AccountId {
        self.caller.account()
    }

    /// The caller's name.
    pub(super) fn who(&self) -> String {
        self.caller.0.name.clone()
    }

    /// Where the client reaches this server: scheme and host. What proxies add is not
    /// trusted; an operator who has one sets the address.
    pub(super) fn base_url(&self) -> Result<String, Problem> {
        self.base_url.clone().ok_or_else(|| {
            Problem::Content(
                "the `Host` header must name this server; projects are told to reply to it"
                    .to_owned(),
            )
        })
    }

    /// The session in the path. UUIDs of any version are ids.
    pub(super) fn session(&self) -> Result<Uuid, Problem> {
        self.uuid("session_id")
    }

    /// The instance in the path, as the inventory writes it.
    pub(super) fn instance(&self) -> Result<String, Problem> {
        self.uuid("instance_id").map(|id| id.to_string())
    }

    /// A project or group in the path.
    pub(super) fn name(&self, member: &str) -> Result<String, Problem> {
        let text = self.in_path(member);
        let well = (1..=NAME_MAX_BYTES).contains(&text.len());
        if !well || text.chars().any(char::is_control) {
            return Err(Problem::Unprocessable(format!(
                "`{member}` in the path must have 1 to {NAME_MAX_BYTES} bytes, none of them a control character"
            )));
        }
        Ok(text.to_owned())
    }

    fn uuid(&self, member: &str) -> Result<Uuid, Problem> {
        let text = self.in_path(member);
        let plain = matches!(text.len(), 32 | 36);
        let id = Uuid::try_parse(text).ok().filter(|_| plain);
        id.ok_or_else(|| Problem::Unprocessable(format!("`{member}` in the path must be a UUID")))
    }

    fn in_path(&self, wanted: &str) -> &str {
        self.path.get(wanted).unwrap_or_default()
    }

    /// Checks that there is no body.
    pub(super) async fn no_body(&self, body: Body) -> Result<(), Rejection> {
        let unwanted = |_| Rejection::from(Problem::UnwantedBody);
        let mut pieces = Pieces::new(self.door, &self.headers, body, 0).map_err(unwanted)?;
        while let Some(piece) = pieces.next().await.map_err(unwanted)? {
            if !piece.is_empty() {
                return Err(Problem::UnwantedBody.into());
            }
        }
        Ok(())
    }

    /// Reads the body, an object, as it was written. An empty one is an object without
    /// members where `empty` says so.
    pub(super) async fn object(
        &self,
        body: Body,
        empty: Empty,
    ) -> Result<Box<RawValue>, Rejection> {
        let bytes = Pieces::new(self.door, &self.headers, body, BODY_MAX_BYTES)?
            .collect()
            .await?;
        let bytes = match empty {
            Empty::IsAnObject if bytes.is_empty() => &b"{}"[..],
            _ => without_bom(&bytes),
        };
        let body: Box<RawValue> = serde_json::from_slice(bytes).map_err(|error| {
            Problem::Content(format!(
                "the body is not JSON: line {}, column {}",
                error.line(),
                error.column()
            ))
        })?;
        let value = json::nearest(&body);
        // A reserved name can hide levels in a string, which only the value shows.
        if json::is_deeper(body.get(), DEPTH_MAX) || is_deeper(&value, DEPTH_MAX) {
            let text = format!("the body must not be nested deeper than {DEPTH_MAX} levels");
            return Err(Problem::Content(text).into());
        }
        let Value::Object(object) = value else {
            return Err(Problem::Content("the body must be a JSON object".to_owned()).into());
        };
        self.audited.record(&object);
        Ok(body)
    }
}

/// What an empty body means where an object is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Empty {
    /// They are not JSON.
    IsRefused,
    /// As `{}`.
    IsAnObject,
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else {
        return matches!(value, Value::Array(_) | Value::Object(_));
    };
    match value {
        Value::Array(list) => list.iter().any(|value| is_deeper(value, levels)),
        Value::Object(members) => members.values().any(|value| is_deeper(value, levels)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nesting_is_counted_in_objects_and_lists() {
        let value = json!({"a": [{"b": 1}]});
        assert!(!is_deeper(&value, 3));
        assert!(is_deeper(&value, 2));
        assert!(!is_deeper(&json!(1), 0));
    }
}
