//! The loop that drives one session: poll it, do what it needs, store, poll again.
//!
//! Whatever it has done is stored before the next thing is begun. Where our own side
//! fails it backs off and tries again; a session never fails for that.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_dispatch::{Backoff, Jump, JumpWatch};
use tenterhook_session::{Done, Job, Work};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::job::{Activity, Halt};
use crate::live::{Driver, LiveSession};
use crate::maintenance::MaintenanceInner;

/// How often the inventory is polled while a session waits.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// First wait after a failure on our side before the session is polled again.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// Longest such wait: a session notices this late that what failed works again.
const RETRY_MOST: Duration = Duration::from_secs(30);

/// Starts to drive a session.
pub(crate) fn start(inner: &Arc<MaintenanceInner>, live: &Arc<LiveSession>) -> Driver {
    let stop = inner.stopping.child_token();
    let drive = drive(Arc::clone(inner), Arc::clone(live), stop.clone());
    Driver {
        ended: inner.work.spawn(drive),
        stop,
    }
}

async fn drive(inner: Arc<MaintenanceInner>, live: Arc<LiveSession>, stop: CancellationToken) {
    let mut finished = None;
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_MOST);
    let mut clock = ClockWatch {
        jumps: JumpWatch::start(inner.timepiece.now()),
        unapplied: time::Duration::ZERO,
    };
    while !stop.is_cancelled() {
        let job = match poll(&inner, &live, &mut clock, finished.clone()).await {
            Ok(job) => job,
            Err(Error::NoSession(_)) => return,
            Err(error) => {
                log_failure(&live, &error);
                rest(backoff.next_wait(), &stop).await;
                continue;
            }
        };
        finished = None;
        match job.work {
            Work::Rest => sleep(&inner, &live, &stop, None).await,
            Work::Wait { until } => sleep(&inner, &live, &stop, Some(until)).await,
            work => {
                let activity = Activity {
                    inner: &inner,
                    live: &live,
                    key: &job.key,
                    stop: &stop,
                };
                match activity.perform(work).await {
                    Ok(done) => finished = Some((job.key, done)),
                    Err(Halt::Stopped) => return,
                    Err(Halt::Failed(error)) => {
                        log_failure(&live, &error);
                        rest(backoff.next_wait(), &stop).await;
                        continue;
                    }
                }
            }
        }
        backoff.reset();
    }
}

/// Detects that the wall clock was set.
struct ClockWatch {
    jumps: JumpWatch,
    /// By how much it was set and the session's waits were not shifted yet.
    unapplied: time::Duration,
}

/// Records in the session what came of its last job, and asks for the next one.
async fn poll(
    inner: &MaintenanceInner,
    live: &LiveSession,
    clock: &mut ClockWatch,
    finished: Option<(String, Done)>,
) -> Result<Job, Error> {
    let workflow = live.read(|session| session.plan().workflow.clone()).await;
    let inventory = inner.inventory(live.account, &workflow).await?;
    let moment = inner.timepiece.now();
    if let Some(Jump { by }) = clock.jumps.look(moment) {
        clock.unapplied = clock.unapplied.saturating_add(by);
    }
    let (now, by) = (moment.wall, clock.unapplied);
    let timeouts = &inner.settings.timeouts;
    let job = live
        .change(&*inner.store, |session| {
            session.shift(by);
            if let Some((key, done)) = finished {
                session.finish(&key, done, now);
            }
            Ok(session.advance(&inventory, timeouts, now))
        })
        .await?;
    clock.unapplied = time::Duration::ZERO;
    Ok(job)
}

/// Sleeps until the session is changed; if it waits for something, at most until it is
/// time to poll again.
async fn sleep(
    inner: &MaintenanceInner,
    live: &LiveSession,
    stop: &CancellationToken,
    until: Option<Option<OffsetDateTime>>,
) {
    let now = inner.timepiece.now();
    let timeout =
        until.map(|until| until.map_or(POLL_INTERVAL, |until| now.until(until, POLL_INTERVAL)));
    let timer = async {
        match timeout {
            // By what passes, whatever the wall shows meanwhile.
            Some(timeout) => inner.timepiece.sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = live.changed.notified() => {}
        () = timer => {}
    }
}

/// Waits after a failure on our side, or until `stop` is cancelled.
async fn rest(wait: Duration, stop: &CancellationToken) {
    let _stopped = tokio::time::timeout(wait, stop.cancelled()).await;
}

fn log_failure(live: &LiveSession, error: &Error) {
    tracing::error!(
        session.id = %live.id,
        error = error as &dyn std::error::Error,
        "cannot continue a maintenance session; retrying"
    );
}
