//! What a page of the guide asks its reader to do.
//!
//! A block of code whose language is `console` holds commands, each after `$ ` (and
//! its further lines after `> `), with what they print. A block after a comment
//! `file: PATH` is to be written to that file. All else is text.

use std::path::Path;

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
    pub(super) prints: Vec<String>,
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
                prints: Vec::new(),
            });
            continue;
        }
        let command = commands.last_mut().expect("a block begins with a command");
        match line.strip_prefix("> ").filter(|_| command.prints.is_empty()) {
            Some(more) => command.line = format!("{}\n{more}", command.line),
            None => command.prints.push((*line).to_owned()),
        }
    }
    commands.into_iter()
}

/// Whether what was printed is what a page says: a line `...` stands for any lines,
/// `[..]` for any text within a line. An empty expectation accepts everything.
pub(super) fn agrees(expected: &[String], printed: &[&str]) -> bool {
    let Some((first, rest)) = expected.split_first() else {
        return printed.is_empty();
    };
    if first == "..." {
        return (0..=printed.len()).any(|skipped| agrees(rest, &printed[skipped..]));
    }
    printed
        .split_first()
        .is_some_and(|(line, after)| line_agrees(first, line) && agrees(rest, after))
}

fn line_agrees(expected: &str, line: &str) -> bool {
    let expected = expected.trim_end();
    let mut rest = line.trim_end();
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

    fn agree(expected: &str, printed: &str) -> bool {
        let expected: Vec<String> = expected.lines().map(Into::into).collect();
        agrees(&expected, &printed.lines().collect::<Vec<_>>())
    }

    #[test]
    fn what_differs_is_seen() {
        assert!(agree("a\nb", "a\nb"));
        assert!(!agree("a\nb", "a\nc"));
        assert!(!agree("a", "a\nb"));
        assert!(agree("a\n...\nc", "a\nb\nb\nc"));
        assert!(!agree("a\n...\nc", "a\nb"));
        assert!(agree("took [..] ms, [..] in all", "took 3.5 ms, 7 in all"));
        assert!(!agree("took [..] ms", "took 3.5 s"));
    }
}
