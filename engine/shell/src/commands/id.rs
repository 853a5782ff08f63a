//! `id`: the script is root, alone in its world.

use super::options::Options;
use super::tool::{OK, Tool};
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};

pub(super) struct Id;

const KNOWN: Options = Options {
    short: "ugGnrz",
    long: &[
        ("user", 'u'),
        ("group", 'g'),
        ("groups", 'G'),
        ("name", 'n'),
        ("real", 'r'),
        ("zero", 'z'),
    ],
};

#[async_trait]
impl Command for Id {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        let given = match tool.options(&KNOWN, 1).await? {
            Ok(given) => given,
            Err(status) => return Ok(status),
        };
        if let Some(user) = given
            .operands
            .iter()
            .find(|user| !matches!(user.as_str(), "root" | "0"))
        {
            return tool.fail(1, &format!("'{user}': no such user")).await;
        }
        let single = ['u', 'g', 'G'].into_iter().any(|option| given.has(option));
        let text = match (single, given.has('n')) {
            (true, true) => "root",
            (true, false) => "0",
            (false, true) => {
                return tool
                    .fail(1, "cannot print only names or real IDs in default format")
                    .await;
            }
            (false, false) => "uid=0(root) gid=0(root) groups=0(root)",
        };
        let end = if given.has('z') { "\0" } else { "\n" };
        tool.print(format!("{text}{end}")).await?;
        Ok(OK)
    }
}
