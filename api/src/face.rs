//! Which of the documented APIs a request is for, told by its path alone.
//!
//! A face differs from the others in its paths, its objects and the way it says
//! no. Who is asking, and what is done, does not depend on it.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue};

use crate::refusal::Refusal;
use crate::request_id::RequestId;
use crate::{astra, croit, fenix, keystone, native, nova};

/// One of the APIs on the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Face {
    /// croit's hooks, tasks, login and servers under `/api`.
    Croit,
    /// Our own, under `/api/v1` and at the root.
    Native,
    /// Astra's hook sources and execution hooks under `/accounts`.
    Astra,
    /// Nova's external events, at the root and under `/v2.1`.
    Nova,
    /// Fenix's maintenance sessions under `/v1`.
    Fenix,
}

impl Face {
    /// All faces, in the order of the metrics' labels.
    pub(crate) const ALL: [Self; 5] = [
        Self::Croit,
        Self::Native,
        Self::Astra,
        Self::Nova,
        Self::Fenix,
    ];

    /// The face that serves `path`; what nobody serves is the native face's to refuse.
    pub(crate) fn of(path: &str) -> Self {
        let under = |root: &str| {
            path.strip_prefix(root)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if under("/api") && !under("/api/v1") {
            Self::Croit
        } else if under("/accounts") {
            Self::Astra
        } else if under("/os-server-external-events") || under("/v2.1") {
            Self::Nova
        } else if under("/v1") {
            Self::Fenix
        } else {
            Self::Native
        }
    }

    /// The name in lower case, as it stands in logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Croit => "croit",
            Self::Native => "native",
            Self::Astra => "astra",
            Self::Nova => "nova",
            Self::Fenix => "fenix",
        }
    }

    /// How a client that sent these headers is to show who it is.
    pub(crate) fn challenge(self, headers: &HeaderMap) -> HeaderValue {
        match self {
            Self::Croit | Self::Native | Self::Astra => {
                HeaderValue::from_static("Bearer realm=\"tenterhook\"")
            }
            Self::Nova | Self::Fenix => keystone::challenge(headers),
        }
    }

    /// What stands in the head of every reply to a request with these headers.
    pub(crate) fn heading(self, headers: &HeaderMap, id: &RequestId) -> HeaderMap {
        match self {
            Self::Nova => nova::heading(headers, id),
            Self::Croit | Self::Native | Self::Astra | Self::Fenix => HeaderMap::new(),
        }
    }

    /// Says `refusal` in this face's dialect.
    pub(crate) fn say(self, refusal: &Refusal, id: &RequestId) -> Response {
        match self {
            Self::Croit => croit::error::say(refusal),
            Self::Native => native::problem::Problem::new(refusal, id).into_response(),
            Self::Astra => astra::problem::say(refusal, id),
            Self::Nova => nova::fault::say(refusal),
            Self::Fenix => fenix::error::say(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_tells_the_face() {
        for (path, face) in [
            ("/api/events/hooks", Face::Croit),
            ("/api/nothing", Face::Croit),
            ("/api", Face::Croit),
            ("/api/v1/hooks", Face::Native),
            ("/api/v1", Face::Native),
            ("/api/v10", Face::Croit),
            ("/apiary", Face::Native),
            ("/metrics", Face::Native),
            ("/accounts/x/core/v1/hookSources", Face::Astra),
            ("/accounts", Face::Astra),
            ("/accountsx", Face::Native),
            ("/api/v1/accounts", Face::Native),
            ("/os-server-external-events", Face::Nova),
            ("/v2.1", Face::Nova),
            ("/v2.1/x/os-server-external-events", Face::Nova),
            ("/v2.10", Face::Native),
            ("/v1/maintenance", Face::Fenix),
            ("/v1/instance/7", Face::Fenix),
            ("/v10", Face::Native),
        ] {
            assert_eq!(Face::of(path), face, "{path}");
        }
    }
}
