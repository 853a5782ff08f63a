//! A hook's verdict as the host keeps it: its details have the text that the hook wrote.
//!
//! Hooks make theirs with the SDK's [`tenterhook_sdk::Verdict`], whose details are values.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::value::RawValue;

use crate::json::{Member, Members};

/// A hook's answer: whether to proceed, why, and any other details.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Whether what the event announces may proceed. Absent: the exit status decides.
    pub allow: Option<bool>,
    /// Why, for a person to read.
    pub reason: Option<String>,
    /// Anything else that the hook put into its answer; of a repeated name, the last.
    pub details: BTreeMap<String, Box<RawValue>>,
}

/// Why an object is not a verdict, and at which part of it.
#[derive(Debug)]
pub(crate) struct Unsuited<'a> {
    /// What is wrong.
    pub(crate) kind: UnsuitedKind,
    /// The name or the value at fault.
    pub(crate) at: &'a RawValue,
}

/// What is wrong with a member of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnsuitedKind {
    /// This member must be something else.
    Wrong(&'static str, &'static str),
    /// This member is there twice.
    Repeated(&'static str),
    /// The name of a member is not text.
    Name,
}

impl fmt::Display for UnsuitedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(member, expected) => write!(f, "`{member}` must be {expected}"),
            Self::Repeated(member) => write!(f, "duplicate field `{member}`"),
            Self::Name => f.write_str("the name of a member has a lone surrogate"),
        }
    }
}

impl Verdict {
    /// Allows what the event announces.
    #[must_use]
    pub fn allow() -> Self {
        Self {
            allow: Some(true),
            ..Self::default()
        }
    }

    /// Denies what the event announces, for `reason`.
    #[must_use]
    pub fn deny(reason: impl Into<String>) -> Self {
        Self {
            allow: Some(false),
            reason: Some(reason.into()),
            ..Self::default()
        }
    }

    /// Adds a detail.
    ///
    /// # Panics
    ///
    /// If JSON cannot represent `value`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let value = serde_json::value::to_raw_value(&value).expect("JSON represents the value");
        self.details.insert(name.into(), value);
        self
    }

    /// Takes a verdict from the members of an object; null counts as absent.
    pub(crate) fn of(members: Members<'_>) -> Result<Self, Unsuited<'_>> {
        let mut verdict = Self::default();
        let (mut has_allow, mut has_reason) = (false, false);
        for Member { name, value } in members.0 {
            let unsuited = |kind| Unsuited { kind, at: value };
            let Some(known) = (Member { name, value }).name() else {
                let kind = UnsuitedKind::Name;
                return Err(Unsuited { kind, at: name });
            };
            match &*known {
                "allow" => {
                    if std::mem::replace(&mut has_allow, true) {
                        return Err(unsuited(UnsuitedKind::Repeated("allow")));
                    }
                    verdict.allow = serde_json::from_str(value.get())
                        .map_err(|_| unsuited(UnsuitedKind::Wrong("allow", "true or false")))?;
                }
                "reason" => {
                    if std::mem::replace(&mut has_reason, true) {
                        return Err(unsuited(UnsuitedKind::Repeated("reason")));
                    }
                    verdict.reason = serde_json::from_str(value.get())
                        .map_err(|_| unsuited(UnsuitedKind::Wrong("reason", "text")))?;
                }
                _ => {
                    verdict.details.insert(known.into_owned(), value.to_owned());
                }
            }
        }
        Ok(verdict)
    }
}

impl PartialEq for Verdict {
    fn eq(&self, other: &Self) -> bool {
        let texts = |verdict: &'_ Self| -> Vec<(String, String)> {
            let details = verdict.details.iter();
            let texts = details.map(|(name, value)| (name.clone(), value.get().to_owned()));
            texts.collect()
        };
        (self.allow, &self.reason, texts(self)) == (other.allow, &other.reason, texts(other))
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if let Some(allow) = self.allow {
            map.serialize_entry("allow", &allow)?;
        }
        if let Some(reason) = &self.reason {
            map.serialize_entry("reason", reason)?;
        }
        for (name, value) in &self.details {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let members = Members::deserialize(from)?;
        Self::of(members).map_err(|unsuited| D::Error::custom(unsuited.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_printed_with_the_text_that_the_hook_wrote() {
        let json = r#"{"allow":true,"big":12345678901234567890123,"far":1e400,"odd":"\ud83d","price":[ 1.10 ]}"#;
        let verdict: Verdict = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&verdict).unwrap(), json);
    }

    #[test]
    fn of_a_repeated_detail_the_last_counts() {
        let verdict: Verdict = serde_json::from_str(r#"{"n":1,"n":2}"#).unwrap();
        assert_eq!(verdict, Verdict::default().with("n", 2));
    }
}
