//! What a module finds: arguments, variables, standard input, descriptors and files.

use std::sync::Arc;

use bytes::Bytes;
use tenterhook_machine::NodeId;

use super::clock::Clocks;
use super::descriptors::{Descriptors, OpenFile};
use super::files::RunFiles;
use super::meter::Meter;
use super::output::Output;
use super::random::Random;
use crate::invocation::Invocation;

/// The rights of preview 1 that exist.
pub(crate) const ALL_RIGHTS: u64 = (1 << 30) - 1;

/// Whether a program is given the root folder. One that imports no file functions is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithFiles {
    Yes,
    No,
}

/// What a module finds.
pub(crate) struct World {
    /// The name first.
    pub(crate) args: Vec<String>,
    /// `NAME=value` each.
    pub(crate) env: Vec<String>,
    /// What is left of standard input.
    pub(crate) stdin: Bytes,
    pub(crate) output: Arc<Output>,
    pub(crate) descriptors: Descriptors,
    pub(crate) files: RunFiles,
    pub(crate) with_files: WithFiles,
    pub(crate) random: Random,
}

impl World {
    /// Gives a run what its invocation says.
    pub(crate) fn new(
        invocation: &Invocation,
        output: &Arc<Output>,
        meter: &Arc<Meter>,
        clocks: &Clocks,
        with_files: WithFiles,
    ) -> Self {
        let name = std::iter::once(&invocation.name);
        let variable = |(name, value): &(String, String)| format!("{name}={value}");
        let root = (with_files == WithFiles::Yes).then_some(OpenFile {
            node: NodeId::ROOT,
            position: 0,
            flags: 0,
            rights: ALL_RIGHTS,
            inherited: ALL_RIGHTS,
            preopened: Some("/"),
        });
        Self {
            args: name.chain(&invocation.args).cloned().collect(),
            env: invocation.env.iter().map(variable).collect(),
            stdin: invocation.stdin.clone(),
            output: Arc::clone(output),
            descriptors: Descriptors::new(invocation.limits.descriptors, root),
            files: RunFiles::new(
                &invocation.limits,
                invocation.event.clone(),
                clocks.clone(),
                Random::of_device(invocation.seed, meter),
            ),
            with_files,
            random: Random::new(invocation.seed, meter),
        }
    }
}
