//! The variables of a run's environment, each looked up when it is asked for.
//!
//! To copy all of them would take longer than the whole rest of a small hook.

use std::cell::OnceCell;
use std::env;
use std::ffi::OsString;

/// The variables of a run.
#[derive(Debug)]
pub(super) enum Variables {
    /// Those of this process, and what was asked for so far.
    Process(OnceCell<Box<Known>>),
    /// Those of a run that was made up.
    Made(Vec<(String, String)>),
}

/// A variable that was asked for and is there, and the next one: a list that only grows
/// can lend out what it holds.
#[derive(Debug)]
pub(super) struct Known {
    name: String,
    value: String,
    next: OnceCell<Box<Known>>,
}

impl Variables {
    /// Those of this process. None is read yet.
    pub(super) fn of_process() -> Self {
        Self::Process(OnceCell::new())
    }

    /// The value of a variable; bytes in it that are no text are replaced.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut place = match self {
            Self::Process(first) => first,
            Self::Made(variables) => {
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

    /// The names of all of them.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Process(_) => env::vars_os().map(|(name, _)| text(name)).collect(),
            Self::Made(variables) => variables.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// Sets one of a run that was made up.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        if let Self::Made(variables) = self {
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
    fn variables_of_the_process_are_found_again_and_those_that_are_not_there_are_not() {
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
        let mut variables = Variables::Made(Vec::new());
        variables.set("A", "1");
        variables.set("A", "2");
        assert_eq!(variables.get("A"), Some("2"));
        assert_eq!(variables.names(), ["A"]);
    }
}
