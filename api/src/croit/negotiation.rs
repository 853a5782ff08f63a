//! Which of two forms a client wants: plain text, or the same as a JSON string.
//!
//! croit's documents say both of a script's text. Plain text is given unless
//! the client names JSON.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};

use crate::accept;
use crate::extract::Json;
use crate::refusal::Refusal;

/// One of the two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Json,
}

impl Form {
    /// Reads the `Accept` headers. Without one, it is plain text.
    pub(super) fn wanted(headers: &HeaderMap) -> Result<Self, Refusal> {
        let offered = "`text/plain` or `application/json`";
        match accept::pick(headers, &["text/plain", "application/json"], offered)? {
            "application/json" => Ok(Self::Json),
            _ => Ok(Self::Plain),
        }
    }

    /// Gives `text` in this form.
    pub(super) fn give(self, text: String) -> Response {
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        let nosniff = HeaderValue::from_static("nosniff");
        match self {
            Self::Plain => (
                [
                    (header::CONTENT_TYPE, kind),
                    (header::X_CONTENT_TYPE_OPTIONS, nosniff),
                ],
                text,
            )
                .into_response(),
            Self::Json => Json(text).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &'static str) -> Option<Form> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        Form::wanted(&headers).ok()
    }

    #[test]
    fn plain_text_is_returned_unless_json_is_requested() {
        assert_eq!(Form::wanted(&HeaderMap::new()).unwrap(), Form::Plain);
        for (accept, form) in [
            ("*/*", Some(Form::Plain)),
            ("text/*", Some(Form::Plain)),
            ("application/json", Some(Form::Json)),
            ("application/json, text/plain, */*", Some(Form::Json)),
            ("text/plain, application/json", Some(Form::Plain)),
            ("text/plain;q=0.2, application/json;q=0.9", Some(Form::Json)),
            ("application/json, */*", Some(Form::Json)),
            ("text/html", None),
            ("text/plain;q=0", None),
            ("", None),
            ("q=;;,", None),
        ] {
            assert_eq!(wanted(accept), form, "{accept}");
        }
    }
}
