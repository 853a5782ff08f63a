//! Replies: one resource with its tag, or a list that is streamed.

use std::pin::Pin;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::entity_tag;
use super::problem::Rejection;
use super::row::{Pieces, Row};

/// Lists up to this size are built before they are sent, and have a tag.
const WHOLE_MAX_BYTES: usize = 256 * 1024;

/// Pieces of a longer list are gathered to this size.
const PIECE_BYTES: usize = 64 * 1024;

/// The type of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListType {
    /// Such as `application/astra-hookSources`.
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

/// Replies with one resource.
pub(super) fn one(media: &'static str, row: Row) -> Response {
    let body = row.into_object().collect();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (header::ETAG, entity_tag::header_of(&body)),
    ];
    (headers, body).into_response()
}

/// Replies that a resource was created, and where it is.
pub(super) fn created(media: &'static str, row: Row, location: &str) -> Response {
    let mut response = one(media, row);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Replies with a list. It is read no faster than the client takes it; a failure on the
/// way aborts the reply.
pub(super) async fn list(
    media: &'static str,
    kind: ListType,
    include: Option<Vec<&'static str>>,
    rows: impl Stream<Item = Result<Option<Row>, Rejection>> + Send + 'static,
) -> Result<Response, Rejection> {
    let mut pieces = Gathered::new(kind, include, rows);
    let mut first = BytesMut::new();
    let mut over = false;
    while first.len() <= WHOLE_MAX_BYTES && !over {
        match pieces.next().await {
            Some(piece) => first.extend_from_slice(&piece?),
            None => over = true,
        }
    }
    let first = first.freeze();
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static(media));
    if over {
        let tag = (header::ETAG, entity_tag::header_of(&first));
        return Ok(([kind, tag], first).into_response());
    }
    let rest = stream::unfold(pieces, async |mut pieces: Gathered| {
        let piece = pieces.next().await?;
        // The refusal is in the log; a reply that has begun cannot carry it.
        Some((
            piece.map_err(|_| std::io::Error::other("cannot go on")),
            pieces,
        ))
    });
    let whole = stream::once(async { Ok(first) }).chain(rest);
    Ok(([kind], Body::from_stream(whole)).into_response())
}

type Parts = Pin<Box<dyn Stream<Item = Result<Bytes, Rejection>> + Send>>;

/// The text of a list, in pieces of a fair size.
struct Gathered(Parts);

impl Gathered {
    fn new(
        kind: ListType,
        include: Option<Vec<&'static str>>,
        rows: impl Stream<Item = Result<Option<Row>, Rejection>> + Send + 'static,
    ) -> Self {
        let (name, version) = (json!(kind.name), json!(kind.version));
        let head = format!("{{\"type\":{name},\"version\":{version},\"items\":[");
        let mut begun = false;
        let items = rows
            .filter_map(async |row| row.transpose())
            .flat_map(move |row| {
                let pieces: Vec<_> = match row {
                    Err(refusal) => return stream::iter(vec![Err(refusal)]).left_stream(),
                    Ok(row) => vec![
                        Pieces::of(if begun { "," } else { "" }),
                        row.into_pieces(include.as_deref()),
                    ],
                };
                begun = true;
                stream::iter(pieces.into_iter().flatten().map(Ok)).right_stream()
            });
        let text = |text: String| stream::once(async { Ok(Bytes::from(text)) });
        let tail = text("],\"metadata\":{}}".to_owned());
        Self(Box::pin(text(head).chain(items).chain(tail)))
    }

    async fn next(&mut self) -> Option<Result<Bytes, Rejection>> {
        let mut gathered = BytesMut::new();
        while gathered.len() < PIECE_BYTES {
            match self.0.next().await {
                Some(Ok(piece)) => gathered.extend_from_slice(&piece),
                Some(Err(refusal)) => return Some(Err(refusal)),
                None if gathered.is_empty() => return None,
                None => break,
            }
        }
        Some(Ok(gathered.freeze()))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::Value;

    use super::super::row::Part;
    use super::*;
    use crate::refusal::Refusal;

    const KIND: ListType = ListType {
        name: "application/astra-samples",
        version: "1.0",
    };

    async fn listed(count: usize, size: usize) -> (Option<HeaderValue>, usize, Value) {
        let rows = stream::iter(0..count).map(move |n| {
            let part = |name| match name {
                "n" => Some(Part::Json(json!(n))),
                _ => Some(Part::Base64(Bytes::from(vec![7; size]))),
            };
            // Every third has gone meanwhile.
            Ok((n % 3 != 2).then(|| Row::of(&["n", "source"], part)))
        });
        let response = list("application/json", KIND, None, rows).await.unwrap();
        let tag = response.headers().get(header::ETAG).cloned();
        let mut body = response.into_body();
        let (mut all, mut largest) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            largest = largest.max(data.len());
            all.extend_from_slice(&data);
        }
        if let Some(tag) = &tag {
            assert_eq!(*tag, entity_tag::header_of(&all));
        }
        (tag, largest, serde_json::from_slice(&all).unwrap())
    }

    #[tokio::test]
    async fn a_short_list_has_a_tag_and_a_long_one_is_streamed() {
        let (tag, _, list) = listed(0, 0).await;
        assert!(tag.is_some());
        assert_eq!(
            list,
            json!({"type": "application/astra-samples", "version": "1.0", "items": [], "metadata": {}})
        );
        let (tag, _, list) = listed(4, 10).await;
        assert!(tag.is_some());
        let numbers: Vec<_> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["n"])
            .collect();
        assert_eq!(numbers, [0, 1, 3]);
        let (tag, largest, list) = listed(60, 96 * 1024).await;
        assert_eq!((tag, list["items"].as_array().unwrap().len()), (None, 40));
        assert!(largest <= WHOLE_MAX_BYTES + 2 * PIECE_BYTES, "{largest}");
    }

    #[tokio::test]
    async fn an_early_failure_is_refused_and_a_late_one_breaks_off() {
        let rows = stream::iter([Err(Refusal::TooBusy.into())]);
        assert_eq!(
            list("application/json", KIND, None, rows)
                .await
                .unwrap_err(),
            Rejection::Shared(Refusal::TooBusy)
        );
        let rows = stream::iter(0..9).map(|n| {
            let part = |_| Some(Part::Base64(Bytes::from(vec![7; 96 * 1024])));
            if n < 8 {
                Ok(Some(Row::of(&["source"], part)))
            } else {
                Err(Refusal::Internal.into())
            }
        });
        let response = list("application/json", KIND, None, rows).await.unwrap();
        assert!(response.into_body().collect().await.is_err());
    }
}
