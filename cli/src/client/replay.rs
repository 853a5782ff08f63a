//! Replays an attempt on the server.

use std::time::Duration;

use tenterhook_wire::Replay;
use ureq::http::{Method, header};

use super::{Client, Received, path, with_query};
use crate::execution;

/// Timeout for a replay: its turn, its compilation and its run. A sleep takes no time.
const REPLAY_TIMEOUT: Duration = Duration::from_secs(15 * 60);

impl Client {
    /// Replays an attempt of an execution, the latest that has ended by default; with
    /// `program` in place of its own.
    pub(crate) fn replay(
        &self,
        execution: &str,
        attempt: Option<u32>,
        program: Option<&[u8]>,
    ) -> anyhow::Result<Received<Replay>> {
        let attempt = attempt.map(|attempt| attempt.to_string());
        let query: Vec<_> = attempt.iter().map(|text| ("attempt", &**text)).collect();
        let path = format!("{}/replay", path(execution::PATH, execution));
        let request = self.request(&Method::POST, &with_query(&path, &query));
        let request = match program {
            Some(_) => request.header(header::CONTENT_TYPE, "application/octet-stream"),
            None => request,
        };
        let request = request.body(program.unwrap_or_default())?;
        let request = self.agent.configure_request(request);
        let request = request.timeout_global(Some(REPLAY_TIMEOUT)).build();
        self.answer(self.agent.run(request))
    }
}
