//! The variables of a run's environment, each looked up when it is needed.
//!
//! Copying all of them would take longer than the rest of a small hook.

use std::cell::OnceCell;
use std::env;
use std::ffi::OsString;

/// The variables of a run.
#[derive(Debug)]
pub(super) enum Variables {
    /// Those of this process, with those that were read so far.
    Process(OnceCell<Box<Known>>),
    /// Those of a simulated run.
    Simulated(Vec<(String, String)>),
}

/// A variable that was read and exists, and the next one: a list that only grows can lend
/// references to its items.
#[derive(Debug)]
pub(super) struct Known {
    name: String,
    value: String,
    next: OnceCell<Box<Known>>,
}

impl Variables {
    /// Returns those of this process, none of which is read yet.
    pub(super) fn of_process() -> Self {
        Self::Process(OnceCell::new())
    }

    /// Returns the value of a variable; bytes that are not UTF-8 are replaced.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut place = match self {
            Self::Process(first) => first,
            Self::Simulated(variables) => {
                let mut variables = variables.iter();
                let found = variables.find(|(known, _)| known == name);
                return found.map(|(_, value)| &**value);
            }
        };
        while let Some(known) = place.get() {
            if known.name == name {
                return Some(&known.value);
            }
            place = &known.next;
        }
        let value = text(env::var_os(name)?);
        let known = place.get_or_init(|| {
            Box::new(Known {
                name: name.to_owned(),
                value,
                next: OnceCell::new(),
            })
        });
        Some(&known.value)
    }

    /// Returns the names of all variables.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Process(_) => env::vars_os().map(|(name, _)| text(name)).collect(),
            Self::Simulated(variables) => variables.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// Sets a variable of a simulated run.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        if let Self::Simulated(variables) = self {
            variables.retain(|(known, _)| known != name);
            variables.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn text(bytes: OsString) -> String {
    bytes
        .into_string()
        .unwrap_or_else(|bytes| bytes.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn existing_variables_of_the_process_are_found_and_missing_ones_are_not() {
        let variables = Variables::of_process();
        let mut first = None;
        for _ in 0..2 {
            let path = variables.get("PATH");
            assert!(path.is_some_and(|path| !path.is_empty()));
            assert_eq!(*first.get_or_insert(path), path);
            assert!(variables.get("CARGO_MANIFEST_DIR").is_some());
            for nothing in ["HOOK_NO_SUCH_VARIABLE", "", "=", "A=B", "A\0B"] {
                assert_eq!(variables.get(nothing), None, "{nothing:?}");
            }
        }
        assert!(variables.names().iter().any(|name| name == "PATH"));
    }

    #[test]
    fn a_variable_that_is_set_again_has_the_new_value() {
        let mut variables = Variables::Simulated(Vec::new());
        variables.set("A", "1");
        variables.set("A", "2");
        assert_eq!(variables.get("A"), Some("2"));
        assert_eq!(variables.names(), ["A"]);
    }
}
