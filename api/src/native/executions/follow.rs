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
use tenterhook_dispatch::{AccountId, Chunk, ExecutionId, LiveOutput};
use tenterhook_engine::Stream;

use crate::app::App;
use crate::auth::Caller;
use crate::extract::Path;
use crate::refusal::Refusal;

/// A silent hook's connection is kept open by a comment this often; proxies
/// close what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Answers with what the execution prints, from its beginning to its end.
pub(super) async fn follow_execution(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ExecutionId>,
) -> Result<Response, Refusal> {
    let account = caller.account();
    let output = app.dispatcher().follow(account, id).await?;
    let following = Following {
        app,
        account,
        id,
        output: Some(output),
        held: [Vec::new(), Vec::new()],
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
    /// Gone once the end was told.
    output: Option<LiveOutput>,
    /// The beginning of a character, per stream.
    held: [Vec<u8>; 2],
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
            let output = self.output.as_mut()?;
            let next = tokio::select! {
                next = output.next() => next,
                // The listener was closed; the client may come back to the next one.
                () = self.app.stopping().cancelled() => return None,
            };
            match next {
                Some(chunk) => {
                    if let Some(event) = self.tell(&chunk) {
                        return Some(event);
                    }
                }
                None => return Some(self.finish().await),
            }
        }
    }

    fn tell(&mut self, chunk: &Chunk) -> Option<Event> {
        let held = &mut self.held[index(chunk.stream)];
        held.extend_from_slice(&chunk.bytes);
        let whole = whole_characters(held);
        let rest = held.split_off(whole);
        let told = std::mem::replace(held, rest);
        (!told.is_empty()).then(|| event(chunk.stream, &told))
    }

    /// Tells what was held back, one piece a call, and the state at last.
    async fn finish(&mut self) -> Event {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let held = std::mem::take(&mut self.held[index(stream)]);
            if !held.is_empty() {
                return event(stream, &held);
            }
        }
        self.output = None;
        let state = match self.app.dispatcher().execution(self.account, self.id).await {
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

/// How many bytes can be told now: all but a character that has only begun.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_has_only_begun_is_held_back() {
        assert_eq!(whole_characters("aé".as_bytes()), 3);
        assert_eq!(whole_characters(&"aé".as_bytes()[..2]), 1);
        assert_eq!(whole_characters(b"a\xff\xc3"), 3);
    }

    #[test]
    fn what_is_not_text_goes_as_base64() {
        assert_eq!(piece(b"x\n").to_string(), r#"{"text":"x\n"}"#);
        assert_eq!(piece(b"\xff").to_string(), r#"{"base64":"/w=="}"#);
    }
}
