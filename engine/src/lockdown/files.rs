//! Which files threads may open from now on, enforced by Landlock.
//!
//! Only opening is restricted: descriptors that are already open keep working.

use std::os::fd::AsFd;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, PathBeneath,
    Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, Scope,
};

use super::restrictions::NotApplied;

/// The first version that can allow renaming files from one folder into another.
const LEAST: ABI = ABI::V2;

/// The version that this was tested with. An older kernel enforces what it knows.
const KNOWN: ABI = ABI::V7;

/// What is allowed beneath a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Reading files and folders.
    Read,
    /// Also changing; creating and removing files, folders and symbolic links.
    Change,
    /// Reading, and executing. For a single file.
    Start,
    /// Reading and writing what exists: for a device.
    Device,
}

/// Whether connections over TCP may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connect {
    Yes,
    No,
}

/// The only files that threads may open.
pub(super) struct Files {
    rules: RulesetCreated,
}

impl Files {
    /// Allows no files yet, and no listening on TCP. `None` if the kernel has no usable
    /// Landlock.
    pub(super) fn none(connect: Connect) -> Result<Option<Self>, NotApplied> {
        let needed = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(LEAST));
        let Ok(needed) = needed else {
            return Ok(None);
        };
        let network: BitFlags<AccessNet> = match connect {
            Connect::Yes => AccessNet::BindTcp.into(),
            Connect::No => AccessNet::from_all(KNOWN),
        };
        let best = || {
            needed
                .set_compatibility(CompatLevel::BestEffort)
                .handle_access(AccessFs::from_all(KNOWN))?
                .handle_access(network)?
                .scope(Scope::from_all(KNOWN))?
                .create()
        };
        let rules = best().map_err(not_applied)?;
        Ok(Some(Self { rules }))
    }

    /// Allows what is beneath `place`.
    pub(super) fn allow(self, place: impl AsFd, what: Use) -> Result<Self, NotApplied> {
        let rules = self
            .rules
            .add_rule(PathBeneath::new(place, what.access()))
            .map_err(not_applied)?;
        Ok(Self { rules })
    }

    /// Applies the rules to the calling thread.
    pub(super) fn apply(&self) -> Result<(), NotApplied> {
        let rules = self
            .rules
            .try_clone()
            .map_err(|error| NotApplied::new("Landlock", error))?;
        rules.restrict_self().map(drop).map_err(not_applied)
    }
}

impl Use {
    fn access(self) -> BitFlags<AccessFs> {
        match self {
            Self::Read => AccessFs::ReadFile | AccessFs::ReadDir,
            Self::Change => {
                AccessFs::ReadFile
                    | AccessFs::ReadDir
                    | AccessFs::WriteFile
                    | AccessFs::Truncate
                    | AccessFs::MakeReg
                    | AccessFs::MakeDir
                    | AccessFs::MakeSym
                    | AccessFs::RemoveFile
                    | AccessFs::RemoveDir
                    | AccessFs::Refer
            }
            Self::Start => AccessFs::ReadFile | AccessFs::Execute,
            Self::Device => AccessFs::ReadFile | AccessFs::WriteFile,
        }
    }
}

fn not_applied(error: RulesetError) -> NotApplied {
    NotApplied::new("Landlock", error)
}
