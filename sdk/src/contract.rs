//! The names of files and variables through which a hook and the engine meet.
//!
//! They are those of the crate `tenterhook-contract`, which the engine takes them
//! from as well. What only the engine and its shell share is not part of the SDK.

pub use tenterhook_contract::{
    EVENT_FILE, TEMP_DIR, VERDICT_FILE, VERDICT_MAX_BYTES, WORK_DIR, env, upper_snake,
};
