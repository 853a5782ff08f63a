//! Where the engine of `run` keeps compiled code between two runs.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use tenterhook_engine::{Engine, Error, Settings};

use crate::compiler;

/// Starts an engine for one program that keeps compiled code in the user's cache
/// folder. A folder that cannot be used costs time, not the run.
pub(crate) fn start_engine() -> Result<Engine, Error> {
    let settings = Settings {
        cache: folder(env::var_os("XDG_CACHE_HOME"), env::var_os("HOME")),
        scratch: env::temp_dir(),
        sandboxes: 1,
        threads: 1,
        compiler: compiler::words(),
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

/// `tenterhook` in the user's cache folder: `XDG_CACHE_HOME`, else `.cache` in
/// `HOME`. A relative path there is to be ignored, says the XDG specification.
fn folder(cache_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute =
        |path: Option<OsString>| path.map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(cache_home)
        .or_else(|| absolute(home).map(|home| home.join(".cache")))
        .map(|folder| folder.join("tenterhook"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_the_users_own() {
        let folder = |cache: Option<&str>, home: Option<&str>| {
            folder(cache.map(Into::into), home.map(Into::into))
        };
        assert_eq!(folder(Some("/c"), Some("/h")), Some("/c/tenterhook".into()));
        assert_eq!(
            folder(Some("relative"), Some("/h")),
            Some("/h/.cache/tenterhook".into())
        );
        assert_eq!(
            folder(None, Some("/h")),
            Some("/h/.cache/tenterhook".into())
        );
        assert_eq!(folder(None, Some("")), None);
        assert_eq!(folder(None, None), None);
    }
}
