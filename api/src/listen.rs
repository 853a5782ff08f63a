//! The listener: connections, their time limits, and how they end.
//!
//! A client that sends its head slowly, or opens more connections than there
//! are places, costs others nothing. On shutdown, requests in flight have a
//! while to finish. Only HTTP/1.1 is spoken: HTTP/2 needs TLS with any client that
//! would gain by it, and whoever ends TLS in front of us speaks HTTP/1.1 to us.

mod places;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::server::conn::http1::{Builder, Connection};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use self::places::{Attended, Place, Places, Served, Visit};
use crate::app::App;
use crate::door::Door;

/// Bytes of a request's head. Together with at most 100 headers it is more than
/// any client of ours sends.
const HEAD_MAX_BYTES: usize = 64 * 1024;

/// Pause after a shortage of descriptors or memory: those in use become free
/// when requests end.
const SHORTAGE: Duration = Duration::from_millis(100);

/// Time that requests in flight have once shutdown was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// Time that a connection which gives up its place has to send what it still has.
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves `app` on `listener` until `shutdown` ends.
///
/// # Errors
///
/// When the listener itself fails. A failing connection is that client's loss,
/// and a shortage of descriptors passes.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let stopping = app.stopping().clone();
    let door = app.door();
    let router = crate::router(app);
    let places = Places::new(door.connections);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut shutdown => break,
        };
        let Some((stream, from, place)) = accepted? else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let service = service(router.clone(), from, place.visits());
        let connection = builder(&door).serve_connection(TokioIo::new(stream), service);
        tokio::spawn(converse(connection, place, stopping.clone()));
    }
    stopping.cancel();
    drop(listener);
    if tokio::time::timeout(GRACE, places.all_free())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    Ok(())
}

/// Takes the next connection and waits for a place for it. Nothing came of it if
/// the client has gone again, or if something is short that will be free soon.
async fn accept(
    listener: &TcpListener,
    places: &Places,
) -> io::Result<Option<(TcpStream, SocketAddr, Place)>> {
    match listener.accept().await {
        Ok((stream, from)) => Ok(Some((stream, from, places.take().await))),
        Err(error) if is_the_clients(&error) => Ok(None),
        Err(error) if is_shortage(&error) => {
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(SHORTAGE).await;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn builder(door: &Door) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(door.head)
        .max_buf_size(HEAD_MAX_BYTES);
    builder
}

/// Answers one connection's requests until it ends or has to give up its place.
async fn converse<S>(
    connection: Connection<TokioIo<TcpStream>, S>,
    place: Place,
    stopping: CancellationToken,
) where
    S: hyper::service::HttpService<
            hyper::body::Incoming,
            ResBody = Body,
            Error = std::convert::Infallible,
        >,
{
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = place.asked_to_leave() => {
            // Nothing is owed to a client that has not said anything yet.
            if place.has_spoken() {
                connection.as_mut().graceful_shutdown();
                while tokio::time::timeout(FAREWELL, &mut connection).await.is_err() {
                    if place.is_idle() {
                        break;
                    }
                }
            }
            Ok(())
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Answers one connection's requests, which learn where they come from.
fn service(
    router: Router,
    from: SocketAddr,
    visit: impl Fn() -> Visit + Clone + Send + 'static,
) -> impl hyper::service::HttpService<
    hyper::body::Incoming,
    ResBody = Body,
    Error = std::convert::Infallible,
    Future: Send,
> {
    hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let visit = visit();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(from));
        let answer = router.clone().oneshot(request);
        async move {
            let answer: Served<Response> = answer.await;
            answer.map(|response| response.map(|body| Body::new(Attended::new(body, visit))))
        }
    })
}

fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

fn is_shortage(error: &io::Error) -> bool {
    // ENOMEM, ENFILE, EMFILE and ENOBUFS have no `ErrorKind` of their own.
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(error.raw_os_error(), Some(12 | 23 | 24 | 105))
}
