//! The loop that drives one session: look, do what it needs, store, look again.
//!
//! Whatever it has done is stored before the next thing is begun. Where our own side
//! fails it rests and tries again; a session never fails for that.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_workflow::{Done, Job, Work};
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
    while !stop.is_cancelled() {
        let job = match look(&inner, &held, finished.clone()).await {
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
            Work::Rest => sleep(&held, &stop, None).await,
            Work::Wait { until } => sleep(&held, &stop, Some(until)).await,
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

/// Tells the session what came of its last job, and asks for the next one.
async fn look(inner: &Inner, held: &Held, finished: Option<(String, Done)>) -> Result<Job, Error> {
    let workflow = held.read(|session| session.plan().workflow.clone()).await;
    let inventory = inner.inventory(held.account, &workflow).await?;
    let now = OffsetDateTime::now_utc();
    let patience = &inner.settings.patience;
    held.change(&*inner.store, |session| {
        if let Some((key, done)) = finished {
            session.finish(&key, done, now);
        }
        Ok(session.advance(&inventory, patience, now))
    })
    .await
}

/// Sleeps until somebody changes the session; if it waits for something, no longer
/// than until it is time to look again.
async fn sleep(held: &Held, stop: &CancellationToken, waits: Option<Option<OffsetDateTime>>) {
    let lasting = waits.map(|until| {
        let left = until.map(|until| until - OffsetDateTime::now_utc());
        left.map_or(LOOK, |left| {
            Duration::try_from(left).map_or(Duration::ZERO, |left| left.min(LOOK))
        })
    });
    let timer = async {
        match lasting {
            Some(lasting) => tokio::time::sleep(lasting).await,
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
