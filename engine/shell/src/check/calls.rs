//! The commands that a script calls by their names, and the names that it defines.

use super::{Report, Severity};
use bashkit::parser::{
    AssignmentValue, Command, CompoundCommand, Redirect, SimpleCommand, Span, Word, WordPart,
};
use std::collections::HashSet;

/// Commands that exist only to report that there is no network.
const NETWORK: [&str; 3] = ["curl", "http", "wget"];
/// Folders in which a system has its commands.
const COMMAND_FOLDERS: [&str; 6] = [
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
];
/// Those of them in which the sandbox has its own.
const OWN_FOLDERS: [&str; 2] = ["/bin", "/usr/bin"];

/// One call of a command.
struct Call {
    name: String,
    /// Where it is in the script, in bytes.
    offset: usize,
}

/// All calls of a script.
pub(super) struct Calls<'a> {
    script: &'a str,
    calls: Vec<Call>,
    /// Functions, aliases, and what the script itself asks for whether it exists.
    known: HashSet<String>,
    /// The command outside of the substitution that is being read.
    outer: Option<Span>,
}

impl<'a> Calls<'a> {
    pub(super) fn of(script: &'a str, commands: &[Command]) -> Self {
        let mut calls = Self {
            script,
            calls: Vec::new(),
            known: HashSet::new(),
            outer: None,
        };
        calls.commands(commands);
        calls
    }

    /// A report for each call of what does not exist, `most` of them at most; one for
    /// each name and line.
    pub(super) fn missing(&self, exists: impl Fn(&str) -> bool, most: usize) -> Vec<Report> {
        let breaks: Vec<usize> = self.script.match_indices('\n').map(|(at, _)| at).collect();
        let mut seen = HashSet::new();
        let mut reports = Vec::new();
        for call in &self.calls {
            if reports.len() == most {
                break;
            }
            let Some(message) = complaint(&call.name, &exists) else {
                continue;
            };
            if self.known.contains(&call.name) {
                continue;
            }
            let before = breaks.partition_point(|at| *at < call.offset);
            if seen.insert((&call.name, before)) {
                let start = before.checked_sub(1).map_or(0, |last| breaks[last] + 1);
                let text = self.script.get(start..call.offset).unwrap_or_default();
                reports.push(Report {
                    severity: Severity::Warning,
                    line: before + 1,
                    column: text.chars().count() + 1,
                    message,
                });
            }
        }
        reports
    }

    fn commands(&mut self, commands: &[Command]) {
        for command in commands {
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Pipeline(pipeline) => self.commands(&pipeline.commands),
            Command::List(list) => {
                self.command(&list.first);
                for (_, command) in &list.rest {
                    self.command(command);
                }
            }
            Command::Compound(compound, redirects) => {
                self.compound(compound);
                self.redirects(redirects);
            }
            Command::Function(function) => {
                self.known.insert(function.name.clone());
                self.command(&function.body);
            }
        }
    }

    fn compound(&mut self, compound: &CompoundCommand) {
        match compound {
            CompoundCommand::If(command) => {
                self.commands(&command.condition);
                self.commands(&command.then_branch);
                for (condition, branch) in &command.elif_branches {
                    self.commands(condition);
                    self.commands(branch);
                }
                self.commands(command.else_branch.as_deref().unwrap_or_default());
            }
            CompoundCommand::For(command) => {
                self.words(command.words.as_deref().unwrap_or_default());
                self.commands(&command.body);
            }
            CompoundCommand::ArithmeticFor(command) => self.commands(&command.body),
            CompoundCommand::While(command) => {
                self.commands(&command.condition);
                self.commands(&command.body);
            }
            CompoundCommand::Until(command) => {
                self.commands(&command.condition);
                self.commands(&command.body);
            }
            CompoundCommand::Case(command) => {
                self.word(&command.word);
                for case in &command.cases {
                    self.words(&case.patterns);
                    self.commands(&case.commands);
                }
            }
            CompoundCommand::Select(command) => {
                self.words(&command.words);
                self.commands(&command.body);
            }
            CompoundCommand::Subshell(commands) | CompoundCommand::BraceGroup(commands) => {
                self.commands(commands);
            }
            CompoundCommand::Time(command) => {
                if let Some(command) = &command.command {
                    self.command(command);
                }
            }
            CompoundCommand::Conditional(words) => self.words(words),
            CompoundCommand::Coproc(command) => self.command(&command.body),
            CompoundCommand::Arithmetic(_) => {}
        }
    }

    fn simple(&mut self, simple: &SimpleCommand) {
        let outer = self.outer;
        // Spans inside of a substitution count from its beginning.
        self.outer = outer.or(Some(simple.span));
        for assignment in &simple.assignments {
            match &assignment.value {
                AssignmentValue::Scalar(word) => self.word(word),
                AssignmentValue::Array(words) => self.words(words),
            }
        }
        self.word(&simple.name);
        self.words(&simple.args);
        self.redirects(&simple.redirects);
        self.outer = outer;
        let Some(name) = literal(&simple.name).filter(|name| !name.is_empty()) else {
            return;
        };
        let args: Vec<Option<String>> = simple.args.iter().map(literal).collect();
        let args: Vec<Option<&str>> = args.iter().map(Option::as_deref).collect();
        self.define(&name, &args);
        self.call(&name, simple.span);
        if let Some(started) = started(&name, &args) {
            self.call(started, simple.span);
        }
    }

    /// Takes in the names that this command defines or asks for.
    fn define(&mut self, name: &str, args: &[Option<&str>]) {
        let args = args.iter().copied().flatten();
        let operands = args.clone().filter(|arg| !arg.starts_with('-'));
        match name {
            "command" if args.clone().any(|arg| arg == "-v" || arg == "-V") => {
                self.known.extend(operands.map(str::to_owned));
            }
            "type" | "which" | "hash" | "whereis" => {
                self.known.extend(operands.map(str::to_owned));
            }
            "alias" => {
                let names = operands.filter_map(|arg| arg.split_once('='));
                self.known.extend(names.map(|(name, _)| name.to_owned()));
            }
            _ => {}
        }
    }

    fn call(&mut self, name: &str, span: Span) {
        // Assignments go before the name, and belong to the span.
        let span = self.outer.unwrap_or(span);
        let (start, end) = (span.start.offset, span.end.offset);
        let text = self.script.get(start..end).unwrap_or_default();
        self.calls.push(Call {
            name: name.to_owned(),
            offset: start + find(text, name).unwrap_or(0),
        });
    }

    fn redirects(&mut self, redirects: &[Redirect]) {
        for redirect in redirects {
            self.word(&redirect.target);
        }
    }

    fn words(&mut self, words: &[Word]) {
        for word in words {
            self.word(word);
        }
    }

    fn word(&mut self, word: &Word) {
        for part in &word.parts {
            match part {
                WordPart::CommandSubstitution(commands)
                | WordPart::ProcessSubstitution { commands, .. } => self.commands(commands),
                WordPart::CompoundAssignment { elements, .. } => self.words(elements),
                _ => {}
            }
        }
    }
}

/// The command that this one starts, if it is plain to see.
fn started<'a>(name: &str, args: &[Option<&'a str>]) -> Option<&'a str> {
    let mut args = args.iter();
    let is_assignment = |arg: &&Option<&str>| arg.is_none_or(|arg| arg.contains('='));
    let started = match name {
        "exec" | "command" | "nohup" => args.next(),
        "env" => args.find(|arg| !is_assignment(arg)),
        "timeout" => args.nth(1),
        _ => None,
    };
    started
        .copied()
        .flatten()
        .filter(|name| !name.starts_with('-') && !name.is_empty())
}

/// What is wrong with calling `name`, if anything.
fn complaint(name: &str, exists: &impl Fn(&str) -> bool) -> Option<String> {
    let own = match name.rsplit_once('/') {
        None => name,
        Some((folder, own)) if OWN_FOLDERS.contains(&folder) => own,
        Some((folder, _)) if COMMAND_FOLDERS.contains(&folder) => "",
        // A file of the script's own, for all that can be said here.
        Some(_) => return None,
    };
    if NETWORK.contains(&own) {
        return Some(format!("`{name}` fails: the sandbox has no network"));
    }
    (own.is_empty() || !exists(own)).then(|| format!("the sandbox has no command `{name}`"))
}

/// The text of a word without expansions.
fn literal(word: &Word) -> Option<String> {
    let mut text = String::new();
    for part in &word.parts {
        let WordPart::Literal(part) = part else {
            return None;
        };
        text += part;
    }
    Some(text)
}

/// The first place in `text` at which `name` is called, or at least written.
fn find(text: &str, name: &str) -> Option<usize> {
    let mut written = None;
    for (at, _) in text.match_indices(name) {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let in_word = |c: char| c.is_alphanumeric() || "_-./=".contains(c);
        if before.ends_with(in_word) || after.starts_with(in_word) {
            continue;
        }
        let before = before.trim_end_matches([' ', '\t']);
        if before.is_empty() || before.ends_with(['(', '`', '|', ';', '&', '{', '!', '\n']) {
            return Some(at);
        }
        written = written.or(Some(at));
    }
    written
}
