//! Commands that would need a network: they say that there is none.

use super::tool::Tool;
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};

/// Fails with the status that the real command gives when it cannot connect.
pub(super) struct NoNetwork(pub(super) i32);

#[async_trait]
impl Command for NoNetwork {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        Tool::new(ctx)
            .fail(self.0, "no network in this sandbox")
            .await
    }
}
