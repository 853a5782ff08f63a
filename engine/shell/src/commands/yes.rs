//! `yes`: repeats a line until its reader is gone.

use super::tool::Tool;
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};

/// Bytes written at a time.
const BLOCK: usize = 4096;

pub(super) struct Yes;

#[async_trait]
impl Command for Yes {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        let line = match tool.ctx.args {
            [] => "y\n".to_owned(),
            words => words.join(" ") + "\n",
        };
        let block = line.repeat(BLOCK.div_ceil(line.len()));
        loop {
            tool.print(&block).await?;
            // Lets timers and readers act even if nothing holds the writer up.
            tokio::task::yield_now().await;
        }
    }
}
