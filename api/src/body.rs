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
    pause: Duration,
    rate: u64,
    /// Moves on with what arrives.
    deadline: Instant,
}

impl Pieces {
    /// Begins to read, unless the client announces too much.
    pub(crate) fn new(
        door: Door,
        headers: &HeaderMap,
        body: Body,
        limit_bytes: u64,
    ) -> Result<Self, Refusal> {
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > limit_bytes) {
            return Err(Refusal::TooLarge { limit_bytes });
        }
        Ok(Self {
            body,
            left: limit_bytes,
            limit_bytes,
            pause: door.body_pause,
            rate: door.body_rate.max(1),
            deadline: Instant::now() + door.body,
        })
    }

    /// The next piece, or nothing at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let until = self.deadline.min(Instant::now() + self.pause);
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
                })?;
            self.deadline += self.earned(piece.len() as u64);
            return Ok(Some(piece));
        }
    }

    /// The time that so many bytes may have taken.
    fn earned(&self, bytes: u64) -> Duration {
        Duration::from_millis(bytes.saturating_mul(1_000) / self.rate)
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

/// Why a body broke off: there was no memory for it, or the client has gone.
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

/// The media type of the body without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default();
    Some(essence.trim().to_ascii_lowercase())
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
            Err(Refusal::TooLarge { limit_bytes: 10 })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_slower_than_the_rate_is_cut_and_one_as_fast_is_not() {
        let door = Door {
            body: Duration::from_secs(5),
            body_rate: 1_000,
            ..Door::default()
        };
        let collect = async |bytes: usize| {
            let stream = futures_util::stream::unfold(0, move |count| async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let piece = Ok::<_, std::io::Error>(vec![0; bytes]);
                (count < 60).then_some((piece, count + 1))
            });
            let body = Body::from_stream(stream);
            let pieces = Pieces::new(door, &HeaderMap::new(), body, 1 << 20).unwrap();
            pieces.collect().await.map(|bytes| bytes.len())
        };
        assert_eq!(collect(1_000).await, Ok(60_000));
        assert_eq!(collect(500).await, Err(Refusal::TooSlow));
    }

    #[test]
    fn an_announced_excess_is_refused_before_reading() {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_LENGTH, http::HeaderValue::from_static("11"))]);
        assert_eq!(
            Pieces::new(Door::default(), &headers, Body::empty(), 10).unwrap_err(),
            Refusal::TooLarge { limit_bytes: 10 }
        );
    }
}
