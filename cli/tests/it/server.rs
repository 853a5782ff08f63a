//! A real server on a free port, ended with the test that started it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};

use rustix::process::Signal;

use crate::http::{self, Answer};
use crate::tenterhook::{self, command};

/// A server that is ready.
pub(crate) struct Server {
    pub(crate) address: String,
    /// What it said before it was ready.
    pub(crate) said: String,
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Server {
    /// Starts a server on this data folder and waits until it is ready.
    pub(crate) fn start(data: &Path, flags: &[&str]) -> Self {
        let mut child = command(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let read = stderr.read_line(&mut line).unwrap();
            if let Some(address) = line.trim_end().strip_prefix("listening on http://") {
                break address.to_owned();
            }
            said.push_str(&line);
            assert!(read > 0, "the server ended before it was ready:\n{said}");
        };
        Self {
            address,
            said,
            child,
            stderr,
        }
    }

    pub(crate) fn get(&self, path: &str, headers: &str) -> Answer {
        http::request(&self.address, "GET", path, headers, "")
    }

    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> Answer {
        http::request(&self.address, "POST", path, headers, body)
    }

    /// Sends a signal; answers the status and what the server said since.
    pub(crate) fn stop(mut self, signal: Signal) -> (Option<i32>, String) {
        tenterhook::signal(&self.child, signal);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.stderr, &mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
