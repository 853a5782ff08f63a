//! Tells the interpreter's reading of a file that it runs from all other reading.
//!
//! The interpreter runs a file that is called by its path, but takes neither the options
//! of the file's first line nor a fresh `IFS` into account, and nothing of ours is asked
//! at that moment. What can be seen is that it asks for the file's metadata and then
//! reads it, with nothing in between. It is then given the script with a line that makes
//! up for both. Others do so too and are distinguished: a redirection has asked for the
//! folder and twice for the file, and some commands, by the names below, have the file
//! or a folder above it among their operands.

use super::Files;
use super::node::NodeId;
use super::tree::Tree;
use crate::shebang::Shebang;
use std::path::{Component, Path};
use std::sync::MutexGuard;

/// Commands that ask for a file's metadata right before they read it.
const READERS: [&str; 22] = [
    "awk", "bunzip2", "bzip2", "diff", "egrep", "fgrep", "file", "gawk", "grep", "gunzip", "gzip",
    "head", "hexdump", "less", "mawk", "more", "od", "pr", "rg", "tar", "wc", "zip",
];
/// Commands that ask for metadata and read nothing.
const TESTERS: [&str; 5] = ["[", "cd", "popd", "pushd", "test"];
/// Commands that ask for folders and files as a redirection does.
const RESOLVERS: [&str; 2] = ["readlink", "realpath"];
/// Commands that may start before a reader in the same pipeline has read its files.
const PIPELINE: u8 = 3;

/// What a redirection asks for before it reads: the folder, the file, the file again.
const REDIRECTION: usize = 3;

/// Shells that nest, as many as the interpreter allows for `sh FILE`.
const NESTED: u8 = 8;

/// What has been asked for so far.
#[derive(Debug, Default)]
pub(super) struct Execution {
    /// The last files and folders whose metadata was asked for, the latest last.
    examined: Vec<NodeId>,
    readers: Vec<Reader>,
    /// Whether the command that was started last is one of the resolvers.
    is_resolved: bool,
    /// The test that was started last, until it asks for its file.
    tester: Option<Reader>,
}

/// A command that reads files, started not long ago.
#[derive(Debug)]
struct Reader {
    /// The last parts of its operands.
    operands: Vec<String>,
    /// What it has read.
    read: Vec<NodeId>,
    /// Commands that were started after it.
    age: u8,
}

impl Files {
    /// The tree, for what is neither a look at metadata nor the reading of a file.
    pub(super) fn changed(&self) -> MutexGuard<'_, Tree> {
        let mut tree = self.tree();
        tree.execution.examined.clear();
        tree
    }

    /// Notes that a command is started, before it does anything.
    pub(crate) fn command_starts(&self, name: &str, args: &[String]) {
        let mut tree = self.tree();
        let execution = &mut tree.execution;
        execution.examined.clear();
        execution.readers.retain_mut(|reader| {
            reader.age += 1;
            reader.age < PIPELINE
        });
        execution.is_resolved = RESOLVERS.contains(&name);
        execution.tester = None;
        let last = |arg: &String| {
            arg.trim_end_matches('/')
                .rsplit('/')
                .next()
                .map(str::to_owned)
        };
        let reader = || Reader {
            operands: args.iter().filter_map(last).collect(),
            read: Vec::new(),
            age: 0,
        };
        if READERS.contains(&name) {
            execution.readers.push(reader());
        } else if TESTERS.contains(&name) {
            execution.tester = Some(reader());
        }
    }
}

impl Execution {
    /// Notes that the metadata of a file or folder was asked for.
    pub(super) fn examine(&mut self, node: NodeId, path: &Path) {
        let is_test = |tester: &mut Reader| tester.reads(path);
        if self.tester.take_if(is_test).is_some() {
            return;
        }
        if self.examined.len() == REDIRECTION {
            self.examined.remove(0);
        }
        self.examined.push(node);
    }

    /// Whether `file`, which is read from `folder`, is going to be run.
    pub(super) fn is_run(&mut self, file: NodeId, folder: Option<NodeId>, path: &Path) -> bool {
        let examined = std::mem::take(&mut self.examined);
        if examined.last() != Some(&file) {
            return false;
        }
        if let [first, second, _] = examined[..]
            && !self.is_resolved
            && Some(first) == folder
            && second == file
        {
            return false;
        }
        let reader = self.readers.iter_mut().find(|reader| reader.reads(path));
        match reader {
            Some(reader) if !reader.read.contains(&file) => {
                reader.read.push(file);
                false
            }
            _ => true,
        }
    }
}

impl Reader {
    /// Whether `path` is one of its operands, or lies beneath one.
    fn reads(&self, path: &Path) -> bool {
        let is_part = |operand: &str| {
            path.components()
                .any(|part| matches!(part, Component::Normal(part) if part == operand))
        };
        self.operands
            .iter()
            .any(|operand| matches!(&**operand, "." | "..") || is_part(operand))
    }
}

/// A script as the interpreter is to run it. In place of its first line, if that says how,
/// comes another, so that lines keep their numbers; the interpreter drops one that begins
/// with `#!`.
///
/// It does not bound either how deep scripts nest that are called so, as it does for
/// `sh FILE`: each makes the level of the shell one more, as in bash, up to the same bound.
pub(super) fn as_run(script: &[u8]) -> Option<Vec<u8>> {
    let (shebang, rest) = match script.starts_with(b"#!") {
        true => {
            let end = script.iter().position(|byte| *byte == b'\n')?;
            (Shebang::read(script)?, &script[end..])
        }
        false => (Shebang::default(), script),
    };
    let mut run = format!(
        "#!/bin/sh\nIFS=$' \\t\\n'; export SHLVL; if ((++SHLVL > {NESTED})); then echo \"$0: maximum nesting depth exceeded\" >&2; exit 2; fi; "
    )
    .into_bytes();
    run.extend_from_slice(shebang.commands().as_bytes());
    run.extend_from_slice(rest);
    Some(run)
}
