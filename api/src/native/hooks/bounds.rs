//! The limits of a hook, and when it is run again.

use tenterhook_dispatch::{RetryOn, RetryPolicy};
use tenterhook_engine::AskedLimits;
use tenterhook_wire as wire;

pub(super) fn show_limits(own: AskedLimits) -> wire::Limits {
    wire::Limits {
        fuel: own.fuel,
        memory_bytes: own.memory_bytes,
        wall_ms: own.wall_ms,
        output_bytes: own.output_bytes,
        files_bytes: own.files_bytes,
        inodes: own.inodes,
        descriptors: own.descriptors,
    }
}

pub(super) fn read_limits(given: wire::Limits) -> AskedLimits {
    AskedLimits {
        fuel: given.fuel,
        memory_bytes: given.memory_bytes,
        wall_ms: given.wall_ms,
        output_bytes: given.output_bytes,
        files_bytes: given.files_bytes,
        inodes: given.inodes,
        descriptors: given.descriptors,
    }
}

pub(super) fn show_retry(own: &RetryPolicy) -> wire::Retry {
    wire::Retry {
        attempts: Some(own.attempts),
        backoff_ms: Some(own.backoff_ms),
        backoff_max_ms: Some(own.backoff_max_ms),
        on: Some(wire::RetryOn {
            exited: Some(own.on.exited),
            stopped: Some(own.on.stopped),
            trapped: Some(own.on.trapped),
        }),
    }
}

/// Reads a policy; what is left out has its default.
pub(super) fn read_retry(given: wire::Retry) -> RetryPolicy {
    let default = RetryPolicy::default();
    let on = given.on.unwrap_or_default();
    RetryPolicy {
        attempts: given.attempts.unwrap_or(default.attempts),
        backoff_ms: given.backoff_ms.unwrap_or(default.backoff_ms),
        backoff_max_ms: given.backoff_max_ms.unwrap_or(default.backoff_max_ms),
        on: RetryOn {
            exited: on.exited.unwrap_or(default.on.exited),
            stopped: on.stopped.unwrap_or(default.on.stopped),
            trapped: on.trapped.unwrap_or(default.on.trapped),
        },
    }
}
