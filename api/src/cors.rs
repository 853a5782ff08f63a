//! Cross-origin requests: pages of which other origins may read replies in a browser
//! (CORS, in the Fetch standard).
//!
//! Those that the operator lists, and none by default. Tokens come in headers that a page
//! sets itself, never in cookies, so credentials of the browser are never asked for.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// The origins whose pages may read replies. By default none may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsOrigins(Arc<[Origin]>);

/// An origin as a browser sends it, such as `https://console.example:8443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// Why a text is not an origin that can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAnOrigin {
    /// `*` or `null`, which stand for unlisted pages.
    Anyone,
    /// The port is the scheme's own, which browsers leave out.
    DefaultPort,
    /// Anything else.
    Invalid,
}

/// Headers of replies that a page may read beside those that it always may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Allow, ETag, Location, Retry-After, WWW-Authenticate, X-Request-Id, OpenStack-API-Version, \
     X-OpenStack-Nova-API-Version, X-Compute-Request-Id, X-OpenStack-Request-Id",
);

/// Seconds for which a browser may remember a preflight: as long as a change of the list
/// may take to be noticed.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        if matches!(text, "*" | "null") {
            return Err(NotAnOrigin::Anyone);
        }
        let (scheme, host) = text.split_once("://").ok_or(NotAnOrigin::Invalid)?;
        let plain = |text: &str, others: &[u8]| {
            let is_plain =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || others.contains(&b);
            !text.is_empty() && text.bytes().all(is_plain)
        };
        if !plain(scheme, b"+-.") || !plain(host, b"-._:[]") {
            return Err(NotAnOrigin::Invalid);
        }
        let default_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => "\0",
        };
        if host.ends_with(default_port) {
            return Err(NotAnOrigin::DefaultPort);
        }
        let value = HeaderValue::from_str(text).map_err(|_| NotAnOrigin::Invalid)?;
        Ok(Self(value))
    }
}

impl fmt::Display for NotAnOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anyone => "must name each origin: pages of unknown origins are never allowed",
            Self::DefaultPort => "must leave out the port that is the scheme's own, as browsers do",
            Self::Invalid => {
                "must be an origin in lower case without a path, such as https://console.example"
            }
        })
    }
}

impl std::error::Error for NotAnOrigin {}

/// What a request asks for across origins.
pub(crate) struct Asked {
    /// The page's origin, if it is listed.
    origin: Option<HeaderValue>,
    preflight: Option<Preflight>,
}

/// What a browser asks before it sends the page's own request.
struct Preflight {
    headers: Option<HeaderValue>,
}

impl CorsOrigins {
    /// Allows these origins.
    #[must_use]
    pub fn new(origins: impl IntoIterator<Item = Origin>) -> Self {
        Self(origins.into_iter().collect())
    }

    /// What the request asks for; `None` where no origin is allowed at all.
    pub(crate) fn asked(&self, request: &Request) -> Option<Asked> {
        if self.0.is_empty() {
            return None;
        }
        let headers = request.headers();
        let origin = headers.get(header::ORIGIN);
        let origin = origin.filter(|origin| self.0.iter().any(|own| own.0 == **origin));
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        Some(Asked {
            origin: origin.cloned(),
            preflight: is_preflight.then(|| Preflight {
                headers: headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned(),
            }),
        })
    }
}

impl Asked {
    /// Adds the headers that let the page have its reply, if it may.
    pub(crate) fn answer(self, response: &mut Response) {
        let is_done = response.status() == StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        // A cache must not give one origin's reply to another.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = self.origin else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        match self.preflight {
            Some(preflight) if is_done => preflight.answer(headers),
            _ => {
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            }
        }
    }
}

impl Preflight {
    fn answer(self, headers: &mut HeaderMap) {
        let name = header::ACCESS_CONTROL_REQUEST_HEADERS;
        headers.append(header::VARY, HeaderValue::from(name));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        if let Some(allow) = headers.get(header::ALLOW).cloned() {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
        }
        // Any header: a listed page is trusted, and CloudEvents' own names are without end.
        if let Some(asked) = self.headers {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_would_send() {
        for text in [
            "https://console.example",
            "http://localhost:3000",
            "http://[::1]:8080",
            "https://a.example:80",
            "app://hooks",
        ] {
            assert!(text.parse::<Origin>().is_ok(), "{text}");
        }
        for (text, why) in [
            ("*", NotAnOrigin::Anyone),
            ("null", NotAnOrigin::Anyone),
            ("https://a.example:443", NotAnOrigin::DefaultPort),
            ("http://a.example:80", NotAnOrigin::DefaultPort),
            ("", NotAnOrigin::Invalid),
            ("a.example", NotAnOrigin::Invalid),
            ("https://", NotAnOrigin::Invalid),
            ("https://a.example/", NotAnOrigin::Invalid),
            ("https://A.example", NotAnOrigin::Invalid),
            ("https://*.example", NotAnOrigin::Invalid),
            ("https://user@a.example", NotAnOrigin::Invalid),
            ("https://a.example\n", NotAnOrigin::Invalid),
        ] {
            assert_eq!(text.parse::<Origin>(), Err(why), "{text}");
        }
    }
}
