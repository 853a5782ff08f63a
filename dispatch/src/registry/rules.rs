//! The rules for what tenants name and set: lengths, characters, counts.
//!
//! Every bound is generous to people and hard on programs gone wrong.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::registry::label::Label;

/// Longest name, in bytes; as long as a file name may be.
const NAME_MAX_BYTES: usize = 255;
/// Longest description, in bytes.
const DESCRIPTION_MAX_BYTES: usize = 4_096;
/// Most arguments, variables or labels of one noun.
const LIST_MAX: usize = 64;
/// Most bytes of all arguments or all variables of one hook together.
const LIST_MAX_BYTES: usize = 32 * 1024;

/// Checks a name.
pub(crate) fn name(field: &'static str, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::invalid(field, "must not be empty"));
    }
    if name.len() > NAME_MAX_BYTES {
        return Err(Error::invalid(field, "must not be longer than 255 bytes"));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(field, "must not hold control characters"));
    }
    Ok(())
}

/// Checks a description.
pub(crate) fn description(text: &str) -> Result<(), Error> {
    if text.len() > DESCRIPTION_MAX_BYTES {
        return Err(Error::invalid(
            "description",
            "must not be longer than 4096 bytes",
        ));
    }
    no_nul("description", text)
}

/// Checks the arguments of a program.
pub(crate) fn args(args: &[String]) -> Result<(), Error> {
    list("args", args.len(), args.iter().map(String::len).sum())?;
    args.iter().try_for_each(|arg| no_nul("args", arg))
}

/// Checks a hook's own environment variables.
pub(crate) fn env(env: &BTreeMap<String, String>) -> Result<(), Error> {
    list(
        "env",
        env.len(),
        env.iter()
            .map(|(name, value)| name.len() + value.len())
            .sum(),
    )?;
    for (name, value) in env {
        let mut bytes = name.bytes();
        let starts_well = bytes
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if !starts_well || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Error::invalid(
                "env",
                "has a name that is not letters, digits and underscores, starting with no digit",
            ));
        }
        if name.starts_with("HOOK_") || name.starts_with("CROIT_") {
            return Err(Error::invalid(
                "env",
                "must not set names that start with `HOOK_` or `CROIT_`",
            ));
        }
        no_nul("env", value)?;
    }
    Ok(())
}

/// Checks the labels of a server.
pub(crate) fn labels(labels: &BTreeMap<String, String>) -> Result<(), Error> {
    if labels.len() > LIST_MAX {
        return Err(Error::invalid("labels", "must not be more than 64"));
    }
    for (key, value) in labels {
        name("labels", key)?;
        if value.len() > NAME_MAX_BYTES {
            return Err(Error::invalid(
                "labels",
                "must not have a value longer than 255 bytes",
            ));
        }
        no_nul("labels", value)?;
    }
    Ok(())
}

/// Checks free labels; there may be several of one name.
pub(crate) fn label_list(labels: &[Label]) -> Result<(), Error> {
    if labels.len() > LIST_MAX {
        return Err(Error::invalid("labels", "must not be more than 64"));
    }
    labels
        .iter()
        .try_for_each(|label| self::label("labels", label))
}

/// Checks one label.
pub(crate) fn label(field: &'static str, label: &Label) -> Result<(), Error> {
    name(field, &label.name)?;
    if label.value.len() > NAME_MAX_BYTES {
        return Err(Error::invalid(
            field,
            "must not have a value longer than 255 bytes",
        ));
    }
    no_nul(field, &label.value)
}

fn list(field: &'static str, count: usize, bytes: usize) -> Result<(), Error> {
    if count > LIST_MAX {
        return Err(Error::invalid(field, "must not be more than 64"));
    }
    if bytes > LIST_MAX_BYTES {
        return Err(Error::invalid(
            field,
            "must not be longer than 32768 bytes together",
        ));
    }
    Ok(())
}

fn no_nul(field: &'static str, text: &str) -> Result<(), Error> {
    if text.contains('\0') {
        return Err(Error::invalid(field, "must not hold NUL characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_printable() {
        assert!(name("name", "nic-tune.sh").is_ok());
        assert!(name("name", "größe").is_ok());
        for bad in ["", "a\nb", "\u{1b}[2J", &"x".repeat(256)] {
            assert!(name("name", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_hook_cannot_set_reserved_variables() {
        let env_of = |name: &str| env(&BTreeMap::from([(name.to_owned(), String::new())]));
        assert!(env_of("PATH").is_ok());
        for bad in ["", "1A", "A-B", "HOOK_EVENT", "CROIT_X", "A=B", "Ä"] {
            assert!(env_of(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn arguments_have_no_nul_and_are_bounded() {
        assert!(args(&["a b".into(), String::new()]).is_ok());
        assert!(args(&["a\0".into()]).is_err());
        assert!(args(&vec![String::new(); 65]).is_err());
        assert!(args(&["x".repeat(40_000)]).is_err());
    }
}
