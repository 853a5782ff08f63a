//! The names and numbers through which a hook and the engine meet.
//!
//! The engine, the shell guest and the SDK take each of them from here, and none
//! repeats one. Changing one is a breaking change for the hooks of every tenant.
//! There is no behaviour here, and there are no dependencies.
#![no_std]

extern crate alloc;

pub mod shell;

use alloc::string::String;

/// The whole event as JSON, read-only, in the hook's file system.
pub const EVENT_FILE: &str = "/event.json";

/// Where a hook may leave its verdict as JSON.
pub const VERDICT_FILE: &str = "/verdict.json";

/// The hook's working folder: empty at the start, removed afterwards.
pub const WORK_DIR: &str = "/work";

/// The hook's folder for temporary files: empty at the start, removed afterwards.
pub const TEMP_DIR: &str = "/tmp";

/// The most bytes that a verdict file may hold; the engine rejects a longer one.
pub const VERDICT_MAX_BYTES: usize = 64 * 1024;

/// The environment variables of every hook.
pub mod env {
    /// The event's type, which is the name of the hook point.
    pub const EVENT: &str = "HOOK_EVENT";
    /// The event's id, unique within its source.
    pub const EVENT_ID: &str = "HOOK_EVENT_ID";
    /// The id of this execution; the same for all its attempts.
    pub const EXECUTION_ID: &str = "HOOK_EXECUTION_ID";
    /// 1 for the first attempt; higher when the execution is run again.
    pub const ATTEMPT: &str = "HOOK_ATTEMPT";
    /// The id of the account that owns the hook.
    pub const ACCOUNT_ID: &str = "HOOK_ACCOUNT_ID";
    /// The number of the server that the hook runs for; absent without one.
    pub const SERVER_ID: &str = "HOOK_SERVER_ID";
    /// The name of the server that the hook runs for; absent without one.
    pub const SERVER_NAME: &str = "HOOK_SERVER_NAME";
    /// The run's bound on fuel, in units; about one per instruction.
    pub const LIMIT_FUEL: &str = "HOOK_LIMIT_FUEL";
    /// The run's bound on memory, in bytes.
    pub const LIMIT_MEMORY: &str = "HOOK_LIMIT_MEMORY_BYTES";
    /// The run's bound on wall-clock time, in milliseconds from its start. It is the host's time:
    /// the run's own clock moves with its work and its sleep.
    pub const LIMIT_WALL: &str = "HOOK_LIMIT_WALL_MS";
    /// The bytes of the run's output that are kept.
    pub const LIMIT_OUTPUT: &str = "HOOK_LIMIT_OUTPUT_BYTES";
    /// The bytes that the run's files may hold.
    pub const LIMIT_FILES: &str = "HOOK_LIMIT_FILES_BYTES";
    /// The minimum level of the log lines that a hook in Rust prints: `trace`, `debug`,
    /// `info` (the default), `warn`, `error` or `off`. Set it on the hook.
    pub const LOG: &str = "HOOK_LOG";
    /// The prefix of the hook point's parameters, in upper snake case.
    pub const PARAM_PREFIX: &str = "HOOK_PARAM_";
    /// The prefix by which croit's own scripts find the same parameters.
    pub const CROIT_PREFIX: &str = "CROIT_";
}

/// Returns a parameter's documented name in upper snake case, as in the name of its
/// variable: both `serverName` and `server-name` become `SERVER_NAME`.
#[must_use]
pub fn upper_snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut lower_before = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && lower_before {
            out.push('_');
        }
        lower_before = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_names_become_upper_snake_case() {
        assert_eq!(upper_snake("serverName"), "SERVER_NAME");
        assert_eq!(upper_snake("new-status"), "NEW_STATUS");
        assert_eq!(upper_snake("old_value2Be"), "OLD_VALUE2_BE");
    }
}
