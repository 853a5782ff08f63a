//! `zcat`: prints what gzip packed.

use super::options::Options;
use super::tool::{Tool, reason};
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Bytes unpacked before they are written.
const BLOCK: usize = 16 << 10;
/// The two bytes that a gzip file begins with.
const MAGIC: &[u8] = &[0x1f, 0x8b];

pub(super) struct Zcat;

const KNOWN: Options = Options {
    short: "cfdqv",
    long: &[
        ("stdout", 'c'),
        ("force", 'f'),
        ("decompress", 'd'),
        ("quiet", 'q'),
    ],
};

#[async_trait]
impl Command for Zcat {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        let given = match tool.options(&KNOWN, 1).await? {
            Ok(given) => given,
            Err(status) => return Ok(status),
        };
        let stdin = ["-".to_owned()];
        let files = match &given.operands[..] {
            [] => &stdin[..],
            files => files,
        };
        let mut status = 0;
        for file in files {
            status = status.max(unpack(&tool, file, given.has('f')).await?);
        }
        Ok(CommandStatus::with_code(status))
    }
}

/// Prints one file; `-f` lets through what is not packed.
async fn unpack(tool: &Tool<'_>, file: &str, force: bool) -> Result<i32> {
    let name = if file == "-" { "stdin" } else { file };
    let packed = match tool.read(file).await {
        Ok(packed) => packed,
        Err(error) => {
            // `zcat log` finds `log.gz`, as gzip does.
            match tool.read(&format!("{file}.gz")).await {
                Ok(packed) => packed,
                Err(_) => {
                    tool.complain(&format!("{name}: {}", reason(&error)))
                        .await?;
                    return Ok(1);
                }
            }
        }
    };
    if !packed.starts_with(MAGIC) {
        if force {
            tool.print(&packed).await?;
            return Ok(0);
        }
        tool.complain(&format!("{name}: not in gzip format"))
            .await?;
        return Ok(1);
    }
    let mut unpacked = MultiGzDecoder::new(&packed[..]);
    let mut block = vec![0; BLOCK];
    loop {
        match unpacked.read(&mut block) {
            Ok(0) => return Ok(0),
            Ok(count) => tool.print(&block[..count]).await?,
            Err(error) => {
                let end = error.kind() == std::io::ErrorKind::UnexpectedEof;
                let what = if end {
                    "unexpected end of file"
                } else {
                    "invalid compressed data"
                };
                tool.complain(&format!("{name}: {what}")).await?;
                return Ok(1);
            }
        }
    }
}
