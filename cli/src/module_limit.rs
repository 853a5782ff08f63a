//! The largest module that is accepted: one flag for `build`, `check` and `serve`.

use clap::Args;
use tenterhook_dispatch::{MODULE_MAX_BYTES, Settings};

use crate::faults::Faults;
use crate::quantity::{parse_size, show_size};

/// The flag, as typed.
#[derive(Debug, Default, Args)]
pub(crate) struct ModuleLimitFlag {
    /// Largest module or component that is accepted [default: 32MiB].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_MAX_MODULE")]
    max_module: Option<String>,
}

impl ModuleLimitFlag {
    /// Returns the limit in bytes, or records what is wrong with the flag.
    pub(crate) fn read(&self, faults: &mut Faults) -> Option<u64> {
        match &self.max_module {
            Some(text) => faults.check("--max-module", parse(text)),
            None => Some(Settings::default().module_bytes),
        }
    }
}

fn parse(text: &str) -> Result<u64, String> {
    let size = parse_size(text).map_err(|error| error.to_string())?;
    if size == 0 || size > MODULE_MAX_BYTES {
        return Err(format!(
            "must be from 1 byte to {}, not {text}",
            show_size(MODULE_MAX_BYTES)
        ));
    }
    Ok(size)
}
