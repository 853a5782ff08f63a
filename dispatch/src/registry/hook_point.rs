//! The names of hook points: those of the catalog, and every other event type.
//!
//! Any CloudEvents type is the name of a hook point. The catalog adds parameters, targets and
//! failure policies to its own; hooks may also wait for a prefix of types that are not in it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::Serialize;
pub use tenterhook_sdk::catalog::{Face, HookPoint, Parameter, ParameterType};

use crate::error::Error;
use crate::registry::hook::FailurePolicy;

/// Prefix of the names that no catalog and no other producer has.
const CUSTOM_PREFIX: &str = "custom.";

/// Longest `custom.` name that is stored unchanged, in bytes.
const CUSTOM_MAX_BYTES: usize = 128;

/// Longest name, in bytes: the bound of an event's attributes.
const NAME_MAX_BYTES: usize = 1024;

/// What a prefix ends with.
const WILDCARD: &str = ".*";

/// Most segments of a prefix. Finding the hooks of an event looks up one prefix for each
/// segment of its type, up to this many.
const PREFIX_SEGMENTS_MAX: usize = 16;

/// What the store has before a name that is neither of the catalog nor plainly `custom.`.
/// Without it, a name of the catalog that was damaged would pass for another producer's
/// type, and a hook that denies would wait for events that never come.
const STORED_PREFIX: &str = "type:";

static BY_NAME: LazyLock<HashMap<&'static str, &'static HookPoint>> = LazyLock::new(|| {
    HookPoint::catalog()
        .map(|point| (point.name, point))
        .collect()
});

/// The name of a hook point: an event type, or, for a hook, a prefix of types that ends in
/// `.*`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HookPointName(Arc<str>);

impl HookPointName {
    /// Accepts the type of an event: 1 to 1,024 bytes without control characters.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for every other name.
    pub fn parse(name: &str) -> Result<Self, Error> {
        if name.is_empty() {
            return Err(Error::invalid("event", "must not be empty"));
        }
        if name.len() > NAME_MAX_BYTES {
            return Err(Error::invalid(
                "event",
                "must not be longer than 1024 bytes",
            ));
        }
        if name.chars().any(char::is_control) {
            return Err(Error::invalid("event", "must not hold control characters"));
        }
        Ok(Self(name.into()))
    }

    /// Accepts what a hook may wait for: a type, or a prefix such as `com.github.*`.
    ///
    /// A name that the catalog almost has is taken for a mistake: a hook that waits for
    /// events that never come denies nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for every other name.
    pub fn parse_for_hook(name: &str) -> Result<Self, Error> {
        let parsed = Self::parse(name)?;
        if parsed.point().is_some() {
            return Ok(parsed);
        }
        if let Some(point) = near_miss(name) {
            return Err(Error::invalid(
                "event",
                format!("is not in the catalog; did you mean `{point}`?"),
            ));
        }
        match parsed.prefix() {
            Some(prefix) => check_prefix(prefix)?,
            None if name.contains('*') => {
                return Err(Error::invalid(
                    "event",
                    "can have a `*` only at the end, after a dot: `com.github.*`",
                ));
            }
            None => {}
        }
        Ok(parsed)
    }

    /// Reads what [`stored`](Self::stored) returned.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for every other text: it was damaged.
    pub fn parse_stored(text: &str) -> Result<Self, Error> {
        match text.strip_prefix(STORED_PREFIX) {
            Some(name) if !is_stored_as_is(name) => Self::parse_for_hook(name),
            None if is_stored_as_is(text) => Ok(Self(text.into())),
            _ => Err(Error::invalid("event", "is not the name of a hook point")),
        }
    }

    /// Returns the text that the store keeps for the event of a hook.
    #[must_use]
    pub fn stored(&self) -> String {
        if is_stored_as_is(&self.0) {
            return self.0.to_string();
        }
        format!("{STORED_PREFIX}{}", self.0)
    }

    /// The catalog's entry; `None` for a name that is not in it.
    #[must_use]
    pub fn point(&self) -> Option<&'static HookPoint> {
        BY_NAME.get(&*self.0).copied()
    }

    /// What types that a hook waits for begin with, with the dot, if it waits for a prefix.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        self.0
            .ends_with(WILDCARD)
            .then(|| &self.0[..=self.0.len() - WILDCARD.len()])
    }

    /// Whether a hook that waits for this waits for `event`. Prefixes are for types that
    /// are not in the catalog.
    #[must_use]
    pub fn covers(&self, event: &Self) -> bool {
        match self.prefix() {
            None => self == event,
            Some(_) => event.prefixes().any(|prefix| Some(prefix) == self.prefix()),
        }
    }

    /// The prefixes that hooks may wait for which are to run for an event of this type.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &str> {
        let dots = self.0.match_indices('.').take(PREFIX_SEGMENTS_MAX);
        let is_in_catalog = self.point().is_some();
        dots.take_while(move |_| !is_in_catalog)
            .map(|(at, _)| &self.0[..=at])
            .filter(|prefix| prefix.len() < self.0.len())
    }

    /// Whether hooks run for servers of the tenant's choice; on names that are not in the
    /// catalog they may.
    #[must_use]
    pub fn can_choose_server(&self) -> bool {
        self.point().is_none_or(|point| point.can_choose_server)
    }

    /// Whether it is one of Astra's, whose events are about applications.
    #[must_use]
    pub fn is_astra(&self) -> bool {
        self.point().is_some_and(|point| point.face == Face::Astra)
    }

    /// What a failing hook means here by default: a denial on what
    /// is about to happen, nothing on what has happened.
    #[must_use]
    pub fn default_failure_policy(&self) -> FailurePolicy {
        let is_before = self.point().is_some() && self.0.starts_with("Pre");
        if is_before || self.0.ends_with(".pre") {
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

/// Returns the catalog's name that differs from this one in upper and lower case alone, or
/// in one character that is wrong, missing, too many, or swapped with the next.
#[must_use]
pub fn near_miss(name: &str) -> Option<&'static str> {
    if BY_NAME.contains_key(name) {
        return None;
    }
    HookPoint::catalog().map(|point| point.name).find(|point| {
        point.eq_ignore_ascii_case(name) || is_one_edit_apart(point.as_bytes(), name.as_bytes())
    })
}

fn is_one_edit_apart(one: &[u8], other: &[u8]) -> bool {
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let same = |(a, b): &(&u8, &u8)| a == b;
    let start = one.iter().zip(other).take_while(same).count();
    let (one, other) = (&one[start..], &other[start..]);
    let end = one.iter().rev().zip(other.iter().rev());
    let end = end.take_while(same).count();
    match (&one[..one.len() - end], &other[..other.len() - end]) {
        ([a, b], [c, d]) => a == d && b == c,
        (one, other) => one.len() <= 1 && other.len() <= 1 && one != other,
    }
}

/// Checks what is before the `*` of a prefix, its dot included.
fn check_prefix(prefix: &str) -> Result<(), Error> {
    let mut segments = prefix[..prefix.len() - 1].split('.');
    if prefix.contains('*') || segments.any(str::is_empty) {
        return Err(Error::invalid(
            "event",
            "can have a `*` only at the end, after at least one name and a dot: `com.github.*`",
        ));
    }
    if prefix.matches('.').count() > PREFIX_SEGMENTS_MAX {
        return Err(Error::invalid(
            "event",
            "must not have more than 16 names before the `*`",
        ));
    }
    let begins = |name: &str| {
        let begin = name.get(..prefix.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
    };
    match HookPoint::catalog().find(|point| begins(point.name)) {
        // They differ in targets and failure policies, which a hook has one of.
        Some(point) => Err(Error::invalid(
            "event",
            format!(
                "cannot be a prefix of names in the catalog, such as `{}`; bind a hook to each",
                point.name
            ),
        )),
        None => Ok(()),
    }
}

fn is_stored_as_is(name: &str) -> bool {
    BY_NAME.contains_key(name) || is_plainly_custom(name)
}

fn is_plainly_custom(name: &str) -> bool {
    name.len() <= CUSTOM_MAX_BYTES
        && name.strip_prefix(CUSTOM_PREFIX).is_some_and(|rest| {
            !rest.is_empty()
                && rest
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        })
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
    fn any_type_can_be_a_hook_point() {
        for name in [
            "OnAudit",
            "snapshot.pre",
            "custom.build_1.done-2",
            "custom.A",
            "com.github.push",
            "google.cloud.storage.object.v1.finalized",
            "onaudit",
            "größe geändert",
        ] {
            assert_eq!(HookPointName::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "a\nb", "\u{7f}", &"x".repeat(1025)] {
            assert!(HookPointName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_hook_is_bound_to_a_type_or_a_prefix_and_to_no_misspelt_name() {
        for name in [
            "OnAudit",
            "custom.a",
            "custom.*",
            "com.github.push",
            "com.github.*",
            "com.*",
            "deployed",
        ] {
            let parsed = HookPointName::parse_for_hook(name).unwrap();
            assert_eq!(parsed.as_str(), name);
            assert_eq!(
                HookPointName::parse_stored(&parsed.stored()).unwrap(),
                parsed
            );
        }
        let reason = |name: &str| HookPointName::parse_for_hook(name).unwrap_err().to_string();
        for (name, near) in [
            ("onaudit", "OnAudit"),
            ("OnAudi", "OnAudit"),
            ("OnAuditt", "OnAudit"),
            ("OnAidit", "OnAudit"),
            ("OnAuidt", "OnAudit"),
            ("Snapshot.Pre", "snapshot.pre"),
            ("snapshot-pre", "snapshot.pre"),
        ] {
            assert!(
                reason(name).contains(&format!("did you mean `{near}`")),
                "{name}"
            );
        }
        for name in [
            "*",
            ".*",
            "a..*",
            "com.git*",
            "com.*.push",
            "*.push",
            "a.*.*",
        ] {
            assert!(reason(name).contains("only at the end"), "{name}");
        }
        assert!(reason(&format!("{}*", "a.".repeat(17))).contains("16 names"));
        assert!(reason("snapshot.*").contains("`snapshot.pre`"));
        assert!(reason("Snapshot.*").contains("`snapshot.pre`"));
    }

    #[test]
    fn a_prefix_covers_the_types_that_begin_with_its_names() {
        let covers = |hook: &str, event: &str| {
            HookPointName::parse_for_hook(hook)
                .unwrap()
                .covers(&HookPointName::parse(event).unwrap())
        };
        for event in ["com.github.push", "com.github.pull_request.opened"] {
            assert!(covers("com.github.*", event), "{event}");
            assert!(covers("com.*", event), "{event}");
            assert!(covers(event, event), "{event}");
        }
        for event in [
            "com.github",
            "com.github.",
            "com.githubs.push",
            "org.github.push",
            "OnAudit",
        ] {
            assert!(!covers("com.github.*", event), "{event}");
        }
        let deep = format!("{}x", "a.".repeat(1000));
        assert_eq!(
            HookPointName::parse(&deep[..1024])
                .unwrap()
                .prefixes()
                .count(),
            16
        );
        let catalog = HookPointName::parse("snapshot.pre").unwrap();
        assert_eq!(catalog.prefixes().count(), 0);
    }

    #[test]
    fn a_name_that_was_damaged_in_the_store_is_not_mistaken_for_another() {
        for text in [
            "",
            "snapshot.prf",
            "Snapshot.pre",
            "snapshot",
            "custom.",
            "custom.A",
            "uype:com.github.push",
            "com.github.push",
            "type:snapshot.pre",
            "type:snapshot.prf",
            "type:custom.a",
        ] {
            assert!(HookPointName::parse_stored(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hooks_before_an_operation_fail_closed() {
        let policy = |name| HookPointName::parse(name).unwrap().default_failure_policy();
        assert_eq!(policy("PreFormatDisk"), FailurePolicy::Closed);
        assert_eq!(policy("backup.pre"), FailurePolicy::Closed);
        assert_eq!(policy("custom.deploy.pre"), FailurePolicy::Closed);
        assert_eq!(policy("PostFormatDisk"), FailurePolicy::Open);
        assert_eq!(policy("custom.prelude"), FailurePolicy::Open);
        assert_eq!(policy("PretixOrderPaid"), FailurePolicy::Open);
        assert_eq!(policy("com.example.deploy.pre"), FailurePolicy::Closed);
    }
}
