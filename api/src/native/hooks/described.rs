//! Types of the engine and the dispatcher, described for the OpenAPI document.

use utoipa::ToSchema;

/// The limits that a hook asks for; what is left out has its default.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the engine's own type in the OpenAPI document"
)]
pub(crate) struct Limits {
    fuel: Option<u64>,
    memory_bytes: Option<u64>,
    wall_ms: Option<u64>,
    output_bytes: Option<u64>,
    files_bytes: Option<u64>,
    inodes: Option<u32>,
    descriptors: Option<u32>,
}

/// When a failed execution is run again.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the dispatcher's own type in the OpenAPI document"
)]
pub(crate) struct Retry {
    /// Attempts in all, 1 to 20; 1 by default.
    attempts: Option<u32>,
    backoff_ms: Option<u64>,
    backoff_max_ms: Option<u64>,
    /// Which failures are tried again: `exited`, `stopped`, `trapped`.
    #[schema(value_type = Option<Object>)]
    on: Option<()>,
}
