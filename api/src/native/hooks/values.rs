//! Arguments and environment variables in JSON: null replaces each value that the reader
//! may not see. A null in a request is refused; it is never stored as a value.

use std::collections::BTreeMap;

use tenterhook_dispatch::Role;

use crate::refusal::{InvalidField, Refusal};

pub(super) fn show_args(args: Vec<String>, reader: Role) -> Vec<Option<String>> {
    let show = |arg| reader.reads_secrets().then_some(arg);
    args.into_iter().map(show).collect()
}

pub(super) fn show_env(
    env: BTreeMap<String, String>,
    reader: Role,
) -> BTreeMap<String, Option<String>> {
    let show = |(name, value)| (name, reader.reads_secrets().then_some(value));
    env.into_iter().map(show).collect()
}

/// Reads arguments; refuses those that were withheld.
pub(super) fn read_args(values: Vec<Option<String>>) -> Result<Vec<String>, Refusal> {
    let args = values.into_iter().enumerate();
    present(args.map(|(place, arg)| (place.to_string(), arg)), "args")
        .map(|args| args.into_iter().map(|(_, arg)| arg).collect())
}

/// Reads environment variables; refuses those whose value was withheld.
pub(super) fn read_env(
    values: BTreeMap<String, Option<String>>,
) -> Result<BTreeMap<String, String>, Refusal> {
    present(values.into_iter(), "env").map(|env| env.into_iter().collect())
}

/// Returns the values, or a fault for each that is null.
fn present(
    values: impl Iterator<Item = (String, Option<String>)>,
    member: &str,
) -> Result<Vec<(String, String)>, Refusal> {
    let mut given = Vec::new();
    let mut faults = Vec::new();
    for (name, value) in values {
        match value {
            Some(value) => given.push((name, value)),
            None => faults.push(InvalidField {
                pointer: format!("/{member}/{}", name.replace('~', "~0").replace('/', "~1")),
                detail: format!(
                    "has no value: null stands for one that was withheld; send the value, or leave `{member}` out of a change to keep all of them"
                ),
            }),
        }
    }
    if faults.is_empty() {
        Ok(given)
    } else {
        Err(Refusal::Invalid(faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_value_is_named() {
        let env = [("A", Some("1")), ("B/~", None), ("C", None)]
            .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        let Err(Refusal::Invalid(faults)) = read_env(env.into()) else {
            panic!("it is refused");
        };
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/env/B~1~0", "/env/C"]);
        assert_eq!(
            read_args(vec![Some("b".into()), Some("a".into())]),
            Ok(vec!["b".to_owned(), "a".to_owned()])
        );
    }
}
