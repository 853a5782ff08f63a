//! The stack that a guest may use: one flag for `run`, `test`, `check` and `serve`.

use clap::Args;
use tenterhook_engine::GuestStack;

use crate::faults::Faults;
use crate::quantity::{parse_size, show_size};

/// The flag, as typed.
#[derive(Debug, Default, Args)]
pub(crate) struct StackLimitFlag {
    /// Stack that a hook may use; deeper recursion is a trap. From 64KiB to 8MiB
    /// [default: 512KiB].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_STACK")]
    stack: Option<String>,
}

impl StackLimitFlag {
    /// Returns the stack, or records what is wrong with the flag.
    pub(crate) fn read(&self, faults: &mut Faults) -> Option<GuestStack> {
        match &self.stack {
            Some(text) => faults.check("--stack", parse(text)),
            None => Some(GuestStack::default()),
        }
    }
}

fn parse(text: &str) -> Result<GuestStack, String> {
    let size = parse_size(text).map_err(|error| error.to_string())?;
    GuestStack::new(size).ok_or_else(|| {
        format!(
            "must be from {} to {}, not {text}",
            show_size(GuestStack::LEAST.bytes()),
            show_size(GuestStack::MOST.bytes())
        )
    })
}
