//! What the kernel reports about a process or a thread.

use std::fs;

use rustix::process::Pid;

/// The lines of a `status` file.
pub(crate) struct Status(String);

/// Reads the status of a process, which must not have ended.
pub(crate) fn status(process: Pid) -> Status {
    let path = format!("/proc/{}/status", process.as_raw_nonzero());
    Status(fs::read_to_string(path).unwrap_or_default())
}

/// Asks about each thread of a process.
pub(crate) fn threads(process: Pid) -> Vec<Status> {
    fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero()))
        .unwrap()
        // A thread that has ended since is none.
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("status")).ok())
        .map(Status)
        .collect()
}

impl Status {
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        let text = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        text.map(str::trim)
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.find(name).unwrap()
    }
}
