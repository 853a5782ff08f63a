//! How a dispatcher is set up. Every bound is on; none can be "unlimited".

use std::time::Duration;

use tenterhook_engine::Limits;

use crate::runs::work::Retention;

/// How a dispatcher is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Tasks of one account held in memory; what is beyond waits in the store.
    /// Default: 1,024.
    pub account_loaded: usize,
    /// Programs that are kept ready. Default: 256.
    pub programs: usize,
    /// Limits of a hook that asks for none.
    pub default_limits: Limits,
    /// Most that a hook may ask for.
    pub ceiling: Limits,
    /// Most that one run can be given on this host. Default: [`Limits::ceiling`].
    pub host: Limits,
    /// Largest module or component, in bytes. Default: 32 MiB; at most 128 MiB.
    pub module_bytes: u64,
    /// How long an upload may wait for its program to be compiled, its turn included.
    /// Default: 10 minutes: no client waits longer, and what the account sends next
    /// waits behind it.
    pub upload_wait: Duration,
    /// Executions that one event may cause. Default: 4,096.
    pub executions_per_event: usize,
    /// Executions that one request may cause in all. Default: 16,384, which take the
    /// store a fifth of a second, in parts between which others' commits come.
    pub executions_per_request: usize,
    /// How long finished work is kept.
    pub retention: Retention,
    /// Whether the operator vouches for the wall clock although it has gone ahead of
    /// the time that earlier runs have seen. Default: no; then nothing is removed for
    /// its age by a new time until the clock has kept it for a day.
    pub trust_clock: bool,
}

/// Largest script, in bytes: what Astra documents.
pub const SCRIPT_MAX_BYTES: u64 = 96 * 1024;

/// Most that [`Settings::module_bytes`] can be.
pub const MODULE_MAX_BYTES: u64 = 128 << 20;

/// Largest event, in bytes of JSON.
///
/// Larger contents belong into a place that the event names; this leaves room
/// for an audited request body.
pub const EVENT_MAX_BYTES: usize = 256 * 1024;

impl Settings {
    /// Sets what one run can be given on this host. Defaults above that are lowered:
    /// they were not asked for.
    pub fn fit(&mut self, host: Limits) {
        self.default_limits = self.default_limits.within(&host);
        self.host = host;
    }

    /// Most that a new hook may ask for: what the operator allows, and the host can give.
    #[must_use]
    pub fn ceiling_here(&self) -> Limits {
        self.ceiling.within(&self.host)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account_loaded: 1_024,
            programs: 256,
            default_limits: Limits::default(),
            ceiling: Limits::ceiling(),
            host: Limits::ceiling(),
            module_bytes: 32 << 20,
            upload_wait: Duration::from_secs(10 * 60),
            executions_per_event: 4_096,
            executions_per_request: 16_384,
            retention: Retention::default(),
            trust_clock: false,
        }
    }
}
