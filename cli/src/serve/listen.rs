//! The socket that the server listens on.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::net::{TcpSocket, lookup_host};

/// Connections that wait in the kernel until they are accepted. The default of
/// 128 is filled by a burst of clients faster than it is emptied, and whoever
/// comes then tries again only after a second.
const BACKLOG: u32 = 1_024;

/// Listens on the first of the addresses that this text stands for and that can
/// be had. The threads that this takes have ended when it returns.
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
    // A server that was just restarted may have its address back at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}
