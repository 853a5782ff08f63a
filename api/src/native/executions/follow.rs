//! Output while it is printed, as server-sent events.
//!
//! Events `stdout` and `stderr` carry `{"text": …}`, or `{"base64": …}` for a
//! piece that is not UTF-8; `attempt` comes first and names the attempt whose output
//! follows, `end` comes last and carries the state. A character that two pieces share is
//! held back until it is complete.
//!
//! Each event has an `id`, its [`Position`]. A client that reconnects with it continues from
//! there, in later attempts if necessary, until a 204 means that there are no more.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, Stream as Pieces};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use tenterhook_dispatch::{
    AccountId, Chunk, Error, Execution, ExecutionId, KeptOutput, LiveOutput, OUTPUT_PART_BYTES,
    OutputSizes, State as Standing,
};
use tenterhook_engine::Stream;
use tenterhook_wire::{AttemptEnd, AttemptStart, OutputPart, State as Word};

use super::large::REPLY_BYTES;
use super::position::{Position, Reached};
use super::shape::outcome;
use super::text::Text;
use crate::app::App;
use crate::auth::Caller;
use crate::charge::Charge;
use crate::door::Endless;
use crate::extract::{Path, Query};
use crate::native::words;
use crate::refusal::Refusal;

/// A silent hook's connection is kept open by a comment this often; proxies
/// close what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Output of a finished execution that is read at once: it fits into what every request
/// holds.
const AT_ONCE_BYTES: u64 = 16 * 1024;

/// After this time a client whose connection broke is to come back: a server is restarted
/// in about as long.
const RECONNECT: Duration = Duration::from_secs(1);

/// A client that waits for the next attempt is to come back when that is due, and after this
/// time at the latest: the execution may be cancelled meanwhile.
const RECONNECT_MAX: Duration = Duration::from_secs(30);

/// The header with which an `EventSource` comes back.
const LAST_EVENT_ID: &str = "last-event-id";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowQuery {
    after: Option<String>,
}

/// Streams what the execution prints, from its beginning or where the client has stopped,
/// to the end of the attempt.
pub(super) async fn follow_execution(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(id): Path<ExecutionId>,
    Query(query): Query<FollowQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let after = position(id, &headers, query.after.as_deref())?;
    charge.become_stream()?;
    let account = caller.account();
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let (first, printed, position) = match find(&app, account, id, after).await? {
        Found::Over => return Ok((StatusCode::NO_CONTENT, [no_store]).into_response()),
        Found::Waiting(position, wait) => (Event::default().retry(wait), None, position),
        Found::Attempt(position, printed) => {
            let start = AttemptStart {
                attempt: position.attempt,
            };
            let first = event("attempt", &start, position);
            (first.retry(RECONNECT), Some(printed), position)
        }
    };
    let is_endless = printed.as_ref().is_some_and(|own| own.sizes().is_none());
    if matches!(printed, Some(Printed::Kept { .. })) {
        charge.hold_memory(REPLY_BYTES)?;
    }
    let following = Following {
        app,
        account,
        id,
        first: Some(first),
        printed,
        position,
        held: Default::default(),
    };
    let events = Sse::new(events(following)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let headers = [
        no_store,
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    let mut response = (headers, events).into_response();
    if is_endless {
        response.extensions_mut().insert(Endless);
    }
    Ok(response)
}

/// Where the client has stopped. The header is newer than the query: an `EventSource` comes
/// back to the same address.
fn position(
    id: ExecutionId,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Option<Position>, Refusal> {
    let given = match headers.get(LAST_EVENT_ID) {
        Some(value) => value.to_str().map_err(|_| Refusal::InvalidPosition)?,
        None => query.unwrap_or_default(),
    };
    if given.is_empty() {
        return Ok(None);
    }
    let position = Position::parse(given, id).ok_or(Refusal::InvalidPosition)?;
    Ok(Some(position))
}

struct Following {
    app: App,
    account: AccountId,
    id: ExecutionId,
    /// The event that comes before the output.
    first: Option<Event>,
    /// `None` once the end was sent.
    printed: Option<Printed>,
    /// How much was sent.
    position: Position,
    /// The beginning of a character, per stream.
    held: [Text; 2],
}

/// What there is for a client.
enum Found {
    /// The output of an attempt, from this position.
    Attempt(Position, Printed),
    /// Nothing before the next attempt begins, perhaps in this time.
    Waiting(Position, Duration),
    /// Nothing more will come.
    Over,
}

/// Where what was printed comes from.
enum Printed {
    /// It runs.
    Live {
        output: LiveOutput,
        /// Bytes of each stream that the client has already.
        skip: [u64; 2],
    },
    /// It has ended: standard output, then standard error, because their interleaving is not
    /// kept.
    Kept {
        output: KeptOutput,
        stream: Stream,
        offsets: [u64; 2],
    },
}

/// Finds what a client is to be sent that has stopped there.
async fn find(
    app: &App,
    account: AccountId,
    id: ExecutionId,
    after: Option<Position>,
) -> Result<Found, Refusal> {
    let executions = app.dispatcher().executions();
    let (execution, kept) = executions.get_within(account, id, AT_ONCE_BYTES).await?;
    let latest = execution.latest.attempt;
    if let Some(after) = after {
        if after.attempt > latest {
            return Err(Refusal::InvalidPosition);
        }
        if after.attempt == latest && after.reached == Reached::End {
            return Ok(match execution.state.is_over() {
                true => Found::Over,
                false => Found::Waiting(after, until_due(&execution)),
            });
        }
        // What is redriven has left its latest attempt to the earlier ones.
        let waits = execution.state == Standing::Waiting && !execution.has_ended_attempt();
        let below = latest.saturating_add(u32::from(waits));
        if after.attempt < below
            && let Some(found) = earlier(app, account, after, below).await?
        {
            return Ok(found);
        }
    }
    let (attempt, printed) = match kept {
        Some(output) => (latest, Printed::kept(output)),
        None => {
            let (attempt, output) = executions.follow(account, id).await?;
            (attempt, Printed::live(output))
        }
    };
    if let Some(after) = after {
        if after.attempt == attempt {
            return Found::resume(after, printed);
        }
        // Another has begun between the two; the end of the previous one is sent first.
        if attempt > latest
            && let Some(found) = earlier(app, account, after, attempt).await?
        {
            return Ok(found);
        }
    }
    Found::resume(Position::start(id, attempt), printed)
}

/// Finds what is kept of attempts before the latest: the rest of the one that the client has
/// begun, or the one that came after it. Nothing is left of one that was killed with the
/// server.
async fn earlier(
    app: &App,
    account: AccountId,
    after: Position,
    below: u32,
) -> Result<Option<Found>, Refusal> {
    let from = match after.reached {
        Reached::Bytes(_) => after.attempt,
        Reached::End => after.attempt.saturating_add(1),
    };
    let executions = app.dispatcher().executions();
    let id = after.execution();
    let found = executions.earlier_output(account, id, from..below).await?;
    let resume = |(attempt, output)| {
        let position = match attempt == after.attempt {
            true => after,
            false => Position::start(id, attempt),
        };
        Found::resume(position, Printed::kept(output))
    };
    found.map(resume).transpose()
}

/// In what time the execution is due, as far as that is known.
fn until_due(execution: &Execution) -> Duration {
    let due = execution.due_at.map(|due| due - tenterhook_dispatch::now());
    let wait = due.and_then(|wait| Duration::try_from(wait).ok());
    wait.unwrap_or_default().clamp(RECONNECT, RECONNECT_MAX)
}

impl Found {
    /// # Errors
    ///
    /// The position is behind the end of what was printed.
    fn resume(position: Position, mut printed: Printed) -> Result<Self, Refusal> {
        if let Reached::Bytes(sent) = position.reached {
            let is_behind = |sizes: OutputSizes| {
                sent[0] > sizes.get(Stream::Stdout) || sent[1] > sizes.get(Stream::Stderr)
            };
            if printed.sizes().is_some_and(is_behind) {
                return Err(Refusal::InvalidPosition);
            }
            let (Printed::Live { skip: from, .. } | Printed::Kept { offsets: from, .. }) =
                &mut printed;
            *from = sent;
        }
        Ok(Self::Attempt(position, printed))
    }
}

impl Printed {
    /// How much was printed, if no more will be.
    fn sizes(&self) -> Option<OutputSizes> {
        match self {
            Self::Live { output, .. } => output.finished_sizes(),
            Self::Kept { output, .. } => Some(output.sizes()),
        }
    }

    fn live(output: LiveOutput) -> Self {
        let skip = [0, 0];
        Self::Live { output, skip }
    }

    fn kept(output: KeptOutput) -> Self {
        Self::Kept {
            output,
            stream: Stream::Stdout,
            offsets: [0, 0],
        }
    }

    async fn next(&mut self) -> Result<Option<Chunk>, Error> {
        let (output, stream, offsets) = match self {
            Self::Live { output, skip } => return Ok(next_live(output, skip).await),
            Self::Kept {
                output,
                stream,
                offsets,
            } => (output, stream, offsets),
        };
        loop {
            let offset = &mut offsets[index(*stream)];
            let bytes = output.read(*stream, *offset, OUTPUT_PART_BYTES).await?;
            if !bytes.is_empty() {
                *offset += bytes.len() as u64;
                let stream = *stream;
                return Ok(Some(Chunk { stream, bytes }));
            }
            match stream {
                Stream::Stdout => *stream = Stream::Stderr,
                Stream::Stderr => return Ok(None),
            }
        }
    }
}

/// Waits for the next piece that the client has not.
async fn next_live(output: &mut LiveOutput, skip: &mut [u64; 2]) -> Option<Chunk> {
    loop {
        let mut chunk = output.next().await?;
        let skip = &mut skip[index(chunk.stream)];
        let known = usize::try_from(*skip).unwrap_or(usize::MAX);
        let known = known.min(chunk.bytes.len());
        *skip -= known as u64;
        let new = chunk.bytes.split_off(known);
        if !new.is_empty() {
            chunk.bytes = new;
            return Some(chunk);
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
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let printed = self.printed.as_mut()?;
            let next = tokio::select! {
                next = printed.next() => next,
                // The listener was closed; the client may come back to the next one.
                () = self.app.stopping().cancelled() => return None,
            };
            match next {
                Ok(Some(chunk)) => {
                    let text = self.held[index(chunk.stream)].push(&chunk.bytes);
                    if !text.is_empty() {
                        return Some(self.piece(chunk.stream, &text));
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

    /// A piece of a stream, and that it was sent.
    fn piece(&mut self, stream: Stream, bytes: &[u8]) -> Event {
        if let Reached::Bytes(sent) = &mut self.position.reached {
            sent[index(stream)] += bytes.len() as u64;
        }
        let name = match stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        };
        event(name, &piece(bytes), self.position)
    }

    /// Sends what was held back, one piece a call, and the state at last.
    async fn finish(&mut self) -> Event {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let held = self.held[index(stream)].finish();
            if !held.is_empty() {
                return self.piece(stream, &held);
            }
        }
        self.printed = None;
        let attempt = self.position.attempt;
        let executions = self.app.dispatcher().executions();
        let execution = executions.get_without_output(self.account, self.id).await;
        let (state, ended_so) = match execution {
            Ok(execution)
                if execution.latest.attempt == attempt && execution.has_ended_attempt() =>
            {
                (
                    Some(words::state(execution.state)),
                    execution.latest.outcome,
                )
            }
            Ok(execution) if execution.state.is_over() && execution.latest.attempt == attempt => {
                (Some(words::state(execution.state)), None)
            }
            // It is tried again.
            Ok(_) => {
                let ended = executions.attempt(self.account, self.id, attempt, 0).await;
                let ended_so = ended.ok().and_then(|(attempt, _)| attempt.outcome);
                (Some(Word::Waiting), ended_so)
            }
            Err(_) => (None, None),
        };
        let end = AttemptEnd {
            attempt,
            outcome: ended_so.map(outcome),
            state,
        };
        event("end", &end, self.position.at(Reached::End))
    }
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Stdout => 0,
        Stream::Stderr => 1,
    }
}

fn event(name: &str, data: &impl Serialize, position: Position) -> Event {
    let data = serde_json::to_string(data).expect("text and numbers are JSON");
    let event = Event::default().event(name).data(data);
    event.id(position.to_string())
}

fn piece(bytes: &[u8]) -> OutputPart {
    match std::str::from_utf8(bytes) {
        Ok(text) => OutputPart::Text(text.to_owned()),
        Err(_) => OutputPart::Base64(STANDARD.encode(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_output_is_sent_as_base64() {
        assert_eq!(piece(b"x\n"), OutputPart::Text("x\n".into()));
        assert_eq!(piece(b"\xff"), OutputPart::Base64("/w==".into()));
    }
}
