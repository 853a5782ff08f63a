//! For which containers a hook runs: regular expressions that must all match.
//!
//! The expressions have RE2's syntax and its promise: time linear in the text.
//! They match anywhere in it unless anchored.

use std::collections::HashSet;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::registry::app::Container;

/// What an expression is matched against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    // The aliases are for rows that earlier versions have stored.
    /// The container's image.
    #[serde(alias = "containerImage")]
    ContainerImage,
    /// The container's name.
    #[serde(alias = "containerName")]
    ContainerName,
    /// The name of its pod.
    #[serde(alias = "podName")]
    PodName,
    /// Each label of its pod, as `name=value`; one must match.
    #[serde(alias = "podLabel")]
    PodLabel,
    /// The namespace of its pod.
    #[serde(alias = "namespaceName")]
    NamespaceName,
}

/// One expression that a container must match.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// What it is matched against.
    #[serde(rename = "type")]
    pub subject: Subject,
    /// The expression.
    pub value: String,
}

/// Most criteria of one hook.
const CRITERIA_MAX: usize = 10;

/// Longest expression, in bytes.
const VALUE_MAX_BYTES: usize = 1_024;

/// Most bytes that one compiled expression takes. A Unicode class takes some ten
/// thousand; one repeated hundreds of times is refused.
const COMPILED_MAX_BYTES: usize = 256 * 1024;

/// Most bytes that matching may use to be faster than it has to be.
const SCRATCH_BYTES: usize = 64 * 1024;

/// How deep groups may be nested.
const NEST_MAX: u32 = 32;

/// The criteria of one hook, compiled to be matched against containers.
pub(crate) struct Matcher(Vec<(Subject, Regex)>);

impl Matcher {
    /// Compiles criteria. They are expressions within their bounds, each once.
    pub(crate) fn compile(criteria: &[Criterion]) -> Result<Self, Error> {
        if criteria.len() > CRITERIA_MAX {
            return Err(invalid("must not be more than 10"));
        }
        let mut known = HashSet::with_capacity(criteria.len());
        criteria
            .iter()
            .map(|criterion| {
                if !known.insert(criterion) {
                    return Err(invalid("must not hold one twice"));
                }
                Ok((criterion.subject, compile(&criterion.value)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a container meets all criteria.
    pub(crate) fn matches(&self, container: &Container) -> bool {
        self.0.iter().all(|(subject, regex)| match subject {
            Subject::ContainerImage => regex.is_match(&container.container_image),
            Subject::ContainerName => regex.is_match(&container.container_name),
            Subject::PodName => regex.is_match(&container.pod_name),
            Subject::NamespaceName => regex.is_match(&container.namespace_name),
            Subject::PodLabel => container
                .pod_labels
                .iter()
                .any(|label| regex.is_match(&format!("{}={}", label.name, label.value))),
        })
    }
}

fn compile(value: &str) -> Result<Regex, Error> {
    if value.len() > VALUE_MAX_BYTES {
        return Err(invalid("must not hold a value longer than 1024 bytes"));
    }
    RegexBuilder::new(value)
        .size_limit(COMPILED_MAX_BYTES)
        .dfa_size_limit(SCRATCH_BYTES)
        .nest_limit(NEST_MAX)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                invalid("must not hold an expression that is so large when it is compiled")
            }
            // The last line says what; those above draw where, over several lines.
            error => {
                let error = error.to_string();
                let what = error.lines().last().unwrap_or_default();
                let what = what.strip_prefix("error: ").unwrap_or(what);
                invalid(&format!("must be regular expressions: {what}"))
            }
        })
}

fn invalid(reason: &str) -> Error {
    Error::invalid("criteria", reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::label::Label;

    fn criterion(subject: Subject, value: &str) -> Criterion {
        Criterion {
            subject,
            value: value.into(),
        }
    }

    fn container() -> Container {
        let label = |name: &str, value: &str| Label {
            name: name.into(),
            value: value.into(),
        };
        Container {
            pod_name: "mysql-0".into(),
            pod_labels: vec![label("tier", "db"), label("app", "shop")],
            container_image: "docker.io/library/mysql:8.0".into(),
            container_name: "server".into(),
            namespace_name: "prod".into(),
        }
    }

    fn matches(criteria: &[Criterion]) -> bool {
        Matcher::compile(criteria).unwrap().matches(&container())
    }

    #[test]
    fn an_expression_matches_anywhere_unless_anchored() {
        assert!(matches(&[criterion(Subject::ContainerImage, "mysql")]));
        assert!(!matches(&[criterion(Subject::ContainerImage, "^mysql")]));
        assert!(matches(&[criterion(Subject::NamespaceName, "^prod$")]));
        assert!(!matches(&[criterion(Subject::ContainerName, "(?i)POD")]));
        assert!(matches(&[criterion(Subject::PodName, r"-\d+$")]));
        assert!(matches(&[criterion(Subject::PodName, r"^\w+-[\p{L}\d]+$")]));
    }

    #[test]
    fn all_criteria_must_match_and_none_matches_everything() {
        let image = criterion(Subject::ContainerImage, "mysql");
        assert!(matches(&[]));
        assert!(matches(&[image.clone(), criterion(Subject::PodName, "0$")]));
        assert!(!matches(&[image, criterion(Subject::PodName, "1$")]));
    }

    #[test]
    fn one_label_must_match_with_name_and_value() {
        assert!(matches(&[criterion(Subject::PodLabel, "^tier=db$")]));
        assert!(matches(&[criterion(Subject::PodLabel, "shop")]));
        assert!(!matches(&[criterion(Subject::PodLabel, "^tier=shop$")]));
    }

    #[test]
    fn an_expression_is_well_formed_small_and_unique() {
        let one = |value: &str| vec![criterion(Subject::PodName, value)];
        let long = "x".repeat(VALUE_MAX_BYTES + 1);
        let deep = format!("{}x{}", "(".repeat(40), ")".repeat(40));
        for (criteria, reason) in [
            (one("("), "unclosed group"),
            (one("(?!x)"), "look-around"),
            (one(r"(a)\1"), "backreferences"),
            (one(r"\w{1000}"), "large when it is compiled"),
            (one("((a{100}){100}){100}"), "large when it is compiled"),
            (one(&deep), "nest"),
            (one(&long), "longer than 1024"),
            ([one("a"), one("a")].concat(), "twice"),
            (
                (0..11)
                    .map(|i| criterion(Subject::PodName, &i.to_string()))
                    .collect(),
                "more than 10",
            ),
        ] {
            let error = Matcher::compile(&criteria).err().unwrap().to_string();
            assert!(error.contains(reason) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn rows_of_earlier_versions_can_be_read() {
        let stored = r#"{"type":"podLabel","value":"x"}"#;
        let read: Criterion = serde_json::from_str(stored).unwrap();
        assert_eq!(read, criterion(Subject::PodLabel, "x"));
        let stored = r#"{"podName":"p","podLabels":[],"containerImage":"i","containerName":"c","namespaceName":"n"}"#;
        let read: Container = serde_json::from_str(stored).unwrap();
        let text = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Container>(&text).unwrap(), read);
        assert_eq!((&*read.pod_name, &*read.namespace_name), ("p", "n"));
    }
}
