//! Entity tags in the conditions of a request, compared according to RFC 9110, 8.8.3.
//!
//! What a tag consists of is up to the API that issues it.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};

/// The tags that a condition lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tags(Vec<Tag>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    is_weak: bool,
    is_quoted: bool,
    /// What is between the quotes.
    opaque: String,
}

impl Tags {
    /// Reads the list in all headers of this name; `None` if there is none. What is not a
    /// tag matches nothing.
    pub(crate) fn of(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut values = headers.get_all(name).iter().peekable();
        values.peek()?;
        let texts = values.filter_map(|value| value.to_str().ok());
        Some(Self(texts.flat_map(read).collect()))
    }

    /// Whether the list is `*`: any resource that exists.
    pub(crate) fn is_any(&self) -> bool {
        self.0.iter().any(|tag| !tag.is_quoted && tag.opaque == "*")
    }

    /// Whether the tag is in the list by strong comparison, which `If-Match` needs: a weak
    /// one never is. Quotes may be left out, as some clients do.
    pub(crate) fn has(&self, opaque: &str) -> bool {
        self.strong().any(|tag| tag == opaque)
    }

    /// Whether the tag is in the list by weak comparison, which `If-None-Match` needs.
    pub(crate) fn has_weakly(&self, opaque: &str) -> bool {
        self.0.iter().any(|tag| tag.opaque == opaque)
    }

    /// The strong tags, without their quotes.
    pub(crate) fn strong(&self) -> impl Iterator<Item = &str> {
        let strong = self.0.iter().filter(|tag| !tag.is_weak);
        strong.map(|tag| tag.opaque.as_str())
    }
}

/// Reads a list of tags. There may be commas within the quotes of one.
fn read(mut text: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    loop {
        text = text.trim_start_matches([' ', '\t', ',']);
        if text.is_empty() {
            return tags;
        }
        let (is_weak, bare) = match text.strip_prefix("W/") {
            Some(bare) if bare.starts_with('"') => (true, bare),
            _ => (false, text),
        };
        let quoted = bare.strip_prefix('"').map(|rest| rest.split_once('"'));
        let (opaque, rest) = match quoted {
            Some(Some((opaque, rest))) => (opaque, rest),
            // An unterminated quote: nothing after it can be distinguished.
            Some(None) => return tags,
            None => bare.split_once(',').unwrap_or((bare, "")),
        };
        tags.push(Tag {
            is_weak,
            is_quoted: quoted.is_some(),
            opaque: match quoted {
                Some(_) => opaque.to_owned(),
                None => opaque.trim_end().to_owned(),
            },
        });
        text = rest;
    }
}

/// What the client of a GET has already (RFC 9110, 13.1.2).
pub(crate) struct IfNoneMatch(Option<Tags>);

impl IfNoneMatch {
    /// Reads the condition. Other methods than GET and HEAD check theirs themselves.
    pub(crate) fn of(request: &Request) -> Self {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let tags = is_read.then(|| Tags::of(request.headers(), &header::IF_NONE_MATCH));
        Self(tags.flatten())
    }

    /// Leaves the body out of the reply if the client has it: 304.
    pub(crate) fn apply(self, mut response: Response) -> Response {
        let Some(tags) = self.0.filter(|_| response.status() == StatusCode::OK) else {
            return response;
        };
        let given = response.headers().get(header::ETAG);
        let is_known = given
            .and_then(|tag| tag.to_str().ok())
            .and_then(|tag| read(tag).pop())
            .is_some_and(|tag| tags.is_any() || tags.has_weakly(&tag.opaque));
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
            for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
                response.headers_mut().remove(name);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn tags(values: &[&'static str]) -> Tags {
        let values = values.iter().map(|value| HeaderValue::from_static(value));
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, value);
        }
        Tags::of(&headers, &header::IF_MATCH).unwrap()
    }

    #[test]
    fn tags_are_compared_as_the_standard_says() {
        assert_eq!(Tags::of(&HeaderMap::new(), &header::IF_MATCH), None);
        for (values, strongly, weakly) in [
            (&["\"1\""][..], true, true),
            (&["W/\"1\""], false, true),
            (&["\"W/\"", "\"1\""], true, true),
            (&["\"a,b\", W/\"c\",, \"1\""], true, true),
            (&["\"a, \"1\", b\""], false, false),
            (&["1"], true, true),
            (&["x, 1 "], true, true),
            (&["w/\"1\""], false, false),
            (&["\"1"], false, false),
            (&["\"2\""], false, false),
            (&["\"1 \""], false, false),
            (&[""], false, false),
        ] {
            let tags = tags(values);
            assert_eq!(tags.has("1"), strongly, "{values:?}");
            assert_eq!(tags.has_weakly("1"), weakly, "{values:?}");
            assert!(!tags.is_any(), "{values:?}");
        }
        assert!(tags(&["*"]).is_any());
        assert!(tags(&["\"1\"", " * "]).is_any());
        assert!(!tags(&["\"*\""]).is_any());
        assert!(tags(&["\"a,b\""]).has("a,b"));
    }

    proptest! {
        #[test]
        fn no_list_panics_and_a_tag_of_ours_is_found_in_any_good_list(
            text in "[ -~]{0,40}", before in "(W/)?\"[a-z,]{0,4}\"",
        ) {
            let _ = read(&text);
            let list = read(&format!("{before}, \"own\""));
            prop_assert!(list.iter().any(|tag| tag.opaque == "own" && !tag.is_weak));
        }
    }
}
