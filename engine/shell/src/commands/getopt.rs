//! `getopt`: sorts a script's own options, in the manner of util-linux.

mod words;

use super::options::Options;
use super::tool::{OK, Tool};
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};
use words::Sorted;

pub(super) struct Getopt;

const KNOWN: Options = Options {
    short: "ahl:n:o:qQs:TuV",
    long: &[
        ("alternative", 'a'),
        ("longoptions=", 'l'),
        ("name=", 'n'),
        ("options=", 'o'),
        ("quiet", 'q'),
        ("quiet-output", 'Q'),
        ("shell=", 's'),
        ("test", 'T'),
        ("unquoted", 'u'),
    ],
};

#[async_trait]
impl Command for Getopt {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        let args = tool.ctx.args;
        // The first word of the old form is the list of short options.
        let old = args.first().is_some_and(|first| !first.starts_with('-'));
        let (own, words) = if old {
            (&[][..], args)
        } else {
            own_options(args)
        };
        let given = match KNOWN.read(own) {
            Ok(given) => given,
            Err(wrong) => return tool.fail(2, &wrong).await,
        };
        if given.has('T') {
            return Ok(CommandStatus::with_code(4));
        }
        let (short, words) = match (given.value('o'), words) {
            (Some(short), words) => (short, words),
            (None, [short, words @ ..]) => (short.as_str(), words),
            (None, []) => return tool.fail(2, "missing optstring argument").await,
        };
        let long: Vec<&str> = given
            .options
            .iter()
            .filter(|(option, _)| *option == 'l')
            .flat_map(|(_, names)| names.as_deref().unwrap_or_default().split([',', ' ']))
            .filter(|name| !name.is_empty())
            .collect();
        let posix = tool.ctx.env.contains_key("POSIXLY_CORRECT");
        let sorted = words::sort(short, &long, given.has('a'), posix, words);
        let name = given.value('n').unwrap_or("getopt");
        if !given.has('q') {
            for wrong in &sorted.wrong {
                let line = format!("{name}: {wrong}\n");
                tool.ctx.stderr.write_all(line.as_bytes()).await?;
            }
        }
        if !given.has('Q') {
            let quoted = !(old || given.has('u'));
            tool.print(line(&sorted, quoted)).await?;
        }
        Ok(if sorted.wrong.is_empty() {
            OK
        } else {
            CommandStatus::with_code(1)
        })
    }
}

/// Our own options end at `--` or at the first word that is none.
fn own_options(args: &[String]) -> (&[String], &[String]) {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        if arg == "--" {
            return (&args[..at], &args[at + 1..]);
        }
        if !arg.starts_with('-') {
            break;
        }
        let takes_next = match arg.strip_prefix("--") {
            Some(long) => {
                !long.contains('=') && matches!(long.get(..1), Some("l" | "n" | "o" | "s"))
            }
            None => matches!(arg.as_str(), "-l" | "-n" | "-o" | "-s"),
        };
        at += if takes_next { 2 } else { 1 };
    }
    args.split_at(at.min(args.len()))
}

fn line(sorted: &Sorted, quoted: bool) -> String {
    let quote = |word: &String| match quoted {
        true => format!(" '{}'", word.replace('\'', r"'\''")),
        false => format!(" {word}"),
    };
    let mut line = String::new();
    for (option, value) in &sorted.options {
        line.push(' ');
        line.push_str(option);
        line.extend(value.as_ref().map(quote));
    }
    line.push_str(" --");
    line.extend(sorted.operands.iter().map(quote));
    line + "\n"
}
