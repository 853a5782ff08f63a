//! Output while it is printed, as server-sent events.
//!
//! Events `stdout` and `stderr` carry `{"text": …}`, or `{"base64": …}` for a
//! piece that is not UTF-8; `end` carries the state. A character that two
//! pieces share is held back until it is whole.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, Stream as Pieces};
use http::{HeaderValue, header};
use serde_json::{Value, json};
use tenterhook_dispatch::{
    AccountId, Chunk, Error, ExecutionId, KeptOutput, LiveOutput, OUTPUT_PART_BYTES,
};
use tenterhook_engine::Stream;

use super::large::REPLY_BYTES;
use super::text::Text;
use crate::app::App;
use crate::auth::Caller;
use crate::charge::Charge;
use crate::extract::Path;
use crate::refusal::Refusal;

/// A silent hook's connection is kept open by a comment this often; proxies
/// close what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Output of a finished execution that is read at once: it fits into what every request
/// holds.
const AT_ONCE_BYTES: u64 = 16 * 1024;

/// Streams what the execution prints, from its beginning to its end.
pub(super) async fn follow_execution(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(id): Path<ExecutionId>,
) -> Result<Response, Refusal> {
    charge.become_stream()?;
    let account = caller.account();
    let printed = Printed::of(&app, account, id).await?;
    if matches!(printed, Printed::Kept { .. }) {
        charge.hold_memory(REPLY_BYTES)?;
    }
    let following = Following {
        app,
        account,
        id,
        printed: Some(printed),
        held: Default::default(),
    };
    let events = Sse::new(events(following)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    Ok((headers, events).into_response())
}

struct Following {
    app: App,
    account: AccountId,
    id: ExecutionId,
    /// `None` once the end was sent.
    printed: Option<Printed>,
    /// The beginning of a character, per stream.
    held: [Text; 2],
}

/// Where what was printed comes from.
enum Printed {
    /// It runs.
    Live(LiveOutput),
    /// It is over: standard output, then standard error, for their interleaving is not
    /// kept.
    Kept {
        output: KeptOutput,
        stream: Stream,
        offset: u64,
    },
}

impl Printed {
    async fn of(app: &App, account: AccountId, id: ExecutionId) -> Result<Self, Refusal> {
        let dispatcher = app.dispatcher();
        let (_, kept) = dispatcher
            .executions()
            .get_within(account, id, AT_ONCE_BYTES)
            .await?;
        Ok(match kept {
            Some(output) => Self::Kept {
                output,
                stream: Stream::Stdout,
                offset: 0,
            },
            None => Self::Live(dispatcher.executions().follow(account, id).await?),
        })
    }

    async fn next(&mut self) -> Result<Option<Chunk>, Error> {
        let (output, stream, offset) = match self {
            Self::Live(output) => return Ok(output.next().await),
            Self::Kept {
                output,
                stream,
                offset,
            } => (output, stream, offset),
        };
        loop {
            let bytes = output.read(*stream, *offset, OUTPUT_PART_BYTES).await?;
            if !bytes.is_empty() {
                *offset += bytes.len() as u64;
                let stream = *stream;
                return Ok(Some(Chunk { stream, bytes }));
            }
            match stream {
                Stream::Stdout => (*stream, *offset) = (Stream::Stderr, 0),
                Stream::Stderr => return Ok(None),
            }
        }
    }
}

fn events(following: Following) -> impl Pieces<Item = Result<Event, Infallible>> {
    stream::unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok(event), following))
    })
}

impl Following {
    async fn next(&mut self) -> Option<Event> {
        loop {
            let printed = self.printed.as_mut()?;
            let next = tokio::select! {
                next = printed.next() => next,
                // The listener was closed; the client may come back to the next one.
                () = self.app.stopping().cancelled() => return None,
            };
            match next {
                Ok(Some(chunk)) => {
                    if let Some(event) = self.tell(&chunk) {
                        return Some(event);
                    }
                }
                Ok(None) => return Some(self.finish().await),
                Err(error) => {
                    // Without an end, so that the client does not take a part for the
                    // whole.
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot read an output"
                    );
                    return None;
                }
            }
        }
    }

    fn tell(&mut self, chunk: &Chunk) -> Option<Event> {
        let text = self.held[index(chunk.stream)].push(&chunk.bytes);
        (!text.is_empty()).then(|| event(chunk.stream, &text))
    }

    /// Sends what was held back, one piece a call, and the state at last.
    async fn finish(&mut self) -> Event {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let held = self.held[index(stream)].finish();
            if !held.is_empty() {
                return event(stream, &held);
            }
        }
        self.printed = None;
        let dispatcher = self.app.dispatcher();
        let execution = dispatcher
            .executions()
            .get_without_output(self.account, self.id);
        let state = match execution.await {
            Ok(execution) => {
                json!({"state": execution.state.as_str(), "outcome": execution.outcome})
            }
            Err(_) => json!({"state": null}),
        };
        Event::default().event("end").data(state.to_string())
    }
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Stdout => 0,
        Stream::Stderr => 1,
    }
}

fn event(stream: Stream, bytes: &[u8]) -> Event {
    let name = match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    Event::default().event(name).data(piece(bytes).to_string())
}

fn piece(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_text_goes_as_base64() {
        assert_eq!(piece(b"x\n").to_string(), r#"{"text":"x\n"}"#);
        assert_eq!(piece(b"\xff").to_string(), r#"{"base64":"/w=="}"#);
    }
}
