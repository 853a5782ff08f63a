//! Server-sent events: an execution's output while it is printed.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use tenterhook_wire::{AttemptEnd, AttemptStart, OutputPart};
use ureq::http::{Method, StatusCode, header};

use super::Client;

/// Silence after which the server is considered gone: it sends a comment far sooner.
const SILENCE: Duration = Duration::from_secs(90);

/// Bytes of one line: 16 MiB of output, every byte escaped.
const LINE_MAX_BYTES: u64 = 128 << 20;

/// The header that names the last received event.
const LAST_EVENT_ID: &str = "last-event-id";

/// One event of an execution's output.
#[derive(Debug, PartialEq)]
pub(crate) enum OutputEvent {
    /// The output of this attempt follows.
    Attempt(u32),
    /// A part of standard output.
    Stdout(Vec<u8>),
    /// A part of standard error.
    Stderr(Vec<u8>),
    /// The attempt has ended, with this state and outcome; nothing follows.
    End(AttemptEnd),
}

/// The output of one execution, event by event.
pub(crate) struct OutputStream {
    body: BufReader<Box<dyn Read + Send>>,
    position: Option<String>,
    retry: Option<Duration>,
}

impl Client {
    /// Follows an execution's output to the end of its attempt: from its beginning, or after
    /// an earlier stream's position. `None` if nothing will follow that.
    pub(crate) fn follow(
        &self,
        execution: &str,
        after: Option<&str>,
    ) -> anyhow::Result<Option<OutputStream>> {
        let path = format!("/api/v1/executions/{execution}/output");
        let mut request = self.request(&Method::GET, &path);
        if let Some(headers) = request.headers_mut() {
            let stream = header::HeaderValue::from_static("text/event-stream");
            headers.insert(header::ACCEPT, stream);
            if let Some(after) = after {
                let after = header::HeaderValue::from_str(after);
                headers.insert(
                    LAST_EVENT_ID,
                    after.context("the server sent an invalid id")?,
                );
            }
        }
        let request = self.agent.configure_request(request.body(())?);
        let request = request
            .timeout_global(None)
            .timeout_recv_response(Some(super::CALL_TIMEOUT))
            .timeout_per_read(Some(SILENCE))
            .build();
        let answer = self.accepted(self.agent.run(request))?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let body = answer.into_body().into_with_config().limit(u64::MAX);
        Ok(Some(OutputStream::new(Box::new(body.reader()))))
    }
}

impl OutputStream {
    fn new(body: Box<dyn Read + Send>) -> Self {
        Self {
            body: BufReader::new(body),
            position: None,
            retry: None,
        }
    }

    /// Where the last event ends: what to follow after once the connection is lost.
    pub(crate) fn position(&self) -> Option<&str> {
        self.position.as_deref()
    }

    /// After what time the server asks to come back for more.
    pub(crate) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Waits for the next event; `None` if the connection ended before the end.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<OutputEvent>> {
        let mut event = String::new();
        let mut data = String::new();
        let mut id = None;
        loop {
            let mut line = Vec::new();
            let read = (&mut self.body)
                .take(LINE_MAX_BYTES)
                .read_until(b'\n', &mut line);
            // However it ended, there is no more. An event that was cut off did not arrive.
            if !read.is_ok_and(|read| read > 0) {
                return Ok(None);
            }
            if !line.ends_with(b"\n") && line.len() as u64 == LINE_MAX_BYTES {
                bail!("the server sent a line that is too long");
            }
            let line = std::str::from_utf8(&line).context("the server sent invalid UTF-8")?;
            match line.trim_end_matches(['\n', '\r']) {
                "" if data.is_empty() => event.clear(),
                "" => {
                    if id.is_some() {
                        self.position = id.take();
                    }
                    if let Some(output_event) = parse_event(&event, &data)? {
                        return Ok(Some(output_event));
                    }
                    event.clear();
                    data.clear();
                }
                line => {
                    if let Some(name) = line.strip_prefix("event:") {
                        event = name.trim_start().to_owned();
                    } else if let Some(more) = line.strip_prefix("data:") {
                        data.push_str(more.trim_start());
                    } else if let Some(position) = line.strip_prefix("id:") {
                        id = Some(position.trim_start().to_owned());
                    } else if let Some(millis) = line.strip_prefix("retry:") {
                        let millis = millis.trim_start().parse().ok();
                        self.retry = millis.map(Duration::from_millis).or(self.retry);
                    }
                }
            }
        }
    }
}

/// Parses one event; `None` if its name is unknown.
fn parse_event(event: &str, data: &str) -> anyhow::Result<Option<OutputEvent>> {
    Ok(Some(match event {
        "stdout" => OutputEvent::Stdout(bytes(read(data)?)?),
        "stderr" => OutputEvent::Stderr(bytes(read(data)?)?),
        "attempt" => OutputEvent::Attempt(read::<AttemptStart>(data)?.attempt),
        "end" => OutputEvent::End(read(data)?),
        _ => return Ok(None),
    }))
}

fn read<T: DeserializeOwned>(data: &str) -> anyhow::Result<T> {
    serde_json::from_str(data).context("the server sent an invalid event")
}

fn bytes(part: OutputPart) -> anyhow::Result<Vec<u8>> {
    match part {
        OutputPart::Text(text) => Ok(text.into_bytes()),
        OutputPart::Base64(text) => STANDARD
            .decode(text)
            .context("the server sent invalid base64"),
    }
}

#[cfg(test)]
mod tests {
    use tenterhook_wire::State;

    use super::*;

    fn events(text: &'static str) -> anyhow::Result<Vec<OutputEvent>> {
        let mut stream = OutputStream::new(Box::new(text.as_bytes()));
        let mut all = Vec::new();
        while let Some(output_event) = stream.next()? {
            all.push(output_event);
        }
        Ok(all)
    }

    #[test]
    fn pieces_are_read_and_comments_are_not() {
        let text = ": hello\n\nevent: stdout\ndata: {\"text\":\"a\\n\"}\n\nevent: stderr\r\ndata: {\"base64\":\"/w==\"}\r\n\r\nevent: new\ndata: {}\n\nevent: end\ndata: {\"attempt\":1,\"outcome\":null,\"state\":\"FAILED\"}\n\n";
        let expected = [
            OutputEvent::Stdout(b"a\n".to_vec()),
            OutputEvent::Stderr(vec![0xff]),
            OutputEvent::End(AttemptEnd {
                attempt: 1,
                outcome: None,
                state: Some(State::Failed),
            }),
        ];
        assert_eq!(events(text).unwrap(), expected);
    }

    #[test]
    fn only_a_complete_event_advances_the_position() {
        let text = "event: attempt\ndata: {\"attempt\":2}\nid: x.2.0.0\nretry: 1500\n\nevent: stdout\ndata: {\"text\":\"a\"}\nid: x.2.1.0\n\nevent: stdout\ndata: {\"text\":\"b\"}\nid: x.2.2.0\n";
        let mut stream = OutputStream::new(Box::new(text.as_bytes()));
        assert_eq!(stream.next().unwrap(), Some(OutputEvent::Attempt(2)));
        assert_eq!(stream.position(), Some("x.2.0.0"));
        assert_eq!(stream.retry(), Some(Duration::from_millis(1_500)));
        let a = OutputEvent::Stdout(b"a".to_vec());
        assert_eq!(stream.next().unwrap(), Some(a));
        assert_eq!(stream.next().unwrap(), None);
        assert_eq!(stream.position(), Some("x.2.1.0"));
    }

    #[test]
    fn anything_other_than_an_event_stream_is_an_error() {
        for text in [
            "event: stdout\ndata: {\n\n",
            "event: stdout\ndata: {}\n\n",
            "event: stdout\ndata: {\"base64\":\"?\"}\n\n",
        ] {
            assert!(events(text).is_err(), "{text}");
        }
        assert_eq!(events("event: stdout\ndata: {\"text\":\"cut").unwrap(), []);
    }
}
