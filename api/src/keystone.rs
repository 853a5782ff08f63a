//! How Keystone's middleware turns a request away whose token is missing or not
//! valid. It stands in front of Nova and of Fenix alike, and so does this.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tenterhook_dispatch::Error;

use crate::host;
use crate::refusal::Refusal;

/// Keystone's exact words.
const BODY: &str = r#"{"error":{"code":401,"title":"Unauthorized","message":"The request you have made requires authentication."}}"#;

/// The reply to a request without a valid token.
pub(crate) fn unauthorized() -> Response {
    let kind = HeaderValue::from_static("application/json");
    (
        StatusCode::UNAUTHORIZED,
        [(header::CONTENT_TYPE, kind)],
        BODY,
    )
        .into_response()
}

/// The reply while tokens cannot be looked up.
pub(crate) fn unavailable() -> Response {
    let text = "The Keystone service is temporarily unavailable.";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// The refusal of a request whose token cannot be looked up; the cause is in the log.
pub(crate) fn token_not_looked_up(error: &Error) -> Refusal {
    Refusal::internal(error);
    Refusal::TokensUnavailable
}

/// The `WWW-Authenticate` of such an answer. Tokens are this server's own, so it
/// names this server, by the name that the client has used.
pub(crate) fn challenge(headers: &HeaderMap) -> HeaderValue {
    let base = host::base(headers).unwrap_or_else(|| "http://localhost".to_owned());
    HeaderValue::from_str(&format!("Keystone uri=\"{base}\""))
        .expect("a host holds nothing that a header cannot")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_names_the_server_as_the_client_does() {
        let challenged = |host: &'static str| {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            challenge(&headers)
        };
        assert_eq!(
            challenged("cloud.example:8774"),
            "Keystone uri=\"http://cloud.example:8774\""
        );
        assert_eq!(challenged("a\" b"), "Keystone uri=\"http://localhost\"");
        let behind_tls = [("host", "cloud.example"), ("x-forwarded-proto", "https")];
        let headers = behind_tls.map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        assert_eq!(
            challenge(&HeaderMap::from_iter(headers)),
            "Keystone uri=\"https://cloud.example\""
        );
    }
}
