//! One group of requests, carried out in one transaction, and what each is told.

use sqlx::Connection as _;
use tenterhook_dispatch::{Error, Settlement, Unavailable};

use super::queue::Waiting;
use super::{Done, Insert, Job, Next, Purpose, Request, Settle, Told, Writing};
use crate::sqlite::convert::{cannot, damage, execute, is_unwritable};
use crate::sqlite::health::Doing;
use crate::sqlite::{insert, settle};

/// How the database is set up otherwise, too.
const CHECKPOINT_BY_ITSELF: &str = "PRAGMA wal_autocheckpoint = 4000";

impl Writing {
    /// Carries out one group of requests and tells each what became of it. Where the disk is
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

    /// Copies the log into the database, so that it begins again if nobody reads from it.
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

    async fn commit_together(&mut self, group: Vec<Waiting<Request>>) -> Next {
        let (mut inserts, mut settles, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = Next::GoOn;
        // Others of the same accounts have their places once this has ended.
        let mut places = Vec::new();
        for waiting in group {
            places.extend(waiting.place);
            match waiting.request {
                Request::Insert(tasks, answer) => inserts.push((tasks, answer)),
                Request::Settle(settlement, answer) => settles.push((settlement, answer)),
                Request::Job(_, job) => jobs.push(job),
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
            Ok(()) => {
                self.health.does(Doing::Commit);
                self.execute("COMMIT").await
            }
            Err(error) => Err(error),
        };
        self.health.does(Doing::Work);
        let failure = match ended {
            Ok(()) => {
                self.health.committed();
                None
            }
            Err(error) => {
                self.forget();
                self.health.failed(&error);
                if is_the_end(&error) {
                    next = Next::Give(chain(&error));
                }
                // After some errors the database has rolled back by itself, and this fails.
                let _gone = self.execute("ROLLBACK").await;
                Some(Failure::of(&error))
            }
        };
        for tell in told {
            tell(match &failure {
                None => Ok(()),
                Some(failure) => Err(failure.error()),
            });
        }
        // Requests that were not reached have dropped their answers' senders or hold them still.
        for (_, answer) in inserts {
            let _gone = answer.send(Err(unreached(failure.as_ref())));
        }
        for (_, answer) in settles {
            let _gone = answer.send(Err(unreached(failure.as_ref())));
        }
        drop(places);
        next
    }

    /// Moves everything out of the log into the database, and closes it.
    pub(super) async fn close(mut self) -> Result<(), Error> {
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
            match job(Ok(&mut *self)).await {
                Done::Kept(tell) => {
                    self.execute("RELEASE request").await?;
                    told.push(tell);
                }
                Done::Undone(tell, error) => {
                    let undone = self.undo(&error).await;
                    // Whether or not the others are lost with it, it hears why.
                    told.push(Box::new(move |_| tell(Err(error))));
                    undone?;
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
        let failed = match together {
            Err(error) => error,
            Ok(inserted) => {
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
        };
        self.undo(&failed).await?;
        for (tasks, answer) in inserts.drain(..) {
            self.execute("SAVEPOINT request").await?;
            let alone = insert::tasks(self, &tasks.iter().collect::<Vec<_>>()).await;
            match &alone {
                Ok(_) => self.execute("RELEASE request").await?,
                Err(error) => self.undo(error).await?,
            }
            told.push(Box::new(move |kept| {
                let _gone = answer.send(alone.and_then(|inserted| kept.map(|()| inserted)));
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
        if let Err(failed) = &together {
            self.undo(failed).await?;
            for (settlement, _) in settles.iter() {
                let mut alone = self.settle(settlement, None).await?;
                if let Err(error) = &alone
                    && is_unwritable(error)
                {
                    let damage = damage(error);
                    alone = self.settle(settlement, Some(damage)).await?;
                }
                results.push(alone);
            }
        } else {
            self.execute("RELEASE request").await?;
            results.resize_with(settles.len(), || Ok(()));
        }
        for ((_, answer), result) in settles.drain(..).zip(results) {
            told.push(Box::new(move |kept| {
                let _gone = answer.send(result.and(kept));
            }));
        }
        Ok(())
    }

    /// Settles one attempt by itself: whole, or all of it that can be where something of it
    /// is damaged.
    async fn settle(
        &mut self,
        settlement: &(i64, Settlement),
        damage: Option<String>,
    ) -> Result<Result<(), Error>, Error> {
        self.execute("SAVEPOINT request").await?;
        let settled = match damage {
            None => settle::all(&mut self.conn, &[settlement]).await,
            Some(damage) => settle::what_can_be(&mut self.conn, settlement, damage).await,
        };
        match &settled {
            Ok(()) => self.execute("RELEASE request").await?,
            Err(error) => self.undo(error).await?,
        }
        Ok(settled)
    }

    /// Undoes one request that has failed. After some failures, such as a full disk, the
    /// database has undone all of them by itself; then the cause is what is told, and not
    /// that there is nothing left to undo.
    async fn undo(&mut self, cause: &Error) -> Result<(), Error> {
        self.forget();
        let undone = match self.execute("ROLLBACK TO request").await {
            Ok(()) => self.execute("RELEASE request").await,
            Err(error) => Err(error),
        };
        undone.map_err(|_| {
            self.health.failed(cause);
            Failure::of(cause).error()
        })
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

/// Answers requests for which too little of the disk is left.
async fn refuse(group: Vec<Waiting<Request>>) -> Next {
    let full = || Error::Unavailable {
        doing: "write to the database",
        why: Unavailable::DiskFull,
        source: "what is left of the disk is kept for what frees some of it".into(),
    };
    let mut next = Next::GoOn;
    for waiting in group {
        match waiting.request {
            Request::Insert(_, answer) => drop(answer.send(Err(full()))),
            Request::Settle(_, answer) => drop(answer.send(Err(full()))),
            Request::Job(_, job) => match job(Err(full())).await {
                Done::Kept(tell) => tell(Err(full())),
                Done::Undone(tell, error) => tell(Err(error)),
            },
            Request::Close(answer) => next = Next::Close(answer),
        }
    }
    next
}

/// Whether no statement can succeed any more: the thread of the connection is gone.
fn is_the_end(error: &Error) -> bool {
    matches!(
        error,
        Error::Store { source, .. }
            if matches!(source.downcast_ref(), Some(sqlx::Error::WorkerCrashed))
    )
}

/// Why a commit has failed, to be told to each of those who shared it.
struct Failure {
    cause: String,
    why: Option<Unavailable>,
}

impl Failure {
    fn of(error: &Error) -> Self {
        Self {
            cause: chain(error),
            why: match error {
                Error::Unavailable { why, .. } => Some(*why),
                _ => None,
            },
        }
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

fn unreached(failure: Option<&Failure>) -> Error {
    match failure {
        Some(failure) => failure.error(),
        None => Error::store("write to the database", "the request was not reached"),
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
