//! Media types: what a client sends, and in which of them it wants the reply.
//!
//! Every body is JSON; the media type says of what. Plain `application/json` is accepted
//! for all of them, both ways.

use http::HeaderMap;

use super::problem::Problem;
use crate::refusal::Refusal;
use crate::{accept, body};

pub(super) const JSON: &str = "application/json";
pub(super) const PROBLEM: &str = "application/problem+json";

/// The media types of one kind of resource, JSON first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Media {
    /// Of one of them.
    pub(super) one: &'static [&'static str],
    /// Of a list of them.
    pub(super) list: &'static [&'static str],
}

impl Media {
    /// The media type for a reply with one resource.
    pub(super) fn of_one(&self, headers: &HeaderMap) -> Result<&'static str, Refusal> {
        accept::pick(headers, self.one, "JSON")
    }

    /// The media type for a reply with a list.
    pub(super) fn of_list(&self, headers: &HeaderMap) -> Result<&'static str, Refusal> {
        accept::pick(headers, self.list, "JSON")
    }

    /// Checks the body's content type. Without one it is JSON.
    pub(super) fn check_body(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match body::media_type(headers) {
            Some(media) if !self.one.iter().any(|own| own.eq_ignore_ascii_case(&media)) => {
                let reason = format!("must be {}", self.one.join(" or "));
                Err(Problem::header("Content-Type", reason))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    const MEDIA: Media = Media {
        one: &[JSON, "application/astra-hookSource+json"],
        list: &[JSON],
    };

    fn accepted(accept: &'static str) -> Option<&'static str> {
        let value = HeaderValue::from_static(accept);
        MEDIA
            .of_one(&HeaderMap::from_iter([(header::ACCEPT, value)]))
            .ok()
    }

    #[test]
    fn plain_json_is_returned_unless_the_resources_own_type_is_requested() {
        let own = "application/astra-hookSource+json";
        assert_eq!(MEDIA.of_one(&HeaderMap::new()).unwrap(), JSON);
        for (accept, media) in [
            ("*/*", Some(JSON)),
            ("application/*", Some(JSON)),
            ("application/json", Some(JSON)),
            ("application/astra-hooksource+json", Some(own)),
            ("application/astra-hookSource+json, */*", Some(own)),
            (
                "application/json;q=0.5, application/astra-hookSource+json",
                Some(own),
            ),
            ("application/json;q=0, */*", Some(own)),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
            ("text/html", None),
            ("application/astra-executionHook+json", None),
            ("", None),
        ] {
            assert_eq!(accepted(accept), media, "{accept}");
        }
    }

    #[test]
    fn a_body_is_declared_as_json_or_the_resources_own_type() {
        let check = |kind: &'static str| {
            let value = HeaderValue::from_static(kind);
            MEDIA.check_body(&HeaderMap::from_iter([(header::CONTENT_TYPE, value)]))
        };
        assert!(MEDIA.check_body(&HeaderMap::new()).is_ok());
        for kind in [
            "application/json",
            "application/json; charset=utf-8",
            "Application/astra-hookSource+json",
        ] {
            assert!(check(kind).is_ok(), "{kind}");
        }
        for kind in [
            "text/plain",
            "application/astra-executionHook+json",
            "application/xml",
            "",
        ] {
            assert!(check(kind).is_err(), "{kind}");
        }
    }
}
