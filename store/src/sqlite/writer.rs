//! The one task that writes, and how it groups commits.
//!
//! All requests that wait when a commit ends share the next one, so the cost of
//! making data durable is divided among them. Each has its own savepoint: one
//! that fails does not undo the others. An answer is sent after the commit.

mod commit;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{Error, Inserted, NewTask, NotReady, Queued, RecipeId, Settlement};
use tokio::sync::{mpsc, oneshot};

use super::convert::cannot;
use super::health::Health;
use super::sweep;

/// Most requests that share one commit: enough to divide its cost to nothing,
/// few enough that nobody waits long for it.
const GROUP: usize = 1_024;

/// Most rows that one commit writes, unless one request alone has more: those who come
/// next wait some 40 ms for it at most.
const GROUP_ROWS: usize = 4_096;

/// Bytes of output that count as one row more: what takes as long to write.
const ROW_BYTES: usize = 4 << 10;

/// Sends requests to the task that writes. Cheap to clone.
#[derive(Clone)]
pub(super) struct Writer {
    requests: mpsc::UnboundedSender<Request>,
    health: Arc<Health>,
}

/// How long a readiness check waits: longer than any commit on a disk that works, and
/// shorter than whoever probes.
const PROBE: Duration = Duration::from_secs(2);

/// What the writing task holds.
pub(super) struct Writing {
    /// The only connection that writes.
    pub(super) conn: SqliteConnection,
    /// The last task number given, by account.
    pub(super) last_task: HashMap<i64, i32>,
    /// Recipes that are known to be stored, with their accounts.
    pub(super) recipes: HashSet<(i64, RecipeId)>,
    /// How far the last sweep has come.
    pub(super) swept: sweep::Place,
    health: Arc<Health>,
}

type Boxed<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;
type Job = Box<dyn for<'c> FnOnce(&'c mut Writing) -> Boxed<'c, Done> + Send>;
type Answer<T> = oneshot::Sender<Result<T, Error>>;
type Insert = (Vec<(i64, NewTask)>, Answer<Vec<Inserted>>);
type Settle = (Box<(i64, Settlement)>, Answer<()>);
type Told = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// What a job has come to: an answer that depends on the commit, or a failure.
enum Done {
    Kept(Told),
    Undone(Told, Error),
}

enum Request {
    Insert(Vec<(i64, NewTask)>, Answer<Vec<Inserted>>),
    Settle(Box<(i64, Settlement)>, Answer<()>),
    Job(Job),
    Close(Answer<()>),
}

/// Whether the writing task goes on.
enum Next {
    GoOn,
    Close(Answer<()>),
    /// The connection cannot be used any more.
    Give(String),
}

impl Request {
    /// How many rows it writes, roughly; a long output counts as several.
    fn rows(&self) -> usize {
        match self {
            Self::Insert(tasks, _) => tasks
                .iter()
                .map(|(_, task)| 1 + task.executions.len())
                .sum(),
            Self::Settle(settlement, _) => {
                let attempt = settlement.1.execution.as_ref();
                1 + attempt.map_or(0, |attempt| {
                    let output = &attempt.output;
                    (output.stdout.len() + output.stderr.len()) / ROW_BYTES
                })
            }
            Self::Job(_) | Self::Close(_) => 1,
        }
    }
}

/// How many of the requests that wait go into the next commit, given the rows of each:
/// one at least, and no more than [`GROUP_ROWS`] allows.
fn first_of(rows: impl Iterator<Item = usize>) -> usize {
    let mut all = 0;
    let fit = rows.take_while(|rows| {
        all += rows;
        all <= GROUP_ROWS
    });
    fit.count().max(1)
}

impl Writer {
    /// Starts the task. It ends when it is closed, or when the last `Writer` is dropped.
    pub(super) fn start(conn: SqliteConnection) -> Self {
        let (requests, mut queue) = mpsc::unbounded_channel();
        let health = Arc::new(Health::default());
        let mut writing = Writing {
            conn,
            last_task: HashMap::new(),
            recipes: HashSet::new(),
            swept: sweep::Place::default(),
            health: Arc::clone(&health),
        };
        let task = tokio::spawn(async move {
            let mut group = Vec::with_capacity(GROUP);
            while queue.recv_many(&mut group, GROUP).await > 0 {
                while !group.is_empty() {
                    let first = first_of(group.iter().map(Request::rows));
                    match writing.commit(group.drain(..first)).await {
                        Next::GoOn => {}
                        Next::Close(answer) => {
                            let _gone = answer.send(writing.close().await);
                            return Ok(());
                        }
                        Next::Give(why) => return Err(why),
                    }
                }
            }
            Ok(())
        });
        let watched = Arc::clone(&health);
        tokio::spawn(async move {
            match task.await {
                Ok(Ok(())) => {}
                Ok(Err(why)) => watched.is_gone(why),
                Err(error) => watched.is_gone(error.to_string()),
            }
        });
        Self { requests, health }
    }

    /// Writes something, unless that has just succeeded.
    pub(super) async fn probe(&self) -> Result<(), NotReady> {
        if self.health.why_late() == NotReady::WriterGone {
            return Err(NotReady::WriterGone);
        }
        if self.health.is_fresh() {
            return Ok(());
        }
        if !self.health.begin_probe() {
            let committed = tokio::time::timeout(PROBE, self.health.next_commit());
            return committed.await.map_err(|_| self.health.why_late());
        }
        let probing = Probing(Arc::clone(&self.health));
        let probe = self.run(move |writing| {
            Box::pin(async move {
                let _probing = probing;
                sqlx::query("UPDATE probe SET flip = 1 - flip")
                    .execute(&mut writing.conn)
                    .await
                    .map(|_| ())
                    .map_err(cannot("write to the database"))
            })
        });
        match tokio::time::timeout(PROBE, probe).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.health.why_failed(&error)),
            Err(_) => Err(self.health.why_late()),
        }
    }

    /// Waits until nothing will be written any more, and says why.
    pub(super) async fn gone(&self) -> String {
        self.health.gone().await
    }

    /// Moves everything out of the log into the database, and closes it.
    pub(super) async fn close(&self) -> Result<(), Error> {
        let (answer, told) = oneshot::channel();
        self.send(Request::Close(answer), told).await
    }

    /// Writes new tasks, all or none.
    pub(super) async fn insert(&self, tasks: Vec<(i64, NewTask)>) -> Result<Vec<Inserted>, Error> {
        let (answer, told) = oneshot::channel();
        self.send(Request::Insert(tasks, answer), told).await
    }

    /// Writes what became of an attempt; queued when the call returns.
    pub(super) fn settle(&self, account: i64, settlement: Settlement) -> Queued<()> {
        let (answer, told) = oneshot::channel();
        Box::pin(self.send(
            Request::Settle(Box::new((account, settlement)), answer),
            told,
        ))
    }

    /// Runs any other change.
    pub(super) async fn run<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Writing) -> Boxed<'c, Result<T, Error>> + Send + 'static,
    {
        let (answer, told) = oneshot::channel();
        let job: Job = Box::new(move |writing| {
            Box::pin(async move {
                match job(writing).await {
                    Ok(value) => Done::Kept(Box::new(move |kept| {
                        let _gone = answer.send(kept.map(|()| value));
                    })),
                    Err(error) => {
                        let told = Box::new(move |undone: Result<(), Error>| {
                            let _gone = answer.send(
                                undone.map(|()| unreachable!("a job that failed is not kept")),
                            );
                        });
                        Done::Undone(told, error)
                    }
                }
            })
        });
        self.send(Request::Job(job), told).await
    }

    /// Queues a request at once; the future that it returns waits for the answer.
    fn send<T: Send + 'static>(
        &self,
        request: Request,
        told: oneshot::Receiver<Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Error>> + Send + 'static {
        let sent = self.requests.send(request).is_ok();
        async move {
            match told.await {
                Ok(answer) if sent => answer,
                _ => Err(Error::store(
                    "write to the database",
                    "its writer has ended",
                )),
            }
        }
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
