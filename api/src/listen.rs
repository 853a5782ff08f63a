//! The listener: connections, their time limits, and how they end.
//!
//! A client that sends its head slowly, or opens more connections than there
//! are places, costs others nothing. On shutdown, requests in flight have a
//! while to finish.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use crate::app::App;

/// Time in which a request's head must arrive. Thirty seconds are long for any
/// client and short for an attacker.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections at one time; the next ones wait in the kernel's queue. Below the
/// usual limit of 1,024 descriptors, with room for the database and files.
const CONNECTIONS: usize = 768;

/// Pause after a shortage of descriptors or memory: those in use become free
/// when requests end.
const SHORTAGE: Duration = Duration::from_millis(100);

/// Time that requests in flight have once shutdown was asked for.
const GRACE: Duration = Duration::from_secs(10);

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
    let router = crate::router(app);
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
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
        let connection = builder()
            .serve_connection(TokioIo::new(stream), service(router.clone(), from))
            .into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection ended early");
            }
            drop(place);
        });
    }
    stopping.cancel();
    drop(listener);
    if tokio::time::timeout(GRACE, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    Ok(())
}

/// Takes the next connection once there is a place for it. Nothing came of it
/// if the client has gone again, or if something is short that will be free soon.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Option<Accepted>> {
    let place = places
        .clone()
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    match listener.accept().await {
        Ok((stream, from)) => Ok(Some((stream, from, place))),
        Err(error) if is_the_clients(&error) => Ok(None),
        Err(error) if is_shortage(&error) => {
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(SHORTAGE).await;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD_TIMEOUT)
        .max_concurrent_streams(200)
        .max_header_list_size(64 * 1024);
    builder
}

/// Answers one connection's requests, which learn where they come from.
fn service(
    router: Router,
    from: SocketAddr,
) -> impl hyper::service::Service<HyperRequest, Response = Response, Error = Infallible, Future: Send>
+ Clone {
    hyper::service::service_fn(move |request: HyperRequest| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(from));
        router.clone().oneshot(request)
    })
}

type HyperRequest = http::Request<hyper::body::Incoming>;

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
