//! One row of a table: something that can be run and timed.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tenterhook_engine::{Engine, Invocation, Program};

/// Something that can be run and timed.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    target: Target,
}

enum Target {
    Guest(Engine, Program, fn() -> Invocation),
    Process(Vec<String>),
}

impl Contender {
    /// A program in the sandbox.
    pub(crate) fn guest(name: &'static str, engine: &Engine, program: &Program) -> Self {
        Self {
            name,
            target: Target::Guest(engine.clone(), program.clone(), crate::invocation),
        }
    }

    /// A program with another invocation for each run.
    pub(crate) fn given(mut self, given: fn() -> Invocation) -> Self {
        if let Target::Guest(_, _, invocation) = &mut self.target {
            *invocation = given;
        }
        self
    }

    /// A command by fork and exec, its output captured.
    pub(crate) fn process(name: &'static str, command: &[&str]) -> Self {
        Self {
            name,
            target: Target::Process(command.iter().map(|word| (*word).to_owned()).collect()),
        }
    }

    /// Whether this machine can run it.
    pub(crate) fn is_there(&self) -> bool {
        self.once().is_ok()
    }

    /// Runs it once, from the call to its captured output.
    pub(crate) fn once(&self) -> anyhow::Result<Duration> {
        match &self.target {
            Target::Guest(engine, program, invocation) => engine.threads().block_on(async {
                let started_at = Instant::now();
                crate::run(engine, program, invocation()).await?;
                Ok(started_at.elapsed())
            }),
            Target::Process(command) => {
                let started_at = Instant::now();
                let output = Command::new(&command[0])
                    .args(&command[1..])
                    .stdin(Stdio::null())
                    .output()?;
                anyhow::ensure!(output.status.success(), "{} failed", command[0]);
                Ok(started_at.elapsed())
            }
        }
    }
}
