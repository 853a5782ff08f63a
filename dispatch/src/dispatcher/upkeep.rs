//! What has to be done now and then: removing what is old, noting tokens' use.

use std::sync::Weak;
use std::time::Duration;

use super::Inner;
use crate::clock::now;

/// How often.
const EVERY: Duration = Duration::from_secs(30);

/// A sweep that removed so many tasks has probably left some.
const MORE: u64 = 1_000;

/// Does it until the dispatcher is gone or stops.
pub(super) async fn keep_up(inner: Weak<Inner>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    every.tick().await;
    loop {
        every.tick().await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        if inner.floor.lock().is_stopping() {
            return;
        }
        inner.flush_token_uses().await;
        inner.sweep().await;
    }
}

impl Inner {
    async fn sweep(&self) {
        loop {
            match self.store.sweep(&self.settings.retention, now()).await {
                Ok(swept) if swept.tasks >= MORE => tokio::task::yield_now().await,
                Ok(swept) => {
                    if swept.tasks + swept.programs + swept.tokens > 0 {
                        tracing::debug!(?swept, "removed what was old");
                    }
                    return;
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "cannot remove what is old"
                    );
                    return;
                }
            }
        }
    }
}
