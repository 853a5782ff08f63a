//! Reading a request's body: never more than a limit, never for ever.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use tenterhook_ledger::Shortage;
use tokio::time::Instant;

use crate::door::Door;
use crate::refusal::Refusal;

/// Bytes of a JSON body. croit's 96 KiB of script fit in even when every byte
/// of it is escaped as `\u0000`.
pub(crate) const JSON_MAX_BYTES: u64 = 1 << 20;

/// A body that is read piece by piece, with a limit on the whole.
#[derive(Debug)]
pub(crate) struct Pieces {
    body: Body,
    left: u64,
    limit_bytes: u64,
    pace: Pace,
}

/// How long a body may take to arrive.
#[derive(Clone, Copy, Debug)]
struct Pace {
    pause: Duration,
    rate: u64,
    /// Moves on with what arrives.
    deadline: Instant,
}

impl Pace {
    fn new(door: Door, now: Instant) -> Self {
        Self {
            pause: door.body_pause,
            rate: door.body_rate.max(1),
            deadline: now + door.body,
        }
    }

    /// Until when the next piece has to come.
    fn until(&self, now: Instant) -> Instant {
        self.deadline.min(now + self.pause)
    }

    fn arrived(&mut self, bytes: usize) {
        let millis = (bytes as u64).saturating_mul(1_000) / self.rate;
        self.deadline += Duration::from_millis(millis);
    }
}

impl Pieces {
    /// Begins to read, unless the client announces too much.
    pub(crate) fn new(
        door: Door,
        headers: &HeaderMap,
        body: Body,
        limit_bytes: u64,
    ) -> Result<Self, Refusal> {
        let size_bytes = announced_bytes(headers);
        if size_bytes.is_some_and(|bytes| bytes > limit_bytes) {
            return Err(Refusal::TooLarge {
                limit_bytes,
                size_bytes,
            });
        }
        Ok(Self {
            body,
            left: limit_bytes,
            limit_bytes,
            pace: Pace::new(door, Instant::now()),
        })
    }

    /// The next piece, or nothing at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let until = self.pace.until(Instant::now());
            let frame = tokio::time::timeout_at(until, self.body.frame())
                .await
                .map_err(|_| Refusal::TooSlow)?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| broken(&error))?;
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            self.left = self
                .left
                .checked_sub(piece.len() as u64)
                .ok_or(Refusal::TooLarge {
                    limit_bytes: self.limit_bytes,
                    size_bytes: None,
                })?;
            self.pace.arrived(piece.len());
            return Ok(Some(piece));
        }
    }

    /// All that is left.
    pub(crate) async fn collect(mut self) -> Result<Bytes, Refusal> {
        let Some(first) = self.next().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.next().await? else {
            return Ok(first);
        };
        let mut all = BytesMut::from(first);
        all.extend_from_slice(&second);
        while let Some(piece) = self.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

/// The size that the client has declared for its body.
pub(crate) fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    text.parse().ok()
}

/// Why a body broke off: there was no memory for it, or the client has disconnected.
pub(crate) fn broken(error: &axum::Error) -> Refusal {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if let Some(shortage) = error.downcast_ref::<Shortage>() {
            return Refusal::Shortage(*shortage);
        }
        cause = error.source();
    }
    Refusal::Unreadable("the body broke off".to_owned())
}

/// The media type of the body without its parameters, in lower case. A header that is not
/// text gives the empty one, which nothing takes: the body is not what a client without the
/// header would have sent.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or("");
    let essence = value.split_once(';').map_or(value, |(essence, _)| essence);
    Some(essence.trim().to_ascii_lowercase())
}

/// JSON without the byte order mark that some editors and shells put before it. RFC 8259,
/// 8.1, lets a reader ignore it, and every API does.
pub(crate) fn without_bom(json: &[u8]) -> &[u8] {
    json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json)
}

/// Whether the data of this media type is JSON.
pub(crate) fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type == "text/json" || media_type.ends_with("+json")
}

/// The content type as it was sent.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read_whole() {
        let stream = futures_util::stream::iter(["ab", "cd", "ef"].map(Ok::<_, std::io::Error>));
        let pieces = Pieces::new(
            Door::default(),
            &HeaderMap::new(),
            Body::from_stream(stream),
            6,
        )
        .unwrap();
        assert_eq!(pieces.collect().await.unwrap(), "abcdef");
    }

    #[tokio::test]
    async fn a_body_without_a_length_is_cut_at_the_limit() {
        let stream = futures_util::stream::repeat(Ok::<_, std::convert::Infallible>("xxxx"));
        let pieces = Pieces::new(
            Door::default(),
            &HeaderMap::new(),
            Body::from_stream(stream),
            10,
        )
        .unwrap();
        assert_eq!(
            pieces.collect().await,
            Err(Refusal::TooLarge {
                limit_bytes: 10,
                size_bytes: None
            })
        );
    }

    #[test]
    fn a_body_below_the_minimum_rate_is_cut_off_and_one_at_it_is_not() {
        let second = Duration::from_secs(1);
        let door = Door {
            body: 5 * second,
            body_rate: 1_000,
            ..Door::default()
        };
        // Whether a piece of so many bytes in each second is ever too late.
        let is_cut_after = |bytes: usize| {
            let start = Instant::now();
            let mut pace = Pace::new(door, start);
            (1..=600).find(|n| {
                let came = start + *n * second;
                let is_late = came > pace.until(came - second);
                pace.arrived(bytes);
                is_late
            })
        };
        assert_eq!(is_cut_after(1_000), None);
        assert_eq!(is_cut_after(500), Some(10));
        assert_eq!(is_cut_after(0), Some(6));
    }

    #[test]
    fn a_declared_excess_is_refused_before_reading() {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_LENGTH, http::HeaderValue::from_static("11"))]);
        assert_eq!(
            Pieces::new(Door::default(), &headers, Body::empty(), 10).unwrap_err(),
            Refusal::TooLarge {
                limit_bytes: 10,
                size_bytes: Some(11)
            }
        );
    }
}
