//! `diff`: compares files, and folders with `-r`.

mod compare;
mod folder;
mod hunk;

use super::options::{Given, Options};
use super::tool::{Tool, reason};
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};
use compare::Lines;
use std::path::Path;

pub(super) struct Diff;

const KNOWN: Options = Options {
    short: "abBcC:diNqrsuU:w",
    long: &[
        ("brief", 'q'),
        ("color=?", '0'),
        ("context=?", 'C'),
        ("ignore-all-space", 'w'),
        ("ignore-blank-lines", 'B'),
        ("ignore-case", 'i'),
        ("ignore-space-change", 'b'),
        ("label=", 'L'),
        ("new-file", 'N'),
        ("recursive", 'r'),
        ("report-identical-files", 's'),
        ("strip-trailing-cr", '\r'),
        ("text", 'a'),
        ("unified=?", 'U'),
    ],
};

/// Two files to compare, under the names that are shown for them.
struct Pair<'a> {
    old: &'a str,
    new: &'a str,
}

#[async_trait]
impl Command for Diff {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        let given = match tool.options(&KNOWN, 2).await? {
            Ok(given) => given,
            Err(status) => return Ok(status),
        };
        let [old, new] = &given.operands[..] else {
            return tool.fail(2, "missing operand").await;
        };
        let (old_folder, new_folder) = (is_folder(&tool, old).await, is_folder(&tool, new).await);
        let status = match (old_folder, new_folder) {
            (true, true) => folder::compare(&tool, &given, old, new).await?,
            (false, false) => files(&tool, &given, &Pair { old, new }, None).await?,
            // A file against a folder means its namesake in there.
            (true, false) => {
                let old = format!("{old}/{}", base(new));
                files(&tool, &given, &Pair { old: &old, new }, None).await?
            }
            (false, true) => {
                let new = format!("{new}/{}", base(old));
                files(&tool, &given, &Pair { old, new: &new }, None).await?
            }
        };
        Ok(CommandStatus::with_code(status))
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

async fn is_folder(tool: &Tool<'_>, operand: &str) -> bool {
    let found = tool.ctx.fs.stat(&tool.path(operand)).await;
    operand != "-" && found.is_ok_and(|meta| meta.file_type.is_dir())
}

/// Compares two files; `heading` is printed before the first difference.
async fn files(
    tool: &Tool<'_>,
    given: &Given,
    pair: &Pair<'_>,
    heading: Option<String>,
) -> Result<i32> {
    let mut contents = Vec::new();
    let mut trouble = false;
    for name in [pair.old, pair.new] {
        match tool.read(name).await {
            Ok(content) => contents.push(content),
            Err(bashkit::Error::Io(error))
                if error.kind() == std::io::ErrorKind::NotFound && given.has('N') =>
            {
                contents.push(Vec::new());
            }
            Err(error) => {
                tool.complain(&format!("{name}: {}", reason(&error)))
                    .await?;
                trouble = true;
            }
        }
    }
    if trouble {
        return Ok(2);
    }
    let (old, new) = (&contents[0], &contents[1]);
    if old == new {
        if given.has('s') {
            tool.print(format!(
                "Files {} and {} are identical\n",
                pair.old, pair.new
            ))
            .await?;
        }
        return Ok(0);
    }
    let binary = |content: &[u8]| content.contains(&0) && !given.has('a');
    if binary(old) || binary(new) {
        tool.print(format!(
            "Binary files {} and {} differ\n",
            pair.old, pair.new
        ))
        .await?;
        return Ok(2);
    }
    let lines = Lines::new(old, new, given);
    let changes = lines.changes();
    if changes.is_empty() {
        return Ok(0);
    }
    if given.has('q') {
        tool.print(format!("Files {} and {} differ\n", pair.old, pair.new))
            .await?;
        return Ok(1);
    }
    if let Some(heading) = heading {
        tool.print(heading).await?;
    }
    let dates = [stamp(tool, pair.old).await, stamp(tool, pair.new).await];
    tool.print(hunk::show(&lines, &changes, given, pair, &dates))
        .await?;
    Ok(1)
}

/// When a file was changed, as the heading of a unified diff shows it.
async fn stamp(tool: &Tool<'_>, name: &str) -> String {
    let path = if name == "-" {
        Path::new("/").to_path_buf()
    } else {
        tool.path(name)
    };
    let modified = match tool.ctx.fs.stat(&path).await {
        Ok(meta) => meta.modified,
        Err(_) => std::time::UNIX_EPOCH,
    };
    super::date::Stamp(modified).format("%Y-%m-%d %H:%M:%S.%N %z")
}
