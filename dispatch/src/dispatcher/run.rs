//! Running attempts, and settling what became of them.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_engine::Report;

use super::Inner;
use crate::clock::now;
use crate::environment::limits;
use crate::floor::{Ended, Load, Settled, Start};
use crate::store::Queued;
use crate::work::Settlement;

/// First wait before a settlement that the store refused is tried again.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// Longest such wait.
const RETRY_MOST: Duration = Duration::from_secs(5);

/// A settlement that the store has been given.
pub(super) struct Given {
    settlement: Settlement,
    answer: Queued<()>,
}

impl Inner {
    /// Begins as many attempts as there is room for.
    pub(super) fn pump(self: &Arc<Self>) {
        loop {
            let start = self.floor.lock().next();
            let Some(start) = start else {
                return;
            };
            let inner = Arc::clone(self);
            self.work.spawn(async move { inner.run(start).await });
        }
    }

    /// Takes a task in; settles at once what of it was cancelled on the way.
    pub(super) fn load(self: &Arc<Self>, load: Load) {
        let given = {
            let mut floor = self.floor.lock();
            let settlements = floor.load(load);
            self.give(settlements)
        };
        self.follow_up(given);
    }

    /// Gives settlements to the store. Call it with the floor locked, so that
    /// they arrive in the order in which things happened.
    pub(super) fn give(&self, settlements: Vec<Settlement>) -> Vec<Given> {
        settlements
            .into_iter()
            .map(|settlement| Given {
                answer: self.store.settle(settlement.clone()),
                settlement,
            })
            .collect()
    }

    /// Waits in the background until settlements are stored.
    pub(super) fn follow_up(self: &Arc<Self>, given: Vec<Given>) {
        if given.is_empty() {
            return;
        }
        let inner = Arc::clone(self);
        self.work.spawn(async move {
            for given in given {
                inner.settle(given).await;
            }
        });
    }

    async fn run(self: Arc<Self>, start: Start) {
        let result = self.attempt(&start).await;
        self.counters.ended(&result);
        let at = now();
        let printed = result
            .as_ref()
            .map_or(0, |report| report.stdout.len() + report.stderr.len());
        let kib = u32::try_from(printed / 1024 + 1)
            .unwrap_or(u32::MAX)
            .min(self.settling_most);
        // Holds the turn until there is room, so that output cannot pile up.
        let _room = self.settling.acquire_many(kib).await;
        let given = {
            let mut floor = self.floor.lock();
            if floor.is_abandoned() {
                return;
            }
            let finished = floor.finish(&start, Ended { result, at }, &mut rand::rng());
            self.give(finished.into_iter().collect())
        };
        drop(start);
        self.pump();
        for given in given {
            self.settle(given).await;
        }
    }

    /// Runs one attempt. `Err` is what the host could not do.
    async fn attempt(&self, start: &Start) -> Result<Report, String> {
        let recipe = &start.execution.recipe;
        let program = self
            .programs
            .get(
                &self.engine,
                &*self.store,
                start.account.tenant(),
                recipe.digest,
                recipe.content.kind,
            )
            .await
            .map_err(|error| told(&error))?;
        let mut invocation = start.context.invocation(
            start.account,
            &start.execution,
            start.attempt,
            limits(&self.settings, &start.execution),
            start.cancel.clone(),
            Arc::clone(&start.live) as _,
        );
        invocation.gauge = Some(Arc::clone(&start.live.gauge));
        match self.engine.spawn(&program, invocation).await {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err("the thread that ran it failed".into()),
        }
    }

    /// Waits until a settlement is stored, however often it has to be given.
    pub(super) async fn settle(self: &Arc<Self>, given: Given) {
        let Given {
            settlement,
            mut answer,
        } = given;
        let mut wait = RETRY_FIRST;
        while let Err(error) = answer.await {
            tracing::error!(
                task.id = %settlement.task,
                error = &error as &dyn std::error::Error,
                "cannot store an outcome; trying again"
            );
            if self.floor.lock().is_abandoned() {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY_MOST);
            answer = self.store.settle(settlement.clone());
        }
        let waits = settlement
            .execution
            .as_ref()
            .is_some_and(|attempt| attempt.due_at.is_some());
        let mut floor = self.floor.lock();
        if let Some(until) = floor.settled(&Settled::from(&settlement)) {
            floor.note_backlog(settlement.account, until);
        }
        let claim = floor.wants_claim(settlement.account);
        drop(floor);
        if waits || claim {
            self.wake.notify_one();
        }
    }
}

/// What a tenant is told of a failure that is ours; the log has the rest.
fn told(error: &(dyn std::error::Error + 'static)) -> String {
    tracing::error!(error, "cannot run an execution");
    error.to_string()
}
