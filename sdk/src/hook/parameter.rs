//! The error for a parameter that the event does not have, with those that it has.

use std::fmt;

use crate::contract::{self, env};

/// The event does not have a parameter that the hook asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoParameter {
    /// The requested name.
    pub name: String,
    /// The existing parameters, in lower snake case, sorted.
    pub known: Vec<String>,
}

/// The most parameters that are listed.
const NAMED_MAX: usize = 20;

/// The longest name that is compared with others, in bytes.
const COMPARED_MAX_BYTES: usize = 64;

impl NoParameter {
    pub(super) fn new(name: &str, variables: &[String]) -> Self {
        let mut known: Vec<_> = variables
            .iter()
            .filter_map(|variable| variable.strip_prefix(env::PARAM_PREFIX))
            .map(str::to_ascii_lowercase)
            .collect();
        known.sort_unstable();
        Self {
            name: name.to_owned(),
            known,
        }
    }

    /// Returns the parameter with the most similar name, if one is similar.
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        let name = contract::upper_snake(&self.name).to_ascii_lowercase();
        let distances = self
            .known
            .iter()
            .map(|known| (distance(&name, known), known));
        let (distance, known) = distances.min()?;
        (distance <= name.len() / 3 + 1).then_some(&**known)
    }
}

/// Returns the Levenshtein distance of two names.
fn distance(a: &str, b: &str) -> usize {
    if a.len().max(b.len()) > COMPARED_MAX_BYTES {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, of_a) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, of_b) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(of_a != of_b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

impl fmt::Display for NoParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the event has no parameter `{}`", self.name)?;
        if let Some(nearest) = self.nearest() {
            write!(f, " (did you mean `{nearest}`?)")?;
        }
        match &self.known[..] {
            [] => f.write_str("; it has none"),
            known => {
                let shown = &known[..known.len().min(NAMED_MAX)];
                write!(f, "; there are: {}", shown.join(", "))?;
                match known.len() - shown.len() {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
        }
    }
}

impl std::error::Error for NoParameter {}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(name: &str, known: &[&str]) -> NoParameter {
        let variables: Vec<_> = known
            .iter()
            .map(|name| format!("HOOK_PARAM_{name}"))
            .chain(["HOME".to_owned()])
            .collect();
        NoParameter::new(name, &variables)
    }

    #[test]
    fn the_closest_name_is_suggested_and_all_are_listed() {
        assert_eq!(
            missing("sizeByte", &["SIZE_BYTES", "DEVICE"]).to_string(),
            "the event has no parameter `sizeByte` (did you mean `size_bytes`?); there are: device, size_bytes"
        );
    }

    #[test]
    fn a_name_without_a_close_match_gets_no_suggestion() {
        assert_eq!(
            missing("colour", &["SIZE_BYTES", "DEVICE"]).to_string(),
            "the event has no parameter `colour`; there are: device, size_bytes"
        );
        assert_eq!(
            missing("colour", &[]).to_string(),
            "the event has no parameter `colour`; it has none"
        );
    }

    #[test]
    fn a_long_list_of_parameters_is_truncated() {
        let names: Vec<_> = (0..30).map(|i| format!("P{i}")).collect();
        let names: Vec<_> = names.iter().map(|name| &**name).collect();
        let text = missing(&"x".repeat(10_000), &names).to_string();
        assert!(text.ends_with(" and 10 more"), "{text}");
    }

    #[test]
    fn edit_distances_count_characters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("device", "device"), 0);
        assert_eq!(distance("devcie", "device"), 2);
        assert_eq!(distance("disk", "device"), 4);
    }
}
