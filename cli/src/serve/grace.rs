//! Shutdown: everything that has to end shares one deadline.
//!
//! The second signal, which ends the process at once, is not handled here.

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use tenterhook_delivery::Webhooks;
use tenterhook_dispatch::Dispatcher;
use tenterhook_maintenance::Maintenance;
use tokio::time::{Instant, timeout, timeout_at};

use crate::quantity::parse_millis;

/// Default time from the first signal to the end of the process: below the 30 s after which
/// container runtimes kill.
const DEFAULT: Duration = Duration::from_secs(25);

/// Longest time that makes sense: that of the longest hook.
const MOST: Duration = Duration::from_secs(25 * 60);

/// Time reserved for the final steps: storing what was interrupted, and checkpointing the
/// database's log.
const CLOSING: Duration = Duration::from_secs(2);

/// How long requests may continue before hooks are stopped as well: they end by themselves
/// once they are notified, and an event that is being accepted is not refused.
const REQUESTS: Duration = Duration::from_secs(1);

/// The deadline of a shutdown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grace {
    end: Instant,
    whole: Duration,
}

impl Grace {
    /// Starts with the first signal.
    pub(super) fn start(whole: Duration) -> Self {
        Self {
            end: Instant::now() + whole,
            whole,
        }
    }

    /// Until when hooks and requests may continue.
    pub(super) fn for_work(&self) -> Instant {
        self.end - CLOSING.min(self.whole / 5)
    }

    /// The time that hooks have left.
    fn for_hooks(&self) -> Duration {
        self.for_work().saturating_duration_since(Instant::now())
    }
}

/// Parses the flag.
pub(super) fn parse(text: Option<&str>) -> Result<Duration, String> {
    let Some(text) = text else {
        return Ok(DEFAULT);
    };
    let millis = parse_millis(text).map_err(|error| error.to_string())?;
    let grace = Duration::from_millis(millis);
    if grace > MOST {
        return Err(format!("must be at most 25min, not {text}"));
    }
    Ok(grace)
}

/// Ends everything by the deadline. What has not ended by then is left to the next start.
pub(super) async fn stop(
    grace: &Grace,
    mut serving: impl Future<Output = io::Result<()>> + Unpin,
    dispatcher: &Dispatcher,
    maintenance: &Maintenance,
    delivery: &Webhooks,
) -> anyhow::Result<()> {
    let all = async {
        let served = timeout(REQUESTS.min(grace.whole / 5), &mut serving).await;
        let requests = async {
            match served {
                Ok(served) => served,
                Err(_) => serving.await,
            }
        };
        let hooks = async {
            // Sessions need the dispatcher, so there is no point in waiting for them longer.
            let _late = timeout(grace.for_hooks(), maintenance.drain()).await;
            dispatcher.drain(grace.for_hooks()).await;
        };
        let (requests, (), ()) = tokio::join!(requests, hooks, delivery.drain());
        dispatcher
            .close()
            .await
            .context("cannot close the database")?;
        requests.context("cannot end all requests")
    };
    match timeout_at(grace.end, all).await {
        Ok(ended) => ended,
        Err(_) => {
            tracing::warn!(
                "shutdown did not finish within {:?}; the next start resumes the rest",
                grace.whole
            );
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_is_at_most_the_longest_time_of_a_hook() {
        assert_eq!(parse(None), Ok(DEFAULT));
        assert_eq!(parse(Some("0s")), Ok(Duration::ZERO));
        assert_eq!(parse(Some("25min")), Ok(MOST));
        for text in ["26min", "5", "soon"] {
            assert!(parse(Some(text)).is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn hooks_leave_time_for_closing() {
        for (whole, most) in [(25, 23), (10, 8), (5, 4), (0, 0)] {
            let left = Grace::start(Duration::from_secs(whole)).for_hooks();
            assert!(left <= Duration::from_secs(most), "{whole}: {left:?}");
        }
    }
}
