//! Why a call was not carried out, and what to do about it.

use std::fmt;

use anyhow::Error;
use serde_json::Value;
use ureq::http::StatusCode;

/// The server has refused a call. Who calls may look at the status.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    told: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

impl std::error::Error for Refused {}

/// Whether a call failed because the server has refused it with this status.
pub(crate) fn is_refused_with(error: &Error, status: StatusCode) -> bool {
    let refused = error.downcast_ref::<Refused>();
    refused.is_some_and(|refused| refused.status == status)
}

/// Nothing answered.
pub(super) fn unreachable(server: &str, error: ureq::Error) -> Error {
    let next = match &error {
        ureq::Error::HostNotFound => "check the name",
        ureq::Error::Timeout(_) => "it may be busy; try again, or look into its log",
        _ => "is it running? `tenterhook serve` starts one",
    };
    let told = format!("no server answers at {server}; {next}");
    Error::new(error).context(told)
}

/// The server refused. `token` says where the token came from.
pub(super) fn refused(
    status: StatusCode,
    problem: &Value,
    token: &str,
    retry_after: Option<&str>,
) -> Error {
    let detail = match problem["detail"].as_str() {
        Some(detail) => detail.to_owned(),
        None => format!("the server answers {status}"),
    };
    let next = match status.as_u16() {
        401 => format!("; the token is that of {token}"),
        403 if problem["needs"].is_string() => format!("; the token of {token} allows less"),
        429 | 503 => {
            retry_after.map_or_else(String::new, |seconds| format!("; try again in {seconds} s"))
        }
        500 => instance(problem),
        _ => String::new(),
    };
    let told = format!("{detail}{next}");
    Error::new(Refused { status, told })
}

fn instance(problem: &Value) -> String {
    problem["instance"]
        .as_str()
        .map_or_else(String::new, |instance| format!(" ({instance})"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(status: u16, problem: &Value) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        refused(status, problem, "FILE", Some("6")).to_string()
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let problem = json!({"detail": "why", "needs": "owner"});
        assert_eq!(told(401, &problem), "why; the token is that of FILE");
        assert_eq!(told(403, &problem), "why; the token of FILE allows less");
        assert_eq!(told(403, &json!({"detail": "why"})), "why");
        assert_eq!(told(409, &problem), "why");
        assert_eq!(told(429, &problem), "why; try again in 6 s");
        assert_eq!(
            told(502, &Value::Null),
            "the server answers 502 Bad Gateway"
        );
    }
}
