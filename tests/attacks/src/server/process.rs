//! The server: the built binary, in a process that ends with this one's interest.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::Context as _;

/// A server that is ready.
pub(super) struct Server {
    address: String,
    child: Child,
}

impl Server {
    /// Starts the binary that lies beside this one, with these flags and at most so
    /// many descriptors.
    pub(super) fn start(
        data: &Path,
        flags: &[&str],
        descriptors: Option<u32>,
    ) -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("tenterhook");
        let limit = descriptors.map_or(String::new(), |most| format!("ulimit -n {most} && "));
        let mut child = Command::new("/bin/sh")
            .args(["-c", &format!("{limit}exec \"$@\""), "sh"])
            .arg(&binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .args(flags)
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}; build it first", binary.display()))?;
        let stderr = child
            .stderr
            .take()
            .context("its standard error is a pipe")?;
        let mut server = Self {
            address: String::new(),
            child,
        };
        let mut lines = BufReader::new(stderr).lines();
        let mut said = String::new();
        loop {
            let line = lines
                .next()
                .with_context(|| format!("the server ended before it was ready:\n{said}"))??;
            if let Some(address) = line.strip_prefix("listening on http://") {
                server.address = address.trim_end().to_owned();
                break;
            }
            said.push_str(&line);
        }
        // It goes on talking, and must not wait for a reader.
        thread::spawn(move || lines.for_each(drop));
        Ok(server)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The most memory that the server held at one time.
    pub(super) fn peak_bytes(&self) -> anyhow::Result<u64> {
        let peak = crate::host::memory_peak_bytes_of(self.child.id());
        peak.context("the server has ended")
    }

    /// The token of the server's owner.
    pub(super) fn token(&self, data: &Path) -> anyhow::Result<String> {
        let token = fs::read_to_string(data.join("owner.token"))?;
        Ok(token.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, and then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
