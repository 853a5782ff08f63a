//! A hook's project: a folder with `tenterhook.toml`, which says what the program
//! is, how it is built, and what hook a server shall have of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::program_file;

/// The file that makes a folder a project.
pub(crate) const MANIFEST: &str = "tenterhook.toml";

/// Where a project has its sample events, `NAME.event.json`, each with what is
/// expected of it, `NAME.expect.json`.
pub(crate) const TESTS: &str = "tests";

/// Largest manifest, in bytes.
const MANIFEST_MAX_BYTES: u64 = 64 * 1024;

/// What a `tenterhook.toml` says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Name of the source on a server.
    pub(crate) name: String,
    /// The hook point, such as `PreFormatDisk` or `custom.deployed`.
    pub(crate) event: String,
    /// The script, module or component, relative to the manifest.
    pub(crate) program: PathBuf,
    /// The command that makes the program, run by `sh -c` in the project's folder;
    /// absent for a script.
    pub(crate) build: Option<String>,
    /// The hook.
    #[serde(default)]
    pub(crate) hook: HookManifest,
}

/// The hook that a server shall have; members are those of `POST /api/v1/hooks`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookManifest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) args: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) env: Option<BTreeMap<String, String>>,
    /// `"all"` or a list of server numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) servers: Option<Value>,
    /// `"closed"` or `"open"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure_policy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry: Option<Value>,
    /// Id, number or name of the app, on Astra's events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) app: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) criteria: Option<Value>,
}

/// A project: its folder and what its manifest says.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Manifest,
}

impl Project {
    /// Opens the project in `folder`.
    ///
    /// # Errors
    ///
    /// There is no manifest, or it says something that cannot be.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join(MANIFEST);
        if !file.exists() {
            bail!(
                "{} is no project: it has no {MANIFEST}; `tenterhook new NAME` makes one",
                folder.display()
            );
        }
        let text = program_file::read_within(&file, MANIFEST_MAX_BYTES)?;
        let text =
            String::from_utf8(text).with_context(|| format!("{} is not UTF-8", file.display()))?;
        let manifest =
            toml::from_str(&text).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// The program's file.
    pub(crate) fn program(&self) -> PathBuf {
        self.folder.join(&self.manifest.program)
    }

    /// The folder with the sample events.
    pub(crate) fn tests(&self) -> PathBuf {
        self.folder.join(TESTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_program_and_hook() {
        let folder = tempfile::tempdir().unwrap();
        let text = "name = \"guard\"\nevent = \"PreFormatDisk\"\nprogram = \"hook.sh\"\n\
            [hook]\nfailure_policy = \"open\"\nlimits = { wall_ms = 500 }\n";
        std::fs::write(folder.path().join(MANIFEST), text).unwrap();
        let project = Project::open(folder.path()).unwrap();
        assert_eq!(project.program(), folder.path().join("hook.sh"));
        assert_eq!(project.tests(), folder.path().join("tests"));
        let hook = serde_json::to_value(&project.manifest.hook).unwrap();
        assert_eq!(
            hook,
            serde_json::json!({"failure_policy": "open", "limits": {"wall_ms": 500}})
        );
    }

    #[test]
    fn a_wrong_manifest_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let open = || format!("{:#}", Project::open(folder.path()).unwrap_err());
        assert!(open().contains("tenterhook new"));
        std::fs::write(folder.path().join(MANIFEST), "name = \"a\"\nevnt = \"x\"\n").unwrap();
        let told = open();
        assert!(told.contains("evnt") && told.contains("line 2"), "{told}");
    }
}
