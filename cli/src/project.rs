//! A hook's project: a folder with a `tenterhook.toml`, which names the program, how it is
//! built, and the hook that a server should have.

mod manifest;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

pub(crate) use self::manifest::{Manifest, nearest_event};
use crate::program_file::{self, ProgramFile};

/// The manifest's file name.
pub(crate) const MANIFEST: &str = "tenterhook.toml";

/// The folder with a project's sample events, `NAME.event.json`, each with its expectation,
/// `NAME.expect.json`.
pub(crate) const TESTS: &str = "tests";

/// Largest manifest, in bytes.
const MANIFEST_MAX_BYTES: u64 = 64 * 1024;

/// A project: its folder and its manifest.
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
    /// There is no manifest, or it is invalid.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join(MANIFEST);
        if !file.exists() {
            bail!(
                "{} is not a project: it has no {MANIFEST}; `tenterhook new NAME` creates one",
                folder.display()
            );
        }
        let text = program_file::read_bounded(&file, MANIFEST_MAX_BYTES)?;
        let text =
            String::from_utf8(text).with_context(|| format!("{} is not UTF-8", file.display()))?;
        let manifest =
            Manifest::parse(&text).with_context(|| format!("cannot use {}", file.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// The program's file.
    pub(crate) fn program(&self) -> PathBuf {
        self.folder.join(&self.manifest.program)
    }

    /// Reads the program, which may have to be built first.
    ///
    /// # Errors
    ///
    /// The program does not exist or cannot be read.
    pub(crate) fn read_program(&self) -> anyhow::Result<ProgramFile> {
        let file = self.program();
        if !file.exists() {
            let remedy = match self.manifest.build {
                Some(_) => "`tenterhook build` creates it".to_owned(),
                None => format!("`program` in {MANIFEST} must name the script"),
            };
            bail!("{} does not exist; {remedy}", file.display());
        }
        program_file::read(&file)
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
    fn a_folder_without_a_manifest_is_not_a_project() {
        let folder = tempfile::tempdir().unwrap();
        let error = format!("{:#}", Project::open(folder.path()).unwrap_err());
        assert!(error.contains("tenterhook new"), "{error}");
    }

    #[test]
    fn paths_are_below_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let text = "name = \"guard\"\nevent = \"PreFormatDisk\"\nprogram = \"hook.sh\"\n";
        std::fs::write(folder.path().join(MANIFEST), text).unwrap();
        let project = Project::open(folder.path()).unwrap();
        assert_eq!(project.program(), folder.path().join("hook.sh"));
        assert_eq!(project.tests(), folder.path().join("tests"));
    }

    #[test]
    fn a_missing_program_is_reported_with_how_to_build_it() {
        let folder = tempfile::tempdir().unwrap();
        let text = "name = \"guard\"\nevent = \"OnAudit\"\nprogram = \"hook.wasm\"\n";
        let error = |text: &str| {
            std::fs::write(folder.path().join(MANIFEST), text).unwrap();
            let project = Project::open(folder.path()).unwrap();
            format!("{:#}", project.read_program().err().unwrap())
        };
        assert!(error(text).ends_with("`program` in tenterhook.toml must name the script"));
        assert!(
            error(&format!("{text}build = \"make\"\n")).ends_with("`tenterhook build` creates it")
        );
    }
}
