//! Which of the documented APIs a request is for, by its path alone.
//!
//! It is no more than a name here. What an API does in its own way is its
//! [`Dialect`](crate::dialect::Dialect).

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
    /// All APIs, in the order of the metrics' labels.
    pub(crate) const ALL: [Self; 5] = [
        Self::Croit,
        Self::Native,
        Self::Astra,
        Self::Nova,
        Self::Fenix,
    ];

    /// The API that serves `path`; a path that no API serves is refused by the native
    /// one.
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

    /// The name in lower case, as it is in logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Croit => "croit",
            Self::Native => "native",
            Self::Astra => "astra",
            Self::Nova => "nova",
            Self::Fenix => "fenix",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_determines_the_face() {
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
