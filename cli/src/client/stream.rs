//! Server-sent events: what an execution prints, while it prints it.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::http::{Method, header};

use super::Client;

/// Silence after which the server counts as gone: it sends a comment far sooner.
const SILENCE: Duration = Duration::from_secs(90);

/// Bytes of one line: 16 MiB of output, every byte escaped.
const LINE_MAX_BYTES: u64 = 128 << 20;

/// One thing that is told of an execution.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    /// A part of standard output.
    Stdout(Vec<u8>),
    /// A part of standard error.
    Stderr(Vec<u8>),
    /// It is over, with its state and outcome; nothing follows.
    End(Value),
}

/// What is told of one execution, piece by piece.
pub(crate) struct Pieces(BufReader<Box<dyn Read + Send>>);

impl Client {
    /// Follows what an execution prints, from its beginning to the end of its attempt.
    pub(crate) fn follow(&self, execution: &str) -> anyhow::Result<Pieces> {
        let path = format!("/api/v1/executions/{execution}/output");
        let mut request = self.request(&Method::GET, &path);
        if let Some(headers) = request.headers_mut() {
            let stream = header::HeaderValue::from_static("text/event-stream");
            headers.insert(header::ACCEPT, stream);
        }
        let request = self.agent.configure_request(request.body(())?);
        let request = request
            .timeout_global(None)
            .timeout_recv_response(Some(super::PATIENCE))
            .timeout_per_read(Some(SILENCE))
            .build();
        let answer = self.accepted(self.agent.run(request))?;
        let body = answer.into_body().into_with_config().limit(u64::MAX);
        Ok(Pieces(BufReader::new(Box::new(body.reader()))))
    }
}

impl Pieces {
    /// Waits for the next piece; `None` if the server has broken off before the end.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Piece>> {
        let mut event = String::new();
        let mut data = String::new();
        loop {
            let mut line = Vec::new();
            let read = (&mut self.0)
                .take(LINE_MAX_BYTES)
                .read_until(b'\n', &mut line)
                .context("the server broke off")?;
            if read == 0 {
                return Ok(None);
            }
            if !line.ends_with(b"\n") && line.len() as u64 == LINE_MAX_BYTES {
                bail!("the server sends a line that is too long");
            }
            let line = std::str::from_utf8(&line).context("the server sends what is no text")?;
            match line.trim_end_matches(['\n', '\r']) {
                "" if data.is_empty() => event.clear(),
                "" => {
                    if let Some(piece) = piece(&event, &data)? {
                        return Ok(Some(piece));
                    }
                    event.clear();
                    data.clear();
                }
                line => {
                    if let Some(name) = line.strip_prefix("event:") {
                        event = name.trim_start().to_owned();
                    } else if let Some(more) = line.strip_prefix("data:") {
                        data.push_str(more.trim_start());
                    }
                }
            }
        }
    }
}

/// Reads one event; `None` for one of a name that is not known here.
fn piece(event: &str, data: &str) -> anyhow::Result<Option<Piece>> {
    let told: Value = serde_json::from_str(data).context("the server sends what is no JSON")?;
    let bytes = || match (told["text"].as_str(), told["base64"].as_str()) {
        (Some(text), _) => Ok(text.as_bytes().to_vec()),
        (None, Some(text)) => STANDARD.decode(text).context("the server sends no base64"),
        (None, None) => bail!("the server sends a piece without text"),
    };
    Ok(match event {
        "stdout" => Some(Piece::Stdout(bytes()?)),
        "stderr" => Some(Piece::Stderr(bytes()?)),
        "end" => Some(Piece::End(told)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(text: &'static str) -> anyhow::Result<Vec<Piece>> {
        let mut pieces = Pieces(BufReader::new(Box::new(text.as_bytes())));
        let mut all = Vec::new();
        while let Some(piece) = pieces.next()? {
            all.push(piece);
        }
        Ok(all)
    }

    #[test]
    fn pieces_are_read_and_comments_are_not() {
        let text = ": hello\n\nevent: stdout\ndata: {\"text\":\"a\\n\"}\n\nevent: stderr\r\ndata: {\"base64\":\"/w==\"}\r\n\r\nevent: new\ndata: {}\n\nevent: end\ndata: {\"state\":\"FAILED\"}\n\n";
        let expected = [
            Piece::Stdout(b"a\n".to_vec()),
            Piece::Stderr(vec![0xff]),
            Piece::End(json!({"state": "FAILED"})),
        ];
        assert_eq!(told(text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_event_stream_is_an_error() {
        for text in [
            "event: stdout\ndata: {\n\n",
            "event: stdout\ndata: {}\n\n",
            "event: stdout\ndata: {\"base64\":\"?\"}\n\n",
        ] {
            assert!(told(text).is_err(), "{text}");
        }
        assert_eq!(told("event: stdout\ndata: {\"text\":\"cut").unwrap(), []);
    }
}
