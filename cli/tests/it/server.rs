//! A real server on a free port, ended with the test that started it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};

use rustix::process::Signal;

use crate::http::{self, Answer};
use crate::tenterhook::{self, command};

/// A server that is ready.
pub(crate) struct Server {
    pub(crate) address: String,
    /// Its log before it was ready.
    pub(crate) log: String,
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Server {
    /// Starts a server on this data folder and waits until it is ready.
    pub(crate) fn start(data: &Path, flags: &[&str]) -> Self {
        Self::start_in(data, flags, &[])
    }

    /// Starts a server with these variables in its environment.
    pub(crate) fn start_in(data: &Path, flags: &[&str], environment: &[(&str, &OsStr)]) -> Self {
        Self::begin("127.0.0.1:0", data, flags, environment)
    }

    /// Starts a server at an address that another one has had.
    pub(crate) fn start_at(data: &Path, address: &str) -> Self {
        Self::begin(address, data, &[], &[])
    }

    fn begin(address: &str, data: &Path, flags: &[&str], environment: &[(&str, &OsStr)]) -> Self {
        let mut child = command(["serve", "--listen", address, "--data-dir"])
            .arg(data)
            .args(flags)
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let address = loop {
            let mut line = String::new();
            let read = stderr.read_line(&mut line).unwrap();
            if let Some(address) = line.trim_end().strip_prefix("listening on http://") {
                break address.to_owned();
            }
            log.push_str(&line);
            assert!(read > 0, "the server ended before it was ready:\n{log}");
        };
        Self {
            address,
            log,
            child,
            stderr,
        }
    }

    /// The server's process.
    pub(crate) fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    pub(crate) fn get(&self, path: &str, headers: &str) -> Answer {
        http::request(&self.address, "GET", path, headers, "")
    }

    /// Asks the server to stop; returns its status and its log since.
    pub(crate) fn stop(self, signal: Signal) -> (Option<i32>, String) {
        tenterhook::signal(&self.child, signal);
        self.wait()
    }

    /// Asks the server to stop and, once it has said that it is stopping, again.
    pub(crate) fn stop_at_once(mut self) -> (Option<i32>, String) {
        tenterhook::signal(&self.child, Signal::TERM);
        let mut line = String::new();
        while !line.contains("stopping") {
            line.clear();
            assert!(
                self.stderr.read_line(&mut line).unwrap() > 0,
                "it never said so"
            );
        }
        tenterhook::signal(&self.child, Signal::INT);
        self.wait()
    }

    fn wait(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.stderr.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
