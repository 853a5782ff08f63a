//! The listener: connections, their time limits, and how they end.
//!
//! A client that sends its head slowly, or opens more connections than its share, costs
//! others nothing. On shutdown, requests in flight have the caller's deadline to finish.
//! Only HTTP/1.1 is spoken: HTTP/2 needs TLS with any client that would gain by it, and
//! TLS proxies in front of this server speak HTTP/1.1 to it.

mod attended;
pub(crate) mod connections;
mod proxy_protocol;
mod received;
mod slow_clients;
pub(crate) mod turns;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::HttpService;
use hyper_util::rt::{TokioIo, TokioTimer};
use tenterhook_ledger::Holder;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use self::attended::Attended;
use self::connections::{Audience, Connection, Connections, FAREWELL};
use self::received::Received;
use self::slow_clients::TimedStream;
use self::turns::Turns;
pub use self::turns::serving_threads;
use crate::app::App;
use crate::door::{Door, Endless};
use crate::proxies::Proxies;

/// Bytes of a request's head. Together with at most 100 headers it is more than
/// any client of ours sends.
const HEAD_MAX_BYTES: usize = 64 * 1024;

/// Pause after a shortage of descriptors or memory: those in use become free
/// when requests end.
const SHORTAGE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `shutdown` ends, which says until when the requests
/// in flight may go on.
///
/// # Errors
///
/// When the listener itself fails. A failing connection is that client's loss,
/// and a shortage of descriptors passes.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = Instant>,
) -> io::Result<()> {
    let stopping = app.stopping().clone();
    let server = Server::new(&app, Audience::Clients, crate::router(app.clone()));
    let until = server.accept_until(listener, shutdown).await?;
    stopping.cancel();
    if tokio::time::timeout_at(until, server.connections.all_ended())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    Ok(())
}

/// Serves health, readiness and metrics, and nothing else, until `shutdown` ends.
///
/// # Errors
///
/// Those of [`serve`].
pub async fn serve_probes(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let router = crate::router::probes(app.clone());
    let server = Server::new(&app, Audience::Probes, router);
    server.accept_until(listener, shutdown).await
}

/// What all connections of a listener have in common. Cheap to clone.
#[derive(Clone)]
struct Server {
    router: Router,
    door: Door,
    proxies: Proxies,
    connections: Connections,
    /// None for probes, which must not wait for anything.
    turns: Option<Turns>,
    stopping: CancellationToken,
}

impl Server {
    fn new(app: &App, audience: Audience, router: Router) -> Self {
        Self {
            router,
            door: app.door(),
            proxies: match audience {
                Audience::Clients => app.proxies().clone(),
                Audience::Probes => Proxies::default(),
            },
            connections: Connections::new(app.dispatcher().ledger().clone(), audience),
            turns: match audience {
                Audience::Clients => Some(app.turns().clone()),
                Audience::Probes => None,
            },
            stopping: app.stopping().clone(),
        }
    }

    async fn accept_until<T>(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = T>,
    ) -> io::Result<T> {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&listener) => accepted?,
                ended = &mut shutdown => return Ok(ended),
            };
            if let Some((stream, peer, connection)) = accepted {
                self.spawn(stream, peer, connection);
            }
        }
    }

    /// Takes the next connection and waits until there is room for it. `None` if the
    /// client has disconnected again, or if a resource is short that will be free soon.
    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> io::Result<Option<(TcpStream, SocketAddr, Connection)>> {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let client = Holder::client(peer.ip());
                Ok(Some((stream, peer, self.connections.enter(client).await)))
            }
            Err(error) if is_the_clients(&error) => Ok(None),
            Err(error) if is_shortage(&error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(SHORTAGE).await;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Serves one connection's requests in the turns of its holder.
    fn spawn(&self, stream: TcpStream, peer: SocketAddr, connection: Connection) {
        let slot = Arc::clone(connection.slot());
        let conversation = self.clone().converse(stream, peer, connection);
        match &self.turns {
            Some(turns) => {
                tokio::spawn(turns.take_for(move || slot.served_for(), conversation));
            }
            None => {
                tokio::spawn(conversation);
            }
        }
    }

    /// Serves one connection's requests until it ends or has to make room.
    async fn converse(self, mut stream: TcpStream, peer: SocketAddr, connection: Connection) {
        let _ = stream.set_nodelay(true);
        let client = tokio::select! {
            client = self.client(&mut stream, peer, &connection) => client,
            () = connection.asked_to_leave() => return,
            () = self.stopping.cancelled() => return,
        };
        let Some(client) = client else { return };
        let stream = TimedStream::new(stream, connection.slot().clone(), self.door);
        let service = self.service(client, &connection);
        let conversation = builder(&self.door).serve_connection(TokioIo::new(stream), service);
        let mut conversation = std::pin::pin!(conversation);
        let ended = tokio::select! {
            ended = &mut conversation => ended,
            () = self.stopping.cancelled() => {
                conversation.as_mut().graceful_shutdown();
                conversation.await
            }
            () = connection.asked_to_leave() => {
                // A client that has not sent anything yet is owed no reply.
                if connection.has_spoken() {
                    conversation.as_mut().graceful_shutdown();
                    while tokio::time::timeout(FAREWELL, &mut conversation).await.is_err() {
                        if connection.is_waiting() {
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

    /// Finds out whose connection it is. A trusted proxy without the agreed header is not
    /// served: its client would pass for the proxy itself.
    async fn client(
        &self,
        stream: &mut TcpStream,
        peer: SocketAddr,
        connection: &Connection,
    ) -> Option<SocketAddr> {
        if !self.proxies.speaks_proxy_protocol(peer.ip()) {
            return Some(peer);
        }
        let header = tokio::time::timeout(self.door.head, proxy_protocol::read(stream)).await;
        let client = match header {
            Ok(Ok(client)) => client.unwrap_or(peer),
            Ok(Err(error)) => {
                tracing::warn!(%peer, %error, "a trusted proxy sent no PROXY protocol header");
                return None;
            }
            Err(_) => return None,
        };
        match connection.is_of(Holder::client(client.ip())) {
            Ok(()) => Some(client),
            Err(shortage) => {
                tracing::debug!(%client, %shortage, "no room for a connection");
                None
            }
        }
    }

    /// Serves one connection's requests, which learn where they come from.
    fn service(
        &self,
        client: SocketAddr,
        connection: &Connection,
    ) -> impl HttpService<Incoming, ResBody = Body, Error = Infallible, Future: Send> + use<> {
        let answering = connection.answering();
        let slot = connection.slot().clone();
        let router = self.router.clone();
        hyper::service::service_fn(move |request: Request<Incoming>| {
            let answering = answering();
            let slot = slot.clone();
            let received = |body| Body::new(Received::new(body, slot.clone()));
            let mut request = request.map(received);
            request.extensions_mut().insert(ConnectInfo(client));
            request.extensions_mut().insert(slot.clone());
            let answer = router.clone().oneshot(request);
            async move {
                let answer: Result<Response, Infallible> = answer.await;
                if answer.as_ref().is_ok_and(is_endless) {
                    // A client that has left must not hold its place in the stream.
                    slot.end_counts();
                }
                answer
                    .map(|response| response.map(|body| Body::new(Attended::new(body, answering))))
            }
        })
    }
}

/// Whether the reply goes on until its client leaves, or what it follows ends.
fn is_endless(response: &Response) -> bool {
    response.extensions().get::<Endless>().is_some()
}

fn builder(door: &Door) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        // Hyper does not distinguish a head from the pause before it; our stream does.
        // Without a timeout it would not look at the stream between two requests.
        .header_read_timeout(door.keep_alive + door.head)
        // A time that is not an HTTP date would end the connection.
        .auto_date_header(tenterhook_dispatch::is_in_range())
        .max_buf_size(HEAD_MAX_BYTES);
    builder
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
