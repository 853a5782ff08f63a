//! Running attempts, and recording their outcomes.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_clock::Backoff;
use tenterhook_engine::{Permit, Program, Report};
use tenterhook_ledger::Resource;

use crate::dispatcher::Core;
use crate::error::Error;
use crate::runs::environment::limits;
use crate::runs::recording::Recording;
use crate::runs::scheduler::{Admitted, Ended, Load, Settled, Start};
use crate::runs::work::{LateOutput, Settlement};
use crate::store::Queued;

/// First wait before a settlement that the store refused is tried again.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// A failure for which the wait is longer than this is lasting, unless the store says that
/// it is only unavailable.
const RETRY_LASTING: Duration = Duration::from_secs(1);
/// Longest such wait.
const RETRY_MOST: Duration = Duration::from_secs(5);

/// How often it is tried to store the output of a cancelled run, which takes memory until
/// then: for some 20 s.
const OUTPUT_TRIES: u32 = 10;

/// A settlement that the store has been given.
pub(crate) struct Given {
    settlement: Settlement,
    answer: Queued<()>,
}

impl Core {
    /// Takes a task in; settles at once what of it was cancelled on the way.
    pub(crate) fn load(self: &Arc<Self>, load: Load) {
        let given = {
            let mut scheduler = self.scheduler.lock();
            let settlements = scheduler.load(load);
            self.give(settlements)
        };
        self.follow_up(given);
    }

    /// Gives settlements to the store. Call it with the scheduler locked, so that
    /// they arrive in the order of what happened.
    pub(crate) fn give(&self, settlements: Vec<Settlement>) -> Vec<Given> {
        settlements
            .into_iter()
            .map(|settlement| Given {
                answer: self.store.record_result(settlement.clone()),
                settlement,
            })
            .collect()
    }

    /// Waits in the background until settlements are stored.
    pub(crate) fn follow_up(self: &Arc<Self>, given: Vec<Given>) {
        if given.is_empty() {
            return;
        }
        let core = Arc::clone(self);
        self.work.spawn(async move {
            for given in given {
                core.record(given).await;
            }
        });
    }

    /// Runs an attempt to its end, and until that is stored.
    pub(crate) async fn run(self: Arc<Self>, start: Start, admitted: Result<Admitted, String>) {
        let (execution, attempt) = (start.execution.id, start.attempt);
        self.store.note_begun(start.account, execution, attempt);
        // Held until its output is stored, so that output cannot pile up.
        let mut output = None;
        let mut recording = None;
        let mut result = match admitted {
            Ok(Admitted {
                program,
                mut permit,
            }) => {
                output = Some(permit.keep_output());
                let limits = limits(&self.settings, &start.execution);
                let begun = Recording::begin(&limits, permit.limits(), self.engine.build());
                let begun = recording.insert(begun);
                self.attempt(&start, &program, permit, begun).await
            }
            Err(error) => Err(error),
        };
        self.store.note_ended(execution, attempt);
        match (&mut recording, &result) {
            (Some(recording), Ok(report)) => recording.end(report),
            _ => recording = None,
        }
        self.counters.ended(&result);
        let (on_disk, not_kept) = match &mut result {
            Ok(report) => {
                let (on_disk, not_kept) = self.disk.take_output(start.account, report);
                (Some(on_disk), not_kept)
            }
            Err(_) => (None, None),
        };
        let at = self.clock.now();
        if let (Some(output), Ok(report)) = (&mut output, &mut result) {
            // Up to half of a buffer that has grown is free.
            report.stdout.shrink_to_fit();
            report.stderr.shrink_to_fit();
            let printed = (report.stdout.len() + report.stderr.len()) as u64;
            let needed = printed.saturating_add(start.live.held_bytes());
            let held = output.amount(Resource::Memory);
            output.shrink(Resource::Memory, held.saturating_sub(needed));
        }
        let account = start.account;
        let (given, late) = {
            let mut scheduler = self.scheduler.lock();
            if scheduler.is_abandoned() {
                return;
            }
            let mut finished = scheduler.finish(
                &start,
                Ended {
                    result,
                    recording,
                    not_kept,
                    at,
                },
                &mut rand::rng(),
            );
            let late = finished
                .as_mut()
                .and_then(|settlement| scheduler.put_off_output(settlement, &start.live));
            (self.give(finished.into_iter().collect()), late)
        };
        drop(start);
        self.pump();
        for given in given {
            self.record(given).await;
        }
        if let Some(late) = late {
            self.keep_output(late).await;
        }
        if let Some(on_disk) = on_disk {
            self.disk.written(account, on_disk);
        }
    }

    /// Stores the output of an attempt whose end is stored already. Where that cannot be
    /// done, the end says that it is missing.
    async fn keep_output(&self, late: LateOutput) {
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_MOST);
        for _ in 0..OUTPUT_TRIES {
            let Err(error) = self.store.keep_output(late.clone()).await else {
                break;
            };
            tracing::error!(
                execution.id = %late.execution,
                error = &error as &dyn std::error::Error,
                "cannot store the output of a cancelled run"
            );
            if !self.wait_to_retry(backoff.next_wait()).await {
                break;
            }
        }
        self.scheduler.lock().forget_late(&late);
    }

    /// Waits before something that the store refused is tried again. False once there is
    /// no time for that.
    async fn wait_to_retry(&self, wait: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.leaving.cancelled() => return false,
            () = self.clock.sleep(wait) => {}
        }
        !self.scheduler.lock().is_abandoned()
    }

    /// Runs one attempt. `Err` is what the host could not do.
    async fn attempt(
        &self,
        start: &Start,
        program: &Program,
        permit: Permit,
        recording: &Recording,
    ) -> Result<Report, String> {
        let mut invocation = start.context.invocation(
            start.account,
            &start.execution,
            start.attempt,
            recording.limits_told(),
            start.cancel.clone(),
            Some(Arc::clone(&start.live) as _),
        );
        invocation.start = recording.start();
        invocation.seed = recording.seed;
        invocation.gauge = Some(Arc::clone(&start.live.gauge));
        let run = self.engine.spawn_admitted(program, permit, invocation);
        match run.await {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(error)) => Err(describe(&error)),
            Err(_) => Err("the thread that ran it failed".into()),
        }
    }

    /// Waits until a settlement is stored, however often it has to be given.
    pub(crate) async fn record(self: &Arc<Self>, given: Given) {
        let Given {
            settlement,
            mut answer,
        } = given;
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_MOST);
        let mut is_told = false;
        while let Err(error) = answer.await {
            if !is_told {
                tracing::error!(
                    task.id = %settlement.task,
                    error = &error as &dyn std::error::Error,
                    "cannot store an outcome; retrying until it is stored"
                );
            }
            is_told = true;
            let wait = backoff.next_wait();
            // One that cannot be stored at all holds no stop up.
            let is_lasting = wait > RETRY_LASTING && !matches!(error, Error::Unavailable { .. });
            if is_lasting && self.scheduler.lock().is_stopping() {
                return;
            }
            if !self.wait_to_retry(wait).await {
                return;
            }
            answer = self.store.record_result(settlement.clone());
        }
        if let Some(attempt) = &settlement.execution {
            self.store.note_settled(attempt.id, attempt.record.attempt);
        }
        let waits = settlement
            .execution
            .as_ref()
            .is_some_and(|attempt| attempt.due_at.is_some());
        let mut scheduler = self.scheduler.lock();
        if let Some(until) = scheduler.settled(&Settled::from(&settlement)) {
            scheduler.note_backlog(settlement.account, until);
        }
        let claim = scheduler.wants_claim(settlement.account);
        drop(scheduler);
        if waits || claim {
            self.wake.notify_one();
        }
    }
}

/// What a tenant gets to know of an internal failure; the log has the rest.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    tracing::error!(error, "cannot run an execution");
    error.to_string()
}
