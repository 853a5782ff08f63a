//! The commands that work on a running server, as a guest's author uses them.

mod case;
mod faults;
mod fire;
mod logs;
mod push;
mod replay;
mod running;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::api::Owner;
use crate::client;
use crate::server::Server;
use crate::tenterhook::{Finished, command};

/// Far longer than anything here takes: a test that hangs ends as a failure.
const LONG: Duration = Duration::from_secs(120);

/// A server and a folder for a project beside it.
pub(crate) struct Workspace {
    pub(crate) data: TempDir,
    pub(crate) project: TempDir,
    pub(crate) server: Server,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self {
            server: Server::start(data.path(), &[]),
            project: tempfile::tempdir().unwrap(),
            data,
        }
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner::of(&self.server, self.data.path())
    }

    /// Writes a project of a script: its manifest's first lines are the same always.
    pub(crate) fn project(&self, program: impl AsRef<[u8]>, hook: &str) -> &Path {
        let manifest =
            format!("name = \"guard\"\nevent = \"custom.go\"\nprogram = \"hook.sh\"\n{hook}");
        std::fs::write(self.project.path().join("tenterhook.toml"), manifest).unwrap();
        std::fs::write(self.project.path().join("hook.sh"), program).unwrap();
        self.project.path()
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Finished {
        client::tenterhook(self.data.path(), args)
    }

    /// Runs a command that must succeed; returns the bytes that it prints.
    fn bytes(&self, args: &[&str]) -> Vec<u8> {
        let mut command = command(args);
        let output = command
            .env("TENTERHOOK_DATA", self.data.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }

    /// Runs a command that knows of no server.
    fn offline<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Finished {
        Finished::of(command(args).output().unwrap())
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        client::json(self.data.path(), args)
    }

    /// Pushes the project.
    pub(crate) fn push(&self, flags: &[&str]) -> Finished {
        let folder = self.project.path().to_str().unwrap();
        self.run(["push", folder].iter().chain(flags))
    }

    /// Starts a command that keeps running.
    pub(crate) fn start(&self, args: &[&str]) -> Going {
        let mut child = command(args)
            .env("TENTERHOOK_DATA", self.data.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Going { child, lines }
    }

    /// Fires `custom.go` without waiting; returns the number of its task.
    pub(crate) fn fire(&self) -> String {
        let posted = self.json(&["fire", "custom.go", "--no-wait"]);
        posted["task"]["number"].to_string()
    }

    /// Looks until one execution runs that has burnt some fuel.
    pub(crate) fn one_that_runs(&self) -> Value {
        for _ in 0..1_000 {
            let running = self.json(&["top", "--once"]);
            if running[0]["usage"]["fuel"].as_u64() > Some(0) {
                return running[0].clone();
            }
        }
        panic!("nothing ever ran");
    }
}

/// A command that runs until it is stopped.
pub(crate) struct Going {
    pub(crate) child: Child,
    lines: mpsc::Receiver<String>,
}

impl Going {
    /// The next line that holds `text`.
    #[track_caller]
    pub(crate) fn line_with(&self, text: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(LONG) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("no line with `{text}`: {error}; {before:#?}"),
            }
        }
    }

    /// The lines up to the one that holds `text`.
    #[track_caller]
    pub(crate) fn lines_to(&self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while !lines
            .last()
            .is_some_and(|line: &String| line.contains(text))
        {
            match self.lines.recv_timeout(LONG) {
                Ok(line) => lines.push(line),
                Err(error) => panic!("no line with `{text}`: {error}; {lines:#?}"),
            }
        }
        lines
    }

    /// The lines up to its end.
    pub(crate) fn rest(&self) -> Vec<String> {
        std::iter::from_fn(|| self.lines.recv_timeout(LONG).ok()).collect()
    }

    /// Waits for its end; returns the status.
    pub(crate) fn result(&mut self) -> Option<i32> {
        // Its output has been read to the end, or the wait is bounded by that.
        while self.lines.recv_timeout(LONG).is_ok() {}
        self.child.wait().unwrap().code()
    }
}

impl Going {
    /// Waits for its end; returns the status and its standard error.
    pub(crate) fn finish(mut self) -> (Option<i32>, String) {
        let status = self.result();
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut log).unwrap();
        (status, log)
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
