//! Where the engine of `run` caches compiled code between runs.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use tenterhook_engine::{CodeCache, Engine, Error, GuestStack, Settings};

use crate::compiler;

/// Bytes of compiled code that are cached for a user: some hundred programs of the usual
/// size, or a dozen of the largest.
const BYTES: u64 = 1 << 30;

/// Starts an engine for one program on such a stack, with a code cache in the user's cache
/// folder. If that cannot be used, the program is compiled each time.
pub(crate) fn start_engine(stack: GuestStack) -> Result<Engine, Error> {
    let settings = Settings {
        cache: cache(|name| env::var_os(name)),
        sandboxes: 1,
        threads: 1,
        stack,
        compiler: compiler::command_line(),
        ..Settings::default()
    };
    match Engine::start(settings.clone()) {
        Err(Error::Cache { .. }) => Engine::start(Settings {
            cache: None,
            ..settings
        }),
        started => started,
    }
}

/// The code is in the user's cache folder, its key with the user's state: caches are copied
/// from machine to machine, and copied code must not be trusted.
fn cache(variable: impl Fn(&str) -> Option<OsString>) -> Option<CodeCache> {
    let home = |name: &str, usual: &str| own_folder(variable(name), variable("HOME"), usual);
    Some(CodeCache {
        folder: home("XDG_CACHE_HOME", ".cache")?.join("tenterhook"),
        key: home("XDG_STATE_HOME", ".local/state")?.join("tenterhook/code.key"),
        bytes: BYTES,
    })
}

/// Returns the folder that a variable names, or else the usual one in `HOME`. The XDG
/// specification requires that a relative path is ignored.
fn own_folder(named: Option<OsString>, home: Option<OsString>, usual: &str) -> Option<PathBuf> {
    let absolute =
        |path: Option<OsString>| path.map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(named).or_else(|| absolute(home).map(|home| home.join(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &[(&str, &str)]) -> Option<(PathBuf, PathBuf)> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(OsString::from(found.1))
        };
        cache(variable).map(|cache| (cache.folder, cache.key))
    }

    #[test]
    fn the_folders_are_the_users() {
        let home = ("HOME", "/h");
        let usual = (
            "/h/.cache/tenterhook".into(),
            "/h/.local/state/tenterhook/code.key".into(),
        );
        assert_eq!(places(&[home]), Some(usual.clone()));
        let named = [("XDG_CACHE_HOME", "/c"), ("XDG_STATE_HOME", "/s")];
        let own = ("/c/tenterhook".into(), "/s/tenterhook/code.key".into());
        assert_eq!(places(&named), Some(own));
        let relative = [("XDG_CACHE_HOME", "c"), ("XDG_STATE_HOME", "s"), home];
        assert_eq!(places(&relative), Some(usual));
    }

    #[test]
    fn without_a_place_for_the_key_nothing_is_cached() {
        assert_eq!(places(&[("XDG_CACHE_HOME", "/c")]), None);
        assert_eq!(places(&[("HOME", "")]), None);
        assert_eq!(places(&[]), None);
    }
}
