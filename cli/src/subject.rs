//! The program that `run` and `check` work on: a file, or the program of a project with its
//! hook's settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tenterhook_engine::Limits;

use crate::local_event::{Data, LocalEvent};
use crate::program_file::{self, ProgramFile};
use crate::project::{MANIFEST, Project};

/// A program to run or check.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// A file, with default settings.
    File(PathBuf),
    /// The program of a project.
    Project(Box<Project>, PathBuf),
}

impl Subject {
    /// Finds the program: a file, or that of the project in a folder, by default the current
    /// one.
    pub(crate) fn of(file: Option<&Path>) -> Result<Self, String> {
        let folder = match file {
            Some(file) if !file.is_dir() => return Ok(Self::File(file.to_owned())),
            Some(folder) => folder,
            None => Path::new("."),
        };
        if file.is_none() && !folder.join(MANIFEST).exists() {
            return Err(format!(
                "is missing, and there is no {MANIFEST} here that names the program; \
                 `tenterhook new NAME` creates a project"
            ));
        }
        let project =
            Project::open(folder).map_err(|error| format!("cannot be used: {error:#}"))?;
        let program = project.program();
        Ok(Self::Project(Box::new(project), program))
    }

    /// Where the program is.
    pub(crate) fn file(&self) -> &Path {
        match self {
            Self::File(file) | Self::Project(_, file) => file,
        }
    }

    /// Reads the program.
    pub(crate) fn read(&self) -> anyhow::Result<ProgramFile> {
        match self {
            Self::File(file) => program_file::read(file),
            Self::Project(project, _) => project.read_program(),
        }
    }

    /// The program's `argv[0]`: its file name.
    pub(crate) fn name(&self) -> String {
        program_file::name(self.file())
    }

    /// The hook's arguments.
    pub(crate) fn args(&self) -> Vec<String> {
        match self {
            Self::File(_) => Vec::new(),
            Self::Project(project, _) => project.manifest.hook.args.clone().unwrap_or_default(),
        }
    }

    /// The hook's variables.
    pub(crate) fn env(&self) -> BTreeMap<String, String> {
        match self {
            Self::File(_) => BTreeMap::new(),
            Self::Project(project, _) => project.manifest.hook.env.clone().unwrap_or_default(),
        }
    }

    /// The hook's limits; where it asks for none, the default.
    pub(crate) fn limits(&self) -> Limits {
        match self {
            Self::File(_) => Limits::default(),
            Self::Project(project, _) => project.manifest.limits(),
        }
    }

    /// The hook's event, with sample data.
    pub(crate) fn event(&self) -> LocalEvent {
        match self {
            Self::File(_) => LocalEvent::None,
            Self::Project(project, _) => {
                LocalEvent::Of(project.manifest.hook_point(), Data::Sample)
            }
        }
    }
}
