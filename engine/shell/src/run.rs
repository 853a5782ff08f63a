//! One run: from a job to an exit status.

use crate::job::Job;
use crate::seed;
use crate::shell::Shell;
use crate::stream::{Sink, Stream};
use bashkit::{Error, ExecOptions, LimitExceeded};

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
    /// A shell serves one run: variables and files of the first would be seen
    /// by the second.
    pub async fn run(&mut self, job: Job, sink: Sink<'_>) -> Ended {
        self.files.begin(job.quota, job.event);
        for (name, value) in &job.environment {
            self.bash.set_env(name, value);
        }
        let script = String::from_utf8(job.script)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let whole = seed::prelude(job.seed) + &script;
        let options = ExecOptions::new()
            .arg0(job.name.as_str())
            .positional(job.arguments)
            .stdin(job.stdin);
        let result = self
            .bash
            .execute(&whole)
            .options(options)
            .stdout_fn(|bytes| {
                sink(Stream::Stdout, &bytes);
                std::future::ready(Ok(()))
            })
            .stderr_fn(|bytes| {
                sink(Stream::Stderr, &bytes);
                std::future::ready(Ok(()))
            })
            .await;
        let starved = result.as_ref().is_err_and(is_about_memory);
        let status = match result {
            Ok(result) => result.exit_code,
            Err(error) => {
                let report = error
                    .syntax_report(&job.name, &script)
                    .unwrap_or_else(|| format!("{}: {error}\n", job.name));
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

fn is_about_memory(error: &Error) -> bool {
    matches!(error, Error::ResourceLimit(LimitExceeded::Memory(_)))
}
