//! What systemd is told: that the server is ready, that it stops, that it lives.
//!
//! The protocol is a few words in a datagram (`sd_notify(3)`). Without a socket to
//! send them to, nothing is sent.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use anyhow::Context as _;

/// Where words for systemd are sent to, if anywhere.
#[derive(Debug, Default)]
pub(super) struct Notify {
    socket: Option<UnixDatagram>,
    /// How often systemd wants to hear that the server lives.
    watchdog: Option<Duration>,
}

/// What the environment says.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// `NOTIFY_SOCKET`.
    pub(super) socket: Option<OsString>,
    /// `WATCHDOG_USEC`.
    pub(super) watchdog_usec: Option<OsString>,
    /// `WATCHDOG_PID`.
    pub(super) watchdog_pid: Option<OsString>,
}

impl Said {
    /// Reads the environment.
    pub(super) fn read() -> Self {
        Self {
            socket: std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()),
            watchdog_usec: std::env::var_os("WATCHDOG_USEC"),
            watchdog_pid: std::env::var_os("WATCHDOG_PID"),
        }
    }
}

impl Notify {
    /// Connects the socket. To be called before the server is locked down: afterwards
    /// there may be no way to it.
    pub(super) fn connect(said: &Said) -> anyhow::Result<Self> {
        let Some(name) = &said.socket else {
            return Ok(Self::default());
        };
        let cannot = || format!("cannot use NOTIFY_SOCKET, {}", name.display());
        let connect = || -> io::Result<UnixDatagram> {
            let socket = UnixDatagram::unbound()?;
            socket.connect_addr(&address(name)?)?;
            // A supervisor that does not read must not stop the server.
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        Ok(Self {
            socket: Some(connect().with_context(cannot)?),
            watchdog: watchdog(said),
        })
    }

    /// Requests are answered from now on.
    pub(super) fn ready(&self) {
        self.send("READY=1\nSTATUS=serving");
    }

    /// The server was asked to stop.
    pub(super) fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stopping");
    }

    /// Says again and again that the server lives, for as long as its threads take
    /// turns; for ever, so it is to be dropped. Each time `check` has to end first.
    pub(super) async fn live<F: Future<Output = ()>>(&self, mut check: impl FnMut() -> F) {
        let Some(every) = self.watchdog else {
            return std::future::pending().await;
        };
        loop {
            check().await;
            self.send("WATCHDOG=1");
            tokio::time::sleep(every).await;
        }
    }

    fn send(&self, words: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(words.as_bytes())
        {
            tracing::warn!(%error, words, "cannot tell the supervisor");
        }
    }
}

/// A path, or a name in the abstract namespace after `@`.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(name),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it must begin with / or @",
        )),
    }
}

/// Half of the time within which the supervisor wants to hear of us, as its
/// documentation recommends; nothing if it waits for another process.
fn watchdog(said: &Said) -> Option<Duration> {
    let is_for_us = said
        .watchdog_pid
        .as_ref()
        .is_none_or(|id| id.to_str().and_then(|id| id.parse().ok()) == Some(std::process::id()));
    let usec: u64 = said.watchdog_usec.as_ref()?.to_str()?.parse().ok()?;
    (is_for_us && usec > 0).then(|| Duration::from_micros(usec) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(socket: &str) -> Said {
        Said {
            socket: Some(socket.into()),
            ..Said::default()
        }
    }

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 100];
        let read = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..read].into()).unwrap()
    }

    #[test]
    fn a_name_after_an_at_sign_is_an_abstract_socket() {
        let name = format!("tenterhook-test-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(&name).unwrap();
        let supervisor = UnixDatagram::bind_addr(&abstract_name).unwrap();
        Notify::connect(&said(&format!("@{name}"))).unwrap().ready();
        assert_eq!(heard(&supervisor), "READY=1\nSTATUS=serving");
    }

    #[test]
    fn a_socket_that_cannot_be_used_is_said() {
        for name in ["relative", "/no/such/socket", "vsock:2:1"] {
            let error = Notify::connect(&said(name)).unwrap_err();
            assert!(format!("{error:#}").contains("NOTIFY_SOCKET"), "{error:#}");
        }
        assert!(Notify::connect(&Said::default()).unwrap().socket.is_none());
    }

    #[test]
    fn the_watchdog_of_another_process_is_not_ours() {
        let said = |usec: &str, pid: Option<u32>| Said {
            watchdog_usec: Some(usec.into()),
            watchdog_pid: pid.map(|pid| pid.to_string().into()),
            ..Said::default()
        };
        let own = std::process::id();
        let second = Some(Duration::from_secs(1));
        assert_eq!(watchdog(&said("2000000", Some(own))), second);
        assert_eq!(watchdog(&said("2000000", None)), second);
        assert_eq!(watchdog(&said("2000000", Some(own + 1))), None);
        for usec in ["0", "", "soon", "-1"] {
            assert_eq!(watchdog(&said(usec, Some(own))), None);
        }
    }
}
