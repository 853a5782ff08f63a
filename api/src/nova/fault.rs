//! Nova's errors: one member named after the status, with code and message.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::keystone;
use crate::refusal::Refusal;
use crate::rejection::OwnProblem;

/// The name of the one rule that there is.
const POLICY: &str = "os_compute_api:os-server-external-events:create";

/// An error of Nova's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    status: StatusCode,
    message: String,
}

impl Fault {
    /// The request makes no sense.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// What was asked for is not there.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The version is not served.
    pub(super) fn not_acceptable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, message)
    }

    /// The media type is not read.
    pub(super) fn unsupported_media() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Unsupported Content-Type",
        )
    }

    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    /// Prints it. `retry_after` is the number of seconds to wait, if there is one.
    pub(super) fn print(&self, retry_after: Option<u64>) -> Response {
        let kind = HeaderValue::from_static("application/json; charset=UTF-8");
        let body = self.body(retry_after).to_string();
        (self.status, [(header::CONTENT_TYPE, kind)], body).into_response()
    }

    /// What is wrong.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    fn body(&self, retry_after: Option<u64>) -> Value {
        let mut fault = json!({"code": self.status.as_u16(), "message": self.message()});
        if let Some(seconds) = retry_after {
            fault["retryAfter"] = seconds.to_string().into();
        }
        json!({ name(self.status): fault })
    }
}

impl OwnProblem for Fault {
    fn status(&self) -> StatusCode {
        self.status
    }
}

/// Why Nova does not carry out a request.
pub(super) type Rejection = crate::rejection::Rejection<Fault>;

impl From<Fault> for Rejection {
    fn from(fault: Fault) -> Self {
        Self::Own(fault)
    }
}

/// Prints a refusal as Nova does, and one for lack of a token as Keystone does.
pub(super) fn print(refusal: &Refusal) -> Response {
    let mut retry_after = None;
    let fault = match refusal {
        Refusal::Unauthenticated(_) | Refusal::InvalidToken => return keystone::unauthorized(),
        Refusal::TokensUnavailable => return keystone::unavailable(),
        Refusal::Forbidden { .. } => Fault::new(
            StatusCode::FORBIDDEN,
            format!("Policy doesn't allow {POLICY} to be performed."),
        ),
        Refusal::Invalid(_) => Fault::bad_request(refusal.detail()),
        Refusal::TooManyFailures { retry_after: wait } => {
            // Rounded up, as the header is.
            retry_after = Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
            Fault::new(refusal.status(), refusal.detail())
        }
        refusal => Fault::new(refusal.status(), refusal.detail()),
    };
    fault.print(retry_after)
}

/// What the one member of a fault with this status is called.
fn name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "badRequest",
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND => "itemNotFound",
        StatusCode::METHOD_NOT_ALLOWED => "badMethod",
        StatusCode::CONFLICT => "conflictingRequest",
        StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::INSUFFICIENT_STORAGE => "overLimit",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "badMediaType",
        StatusCode::NOT_IMPLEMENTED => "notImplemented",
        StatusCode::SERVICE_UNAVAILABLE => "serviceUnavailable",
        _ => "computeFault",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenterhook_dispatch::Unavailable;

    use super::*;

    async fn printed(rejection: impl Into<Rejection>) -> (u16, String, Value) {
        use http_body_util::BodyExt as _;
        let response = match rejection.into() {
            Rejection::Shared(refusal) => print(&refusal),
            Rejection::Own(fault) => fault.print(None),
        };
        let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
        let (status, kind) = (response.status().as_u16(), kind.to_owned());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        (status, kind, body)
    }

    #[tokio::test]
    async fn every_status_has_its_name() {
        for (refusal, name, code) in [
            (Refusal::Invalid(Vec::new()), "badRequest", 400),
            (Refusal::Unreadable(String::new()), "badRequest", 400),
            (Refusal::Forbidden { needs: "admin" }, "forbidden", 403),
            (Refusal::NoRoute, "itemNotFound", 404),
            (Refusal::WrongMethod, "badMethod", 405),
            (Refusal::NotAcceptable { offered: "" }, "computeFault", 406),
            (Refusal::TooSlow, "computeFault", 408),
            (Refusal::Conflict(String::new()), "conflictingRequest", 409),
            (
                Refusal::TooLarge {
                    limit_bytes: 1,
                    size_bytes: None,
                },
                "overLimit",
                413,
            ),
            (
                Refusal::UnsupportedMedia(String::new()),
                "badMediaType",
                415,
            ),
            (Refusal::DiskFull(String::new()), "overLimit", 507),
            (
                Refusal::Unavailable(Unavailable::DiskFull),
                "overLimit",
                507,
            ),
            (
                Refusal::Unavailable(Unavailable::Locked),
                "serviceUnavailable",
                503,
            ),
            (Refusal::Internal, "computeFault", 500),
            (Refusal::TooBusy, "serviceUnavailable", 503),
        ]
        .map(|(refusal, name, code)| (Rejection::from(refusal), name, code))
        .into_iter()
        .chain([
            (Fault::unsupported_media().into(), "badMediaType", 415),
            (Fault::not_found("x").into(), "itemNotFound", 404),
        ]) {
            let (status, kind, body) = printed(refusal.clone()).await;
            assert_eq!(status, code, "{refusal:?}");
            assert_eq!(kind, "application/json; charset=UTF-8");
            assert_eq!(body.as_object().unwrap().len(), 1);
            assert_eq!(body[name]["code"], code, "{body}");
            assert!(body[name]["message"].is_string(), "{body}");
        }
    }

    #[tokio::test]
    async fn a_client_that_has_to_wait_is_told_how_long() {
        let retry_after = Duration::from_millis(4_500);
        let (_, _, body) = printed(Refusal::TooManyFailures { retry_after }).await;
        assert_eq!(body["overLimit"]["retryAfter"], "5");
    }

    #[tokio::test]
    async fn without_a_token_the_error_is_keystones() {
        for refusal in [Refusal::Unauthenticated(""), Refusal::InvalidToken] {
            let (status, _, body) = printed(refusal).await;
            assert_eq!(status, 401);
            assert_eq!(body["error"]["title"], "Unauthorized");
        }
        let (status, kind, _) = printed(Refusal::TokensUnavailable).await;
        assert_eq!((status, &*kind), (503, "text/plain; charset=utf-8"));
    }
}
