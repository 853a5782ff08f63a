//! The names of hook points: those of the catalog, and each account's own.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::Serialize;
pub use tenterhook_sdk::catalog::{Face, HookPoint, Parameter, ParameterType};

use crate::error::{Error, Noun};
use crate::registry::hook::FailurePolicy;

/// Prefix of the names that need no entry in the catalog.
const CUSTOM_PREFIX: &str = "custom.";

/// Longest name, in bytes; as long as a croit client's column is wide.
const NAME_MAX_BYTES: usize = 128;

static BY_NAME: LazyLock<HashMap<&'static str, &'static HookPoint>> = LazyLock::new(|| {
    HookPoint::catalog()
        .map(|point| (point.name, point))
        .collect()
});

/// The name of a hook point: one of the catalog, or `custom.…`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HookPointName(Arc<str>);

impl HookPointName {
    /// Accepts a name of the catalog, or `custom.` and up to 121 of `a`–`z`,
    /// `0`–`9`, `.`, `_` and `-`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for every other name.
    pub fn parse(name: &str) -> Result<Self, Error> {
        let known = BY_NAME.contains_key(name) || is_custom(name);
        known
            .then(|| Self(name.into()))
            .ok_or_else(|| Error::not_found(Noun::HookPoint, shorten(name)))
    }

    /// The catalog's entry; `None` for a tenant's own name.
    #[must_use]
    pub fn point(&self) -> Option<&'static HookPoint> {
        BY_NAME.get(&*self.0).copied()
    }

    /// Whether hooks run for servers of the tenant's choice; on a tenant's own
    /// name they may.
    #[must_use]
    pub fn can_choose_server(&self) -> bool {
        self.point().is_none_or(|point| point.can_choose_server)
    }

    /// Whether it is one of Astra's, whose events are about applications.
    #[must_use]
    pub fn is_astra(&self) -> bool {
        self.point().is_some_and(|point| point.face == Face::Astra)
    }

    /// What a failing hook means here unless it says otherwise: a denial on what
    /// is about to happen, nothing on what has happened.
    #[must_use]
    pub fn default_failure_policy(&self) -> FailurePolicy {
        if self.0.starts_with("Pre") || self.0.ends_with(".pre") {
            FailurePolicy::Closed
        } else {
            FailurePolicy::Open
        }
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_custom(name: &str) -> bool {
    name.len() <= NAME_MAX_BYTES
        && name.strip_prefix(CUSTOM_PREFIX).is_some_and(|rest| {
            !rest.is_empty()
                && rest
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        })
}

/// Keeps a stranger's text short enough for an error message.
fn shorten(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_control())
        .take(NAME_MAX_BYTES)
        .collect()
}

impl fmt::Display for HookPointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HookPointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for HookPointName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_the_catalog_or_custom() {
        for name in [
            "OnAudit",
            "snapshot.pre",
            "network-changed",
            "custom.a",
            "custom.build_1.done-2",
        ] {
            assert_eq!(HookPointName::parse(name).unwrap().as_str(), name);
        }
        let long = format!("custom.{}", "x".repeat(122));
        for name in [
            "",
            "onaudit",
            "custom.",
            "custom.A",
            "custom.a b",
            "test-event",
            &long,
        ] {
            assert!(HookPointName::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn failure_closes_what_is_about_to_happen() {
        let policy = |name| HookPointName::parse(name).unwrap().default_failure_policy();
        assert_eq!(policy("PreFormatDisk"), FailurePolicy::Closed);
        assert_eq!(policy("backup.pre"), FailurePolicy::Closed);
        assert_eq!(policy("custom.deploy.pre"), FailurePolicy::Closed);
        assert_eq!(policy("PostFormatDisk"), FailurePolicy::Open);
        assert_eq!(
            policy("custom.Prelude".to_lowercase().leak()),
            FailurePolicy::Open
        );
    }
}
