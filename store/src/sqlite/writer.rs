//! The one task that writes, and how it groups commits.
//!
//! Requests that wait when a commit ends share the next one, so the cost of
//! making data durable is divided among them. Each has its own savepoint: one
//! that fails does not undo the others. An answer is sent after the commit.
//! Accounts take turns, so that none waits for all that another has to write.

mod commit;
mod queue;
mod turns;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{
    Error, Inserted, NewTask, NotReady, Queued, RecipeId, Settlement, State,
};
use tokio::sync::oneshot;

use self::queue::{Closed, Receiver, Sender, queue};
use self::turns::Of;
use super::damaged::Damaged;
use super::health::{self, Health};
use super::reserve::Reserve;
use super::sweep;
use super::trial::{self, End};

/// Bytes of an output or a program that count as one row more: what takes as long to
/// write.
const ROW_BYTES: usize = 4 << 10;

/// Sends requests to the task that writes. Cheap to clone.
#[derive(Clone)]
pub(super) struct Writer {
    requests: Arc<Sender<Request>>,
    health: Arc<Health>,
}

/// How long a readiness check waits: longer than any commit on a disk that works, and
/// shorter than any prober does.
pub(super) const PROBE: Duration = Duration::from_secs(2);

/// Changes the one row of its table whatever that holds, and makes it if it is gone.
const PROBE_WRITE: &str = "INSERT INTO probe (id, flip) VALUES (1, 0) \
    ON CONFLICT (id) DO UPDATE SET flip = CASE flip WHEN 0 THEN 1 ELSE 0 END";

/// What the writing task holds.
pub(super) struct Writing {
    /// The only connection that writes.
    pub(super) conn: SqliteConnection,
    /// The last task number given, by account.
    pub(super) last_task: HashMap<i64, i32>,
    /// Recipes that are known to be stored, with their accounts.
    pub(super) recipes: HashSet<(i64, RecipeId)>,
    /// How far the last sweep has come.
    pub(super) swept: sweep::Progress,
    reserve: Reserve,
    /// Rows that could not be read.
    pub(super) damaged: Damaged,
    health: Arc<Health>,
}

type Boxed<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;
/// Something to write; or why it is not, which its answer is then.
type Job = Box<dyn for<'c> FnOnce(Result<&'c mut Writing, Error>) -> Boxed<'c, Done> + Send>;
type Answer<T> = oneshot::Sender<Result<T, Error>>;
type Insert = (Vec<(i64, NewTask)>, Answer<Vec<Inserted>>);
type Record = (Box<(i64, Settlement)>, Answer<()>);
type Reply = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// What a job has come to: an answer that depends on the commit, or a failure.
enum Done {
    Kept(Reply),
    Undone(Reply, Error),
}

enum Request {
    Insert(Vec<(i64, NewTask)>, Answer<Vec<Inserted>>),
    Record(Box<(i64, Settlement)>, Answer<()>),
    Job(Purpose, Job),
    Close(Answer<()>),
}

/// What something is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To free some of the disk, or to take away an authority: there is a reserve for it.
    ToFree,
    /// Anything else.
    Any,
}

impl Request {
    fn purpose(&self) -> Purpose {
        match self {
            Self::Job(purpose, _) => *purpose,
            Self::Record(settlement, _) if is_short_cancel(&settlement.1) => Purpose::ToFree,
            Self::Insert(..) | Self::Record(..) | Self::Close(_) => Purpose::Any,
        }
    }
}

/// Whether an outcome is little more than a cancelled run.
fn is_short_cancel(settlement: &Settlement) -> bool {
    let attempt = settlement.execution.as_ref();
    attempt.is_some_and(|attempt| {
        let output = &attempt.record.output;
        attempt.state == State::Canceled && output.stdout.len() + output.stderr.len() <= ROW_BYTES
    })
}

/// Whether the writing task goes on.
enum Next {
    GoOn,
    Close(Answer<()>),
    /// The connection cannot be used any more.
    Give(String),
}

impl Writer {
    /// Starts the task. It ends when it is closed, or when the last `Writer` is dropped.
    pub(super) fn start(conn: SqliteConnection, reserve: Reserve, damaged: Damaged) -> Self {
        let (requests, queue) = queue();
        let health = Arc::new(Health::default());
        let writing = Writing {
            conn,
            last_task: HashMap::new(),
            recipes: HashSet::new(),
            swept: sweep::Progress::default(),
            reserve,
            damaged,
            health: Arc::clone(&health),
        };
        let task = tokio::spawn(writing.keep_writing(queue));
        let watched = Arc::clone(&health);
        tokio::spawn(async move {
            match task.await {
                Ok(Ok(())) => {}
                Ok(Err(why)) => watched.is_gone(why),
                Err(error) => watched.is_gone(error.to_string()),
            }
        });
        Self {
            requests: Arc::new(requests),
            health,
        }
    }

    /// Writes something, unless that has just succeeded, and every ten seconds all that an
    /// event does.
    pub(super) async fn probe(&self) -> Result<(), NotReady> {
        if self.health.why_late() == NotReady::WriterGone {
            return Err(NotReady::WriterGone);
        }
        if self.health.is_fresh() && !self.health.is_full() && !self.health.is_trial_due() {
            return Ok(());
        }
        if !self.health.begin_probe() {
            let committed = tokio::time::timeout(PROBE, self.health.next_commit());
            return committed.await.map_err(|_| self.health.why_late());
        }
        // It lasts until it is written, even if no caller waits for that any more.
        let probing = Arc::new(Probing(Arc::clone(&self.health)));
        let writes = Arc::clone(&probing);
        let probe = self.run(|writing| {
            Box::pin(async move {
                let _writes = writes;
                writing.execute(PROBE_WRITE).await
            })
        });
        let probed = match tokio::time::timeout(PROBE, probe).await {
            Ok(probed) => probed,
            Err(_) => return Err(self.health.why_late()),
        };
        let of_own_page = match &probed {
            Ok(()) => false,
            // That page is the probe's alone.
            Err(error) => health::reason(error) == Some(NotReady::Damaged),
        };
        if of_own_page || (probed.is_ok() && self.health.is_trial_due()) {
            return self.try_events().await;
        }
        probed.map_err(|error| self.health.why_failed(&error))
    }

    /// Tries all that an event does. That it takes long shows nothing.
    async fn try_events(&self) -> Result<(), NotReady> {
        let tries = async {
            match self.try_event(End::First).await {
                Err(_) => self.try_event(End::Last).await,
                first => first,
            }
        };
        let Ok(tried) = tokio::time::timeout(PROBE, tries).await else {
            return Ok(());
        };
        self.health.tried(tried.is_ok());
        tried.map_err(|error| self.health.why_failed(&error))
    }

    async fn try_event(&self, end: End) -> Result<(), Error> {
        let tried = self.run(move |writing| Box::pin(trial::write(writing, end)));
        match tried.await {
            // It is about the rows that were chosen for it, and others are as they should be.
            Err(error) if health::reason(&error).is_none() => Ok(()),
            tried => tried,
        }
    }

    /// Waits until nothing will be written any more, and returns the reason.
    pub(super) async fn gone(&self) -> String {
        self.health.gone().await
    }

    /// Moves everything out of the log into the database, and closes it, after all that
    /// waits is written.
    pub(super) async fn close(&self) -> Result<(), Error> {
        let (answer, reply) = oneshot::channel();
        let sent = self.requests.push_last(Request::Close(answer));
        answered(sent, reply).await
    }

    /// Writes new tasks of an account, all or none, once there is a place for them.
    pub(super) async fn insert(
        &self,
        account: i64,
        tasks: Vec<(i64, NewTask)>,
    ) -> Result<Vec<Inserted>, Error> {
        let (answer, reply) = oneshot::channel();
        let rows = tasks.iter().map(|(_, task)| rows_of_task(task)).sum();
        let request = Request::Insert(tasks, answer);
        let sent = self.requests.push_in_turn(account, rows, request).await;
        answered(sent, reply).await
    }

    /// Writes the outcome of an attempt; queued when the call returns.
    pub(super) fn record_result(&self, account: i64, settlement: Settlement) -> Queued<()> {
        let (answer, reply) = oneshot::channel();
        let rows = rows_of_outcome(&settlement);
        let request = Request::Record(Box::new((account, settlement)), answer);
        let sent = self.requests.push(Of::Outcome(account), rows, request);
        Box::pin(answered(sent, reply))
    }

    /// Runs any other change, of the server itself.
    pub(super) async fn run<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Writing) -> Boxed<'c, Result<T, Error>> + Send + 'static,
    {
        self.run_server(Purpose::Any, job).await
    }

    /// The same for a change that frees some of the disk.
    pub(super) async fn run_to_free<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Writing) -> Boxed<'c, Result<T, Error>> + Send + 'static,
    {
        self.run_server(Purpose::ToFree, job).await
    }

    pub(super) async fn run_server<T, F>(&self, purpose: Purpose, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Writing) -> Boxed<'c, Result<T, Error>> + Send + 'static,
    {
        let (request, reply) = as_request(purpose, job);
        let sent = self.requests.push(Of::Server, 1, request);
        answered(sent, reply).await
    }

    /// Runs any other change, of an account, once there is a place for it. It writes
    /// about so many bytes.
    pub(super) async fn run_for<T, F>(
        &self,
        purpose: Purpose,
        account: i64,
        bytes: usize,
        job: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Writing) -> Boxed<'c, Result<T, Error>> + Send + 'static,
    {
        let (request, reply) = as_request(purpose, job);
        let rows = 1 + bytes / ROW_BYTES;
        let sent = self.requests.push_in_turn(account, rows, request).await;
        answered(sent, reply).await
    }
}

impl Writing {
    /// Carries out requests until no more can come. `Err` is the reason why it cannot continue.
    async fn keep_writing(mut self, mut queue: Receiver<Request>) -> Result<(), String> {
        loop {
            let group = queue.next_group().await;
            if group.is_empty() {
                return Ok(());
            }
            match self.commit(group).await {
                Next::GoOn => {}
                Next::Close(answer) => {
                    let _gone = answer.send(self.close().await);
                    return Ok(());
                }
                Next::Give(why) => return Err(why),
            }
        }
    }
}

/// How many rows a task writes, roughly.
fn rows_of_task(task: &NewTask) -> usize {
    let event = task.event.as_ref().map_or(0, |event| event.json.len());
    let program = task.program.as_ref().map_or(0, bytes::Bytes::len);
    1 + task.executions.len() + (event + program) / ROW_BYTES
}

/// How many rows an outcome writes, roughly.
fn rows_of_outcome(settlement: &Settlement) -> usize {
    let attempt = settlement.execution.as_ref();
    1 + attempt.map_or(0, |attempt| {
        let output = &attempt.record.output;
        (output.stdout.len() + output.stderr.len()) / ROW_BYTES
    })
}

fn as_request<T, F>(purpose: Purpose, job: F) -> (Request, oneshot::Receiver<Result<T, Error>>)
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Writing) -> Boxed<'c, Result<T, Error>> + Send + 'static,
{
    let (answer, reply) = oneshot::channel();
    let job: Job = Box::new(move |writing| {
        Box::pin(async move {
            let done = match writing {
                Ok(writing) => job(writing).await,
                Err(refused) => Err(refused),
            };
            match done {
                Ok(value) => Done::Kept(Box::new(move |kept| {
                    let _gone = answer.send(kept.map(|()| value));
                })),
                Err(error) => {
                    let reply = Box::new(move |undone: Result<(), Error>| {
                        let _gone = answer
                            .send(undone.map(|()| unreachable!("a job that failed is not kept")));
                    });
                    Done::Undone(reply, error)
                }
            }
        })
    });
    (Request::Job(purpose, job), reply)
}

/// Waits for the answer to a request that was queued.
async fn answered<T>(
    sent: Result<(), Closed>,
    reply: oneshot::Receiver<Result<T, Error>>,
) -> Result<T, Error> {
    match reply.await {
        Ok(answer) if sent.is_ok() => answer,
        _ => Err(Error::store(
            "write to the database",
            "its writer has ended",
        )),
    }
}

/// A probe that is on its way until this is dropped.
struct Probing(Arc<Health>);

impl Drop for Probing {
    fn drop(&mut self) {
        self.0.end_probe();
    }
}

#[cfg(test)]
mod tests;
