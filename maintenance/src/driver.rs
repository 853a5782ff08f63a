//! The loop that drives one session: look, do what it needs, store, look again.
//!
//! Whatever it has done is stored before the next thing is begun. Where our own side
//! fails it rests and tries again; a session never fails for that.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_dispatch::{Jump, JumpWatch};
use tenterhook_session::{Done, Job, Work};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::held::{Driver, Held};
use crate::job::{Doing, Halt};
use crate::maintenance::Inner;
use crate::pause::Pause;

/// How often the inventory is looked at while a session waits.
const LOOK: Duration = Duration::from_secs(1);

/// Starts to drive a session.
pub(crate) fn start(inner: &Arc<Inner>, held: &Arc<Held>) -> Driver {
    let stop = inner.stopping.child_token();
    let driving = drive(Arc::clone(inner), Arc::clone(held), stop.clone());
    Driver {
        ended: inner.work.spawn(driving),
        stop,
    }
}

async fn drive(inner: Arc<Inner>, held: Arc<Held>, stop: CancellationToken) {
    let mut finished = None;
    let mut pause = Pause::new();
    let mut clock = Watch {
        jumps: JumpWatch::start(inner.timepiece.now()),
        owed: time::Duration::ZERO,
    };
    while !stop.is_cancelled() {
        let job = match look(&inner, &held, &mut clock, finished.clone()).await {
            Ok(job) => job,
            Err(Error::NoSession(_)) => return,
            Err(error) => {
                say(&held, &error);
                pause.rest(&stop).await;
                continue;
            }
        };
        finished = None;
        match job.work {
            Work::Rest => sleep(&inner, &held, &stop, None).await,
            Work::Wait { until } => sleep(&inner, &held, &stop, Some(until)).await,
            work => {
                let doing = Doing {
                    inner: &inner,
                    held: &held,
                    key: &job.key,
                    stop: &stop,
                };
                match doing.carry_out(work).await {
                    Ok(done) => finished = Some((job.key, done)),
                    Err(Halt::Stopped) => return,
                    Err(Halt::Failed(error)) => {
                        say(&held, &error);
                        pause.rest(&stop).await;
                        continue;
                    }
                }
            }
        }
        pause.end();
    }
}

/// Notices when somebody sets the wall clock.
struct Watch {
    jumps: JumpWatch,
    /// By how much it was set and the session's waits were not yet.
    owed: time::Duration,
}

/// Tells the session what came of its last job, and asks for the next one.
async fn look(
    inner: &Inner,
    held: &Held,
    clock: &mut Watch,
    finished: Option<(String, Done)>,
) -> Result<Job, Error> {
    let workflow = held.read(|session| session.plan().workflow.clone()).await;
    let inventory = inner.inventory(held.account, &workflow).await?;
    let moment = inner.timepiece.now();
    if let Some(Jump { by }) = clock.jumps.look(moment) {
        clock.owed = clock.owed.saturating_add(by);
    }
    let (now, by) = (moment.wall, clock.owed);
    let patience = &inner.settings.patience;
    let job = held
        .change(&*inner.store, |session| {
            session.shift(by);
            if let Some((key, done)) = finished {
                session.finish(&key, done, now);
            }
            Ok(session.advance(&inventory, patience, now))
        })
        .await?;
    clock.owed = time::Duration::ZERO;
    Ok(job)
}

/// Sleeps until somebody changes the session; if it waits for something, no longer
/// than until it is time to look again.
async fn sleep(
    inner: &Inner,
    held: &Held,
    stop: &CancellationToken,
    waits: Option<Option<OffsetDateTime>>,
) {
    let now = inner.timepiece.now();
    let lasting = waits.map(|until| until.map_or(LOOK, |until| now.until(until, LOOK)));
    let timer = async {
        match lasting {
            // By what passes, whatever the wall shows meanwhile.
            Some(lasting) => inner.timepiece.sleep(lasting).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = held.changed.notified() => {}
        () = timer => {}
    }
}

fn say(held: &Held, error: &Error) {
    tracing::error!(
        session.id = %held.id,
        error = error as &dyn std::error::Error,
        "cannot go on with a maintenance session; trying again"
    );
}
