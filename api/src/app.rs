//! The state that every handler is given: the dispatcher, the counters and the settings.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_dispatch::{AccountId, Dispatcher};
use tenterhook_ledger::Guard;
use tenterhook_maintenance::Maintenance;
use tokio_util::sync::CancellationToken;

use crate::cors::CorsOrigins;
use crate::door::Door;
use crate::failures::{FailureLimits, Failures};
use crate::listen::turns::Turns;
use crate::metrics::Metrics;
use crate::probes::Probes;
use crate::proxies::Proxies;
use crate::refusal::Refusal;
use crate::uploads;
use crate::uploads::pending::Pending;

/// The state that every handler is given. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<AppState>,
    door: Door,
    proxies: Proxies,
    cors: CorsOrigins,
    failures: Arc<Failures>,
    croit_times: CroitTimes,
    nova: NovaRules,
}

struct AppState {
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

/// How the croit API prints when a task started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CroitTimes {
    /// An integer, milliseconds since 1970, as older croit versions do.
    #[default]
    EpochMillis,
    /// Text such as `2026-03-10T16:15:50Z`, as newer croit versions do.
    Iso8601,
}

/// How the Nova API replies when it can accept none of a request's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NovaRules {
    /// 404 `itemNotFound`, as Nova did before 2019-12.
    #[default]
    Seed,
    /// 207 with the outcome of each, as Nova has done since.
    Modern,
}

/// How long a login lasts: a working day with room for a night shift.
const SESSION: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest `?wait=`. A client polls for a longer task rather than keep its connection
/// open.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

impl App {
    /// Creates the state with every default.
    #[must_use]
    pub fn new(dispatcher: Dispatcher, maintenance: Maintenance) -> Self {
        Self {
            croit_times: CroitTimes::default(),
            nova: NovaRules::default(),
            door: Door::default(),
            proxies: Proxies::default(),
            cors: CorsOrigins::default(),
            failures: Arc::new(Failures::new(FailureLimits::default())),
            inner: Arc::new(AppState {
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

    /// The same, with other bounds on slow clients.
    #[must_use]
    pub fn with_door(self, door: Door) -> Self {
        Self { door, ..self }
    }

    /// The same, behind these proxies.
    #[must_use]
    pub fn with_proxies(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// The same, with replies that pages of these origins may read.
    #[must_use]
    pub fn with_cors_origins(self, cors: CorsOrigins) -> Self {
        Self { cors, ..self }
    }

    /// The same, with times in the form that the croit clients expect.
    #[must_use]
    pub fn with_croit_times(self, croit_times: CroitTimes) -> Self {
        Self {
            croit_times,
            ..self
        }
    }

    /// The same, with the replies that the Nova clients expect.
    #[must_use]
    pub fn with_nova_rules(self, nova: NovaRules) -> Self {
        Self { nova, ..self }
    }

    /// The same, with other bounds on failed logins and tokens.
    #[must_use]
    pub fn with_failure_limits(self, limits: FailureLimits) -> Self {
        let failures = Arc::new(Failures::new(limits));
        Self { failures, ..self }
    }

    /// The failed logins and tokens.
    pub(crate) fn failures(&self) -> &Failures {
        &self.failures
    }

    pub(crate) fn door(&self) -> Door {
        self.door
    }

    pub(crate) fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    pub(crate) fn cors(&self) -> &CorsOrigins {
        &self.cors
    }

    /// Results that concurrent probes share.
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

    /// The turns that all connections take.
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

    /// Cancelled once the listener is closed, to end what never ends by itself.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.inner.stopping
    }

    /// Waits for one of the account's upload slots.
    pub(crate) async fn upload_slot(&self, account: AccountId) -> Result<Guard, Refusal> {
        let ledger = self.dispatcher().ledger();
        Ok(uploads::slot(ledger, account.holder()).await?)
    }

    /// The uploads that continue after their requests were answered.
    pub(crate) fn pending_uploads(&self) -> &Pending {
        &self.inner.pending_uploads
    }
}
