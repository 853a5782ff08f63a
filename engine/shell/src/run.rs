//! One run: from a job to an exit status.

use crate::check::endless;
use crate::job::Job;
use crate::seed;
use crate::shebang::{Shebang, quoted};
use crate::shell::Shell;
use crate::stream::{Sink, Stream};
use bashkit::{Error, ExecOptions, LimitExceeded};
use std::borrow::Cow;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Exit status, 0 to 255.
    pub status: u8,
    /// What the script left in `/verdict.json`.
    pub verdict: Verdict,
    /// Whether the interpreter gave up for lack of memory.
    pub starved: bool,
}

/// What a script left in `/verdict.json`, for the engine to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is nothing.
    None,
    /// A file with these bytes, however many.
    Text(Vec<u8>),
    /// Something that is not a regular file.
    NotRegular,
}

impl Shell {
    /// Runs one script to its end, its EXIT trap included.
    ///
    /// The interpreter is given a call of a shell with the script as its file, and not
    /// the script's text: that is what makes `$0`, `BASH_SOURCE` and `IFS` those of a
    /// script. It takes one of the levels to which calls and shells nest.
    ///
    /// A shell serves one run: variables and files of the first would be seen
    /// by the second.
    pub async fn run(&mut self, job: Job, sink: Sink<'_>) -> Ended {
        let path = self.files.add_script(&job.name, &job.script);
        let path = path.as_str();
        self.files.begin(job.quota, job.event);
        let shebang = Shebang::read(&job.script).unwrap_or_default();
        for (name, value) in job.environment.iter().chain(&shebang.variables) {
            self.bash.set_env(name, value);
        }
        let mut whole = seed::prelude(job.seed) + "bash";
        for option in &shebang.options {
            whole += &format!(" {}", quoted(option));
        }
        whole += " \"$0\" \"$@\"";
        let options = ExecOptions::new()
            .arg0(path)
            .positional(job.arguments)
            .stdin(job.stdin);
        let script = &*job.script;
        let result = self
            .bash
            .execute(&whole)
            .options(options)
            .stdout_fn(|bytes| {
                sink(Stream::Stdout, &bytes);
                std::future::ready(Ok(()))
            })
            .stderr_fn(|bytes| {
                sink(Stream::Stderr, &with_place(&bytes, path, script));
                std::future::ready(Ok(()))
            })
            .await;
        let starved = result.as_ref().is_err_and(is_about_memory);
        let status = match result {
            Ok(result) => result.exit_code,
            Err(error) => {
                let report = format!("{path}: {error}\n");
                sink(Stream::Stderr, report.as_bytes());
                2
            }
        };
        Ended {
            status: status.to_le_bytes()[0],
            verdict: self.verdict(),
            starved,
        }
    }

    fn verdict(&self) -> Verdict {
        match self.files.take_verdict() {
            Ok(Some(bytes)) => Verdict::Text(bytes),
            Ok(None) => Verdict::None,
            Err(_) => Verdict::NotRegular,
        }
    }
}

/// `errors`, and in place of a parser that has used up its steps, the syntax error that
/// it was stuck at. That is searched for where it is needed alone.
fn with_place<'a>(errors: &'a [u8], path: &str, script: &[u8]) -> Cow<'a, [u8]> {
    let start = errors
        .trim_ascii_end()
        .iter()
        .rposition(|byte| *byte == b'\n');
    let (before, last) = errors.split_at(start.map_or(0, |end| end + 1));
    let given_up = format!("{path}: syntax error: parser fuel exhausted (");
    if !last.starts_with(given_up.as_bytes()) {
        return Cow::Borrowed(errors);
    }
    let script = String::from_utf8_lossy(script);
    let report = endless(&script).and_then(|report| {
        let error = Error::Parse {
            message: report.message,
            line: report.line,
            column: report.column,
        };
        error.syntax_report(path, &script)
    });
    let last = report.map_or(Cow::Borrowed(last), |report| {
        Cow::Owned(report.into_bytes())
    });
    Cow::Owned([before, &last].concat())
}

fn is_about_memory(error: &Error) -> bool {
    matches!(error, Error::ResourceLimit(LimitExceeded::Memory(_)))
}
