//! Why a call failed, and what to do about it.

use std::fmt;

use anyhow::Error;
use tenterhook_wire::Problem;
use ureq::http::StatusCode;

/// The server refused a call. The caller may inspect the status.
#[derive(Debug)]
pub(crate) struct RefusedCall {
    pub(crate) status: StatusCode,
    message: String,
}

impl fmt::Display for RefusedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RefusedCall {}

/// Whether a call failed because the server refused it with this status.
pub(crate) fn is_refused_with(error: &Error, status: StatusCode) -> bool {
    let refused = error.downcast_ref::<RefusedCall>();
    refused.is_some_and(|refused| refused.status == status)
}

/// Whether a call failed for a reason that may pass: the server is gone or busy, or the
/// connection broke.
pub(crate) fn is_passing(error: &Error) -> bool {
    if let Some(refused) = error.downcast_ref::<RefusedCall>() {
        return matches!(refused.status.as_u16(), 429 | 502..=504);
    }
    error.chain().any(|cause| cause.is::<ureq::Error>())
}

/// Describes a call to which no server responded.
pub(super) fn unreachable(server: &str, error: ureq::Error) -> Error {
    let next = match &error {
        ureq::Error::HostNotFound => "check the name",
        ureq::Error::Timeout(_) => "it may be busy; try again, or check its log",
        _ => "is it running? `tenterhook serve` starts one",
    };
    let message = format!("no server answers at {server}; {next}");
    Error::new(error).context(message)
}

/// Describes a refusal. `token` names the origin of the token.
pub(super) fn refused(
    status: StatusCode,
    problem: &Problem,
    token: &str,
    retry_after: Option<&str>,
) -> Error {
    let detail = match problem.detail.as_str() {
        "" => format!("the server responded {status}"),
        detail => detail.to_owned(),
    };
    let next = match status.as_u16() {
        401 => format!("; the token is that of {token}"),
        403 if problem.needs().is_some() => format!("; the token of {token} allows less"),
        429 | 503 => {
            retry_after.map_or_else(String::new, |seconds| format!("; try again in {seconds} s"))
        }
        500 => problem
            .instance
            .as_ref()
            .map_or_else(String::new, |instance| format!(" ({instance})")),
        _ => String::new(),
    };
    let message = format!("{detail}{next}");
    Error::new(RefusedCall { status, message })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(status: u16, problem: &Problem) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        refused(status, problem, "FILE", Some("6")).to_string()
    }

    #[test]
    fn transient_failures_are_distinguished_from_permanent_ones() {
        let refused = |status| {
            let status = StatusCode::from_u16(status).unwrap();
            refused(status, &Problem::default(), "FILE", None)
        };
        let gone = unreachable("http://x", ureq::Error::ConnectionFailed);
        assert!(is_passing(&gone.context("the list cannot be read")));
        assert!(is_passing(&refused(503)));
        for error in [refused(401), refused(404), refused(500), Error::msg("odd")] {
            assert!(!is_passing(&error), "{error}");
        }
    }

    #[test]
    fn each_refusal_names_its_remedy() {
        let read = |json| serde_json::from_value::<Problem>(json).unwrap();
        let problem = read(json!({"detail": "why", "needs": "owner"}));
        assert_eq!(message(401, &problem), "why; the token is that of FILE");
        assert_eq!(message(403, &problem), "why; the token of FILE allows less");
        assert_eq!(message(403, &read(json!({"detail": "why"}))), "why");
        assert_eq!(message(409, &problem), "why");
        assert_eq!(message(429, &problem), "why; try again in 6 s");
        assert_eq!(
            message(502, &Problem::default()),
            "the server responded 502 Bad Gateway"
        );
    }
}
