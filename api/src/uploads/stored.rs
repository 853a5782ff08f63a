//! What an upload has stored, and what is wrong with it all the same.

use bytes::Bytes;
use tenterhook_dispatch::{AccountId, Dispatcher, Source};
use tenterhook_engine::Diagnostic;

/// A source as it was stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) source: Source,
    /// What is wrong with its script: a shell finds that out only when it gets there.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Stored {
    /// Checks the bytes of a source that was stored. That they could not be checked is
    /// logged: the source is there, and no upload fails over it.
    pub(crate) async fn check(
        dispatcher: &Dispatcher,
        account: AccountId,
        source: Source,
        bytes: Bytes,
    ) -> Self {
        let diagnostics = dispatcher.sources().diagnose(account, bytes).await;
        let diagnostics = diagnostics.unwrap_or_else(|error| {
            tracing::warn!(source = %source.id, %error, "cannot check a script");
            Vec::new()
        });
        Self {
            source,
            diagnostics,
        }
    }
}
