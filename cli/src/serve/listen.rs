//! The sockets that the server listens on.

use std::io;
use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;
use tenterhook_api::App;
use tokio::net::{TcpSocket, lookup_host};
use tokio_util::task::AbortOnDropHandle;

use crate::say::say;

/// Connections that wait in the kernel until they are accepted. The default of
/// 128 is filled by a burst of clients faster than it is emptied, and further
/// clients retry only after a second.
const BACKLOG: u32 = 1_024;

/// Bytes of replies that the kernel buffers for one client, a number that it doubles. By
/// default it buffers up to 4 MiB for each client that reads nothing.
const SEND_BYTES: u32 = 128 * 1024;

/// Listens on the address for probes, if there is one.
pub(super) fn listen_for_health(address: Option<&str>) -> anyhow::Result<Option<TcpListener>> {
    let listen_on =
        |address| listen(address).with_context(|| format!("cannot listen on {address} for health"));
    address.map(listen_on).transpose()
}

/// Serves probes on their own address until the handle is dropped or the process ends:
/// supervisors may probe to the last.
pub(super) fn serve_health(
    listener: Option<TcpListener>,
    app: &App,
) -> anyhow::Result<Option<AbortOnDropHandle<()>>> {
    let Some(listener) = listener else {
        return Ok(None);
    };
    let listener = tokio::net::TcpListener::from_std(listener).context("cannot listen")?;
    let address = listener
        .local_addr()
        .context("cannot read the address of the listener")?;
    let app = app.clone();
    let serving = tokio::spawn(async move {
        let served = tenterhook_api::serve_probes(listener, app, std::future::pending()).await;
        if let Err(error) = served {
            tracing::error!(%error, "cannot serve health any longer");
        }
    });
    say(format_args!("serving health on http://{address}"));
    Ok(Some(AbortOnDropHandle::new(serving)))
}

/// Listens on the first available of the addresses that `address` resolves to. The threads
/// that resolve it have ended when this returns.
pub(super) fn listen(address: &str) -> io::Result<TcpListener> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(listen_on_any(address))
}

async fn listen_on_any(address: &str) -> io::Result<TcpListener> {
    let mut refused = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host(address).await? {
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restarted server can reuse its address at once.
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit it.
    socket.set_send_buffer_size(SEND_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}
