//! What a page of the guide asks its reader to do.
//!
//! A block of code whose language is `console` holds commands, each after `$ ` (and
//! its further lines after `> `), with what they print. A block after a comment
//! `file: PATH` is to be written to that file. All else is text.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// A page, as the steps that it asks for.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) name: String,
    pub(super) steps: Vec<Step>,
}

/// One thing to do.
#[derive(Debug)]
pub(super) enum Step {
    Write { file: String, text: String },
    Run(Command),
}

/// A command and what it prints.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) line: String,
    pub(super) prints: String,
}

impl Page {
    pub(super) fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut steps = Vec::new();
        let mut lines = text.lines();
        let mut file_named = None;
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("<!-- file: ") {
                file_named = Some(name.trim_end_matches(" -->").to_owned());
            }
            let Some(language) = line.strip_prefix("```") else {
                continue;
            };
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            match (file_named.take(), language) {
                (Some(file), _) => steps.push(Step::Write {
                    file,
                    text: block.join("\n") + "\n",
                }),
                (None, "console") => steps.extend(commands(&block).map(Step::Run)),
                (None, _) => {}
            }
        }
        Self {
            name: file.display().to_string(),
            steps,
        }
    }

    pub(super) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.steps.iter().filter_map(|step| match step {
            Step::Run(command) => Some(command),
            Step::Write { .. } => None,
        })
    }
}

fn commands(block: &[&str]) -> impl Iterator<Item = Command> {
    let mut commands: Vec<Command> = Vec::new();
    for line in block {
        if let Some(line) = line.strip_prefix("$ ") {
            commands.push(Command {
                line: line.to_owned(),
                prints: String::new(),
            });
            continue;
        }
        let command = commands.last_mut().expect("a block begins with a command");
        match line
            .strip_prefix("> ")
            .filter(|_| command.prints.is_empty())
        {
            Some(more) => command.line = format!("{}\n{more}", command.line),
            None => {
                command.prints.push_str(line);
                command.prints.push('\n');
            }
        }
    }
    commands.into_iter()
}

/// Whether the output is what a page shows: a line `...` stands for any lines,
/// `[..]` for any text within a line. What differs from run to run, such as times,
/// sizes and ids, may differ.
pub(super) fn agrees(expected: &str, printed: &str) -> bool {
    let lines = |text: &str| text.lines().map(even_out).collect::<Vec<_>>();
    lines_agree(&lines(expected), &lines(printed))
}

/// Puts the same word for everything that differs from run to run.
fn even_out(line: &str) -> String {
    static CHANGING: LazyLock<[(Regex, &str); 5]> = LazyLock::new(|| {
        [
            (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
            (r"\d+(\.\d+)? ?(k|M|G|KiB|MiB|bytes|µs|us|ms|s)\b", "AMOUNT"),
            (r"sha256:[0-9a-f]+", "DIGEST"),
            (
                r"\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{12})\b",
                "ID",
            ),
            (r" +", " "),
        ]
        .map(|(pattern, word)| (Regex::new(pattern).unwrap(), word))
    });
    let even = |line: String, (pattern, word): &(Regex, &str)| {
        pattern.replace_all(&line, *word).into_owned()
    };
    CHANGING.iter().fold(line.trim_end().to_owned(), even)
}

fn lines_agree(expected: &[String], printed: &[String]) -> bool {
    let Some((first, rest)) = expected.split_first() else {
        return printed.is_empty();
    };
    if first == "..." {
        return (0..=printed.len()).any(|skipped| lines_agree(rest, &printed[skipped..]));
    }
    printed
        .split_first()
        .is_some_and(|(line, after)| line_agrees(first, line) && lines_agree(rest, after))
}

fn line_agrees(expected: &str, line: &str) -> bool {
    let mut rest = line;
    let Some((start, more)) = expected.split_once("[..]") else {
        return expected == rest;
    };
    let Some(after) = rest.strip_prefix(start) else {
        return false;
    };
    rest = after;
    let mut pieces: Vec<&str> = more.split("[..]").collect();
    let end = pieces.pop().expect("a split has a last piece");
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_detected() {
        assert!(agrees("a\nb", "a\nb"));
        assert!(!agrees("a\nb", "a\nc"));
        assert!(!agrees("a", "a\nb"));
        assert!(agrees("a\n...\nc", "a\nb\nb\nc"));
        assert!(!agrees("a\n...\nc", "a\nb"));
        assert!(agrees("took [..], [..] in all", "took 3.5 ms, 7 in all"));
        assert!(!agrees("took [..]!", "took 3.5 s"));
    }

    #[test]
    fn measured_values_may_differ() {
        assert!(agrees(
            "ok  869.8 k fuel  2.6 MiB",
            "ok    1.1 M fuel    3 MiB"
        ));
        assert!(!agrees("ok 869.8 k fuel", "fail 869.8 k fuel"));
        assert!(!agrees("status 1", "status 0"));
        assert!(agrees("[97fa9f4ee14a]", "[000000000001]"));
    }
}
