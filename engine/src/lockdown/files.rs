//! Which files threads may open from now on, by the kernel's Landlock.
//!
//! What a thread does not open itself is not judged: descriptors that are open
//! already keep working.

use std::os::fd::AsFd;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, PathBeneath,
    Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, Scope,
};

use super::lock::NotHeld;

/// The first version that lets files be renamed from one folder into another.
const LEAST: ABI = ABI::V2;

/// The version that this was tried with. An older kernel holds what it knows.
const KNOWN: ABI = ABI::V7;

/// What may be done beneath one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Read, and look into folders.
    Read,
    /// Also change; make and remove files, folders and symbolic links.
    Change,
    /// Read, and start as a program. For a single file.
    Start,
    /// Read and write what is there: for a device.
    Device,
}

/// Whether connections over TCP may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connect {
    Yes,
    No,
}

/// The files that threads may open. All others they may not.
pub(super) struct Files {
    rules: RulesetCreated,
}

impl Files {
    /// Allows no file at all, yet; nobody may listen on TCP. `None` if the kernel
    /// has no Landlock that could be used.
    pub(super) fn none(connect: Connect) -> Result<Option<Self>, NotHeld> {
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
        let rules = best().map_err(not_held)?;
        Ok(Some(Self { rules }))
    }

    /// Allows what lies beneath `place`.
    pub(super) fn allow(self, place: impl AsFd, what: Use) -> Result<Self, NotHeld> {
        let rules = self
            .rules
            .add_rule(PathBeneath::new(place, what.access()))
            .map_err(not_held)?;
        Ok(Self { rules })
    }

    /// Holds the calling thread to it.
    pub(super) fn hold(&self) -> Result<(), NotHeld> {
        let rules = self
            .rules
            .try_clone()
            .map_err(|error| NotHeld::new("Landlock", error))?;
        rules.restrict_self().map(drop).map_err(not_held)
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

fn not_held(error: RulesetError) -> NotHeld {
    NotHeld::new("Landlock", error)
}
