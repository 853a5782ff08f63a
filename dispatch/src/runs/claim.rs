//! Bringing tasks from the store into memory when they are due and there is room.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use crate::dispatcher::Core;
use crate::id::{AccountId, HookId};
use crate::runs::environment::Context;
use crate::runs::scheduler::Load;
use crate::runs::work::ClaimedTask;

/// Most tasks claimed at one time: other writers wait no longer than this takes.
const CLAIM: usize = 256;

/// How often to look without being woken. Nothing depends on it.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// How long to leave the store alone after it has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Claims what is due until the dispatcher is gone or stops.
pub(crate) async fn keep_claiming(core: Weak<Core>, wake: Arc<Notify>) {
    loop {
        let sleep = {
            let Some(core) = core.upgrade() else {
                return;
            };
            if core.scheduler.lock().is_stopping() {
                return;
            }
            core.look_at_the_clock().await;
            let next = core.claim_what_is_due().await;
            let passed = core.clock.now().steady;
            let wait = next.map_or(LOOK_AGAIN, |next| next.saturating_sub(passed));
            core.clock.sleep(wait.min(LOOK_AGAIN))
        };
        tokio::select! {
            () = sleep => {}
            () = wake.notified() => {}
        }
    }
}

impl Core {
    /// Claims whatever is due and has room. Returns when the next thing is due, in
    /// what has passed by then.
    async fn claim_what_is_due(self: &Arc<Self>) -> Option<Duration> {
        loop {
            let (claimable, timer) = {
                let mut scheduler = self.scheduler.lock();
                let timer = scheduler.resume();
                (scheduler.claimable(), timer)
            };
            self.pump();
            match claimable {
                Ok((account, room)) => self.claim(account, room.min(CLAIM)).await,
                Err(due) => {
                    return match (due, timer) {
                        (Some(a), Some(b)) => Some(a.min(b)),
                        (a, b) => a.or(b),
                    };
                }
            }
        }
    }

    async fn claim(self: &Arc<Self>, account: AccountId, most: usize) {
        let limit = u32::try_from(most).unwrap_or(u32::MAX);
        let now = self.timepiece.now_for_waits().wall;
        match self.store.claim(account, self.node, now, limit).await {
            Ok(claimed) => {
                if let Some(due) = claimed.next_due_at {
                    self.scheduler.lock().note_backlog(account, due);
                }
                for aside in claimed.set_aside {
                    tracing::error!(
                        account.id = %account,
                        task.id = aside.task.map(tracing::field::display),
                        task.seq = aside.seq,
                        reason = aside.reason,
                        "a task cannot be read and was set aside"
                    );
                    if let Some(task) = aside.task {
                        self.scheduler.lock().notify(task, &None);
                    }
                }
                for task in claimed.tasks {
                    let hooks = self.deleted_hooks(account, task.executions.iter()).await;
                    self.take_over(task, hooks);
                }
                self.pump();
            }
            Err(error) => {
                tracing::error!(account.id = %account, error = &error as &dyn std::error::Error, "cannot claim tasks");
                self.scheduler.lock().note_due(account, AFTER_FAILURE);
            }
        }
    }

    /// `deleted_hooks` are those of its executions that were deleted since.
    fn take_over(self: &Arc<Self>, task: ClaimedTask, deleted_hooks: Vec<HookId>) {
        let context = task
            .event
            .map(|event| Context::stored(event.json))
            .unwrap_or_default();
        let bytes = context.size_with(task.executions.len());
        let reserved = self.scheduler.lock().hold(task.account, bytes);
        self.load(Load {
            id: task.id,
            reserved,
            context: Arc::new(context),
            executions: task.executions,
            over: task.over,
            started_at: task.started_at,
            cancelled: task.cancelled,
            deleted_hooks,
            task: None,
        });
    }
}
