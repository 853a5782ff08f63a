//! `tenterhook-check`: reads a script from standard input and prints what is wrong with
//! it. The engine has scripts read by it before they are stored.

use super::tool::{OK, Tool};
use crate::check::{Severity, check};
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

/// The names of all commands, known once the interpreter is built.
pub(crate) type Names = Arc<OnceLock<HashSet<String>>>;

/// Words that start a shell or a piece of syntax, and are not names of builtins.
const OTHERS: [&str; 5] = ["sh", "bash", "time", "[[", "]]"];

pub(super) struct Check(pub(super) Names);

#[async_trait]
impl Command for Check {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        let script = tool.read("-").await?;
        let script = String::from_utf8_lossy(&script);
        let exists = |name: &str| {
            OTHERS.contains(&name) || self.0.get().is_some_and(|names| names.contains(name))
        };
        let reports = check(&script, exists);
        for report in &reports {
            tool.print(format!("{report}\n")).await?;
        }
        match reports
            .iter()
            .any(|report| report.severity == Severity::Error)
        {
            true => Ok(CommandStatus::with_code(1)),
            false => Ok(OK),
        }
    }
}
