//! An execution, or an attempt, whose output is too long to be kept in memory for a slow reader: its JSON
//! is written while the client takes it.
//!
//! What a client reads is the same object as that of a short one; only the order of its
//! members differs.

use std::collections::VecDeque;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, header};
use serde::Serialize;
use serde_json::json;
use tenterhook_dispatch::{Error, KeptOutput, OUTPUT_PART_BYTES};
use tenterhook_engine::Stream;

use super::shape;
use super::text::Text;
use crate::charge::Charge;
use crate::refusal::Refusal;

/// Output up to this size is sent at once, as most is.
pub(super) const INLINE_BYTES: u64 = OUTPUT_PART_BYTES as u64;

/// What such a reply holds at one time: a piece, and its JSON, in which each byte may
/// become six.
pub(super) const REPLY_BYTES: u64 = 8 * OUTPUT_PART_BYTES as u64;

/// Bytes of a piece in base64: no remainder is left between two of them.
const ENCODED_PART_BYTES: u32 = OUTPUT_PART_BYTES / 3 * 3;

/// Replies with an execution or an attempt of which `dropped_bytes` of output were dropped,
/// and the rest was left out.
pub(super) async fn reply(
    shown: &impl Serialize,
    output: KeptOutput,
    dropped_bytes: u64,
    charge: &Charge,
) -> Result<Response, Refusal> {
    charge.hold_memory(REPLY_BYTES)?;
    let logs_bytes = u32::try_from(shape::LOGS_BYTES).unwrap_or(u32::MAX);
    let logs = shape::logs(&output.read(Stream::Stderr, 0, logs_bytes).await?);
    let mut head = json(shown)?;
    head.pop();
    let mut end = format!(
        r#","truncated":{},"dropped_bytes":{dropped_bytes}"#,
        dropped_bytes > 0
    );
    if !logs.is_empty() {
        end.push_str(r#","logs":"#);
        end.push_str(&json(&logs)?);
    }
    end.push('}');
    let writing = Writing {
        output,
        steps: VecDeque::from([
            Step::Json(head),
            Step::text(Stream::Stdout),
            Step::text(Stream::Stderr),
            Step::Json(end),
        ]),
    };
    let pieces = stream::try_unfold(writing, |mut writing| async move {
        let piece = writing.next().await;
        let piece = piece.inspect_err(|error| {
            // The head was sent: the reply can only be broken off.
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "a reply was broken off"
            );
        })?;
        Ok::<_, Error>(piece.map(|piece| (piece, writing)))
    });
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(pieces)).into_response())
}

fn json(value: &impl serde::Serialize) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(|error| Refusal::internal(&error))
}

struct Writing {
    output: KeptOutput,
    steps: VecDeque<Step>,
}

/// What is still to be written.
enum Step {
    /// JSON as it is.
    Json(String),
    /// A stream as text.
    Text {
        stream: Stream,
        offset: u64,
        text: Text,
        /// Whether all of it was text so far.
        is_exact: bool,
    },
    /// The bytes of a stream that is not text.
    Encoded { stream: Stream, offset: u64 },
}

impl Step {
    fn text(stream: Stream) -> Self {
        Self::Text {
            stream,
            offset: 0,
            text: Text::default(),
            is_exact: true,
        }
    }
}

fn name(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    }
}

impl Writing {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(step) = self.steps.pop_front() else {
            return Ok(None);
        };
        let written = match step {
            Step::Json(json) => json,
            Step::Text {
                stream,
                offset,
                text,
                is_exact,
            } => self.text(stream, offset, text, is_exact).await?,
            Step::Encoded { stream, offset } => self.encoded(stream, offset).await?,
        };
        Ok(Some(written.into()))
    }

    async fn text(
        &mut self,
        stream: Stream,
        offset: u64,
        mut text: Text,
        is_exact: bool,
    ) -> Result<String, Error> {
        let piece = self.output.read(stream, offset, OUTPUT_PART_BYTES).await?;
        let is_over = piece.is_empty();
        let whole = match is_over {
            true => text.finish(),
            false => text.push(&piece),
        };
        let is_exact = is_exact && std::str::from_utf8(&whole).is_ok();
        let mut written = match offset {
            0 => format!(r#","{}":""#, name(stream)),
            _ => String::new(),
        };
        let quoted = json!(String::from_utf8_lossy(&whole)).to_string();
        written.push_str(&quoted[1..quoted.len() - 1]);
        if is_over {
            written.push('"');
            if !is_exact {
                self.steps.push_front(Step::Encoded { stream, offset: 0 });
            }
        } else {
            self.steps.push_front(Step::Text {
                stream,
                offset: offset + piece.len() as u64,
                text,
                is_exact,
            });
        }
        Ok(written)
    }

    async fn encoded(&mut self, stream: Stream, offset: u64) -> Result<String, Error> {
        let piece = self.output.read(stream, offset, ENCODED_PART_BYTES).await?;
        let mut written = match offset {
            0 => format!(r#","{}_base64":""#, name(stream)),
            _ => String::new(),
        };
        written.push_str(&STANDARD.encode(&piece));
        let offset = offset + piece.len() as u64;
        if offset == self.output.sizes().get(stream) {
            written.push('"');
        } else {
            self.steps.push_front(Step::Encoded { stream, offset });
        }
        Ok(written)
    }
}
