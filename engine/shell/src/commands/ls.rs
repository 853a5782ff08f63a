//! `ls`: lists names, or everything that is known of them.
//!
//! Output is never a terminal's: one name a line unless asked otherwise.

mod entry;
mod long;
mod order;

use super::options::{Given, Options};
use super::tool::{Tool, reason};
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};
use entry::Entry;

pub(super) struct Ls;

const KNOWN: Options = Options {
    short: "aA1bBcCdfFgGhHiI:kLlmnNopqQrRsStuUvw:xXZ",
    long: &[
        ("all", 'a'),
        ("almost-all", 'A'),
        ("classify=?", 'F'),
        ("color=?", '0'),
        ("directory", 'd'),
        ("full-time", '+'),
        ("group-directories-first", '^'),
        ("human-readable", 'h'),
        ("ignore=", 'I'),
        ("inode", 'i'),
        ("no-group", 'G'),
        ("numeric-uid-gid", 'n'),
        ("quote-name", 'Q'),
        ("recursive", 'R'),
        ("reverse", 'r'),
        ("sort=", '='),
        ("time-style=", '-'),
    ],
};

/// Deepest folder that `-R` goes down to.
const DEPTH_MAX: usize = 64;

#[async_trait]
impl Command for Ls {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        let given = match tool.options(&KNOWN, 2).await? {
            Ok(given) => given,
            Err(status) => return Ok(status),
        };
        let here = [".".to_owned()];
        let operands = match &given.operands[..] {
            [] => &here[..],
            operands => operands,
        };
        let mut status = 0;
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for operand in operands {
            match entry::operand(&tool, operand, &given).await {
                Ok(found) if found.is_folder() && !given.has('d') => folders.push(found),
                Ok(found) => files.push(found),
                Err(error) => {
                    tool.complain(&format!("cannot access '{operand}': {}", reason(&error)))
                        .await?;
                    status = 2;
                }
            }
        }
        order::sort(&mut files, &given);
        order::sort(&mut folders, &given);
        let several = operands.len() > 1 || given.has('R');
        let mut first = files.is_empty();
        if !files.is_empty() {
            tool.print(lines(&files, &given)).await?;
        }
        let mut pending: Vec<(Entry, usize)> = folders.into_iter().rev().map(|f| (f, 0)).collect();
        while let Some((folder, depth)) = pending.pop() {
            let mut heading = String::new();
            if several {
                heading = format!("{}{}:\n", if first { "" } else { "\n" }, folder.name);
            }
            first = false;
            match entry::read(&tool, &folder, &given).await {
                Ok(mut entries) => {
                    order::sort(&mut entries, &given);
                    let total = if long::is_long(&given) {
                        long::total(&entries, &given)
                    } else {
                        String::new()
                    };
                    tool.print(heading + &total + &lines(&entries, &given))
                        .await?;
                    if given.has('R') && depth < DEPTH_MAX {
                        let below = entries.into_iter().rev().filter(Entry::can_descend);
                        pending.extend(below.map(|entry| (entry.below(&folder), depth + 1)));
                    }
                }
                Err(error) => {
                    tool.complain(&format!(
                        "cannot open directory '{}': {}",
                        folder.name,
                        reason(&error)
                    ))
                    .await?;
                    status = status.max(if depth == 0 { 2 } else { 1 });
                }
            }
        }
        Ok(CommandStatus::with_code(status))
    }
}

fn lines(entries: &[Entry], given: &Given) -> String {
    if long::is_long(given) {
        return long::lines(entries, given);
    }
    let names: Vec<String> = entries.iter().map(|entry| entry.shown(given)).collect();
    if names.is_empty() {
        String::new()
    } else if given.has('m') {
        names.join(", ") + "\n"
    } else {
        names.join("\n") + "\n"
    }
}
