//! What every handler is given: the dispatcher, the counters and the choices.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_dispatch::{AccountId, Dispatcher};
use tenterhook_ledger::Guard;
use tenterhook_maintenance::Maintenance;
use tokio_util::sync::CancellationToken;

use crate::door::Door;
use crate::failures::{FailureLimits, Failures};
use crate::listen::turns::Turns;
use crate::metrics::Metrics;
use crate::probes::Probes;
use crate::proxies::Proxies;
use crate::refusal::Refusal;
use crate::uploads;
use crate::uploads::pending::Pending;

/// What every handler is given. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
    door: Door,
    proxies: Proxies,
    failures: Arc<Failures>,
    croit_times: CroitTimes,
    nova: NovaRules,
}

struct Inner {
    dispatcher: Dispatcher,
    maintenance: Maintenance,
    metrics: Metrics,
    turns: Turns,
    session: Duration,
    longest_wait: Duration,
    pending_uploads: Pending,
    probes: Probes,
    stopping: CancellationToken,
}

/// How the croit face says when a task started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CroitTimes {
    /// An integer, milliseconds since 1970, as older croit versions do.
    #[default]
    EpochMillis,
    /// Text such as `2026-03-10T16:15:50Z`, as newer croit versions do.
    Iso8601,
}

/// How the Nova face answers when it could accept none of a request's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NovaRules {
    /// 404 `itemNotFound`, as Nova did before 2019-12.
    #[default]
    Seed,
    /// 207 with what became of each, as Nova does since.
    Modern,
}

/// How long a login lasts: a working day with room for a night shift.
const SESSION: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest `?wait=`. Above it, connections would be kept open by nothing but
/// hope; a longer task is asked for again.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

impl App {
    /// Serves hooks and sessions, with every default.
    #[must_use]
    pub fn new(dispatcher: Dispatcher, maintenance: Maintenance) -> Self {
        Self {
            croit_times: CroitTimes::default(),
            nova: NovaRules::default(),
            door: Door::default(),
            proxies: Proxies::default(),
            failures: Arc::new(Failures::new(FailureLimits::default())),
            inner: Arc::new(Inner {
                dispatcher,
                maintenance,
                metrics: Metrics::default(),
                turns: Turns::default(),
                session: SESSION,
                longest_wait: LONGEST_WAIT,
                pending_uploads: Pending::default(),
                probes: Probes::default(),
                stopping: CancellationToken::new(),
            }),
        }
    }

    /// The same, with another door.
    #[must_use]
    pub fn with_door(self, door: Door) -> Self {
        Self { door, ..self }
    }

    /// The same, behind these proxies.
    #[must_use]
    pub fn with_proxies(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// The same, with times as the croit clients at hand expect them.
    #[must_use]
    pub fn with_croit_times(self, croit_times: CroitTimes) -> Self {
        Self {
            croit_times,
            ..self
        }
    }

    /// The same, answering as the Nova clients at hand expect it.
    #[must_use]
    pub fn with_nova_rules(self, nova: NovaRules) -> Self {
        Self { nova, ..self }
    }

    /// The same, with other bounds on logins and tokens that are wrong.
    #[must_use]
    pub fn with_failure_limits(self, limits: FailureLimits) -> Self {
        let failures = Arc::new(Failures::new(limits));
        Self { failures, ..self }
    }

    /// What is remembered of logins and tokens that were wrong.
    pub(crate) fn failures(&self) -> &Failures {
        &self.failures
    }

    pub(crate) fn door(&self) -> Door {
        self.door
    }

    pub(crate) fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// What probes are told, looked into once for all who ask at one time.
    pub(crate) fn probes(&self) -> &Probes {
        &self.inner.probes
    }

    pub(crate) fn dispatcher(&self) -> &Dispatcher {
        &self.inner.dispatcher
    }

    pub(crate) fn maintenance(&self) -> &Maintenance {
        &self.inner.maintenance
    }

    pub(crate) fn nova_rules(&self) -> NovaRules {
        self.nova
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// The turns in which all connections are served.
    pub(crate) fn turns(&self) -> &Turns {
        &self.inner.turns
    }

    pub(crate) fn croit_times(&self) -> CroitTimes {
        self.croit_times
    }

    pub(crate) fn session(&self) -> Duration {
        self.inner.session
    }

    pub(crate) fn longest_wait(&self) -> Duration {
        self.inner.longest_wait
    }

    /// Cancelled once the listener is closed: what never ends by itself ends then.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.inner.stopping
    }

    /// Waits for one of the account's places for uploads.
    pub(crate) async fn upload_place(&self, account: AccountId) -> Result<Guard, Refusal> {
        let ledger = self.dispatcher().ledger();
        Ok(uploads::place(ledger, account.holder()).await?)
    }

    /// The uploads that went on after their requests were answered.
    pub(crate) fn pending_uploads(&self) -> &Pending {
        &self.inner.pending_uploads
    }
}
