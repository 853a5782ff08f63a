//! The commands that a script calls by their names, and the names that it defines.

mod started;

use super::{DEPTH, Report, Severity};
use crate::limits::PARSER_STEPS;
use bashkit::parser::{
    AssignmentValue, Command, CompoundCommand, ParameterOp, Parser, Redirect, Script,
    SimpleCommand, Span, Word, WordPart,
};
use started::started;
use std::collections::HashSet;
use std::ops::Range;

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
/// Substitutions and operands in one another that are looked into.
const OPERANDS: usize = 16;

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
    /// The part of the script that is being read, and has not been yet. Where a command
    /// in a substitution is, the parser does not say: it is searched for here.
    unread: Range<usize>,
    /// The end of the command outside of all substitutions that is being read.
    end: usize,
    /// How many substitutions and operands are around what is being read.
    depth: usize,
}

impl<'a> Calls<'a> {
    pub(super) fn of(script: &'a str, parsed: &Script) -> Self {
        let mut calls = Self {
            script,
            calls: Vec::new(),
            known: HashSet::new(),
            unread: 0..script.len(),
            end: script.len(),
            depth: 0,
        };
        let starts = parsed.command_starts.iter().map(|(start, _)| *start);
        let ends = starts.clone().skip(1).chain([script.len()]);
        for ((command, start), end) in parsed.commands.iter().zip(starts).zip(ends) {
            calls.unread = start..end;
            calls.end = end;
            calls.command(command);
        }
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
                self.begin(command.span);
                self.words(command.words.as_deref().unwrap_or_default());
                self.commands(&command.body);
            }
            CompoundCommand::ArithmeticFor(command) => {
                self.begin(command.span);
                for expression in [&command.init, &command.condition, &command.step] {
                    self.operand(expression);
                }
                self.commands(&command.body);
            }
            CompoundCommand::While(command) => {
                self.commands(&command.condition);
                self.commands(&command.body);
            }
            CompoundCommand::Until(command) => {
                self.commands(&command.condition);
                self.commands(&command.body);
            }
            CompoundCommand::Case(command) => {
                self.begin(command.span);
                self.word(&command.word);
                for case in &command.cases {
                    self.words(&case.patterns);
                    self.commands(&case.commands);
                }
            }
            CompoundCommand::Select(command) => {
                self.begin(command.span);
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
            CompoundCommand::Arithmetic(expression) => self.operand(expression),
        }
    }

    /// Goes on to a command, whose span is of use outside of substitutions only.
    fn begin(&mut self, span: Span) {
        if self.depth == 0 {
            self.unread.start = self.unread.start.max(span.start.offset);
        }
    }

    fn simple(&mut self, simple: &SimpleCommand) {
        if self.depth == 0 {
            self.unread.start = simple.span.start.offset;
            self.end = simple.span.end.offset;
        }
        for assignment in &simple.assignments {
            if let Some(index) = &assignment.index {
                self.operand(index);
            }
            match &assignment.value {
                AssignmentValue::Scalar(word) => self.word(word),
                AssignmentValue::Array(words) => self.words(words),
            }
        }
        self.word(&simple.name);
        self.words(&simple.args);
        self.redirects(&simple.redirects);
        if let Some(name) = literal(&simple.name).filter(|name| !name.is_empty()) {
            let args: Vec<Option<String>> = simple.args.iter().map(literal).collect();
            let args: Vec<Option<&str>> = args.iter().map(Option::as_deref).collect();
            self.define(&name, &args);
            self.call(&name);
            for name in started(&name, &args) {
                self.call(name);
            }
        }
        if self.depth == 0 {
            self.unread.start = self.end;
            self.end = self.unread.end;
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

    fn call(&mut self, name: &str) {
        let start = self.unread.start;
        // The text of a here-document comes after the command that reads it.
        let offset = [self.end, self.unread.end].iter().find_map(|end| {
            let text = self.script.get(start..*end)?;
            find(text, name)
        });
        self.calls.push(Call {
            name: name.to_owned(),
            offset: start + offset.unwrap_or(0),
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
            self.part(part);
        }
    }

    fn part(&mut self, part: &WordPart) {
        match part {
            WordPart::CommandSubstitution(commands)
            | WordPart::ProcessSubstitution { commands, .. } => {
                self.depth += 1;
                self.commands(commands);
                self.depth -= 1;
            }
            WordPart::CompoundAssignment { elements, .. } => self.words(elements),
            WordPart::ParameterExpansion {
                operator, operand, ..
            } => self.expansion(Some(operator), operand),
            WordPart::IndirectExpansion {
                operator, operand, ..
            } => self.expansion(operator.as_ref(), operand),
            WordPart::ArithmeticExpansion(text)
            | WordPart::ArrayAccess { index: text, .. }
            | WordPart::IndirectSuffix { suffix: text, .. } => self.operand(text),
            WordPart::Substring { offset, length, .. } => {
                self.operand(offset);
                self.operand(length.as_deref().unwrap_or_default());
            }
            _ => {}
        }
    }

    fn expansion(&mut self, operator: Option<&ParameterOp>, operand: &str) {
        self.operand(operand);
        if let Some(
            ParameterOp::ReplaceFirst {
                pattern,
                replacement,
            }
            | ParameterOp::ReplaceAll {
                pattern,
                replacement,
            },
        ) = operator
        {
            self.operand(pattern);
            self.operand(replacement);
        }
    }

    /// Reads what an expansion keeps as text. One with an apostrophe may be quoted.
    fn operand(&mut self, text: &str) {
        let has_substitution = text.contains("$(") || text.contains("${");
        if !has_substitution || text.contains('\'') || self.depth >= OPERANDS {
            return;
        }
        self.depth += 1;
        let word = Parser::parse_word_string_with_limits(text, DEPTH, PARSER_STEPS);
        self.word(&word);
        self.depth -= 1;
    }
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
