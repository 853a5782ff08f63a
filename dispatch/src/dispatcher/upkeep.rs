//! What has to be done now and then: counting what is on the disk, removing what is
//! old, noting tokens' use.

use std::sync::Weak;
use std::time::Duration;

use super::{Core, Dispatcher};

/// How often what is on the disk is counted, which costs one query, and how soon a
/// sweep that is wanted comes.
const COUNT: Duration = Duration::from_secs(2);

/// A sweep comes with every so many counts, wanted or not: every 30 s.
const SWEEP: u32 = 15;

/// Does it until the dispatcher is gone or stops.
pub(super) async fn keep_up(core: Weak<Core>) {
    let mut counts = 0;
    loop {
        let sleep = {
            let Some(core) = core.upgrade() else {
                return;
            };
            core.clock.sleep(COUNT)
        };
        sleep.await;
        let Some(core) = core.upgrade() else {
            return;
        };
        if core.scheduler.lock().is_stopping() {
            return;
        }
        core.look_at_the_clock().await;
        counts += 1;
        let wanted = core.disk.take_wanted();
        if counts % SWEEP == 0 {
            core.flush_token_uses().await;
        }
        if wanted || counts % SWEEP == 0 {
            core.sweep().await;
            core.collect_code().await;
        } else {
            core.count_disk().await;
        }
    }
}

impl Dispatcher {
    /// Runs a retention sweep now, which otherwise happens every half minute.
    pub async fn sweep(&self) {
        self.core.sweep().await;
    }
}

impl Core {
    async fn sweep(&self) {
        loop {
            let retention = self.disk.retention(&self.settings.retention);
            // Not what the wall shows: a clock that was set forward makes nothing old.
            let now = self.timekeeper.lock().history();
            let swept = match self.store.sweep(&retention, now).await {
                Ok(swept) => swept,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "cannot remove old data"
                    );
                    return;
                }
            };
            if swept.rows + swept.pages > 0 {
                tracing::debug!(?swept, "removed old data");
            }
            self.count_disk().await;
            // An account may have so much that this takes long.
            if !swept.more || self.scheduler.lock().is_stopping() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn count_disk(&self) {
        if let Err(error) = self.disk.count(&*self.store).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot count the disk usage"
            );
        }
    }
}
