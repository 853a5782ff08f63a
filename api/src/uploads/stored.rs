//! What an upload has stored, and what is wrong with it all the same.

use std::time::Duration;

use bytes::Bytes;
use tenterhook_dispatch::{AccountId, Dispatcher, Source};
use tenterhook_engine::Diagnostic;

/// How long an upload waits for its script to be checked: an account whose runs take all
/// that it may have would wait for them to end.
const LONGEST: Duration = Duration::from_secs(5);

/// A source as it was stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) source: Source,
    /// What is wrong with its script: a shell finds that out only when it gets there.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Stored {
    /// Checks the bytes of a source that was stored. The source is there: no upload fails
    /// because they could not be checked, and none waits for long.
    pub(crate) async fn check(
        dispatcher: &Dispatcher,
        account: AccountId,
        source: Source,
        bytes: Bytes,
    ) -> Self {
        let checked = dispatcher.sources().diagnose(account, bytes);
        let diagnostics = match tokio::time::timeout(LONGEST, checked).await {
            Ok(Ok(diagnostics)) => diagnostics,
            Ok(Err(error)) => {
                tracing::warn!(source = %source.id, %error, "cannot check a script");
                Vec::new()
            }
            Err(_) => {
                tracing::debug!(source = %source.id, "a script waited for too long to be checked");
                Vec::new()
            }
        };
        Self {
            source,
            diagnostics,
        }
    }
}
