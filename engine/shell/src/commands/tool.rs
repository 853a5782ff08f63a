//! What our commands share: where to read, write and complain.

use super::options::{Given, Options};
use bashkit::{CommandContext, CommandStatus, Error, Result};
use std::path::{Component, PathBuf};

/// One invocation of a command.
pub(super) struct Tool<'a> {
    pub(super) ctx: CommandContext<'a>,
}

/// Success.
pub(super) const OK: CommandStatus = CommandStatus::success();

impl<'a> Tool<'a> {
    pub(super) fn new(ctx: CommandContext<'a>) -> Self {
        Self { ctx }
    }

    /// Writes to standard output.
    pub(super) async fn print(&self, text: impl AsRef<[u8]>) -> Result<()> {
        self.ctx.stdout.write_all(text.as_ref()).await
    }

    /// Says on standard error what is wrong, after the command's name.
    pub(super) async fn complain(&self, text: &str) -> Result<()> {
        let line = format!("{}: {text}\n", self.ctx.name);
        self.ctx.stderr.write_all(line.as_bytes()).await
    }

    /// Complains and gives the exit status for it.
    pub(super) async fn fail(&self, status: i32, text: &str) -> Result<CommandStatus> {
        self.complain(text).await?;
        Ok(CommandStatus::with_code(status))
    }

    /// Reads the command's options; the error is its exit status.
    pub(super) async fn options(
        &self,
        known: &Options,
        status: i32,
    ) -> Result<std::result::Result<Given, CommandStatus>> {
        match known.read(self.ctx.args) {
            Ok(given) => Ok(Ok(given)),
            Err(wrong) => Ok(Err(self.fail(status, &wrong).await?)),
        }
    }

    /// The path of an operand, from the root, without `.` and `..`.
    pub(super) fn path(&self, operand: &str) -> PathBuf {
        let mut path = PathBuf::from("/");
        for part in self.ctx.cwd.join(operand).components() {
            match part {
                Component::Normal(name) => path.push(name),
                Component::ParentDir => {
                    path.pop();
                }
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        path
    }

    /// The bytes of a file, or of standard input for `-`.
    pub(super) async fn read(&self, operand: &str) -> Result<Vec<u8>> {
        if operand == "-" || operand == "/dev/stdin" {
            return self.read_stdin().await;
        }
        self.ctx.fs.read_file(&self.path(operand)).await
    }

    async fn read_stdin(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.ctx.stdin.read_chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// Why an operation on a file failed, in the words that a Unix prints.
pub(super) fn reason(error: &Error) -> String {
    let Error::Io(error) = error else {
        return error.to_string();
    };
    match error.kind() {
        std::io::ErrorKind::NotFound => "No such file or directory".to_owned(),
        _ => error.to_string(),
    }
}
