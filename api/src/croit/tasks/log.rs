//! A task's `output`: what its executions printed, each line after its server.
//!
//! Standard output comes before standard error, for their interleaving is not
//! kept. An ending that is not a plain success has a line of its own.

use tenterhook_dispatch::Execution;

/// Bytes of a log. One task may have thousands of executions with up to 16 MiB each; a
/// client that wants all of that asks for the executions one by one.
const MAX_BYTES: usize = 4 << 20;

/// Writes the log of a task.
pub(super) fn of(executions: &[Execution]) -> String {
    let mut log = Log::default();
    for execution in executions {
        let prefix = execution
            .server
            .as_ref()
            .map_or_else(String::new, |server| format!("{}: ", server.name));
        log.lines(&prefix, &execution.latest.output.stdout);
        log.lines(&prefix, &execution.latest.output.stderr);
        if execution.latest.output.dropped_bytes > 0 {
            let dropped = execution.latest.output.dropped_bytes;
            log.line(&prefix, &format!("[{dropped} bytes more were not kept]"));
        }
        match (&execution.latest.outcome, &execution.latest.error) {
            (_, Some(error)) => log.line(&prefix, &format!("[cannot be run: {error}]")),
            (Some(outcome), None) if !outcome.is_success() => {
                log.line(&prefix, &format!("[{outcome}]"))
            }
            _ => {}
        }
        if let Some(fault) = &execution.latest.verdict_fault {
            log.line(&prefix, &format!("[{fault}]"));
        }
    }
    log.text
}

#[derive(Default)]
struct Log {
    text: String,
    full: bool,
}

impl Log {
    fn lines(&mut self, prefix: &str, bytes: &[u8]) {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if bytes.is_empty() {
            return;
        }
        for line in bytes.split(|byte| *byte == b'\n') {
            if self.full {
                return;
            }
            self.line(prefix, &String::from_utf8_lossy(line));
        }
    }

    fn line(&mut self, prefix: &str, line: &str) {
        if self.full {
            return;
        }
        if self.text.len() + prefix.len() + line.len() >= MAX_BYTES {
            self.full = true;
            self.text
                .push_str("[the rest is left out; ask for the executions]\n");
            return;
        }
        self.text.push_str(prefix);
        self.text.push_str(line);
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_follows_its_server() {
        let mut log = Log::default();
        log.lines("a: ", b"one\n\ntwo");
        log.lines("b: ", b"three\n");
        log.lines("b: ", b"");
        assert_eq!(log.text, "a: one\na: \na: two\nb: three\n");
    }

    #[test]
    fn a_flood_is_truncated_with_a_note() {
        let mut log = Log::default();
        log.lines("a: ", &b"y\n".repeat(MAX_BYTES));
        assert!(log.text.len() < MAX_BYTES + 100);
        assert!(log.text.ends_with("ask for the executions]\n"));
    }
}
