//! Bringing tasks from the store into memory when they are due and there is room.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use super::Inner;
use crate::clock::now;
use crate::environment::Context;
use crate::floor::Load;
use crate::id::AccountId;
use crate::work::ClaimedTask;

/// Most tasks claimed at one time: other writers wait no longer than this takes.
const CLAIM: usize = 256;

/// How often to look without being woken. Nothing depends on it.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// How long to leave the store alone after it has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Claims what is due until the dispatcher is gone or stops.
pub(super) async fn keep_claiming(inner: Weak<Inner>, wake: Arc<Notify>) {
    loop {
        let next = {
            let Some(inner) = inner.upgrade() else {
                return;
            };
            if inner.floor.lock().is_stopping() {
                return;
            }
            inner.claim_what_is_due().await
        };
        let until = next.map_or(LOOK_AGAIN, |next| {
            Duration::try_from(next - now())
                .unwrap_or_default()
                .min(LOOK_AGAIN)
        });
        let _either = tokio::time::timeout(until, wake.notified()).await;
    }
}

impl Inner {
    /// Claims whatever is due and has room. Tells when the next thing is due.
    async fn claim_what_is_due(self: &Arc<Self>) -> Option<time::OffsetDateTime> {
        loop {
            let (claimable, timer) = {
                let mut floor = self.floor.lock();
                let timer = floor.resume(now());
                (floor.claimable(), timer)
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
        match self.store.claim(account, self.node, now(), limit).await {
            Ok(claimed) => {
                if let Some(due) = claimed.next_due_at {
                    self.floor.lock().note_backlog(account, due);
                }
                for task in claimed.tasks {
                    self.take_over(task);
                }
                self.pump();
            }
            Err(error) => {
                tracing::error!(account.id = %account, error = &error as &dyn std::error::Error, "cannot claim tasks");
                self.floor
                    .lock()
                    .note_backlog(account, now() + AFTER_FAILURE);
            }
        }
    }

    fn take_over(self: &Arc<Self>, task: ClaimedTask) {
        let context = task
            .event
            .map(|event| Context::stored(event.json))
            .unwrap_or_default();
        let bytes = context.size_with(task.executions.len());
        let reserved = self.floor.lock().hold(task.account, bytes);
        self.load(Load {
            id: task.id,
            reserved,
            context: Arc::new(context),
            executions: task.executions,
            over: task.over,
            started_at: task.started_at,
            cancelled: task.cancelled,
            task: None,
        });
    }
}
