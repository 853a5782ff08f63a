//! The outermost middleware around every API: request id, span, metrics, last resort.
//!
//! Here the API prints its refusals, a panic becomes a 500, a compressed body is
//! rejected, and OPTIONS and conditional reads are handled for all APIs alike.
//! Who may do what is decided in [`crate::auth`].

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tracing::Instrument;

use crate::app::App;
use crate::charge::Charge;
use crate::dialect::{Dialect, Dialects};
use crate::entity_tag::IfNoneMatch;
use crate::face::Face;
use crate::failures::Client;
use crate::host;
use crate::listen::connections::Slot;
use crate::refusal::Refusal;
use crate::request_id::{self, RequestId};

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// What the edge is given.
#[derive(Clone)]
pub(crate) struct Edge {
    pub(crate) app: App,
    pub(crate) dialects: Dialects,
}

/// Handles one request from the moment its head was read.
pub(crate) async fn handle(
    State(Edge { app, dialects }): State<Edge>,
    mut request: Request,
    next: Next,
) -> Response {
    learn_client(&app, &mut request);
    let charge = charge(&app, &mut request);
    let started = Instant::now();
    let face = Face::of(request.uri().path());
    let id = RequestId::of(request.headers());
    let dialect = dialects.of(face);
    let challenge = dialect.challenge(request.headers());
    let headers = dialect.reply_headers(request.headers(), &id);
    let across_origins = app.cors().asked(&request);
    let span = tracing::info_span!(
        "request",
        request.id = %id,
        face = face.as_str(),
        method = %request.method(),
        path = %request.uri().path().escape_debug(),
    );
    request.extensions_mut().insert(app.door());
    request.extensions_mut().insert(id.clone());
    let _in_flight = app.metrics().enter();
    // What the request holds is held by every change that it begins, though the client
    // goes away: else it could ask again and again at no charge.
    let answer = tenterhook_dispatch::holding(charge.clone(), answer(request, next));
    let answer = answer.instrument(span.clone()).await;
    let answer = charge
        .replied(answer)
        .unwrap_or_else(|shortage| Refusal::from(shortage).into_response());
    let mut response = print_refusal(dialect, &id, challenge, answer);
    app.metrics()
        .count_request(face, response.status(), started.elapsed());
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), "answered"));
    response.headers_mut().extend(headers);
    response
        .headers_mut()
        .insert(request_id::HEADER, id.header());
    if let Some(asked) = across_origins {
        asked.answer(&mut response);
    }
    response
}

/// Replaces the peer's address by the client's, if a trusted proxy names it.
fn learn_client(app: &App, request: &mut Request) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let Some(ConnectInfo(peer)) = peer.copied() else {
        return;
    };
    let client = app.proxies().client(peer.ip(), request.headers());
    if client != peer.ip() {
        let client = ConnectInfo(SocketAddr::new(client, 0));
        request.extensions_mut().insert(client);
    }
}

/// Begins to charge the request, and its body as it is read.
fn charge(app: &App, request: &mut Request) -> Charge {
    let client = Client::of(request.extensions());
    let slot = request.extensions().get::<Arc<Slot>>().cloned();
    let ledger = app.dispatcher().ledger();
    let charge = Charge::begin(ledger, client.holder(), slot);
    let body = std::mem::take(request.body_mut());
    *request.body_mut() = charge.received(body);
    request.extensions_mut().insert(charge.clone());
    charge
}

async fn answer(request: Request, next: Next) -> Response {
    if let Some(fault) = host_fault(&request) {
        return Refusal::InvalidHost(fault).into_response();
    }
    if let Some(encoding) = foreign_encoding(request.headers()) {
        return encoding.into_response();
    }
    let if_none_match = IfNoneMatch::of(&request);
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        return options("GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS");
    }
    if_none_match.apply(survive(next.run(request)).await)
}

/// The reply to OPTIONS where something is served. It needs no token: browsers send none
/// before they ask, and the document names every method anyway.
pub(crate) fn options(allow: &str) -> Response {
    let allow = HeaderValue::from_str(allow).expect("methods are plain text");
    (StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response()
}

/// A handler that panics costs its own request alone.
async fn survive(handler: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(handler)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            tracing::error!("a handler panicked");
            Refusal::Internal.into_response()
        })
}

/// Has the API print what it refuses. The `Allow` header that a route has set stays.
fn print_refusal(
    dialect: &dyn Dialect,
    id: &RequestId,
    challenge: HeaderValue,
    mut answer: Response,
) -> Response {
    let carried = answer.extensions_mut();
    let refusal = carried.remove::<Refusal>();
    let printed = match &refusal {
        Some(refusal) => Some(dialect.print(refusal, id)),
        None => dialect.print_own(carried, id),
    };
    let Some(mut response) = printed else {
        return answer;
    };
    if let Some(allow) = answer.headers_mut().remove(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    let headers = response.headers_mut();
    match refusal {
        Some(Refusal::TooManyFailures { retry_after }) => {
            headers.insert(header::RETRY_AFTER, whole_seconds(retry_after));
        }
        Some(Refusal::Shortage(shortage)) => {
            // The next client needs its slot.
            headers.insert(header::CONNECTION, CLOSE);
            if !shortage.is_lasting() {
                let wait = whole_seconds(shortage.retry_after);
                headers.insert(header::RETRY_AFTER, wait);
            }
            return response;
        }
        Some(Refusal::InvalidHost(_)) => {
            headers.insert(header::CONNECTION, CLOSE);
        }
        _ => {}
    }
    match response.status() {
        StatusCode::UNAUTHORIZED => response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge),
        StatusCode::SERVICE_UNAVAILABLE => response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => {
            response.headers_mut().insert(header::CONNECTION, CLOSE)
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => response.headers_mut().insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        ),
        _ => None,
    };
    response
}

/// Rounded up, so that a client which retries then is not too early.
fn whole_seconds(time: Duration) -> HeaderValue {
    let begun = u64::from(time.subsec_nanos() > 0);
    HeaderValue::from(time.as_secs().saturating_add(begun).max(1))
}

/// What is wrong with the `Host` of a request that came over a connection.
fn host_fault(request: &Request) -> Option<&'static str> {
    request.extensions().get::<Arc<Slot>>()?;
    host::fault(request.version(), request.headers())
}

fn foreign_encoding(headers: &HeaderMap) -> Option<Refusal> {
    let encoding = headers.get(header::CONTENT_ENCODING)?;
    if encoding.as_bytes().eq_ignore_ascii_case(b"identity") {
        return None;
    }
    Some(Refusal::UnsupportedMedia(
        "a body with a Content-Encoding is not read; send it uncompressed".to_owned(),
    ))
}

/// The reply where nothing is served.
pub(crate) async fn no_route() -> Refusal {
    Refusal::NoRoute
}

/// The reply where something is served, but not with this method.
pub(crate) async fn wrong_method() -> Refusal {
    Refusal::WrongMethod
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::DIALECTS;

    #[tokio::test]
    async fn a_panic_becomes_a_500_in_the_faces_dialect() {
        let id = RequestId::of(&HeaderMap::new());
        for (face, kind) in [
            (Face::Croit, "application/json"),
            (Face::Native, "application/problem+json"),
            (Face::Astra, "application/problem+json"),
            (Face::Nova, "application/json; charset=UTF-8"),
            (Face::Fenix, "application/json"),
        ] {
            let answer = survive(async { panic!("a bug") }).await;
            let dialect = DIALECTS.of(face);
            let challenge = dialect.challenge(&HeaderMap::new());
            let response = print_refusal(dialect, &id, challenge, answer);
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(response.headers()[header::CONTENT_TYPE], kind);
        }
    }

    #[test]
    fn a_refused_client_is_told_when_to_retry() {
        for face in Face::ALL {
            let id = RequestId::of(&HeaderMap::new());
            let dialect = DIALECTS.of(face);
            let challenge = dialect.challenge(&HeaderMap::new());
            let response = print_refusal(dialect, &id, challenge, Refusal::TooBusy.into_response());
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        }
    }
}
