//! The one task that writes, and how it groups commits.
//!
//! All requests that wait when a commit ends share the next one, so the cost of
//! making data durable is divided among them. Each has its own savepoint: one
//! that fails does not undo the others. An answer is sent after the commit.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{Error, Inserted, NewTask, NotReady, Queued, RecipeId, Settlement};
use tokio::sync::{mpsc, oneshot};

use super::convert::cannot;
use super::health::{Doing, Health};
use super::{insert, settle, sweep};

/// Most requests that share one commit: enough to divide its cost to nothing,
/// few enough that nobody waits long for it.
const GROUP: usize = 1_024;

/// Most rows that one commit writes, unless one request alone has more: those who come
/// next wait some 40 ms for it at most.
const GROUP_ROWS: usize = 4_096;

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
    /// How many rows it writes, roughly.
    fn rows(&self) -> usize {
        match self {
            Self::Insert(tasks, _) => tasks
                .iter()
                .map(|(_, task)| 1 + task.executions.len())
                .sum(),
            Self::Settle(..) | Self::Job(_) | Self::Close(_) => 1,
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

impl Writing {
    /// Carries out one group of requests and tells each what became of it.
    async fn commit(&mut self, group: impl Iterator<Item = Request>) -> Next {
        let (mut inserts, mut settles, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = Next::GoOn;
        for request in group {
            match request {
                Request::Insert(tasks, answer) => inserts.push((tasks, answer)),
                Request::Settle(settlement, answer) => settles.push((settlement, answer)),
                Request::Job(job) => jobs.push(job),
                Request::Close(answer) => next = Next::Close(answer),
            }
        }
        let mut told: Vec<Told> = Vec::new();
        self.health.does(Doing::Lock);
        let begun = self.execute("BEGIN IMMEDIATE").await;
        self.health.does(Doing::Work);
        let ended = match begun {
            Ok(()) => {
                self.carry_out(&mut inserts, &mut settles, jobs, &mut told)
                    .await
            }
            Err(error) => Err(error),
        };
        let ended = match ended {
            Ok(()) => self.execute("COMMIT").await,
            Err(error) => Err(error),
        };
        let failure = match ended {
            Ok(()) => {
                self.health.committed();
                None
            }
            Err(error) => {
                self.forget();
                if is_the_end(&error) {
                    next = Next::Give(chain(&error));
                }
                // After some errors the database has rolled back by itself, and this fails.
                let _gone = self.execute("ROLLBACK").await;
                Some(Arc::<str>::from(chain(&error)))
            }
        };
        for tell in told {
            tell(match &failure {
                None => Ok(()),
                Some(cause) => Err(Error::store("write to the database", &**cause)),
            });
        }
        // Requests that were not reached have dropped their answers' senders or hold them still.
        for (_, answer) in inserts {
            let _gone = answer.send(Err(unreached(failure.as_deref())));
        }
        for (_, answer) in settles {
            let _gone = answer.send(Err(unreached(failure.as_deref())));
        }
        next
    }

    /// Moves everything out of the log into the database, and closes it.
    async fn close(mut self) -> Result<(), Error> {
        self.health.is_gone("it was closed".into());
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        self.conn
            .close()
            .await
            .map_err(cannot("close the database"))
    }

    /// Carries out the requests in one transaction, and collects how to answer.
    ///
    /// `Err` means that the whole transaction is lost.
    async fn carry_out(
        &mut self,
        inserts: &mut Vec<Insert>,
        settles: &mut Vec<Settle>,
        jobs: Vec<Job>,
        told: &mut Vec<Told>,
    ) -> Result<(), Error> {
        if !inserts.is_empty() {
            self.insert_all(inserts, told).await?;
        }
        if !settles.is_empty() {
            self.settle_all(settles, told).await?;
        }
        for job in jobs {
            self.execute("SAVEPOINT request").await?;
            match job(self).await {
                Done::Kept(tell) => {
                    self.execute("RELEASE request").await?;
                    told.push(tell);
                }
                Done::Undone(tell, error) => {
                    self.undo().await?;
                    told.push(Box::new(move |kept| tell(kept.and(Err(error)))));
                }
            }
        }
        Ok(())
    }

    /// Inserts all tasks at once; if that fails, each request by itself.
    async fn insert_all(
        &mut self,
        inserts: &mut Vec<Insert>,
        told: &mut Vec<Told>,
    ) -> Result<(), Error> {
        let all: Vec<_> = inserts.iter().flat_map(|(tasks, _)| tasks).collect();
        self.execute("SAVEPOINT request").await?;
        let together = insert::tasks(self, &all).await;
        drop(all);
        if let Ok(inserted) = together {
            self.execute("RELEASE request").await?;
            let mut inserted = inserted.into_iter();
            for (tasks, answer) in inserts.drain(..) {
                let inserted: Vec<_> = inserted.by_ref().take(tasks.len()).collect();
                told.push(Box::new(move |kept| {
                    let _gone = answer.send(kept.map(|()| inserted));
                }));
            }
            return Ok(());
        }
        self.undo().await?;
        for (tasks, answer) in inserts.drain(..) {
            self.execute("SAVEPOINT request").await?;
            let alone = insert::tasks(self, &tasks.iter().collect::<Vec<_>>()).await;
            match &alone {
                Ok(_) => self.execute("RELEASE request").await?,
                Err(_) => self.undo().await?,
            }
            told.push(Box::new(move |kept| {
                let _gone = answer.send(kept.and(alone));
            }));
        }
        Ok(())
    }

    /// Settles all attempts at once; if that fails, each by itself.
    async fn settle_all(
        &mut self,
        settles: &mut Vec<Settle>,
        told: &mut Vec<Told>,
    ) -> Result<(), Error> {
        let all: Vec<_> = settles
            .iter()
            .map(|(settlement, _)| &**settlement)
            .collect();
        self.execute("SAVEPOINT request").await?;
        let together = settle::all(&mut self.conn, &all).await;
        drop(all);
        let mut results = Vec::with_capacity(settles.len());
        if together.is_ok() {
            self.execute("RELEASE request").await?;
            results.resize_with(settles.len(), || Ok(()));
        } else {
            self.undo().await?;
            for (settlement, _) in settles.iter() {
                self.execute("SAVEPOINT request").await?;
                let alone = settle::all(&mut self.conn, &[&**settlement]).await;
                match &alone {
                    Ok(()) => self.execute("RELEASE request").await?,
                    Err(_) => self.undo().await?,
                }
                results.push(alone);
            }
        }
        for ((_, answer), result) in settles.drain(..).zip(results) {
            told.push(Box::new(move |kept| {
                let _gone = answer.send(kept.and(result));
            }));
        }
        Ok(())
    }

    async fn undo(&mut self) -> Result<(), Error> {
        self.forget();
        self.execute("ROLLBACK TO request").await?;
        self.execute("RELEASE request").await
    }

    /// Drops what is remembered of rows that may have been rolled back.
    fn forget(&mut self) {
        self.last_task.clear();
        self.recipes.clear();
    }

    async fn execute(&mut self, sql: &'static str) -> Result<(), Error> {
        sqlx::query(sql)
            .execute(&mut self.conn)
            .await
            .map(|_| ())
            .map_err(cannot("write to the database"))
    }
}

/// Whether no statement can succeed any more: the thread of the connection is gone.
fn is_the_end(error: &Error) -> bool {
    matches!(
        error,
        Error::Store { source, .. }
            if matches!(source.downcast_ref(), Some(sqlx::Error::WorkerCrashed))
    )
}

fn unreached(cause: Option<&str>) -> Error {
    Error::store(
        "write to the database",
        cause.unwrap_or("the request was not reached"),
    )
}

/// An error with its causes, on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;

    #[test]
    fn a_commit_takes_no_more_rows_than_it_may_and_one_request_at_least() {
        let first = |rows: &[usize]| first_of(rows.iter().copied());
        assert_eq!(first(&[1; 1_024]), 1_024);
        assert_eq!(first(&[2_048, 2_048, 1]), 2);
        assert_eq!(first(&[2_048, 2_049, 1]), 1);
        assert_eq!(first(&[10_000, 1]), 1);
        assert_eq!(first(&[1, 10_000]), 1);
    }

    async fn writer(pages: &'static str) -> (tempfile::TempDir, Writer) {
        let folder = tempfile::tempdir().unwrap();
        let conn = SqliteConnectOptions::new()
            .filename(folder.path().join("test.db"))
            .create_if_missing(true)
            .pragma("max_page_count", pages)
            .connect()
            .await
            .unwrap();
        let writer = Writer::start(conn);
        run(&writer, "CREATE TABLE probe (flip INTEGER, filler BLOB)")
            .await
            .unwrap();
        (folder, writer)
    }

    async fn run(writer: &Writer, sql: &'static str) -> Result<(), Error> {
        writer
            .run(move |writing| Box::pin(async move { writing.execute(sql).await }))
            .await
    }

    #[tokio::test]
    async fn a_panic_in_the_writer_is_its_end_and_is_said() {
        let (_folder, writer) = writer("100").await;
        let lost = writer
            .run::<(), _>(|_| Box::pin(async { panic!("no longer") }))
            .await;
        assert!(lost.is_err(), "who waits is told");

        let why = writer.gone().await;

        assert!(why.contains("panicked"), "{why}");
        assert_eq!(writer.probe().await, Err(NotReady::WriterGone));
        assert!(run(&writer, "SELECT 1").await.is_err());
    }

    #[tokio::test]
    async fn a_full_disk_is_told_apart_from_other_failures() {
        let (_folder, writer) = writer("3").await;
        let fill = "INSERT INTO probe (filler) VALUES (randomblob(1000000))";
        let full = run(&writer, fill).await.unwrap_err();
        assert_eq!(writer.health.why_failed(&full), NotReady::DiskFull);
        let other = run(&writer, "SELECT no_such_column").await.unwrap_err();
        assert_eq!(writer.health.why_failed(&other), NotReady::Other);
    }

    #[tokio::test]
    async fn many_who_ask_share_one_probe() {
        let (_folder, writer) = writer("100").await;
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let writer = writer.clone();
            asking.spawn(async move { writer.probe().await });
        }
        for ready in asking.join_all().await {
            assert_eq!(ready, Ok(()));
        }
    }
}
