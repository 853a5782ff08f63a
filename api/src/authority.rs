//! Long-lived replies end with the authority under which they were requested.
//!
//! A reply whose body is complete when it is sent is not one of them: it was composed
//! while the authority was valid.

use std::pin::Pin;

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use futures_util::stream::{self, StreamExt as _};
use http::header;
use tenterhook_dispatch::{Identity, Lapse, Role};

use crate::app::App;
use crate::refusal::Refusal;

/// Why a reply is cut off; for the log, since its head has already been sent.
const ENDED: &str = "the token was revoked or has expired, or allows less now";

impl From<Lapse> for Refusal {
    fn from(lapse: Lapse) -> Self {
        match lapse {
            Lapse::Void => Self::InvalidToken,
            Lapse::Role(needs) => Self::Forbidden {
                needs: needs.as_str(),
            },
        }
    }
}

/// Ends a streamed reply when the authority of its caller ends.
///
/// An event stream ends cleanly, so that its client reconnects and learns why it is
/// refused. Any other body ends with an error, so that no client mistakes a part of it
/// for the whole.
pub(crate) async fn bind(
    app: &App,
    identity: &Identity,
    needs: Role,
    response: Response,
) -> Result<Response, Refusal> {
    if response.body().size_hint().exact().is_some() {
        return Ok(response);
    }
    let authority = app
        .dispatcher()
        .identities()
        .hold_authority(identity, needs)
        .await?;
    let kind = response.headers().get(header::CONTENT_TYPE);
    let events = kind.is_some_and(|kind| kind == "text/event-stream");
    let (parts, body) = response.into_parts();
    let reply = Bound {
        pieces: body.into_data_stream(),
        ended: Box::pin(async move { authority.ended().await }),
    };
    let pieces = stream::unfold(Some(reply), move |reply| async move {
        let mut reply = reply?;
        tokio::select! {
            biased;
            _ = &mut reply.ended => {
                (!events).then(|| (Err(std::io::Error::other(ENDED)), None))
            }
            piece = reply.pieces.next() => {
                Some((piece?.map_err(std::io::Error::other), Some(reply)))
            }
        }
    });
    Ok(Response::from_parts(parts, Body::from_stream(pieces)))
}

struct Bound {
    pieces: axum::body::BodyDataStream,
    ended: Pin<Box<dyn Future<Output = Lapse> + Send>>,
}
