//! One group of requests, carried out in one transaction, and the answer to each.

use std::collections::VecDeque;

use sqlx::Connection as _;
use tenterhook_dispatch::{Error, Inserted, NotReady, Settlement, Unavailable};

use super::queue::Waiting;
use super::{Done, Insert, Job, Next, Purpose, Record, Reply, Request, Writing};
use crate::sqlite::convert::{cannot, damage, execute, is_unwritable};
use crate::sqlite::health::{self, Activity};
use crate::sqlite::{insert, results};

/// How the database is set up otherwise, too.
const CHECKPOINT_BY_ITSELF: &str = "PRAGMA wal_autocheckpoint = 4000";

/// Requests that are carried out in one transaction.
#[derive(Default)]
struct Group {
    inserts: Vec<Insert>,
    records: Vec<Record>,
    jobs: VecDeque<Job>,
}

/// What came of requests before their transaction ended, in the order of the group's.
#[derive(Default)]
struct Carried {
    inserted: Vec<Result<Vec<Inserted>, Error>>,
    recorded: Vec<Result<(), Error>>,
    jobs: Vec<Reply>,
}

/// What a transaction that failed leaves.
enum Lost {
    /// Requests that are not answered yet: a damaged page, which one of them needs, has
    /// spoilt the transaction for all.
    Spoilt(Group),
    /// The connection cannot be used any more.
    End(String),
}

impl Writing {
    /// Carries out one group of requests and answers each. Where the disk is
    /// nearly full, what frees some of it goes first, and has the reserve; nothing else is
    /// written until there is one again.
    pub(super) async fn commit(&mut self, group: Vec<Waiting<Request>>) -> Next {
        let frees = |waiting: &Waiting<Request>| waiting.request.purpose() == Purpose::ToFree;
        let is_full = !self.reserve.take();
        self.health.is_full_now(is_full);
        let needs_reserve = group.iter().any(frees) && self.reserve.is_low();
        if !is_full && !needs_reserve {
            return self.commit_together(group).await;
        }
        let (frees, others): (Vec<_>, Vec<_>) = group.into_iter().partition(frees);
        if !frees.is_empty() {
            self.reserve.give_up();
            self.spare_the_log().await;
            if let Next::Give(why) = self.commit_together(frees).await {
                return Next::Give(why);
            }
        }
        if !self.reserve.take() {
            self.health.is_full_now(true);
            return refuse(others).await;
        }
        self.health.is_full_now(false);
        let _later = self.execute(CHECKPOINT_BY_ITSELF).await;
        self.commit_together(others).await
    }

    /// Copies the log into the database, so that it begins again if no reader is on it.
    /// Not if the database would grow by more than there is: then what there is is the
    /// log's.
    async fn spare_the_log(&mut self) {
        const SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let _later = self.execute("PRAGMA wal_autocheckpoint = 0").await;
        let size = sqlx::query_scalar(SIZE).fetch_one(&mut self.conn).await;
        if size.is_ok_and(|size: i64| self.reserve.has_room_for(size.unsigned_abs())) {
            let _full = self.execute("PRAGMA wal_checkpoint(PASSIVE)").await;
        }
    }

    /// Carries out a group in one transaction. Once a page is found to be damaged, each request
    /// has its own: what reads or changes that page loses whatever shares its transaction.
    async fn commit_together(&mut self, group: Vec<Waiting<Request>>) -> Next {
        let mut together = Group::default();
        let mut next = Next::GoOn;
        // Others of the same accounts have their places once this has ended.
        let mut places = Vec::new();
        for waiting in group {
            places.extend(waiting.place);
            match waiting.request {
                Request::Insert(tasks, answer) => together.inserts.push((tasks, answer)),
                Request::Record(settlement, answer) => together.records.push((settlement, answer)),
                Request::Job(_, job) => together.jobs.push_back(job),
                Request::Close(answer) => next = Next::Close(answer),
            }
        }
        let apart = match self.health.is_damaged() {
            true => together.apart(),
            false => match self.transact(together).await {
                Ok(()) => Vec::new(),
                Err(Lost::Spoilt(group)) => group.apart(),
                Err(Lost::End(why)) => return Next::Give(why),
            },
        };
        for one in apart {
            match self.transact(one).await {
                Ok(()) => {}
                Err(Lost::Spoilt(_)) => unreachable!("one request shares with none"),
                Err(Lost::End(why)) => return Next::Give(why),
            }
        }
        drop(places);
        next
    }

    /// Carries out a group in one transaction, and answers each request.
    async fn transact(&mut self, mut group: Group) -> Result<(), Lost> {
        let is_shared = group.len() > 1;
        let mut done = Carried::default();
        self.health.begins(Activity::Lock);
        let begun = self.execute("BEGIN IMMEDIATE").await;
        self.health.begins(Activity::Work);
        let ended = match begun {
            Ok(()) => self.carry_out(&mut group, &mut done).await,
            Err(error) => Err(error.into()),
        };
        let ended = match ended {
            Ok(()) => {
                self.health.begins(Activity::Commit);
                self.execute("COMMIT").await.map_err(Failure::from)
            }
            Err(failure) => Err(failure),
        };
        self.health.begins(Activity::Work);
        let Err(failure) = ended else {
            self.health.committed();
            done.answer(group, None);
            return Ok(());
        };
        self.forget();
        self.health.failed(failure.reason);
        // After some errors the database has rolled back by itself, and this fails.
        let _gone = self.execute("ROLLBACK").await;
        if is_shared && failure.is_damage() {
            done.answer_jobs(Some(&failure));
            return Err(Lost::Spoilt(group));
        }
        for job in std::mem::take(&mut group.jobs) {
            refuse_job(job, failure.error()).await;
        }
        done.answer(group, Some(&failure));
        match failure.is_the_end {
            true => Err(Lost::End(failure.cause)),
            false => Ok(()),
        }
    }

    /// Moves everything out of the log into the database, and closes it.
    /// Where there is no room for that, the log stays beside it, and the next start has both.
    pub(super) async fn close(mut self) -> Result<(), Error> {
        self.health.is_gone("it was closed".into());
        if self.reserve.is_low() {
            self.reserve.give_up();
        }
        match self.execute("PRAGMA wal_checkpoint(TRUNCATE)").await {
            Err(Error::Unavailable {
                why: Unavailable::DiskFull,
                ..
            }) => tracing::warn!("the disk is full: the database's log stays beside it"),
            moved => moved?,
        }
        self.conn
            .close()
            .await
            .map_err(cannot("close the database"))
    }

    /// Carries out the requests, and collects how to answer.
    ///
    /// `Err` means that the whole transaction is lost.
    async fn carry_out(&mut self, group: &mut Group, done: &mut Carried) -> Result<(), Failure> {
        if !group.inserts.is_empty() {
            done.inserted = self.insert_all(&group.inserts).await?;
        }
        if !group.records.is_empty() {
            done.recorded = self.record_all(&group.records).await?;
        }
        while !group.jobs.is_empty() {
            // One that is not begun stays in the group, and is answered with the reason.
            self.execute("SAVEPOINT request").await?;
            let job = group.jobs.pop_front().expect("there is one more");
            match job(Ok(&mut *self)).await {
                Done::Kept(reply) => {
                    done.jobs.push(reply);
                    self.execute("RELEASE request").await?;
                }
                Done::Undone(reply, error) => {
                    let undone = self.undo(&error).await;
                    // Whether or not the others are lost with it, it gets the reason.
                    done.jobs.push(Box::new(move |_| reply(Err(error))));
                    undone?;
                }
            }
        }
        Ok(())
    }

    /// Inserts all tasks at once; if that fails, each request by itself.
    async fn insert_all(
        &mut self,
        inserts: &[Insert],
    ) -> Result<Vec<Result<Vec<Inserted>, Error>>, Failure> {
        let all: Vec<_> = inserts.iter().flat_map(|(tasks, _)| tasks).collect();
        self.execute("SAVEPOINT request").await?;
        match insert::tasks(self, &all).await {
            Ok(inserted) => {
                self.execute("RELEASE request").await?;
                let mut inserted = inserted.into_iter();
                let each = inserts
                    .iter()
                    .map(|(tasks, _)| Ok(inserted.by_ref().take(tasks.len()).collect()));
                return Ok(each.collect());
            }
            Err(failed) => self.undo(&failed).await?,
        }
        let mut results = Vec::with_capacity(inserts.len());
        for (tasks, _) in inserts {
            self.execute("SAVEPOINT request").await?;
            let alone = insert::tasks(self, &tasks.iter().collect::<Vec<_>>()).await;
            match &alone {
                Ok(_) => self.execute("RELEASE request").await?,
                Err(error) => self.undo(error).await?,
            }
            results.push(alone);
        }
        Ok(results)
    }

    /// Records the results of all attempts at once; if that fails, each by itself.
    async fn record_all(&mut self, records: &[Record]) -> Result<Vec<Result<(), Error>>, Failure> {
        let all: Vec<_> = records
            .iter()
            .map(|(settlement, _)| &**settlement)
            .collect();
        self.execute("SAVEPOINT request").await?;
        match results::record_all(&mut self.conn, &all).await {
            Ok(()) => {
                self.execute("RELEASE request").await?;
                return Ok(records.iter().map(|_| Ok(())).collect());
            }
            Err(failed) => self.undo(&failed).await?,
        }
        let mut results = Vec::with_capacity(records.len());
        for (settlement, _) in records {
            let mut alone = self.record(settlement, None).await?;
            if let Err(error) = &alone
                && is_unwritable(error)
            {
                let damage = damage(error);
                alone = self.record(settlement, Some(damage)).await?;
            }
            results.push(alone);
        }
        Ok(results)
    }

    /// Records the result of one attempt by itself: whole, or as much as possible where
    /// something of it is damaged.
    async fn record(
        &mut self,
        settlement: &(i64, Settlement),
        damage: Option<String>,
    ) -> Result<Result<(), Error>, Failure> {
        self.execute("SAVEPOINT request").await?;
        let recorded = match damage {
            None => results::record_all(&mut self.conn, &[settlement]).await,
            Some(damage) => results::record_what_can_be(&mut self.conn, settlement, damage).await,
        };
        match &recorded {
            Ok(()) => self.execute("RELEASE request").await?,
            Err(error) => self.undo(error).await?,
        }
        Ok(recorded)
    }

    /// Undoes one request that has failed. After some failures all of them are lost: a full
    /// disk makes the database undo them by itself, and with a damaged page it takes no other
    /// change. Then the cause is reported, and not what fails next.
    async fn undo(&mut self, cause: &Error) -> Result<(), Failure> {
        self.forget();
        let undone = match self.execute("ROLLBACK TO request").await {
            Ok(()) => self.execute("RELEASE request").await,
            Err(error) => Err(error),
        };
        let failure = Failure::of(cause);
        match undone {
            Ok(()) if !failure.is_damage() => Ok(()),
            _ => Err(failure),
        }
    }

    /// Drops what is remembered of rows that may have been rolled back.
    fn forget(&mut self) {
        self.last_task.clear();
        self.recipes.clear();
    }

    pub(super) async fn execute(&mut self, sql: &'static str) -> Result<(), Error> {
        execute(&mut self.conn, sql, "write to the database").await
    }
}

impl Group {
    fn len(&self) -> usize {
        self.inserts.len() + self.records.len() + self.jobs.len()
    }

    /// Each request by itself, in the same order.
    fn apart(self) -> Vec<Self> {
        let inserts = self.inserts.into_iter().map(|insert| Self {
            inserts: vec![insert],
            ..Self::default()
        });
        let records = self.records.into_iter().map(|record| Self {
            records: vec![record],
            ..Self::default()
        });
        let jobs = self.jobs.into_iter().map(|job| Self {
            jobs: VecDeque::from([job]),
            ..Self::default()
        });
        inserts.chain(records).chain(jobs).collect()
    }
}

impl Carried {
    /// Replies to all requests of a group: with `failure` none was stored.
    fn answer(mut self, group: Group, failure: Option<&Failure>) {
        self.answer_jobs(failure);
        let (mut inserted, mut recorded) = (self.inserted.into_iter(), self.recorded.into_iter());
        for (_, answer) in group.inserts {
            let _gone = answer.send(outcome(inserted.next(), failure));
        }
        for (_, answer) in group.records {
            let _gone = answer.send(outcome(recorded.next(), failure));
        }
    }

    fn answer_jobs(&mut self, failure: Option<&Failure>) {
        for reply in self.jobs.drain(..) {
            reply(match failure {
                None => Ok(()),
                Some(failure) => Err(failure.error()),
            });
        }
    }
}

/// The answer to a request: its own failure, or that of the transaction.
fn outcome<T>(own: Option<Result<T, Error>>, failure: Option<&Failure>) -> Result<T, Error> {
    match (own, failure) {
        (Some(Err(own)), _) => Err(own),
        (_, Some(failure)) => Err(failure.error()),
        (Some(Ok(kept)), None) => Ok(kept),
        (None, None) => {
            unreachable!("a transaction that was kept has carried out all of its group")
        }
    }
}

/// Replies to requests for which too little disk space is left.
async fn refuse(group: Vec<Waiting<Request>>) -> Next {
    let full = || Error::Unavailable {
        doing: "write to the database",
        why: Unavailable::DiskFull,
        source: "the remaining disk space is reserved for writes that free some".into(),
    };
    let mut next = Next::GoOn;
    for waiting in group {
        match waiting.request {
            Request::Insert(_, answer) => drop(answer.send(Err(full()))),
            Request::Record(_, answer) => drop(answer.send(Err(full()))),
            Request::Job(_, job) => refuse_job(job, full()).await,
            Request::Close(answer) => next = Next::Close(answer),
        }
    }
    next
}

/// Replies to a job that is not carried out.
async fn refuse_job(job: Job, why: Error) {
    match job(Err(why)).await {
        Done::Undone(reply, error) => reply(Err(error)),
        Done::Kept(_) => unreachable!("a job that is refused changes nothing"),
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

/// Why a transaction has failed, for each request that shared it.
struct Failure {
    cause: String,
    why: Option<Unavailable>,
    reason: Option<NotReady>,
    is_the_end: bool,
}

impl Failure {
    fn of(error: &Error) -> Self {
        Self {
            cause: chain(error),
            why: match error {
                Error::Unavailable { why, .. } => Some(*why),
                _ => None,
            },
            reason: health::reason(error),
            is_the_end: is_the_end(error),
        }
    }

    fn is_damage(&self) -> bool {
        self.reason == Some(NotReady::Damaged)
    }

    fn error(&self) -> Error {
        const DOING: &str = "write to the database";
        match self.why {
            None => Error::store(DOING, &*self.cause),
            Some(why) => Error::Unavailable {
                doing: DOING,
                why,
                source: (&*self.cause).into(),
            },
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error)
    }
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
