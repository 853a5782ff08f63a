//! Runs a script the way the guest does and keeps what it wrote.

use std::sync::Mutex;
use std::time::Duration;
use tenterhook_shell::{Ended, Job, Shell, Stream};

/// What a run left behind.
pub(crate) struct Answer {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) ended: Ended,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    pub(crate) fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

pub(crate) fn run(job: Job) -> Answer {
    run_within(job, Duration::MAX).expect("it has all the time there is")
}

/// The same, or nothing if it waits for longer than `timeout`.
pub(crate) fn run_within(job: Job, timeout: Duration) -> Option<Answer> {
    let streams = Mutex::new((Vec::new(), Vec::new()));
    let sink = |stream, bytes: &[u8]| {
        let mut streams = streams.lock().unwrap();
        match stream {
            Stream::Stdout => streams.0.extend_from_slice(bytes),
            Stream::Stderr => streams.1.extend_from_slice(bytes),
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let run = async { Shell::build().await.run(job, &sink).await };
    let ended = runtime.block_on(async { tokio::time::timeout(timeout, run).await });
    let ended = ended.ok()?;
    let (stdout, stderr) = streams.into_inner().unwrap();
    Some(Answer {
        stdout,
        stderr,
        ended,
    })
}

/// What `script` prints; it must end well.
pub(crate) fn printed(script: &str) -> String {
    let answer = run(Job::new(script));
    assert_eq!(answer.ended.status, 0, "{script}\n{}", answer.errors());
    answer.text()
}

/// The status with which `script` ends.
pub(crate) fn status(script: &str) -> u8 {
    run(Job::new(script)).ended.status
}
