//! Notifies systemd that the server is ready, stopping or alive.
//!
//! The protocol is a few words in a datagram (`sd_notify(3)`). Without a socket nothing is
//! sent.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use anyhow::Context as _;

/// The connection to systemd, if there is one.
#[derive(Debug, Default)]
pub(super) struct Notify {
    socket: Option<UnixDatagram>,
    /// How often systemd must be notified that the server is alive.
    watchdog: Option<Duration>,
}

/// The variables that systemd sets.
#[derive(Debug, Default)]
pub(super) struct NotifyEnvironment {
    /// `NOTIFY_SOCKET`.
    pub(super) socket: Option<OsString>,
    /// `WATCHDOG_USEC`.
    pub(super) watchdog_usec: Option<OsString>,
    /// `WATCHDOG_PID`.
    pub(super) watchdog_pid: Option<OsString>,
}

impl NotifyEnvironment {
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
    /// Connects the socket. Must be called before lockdown, after which it may be
    /// unreachable.
    pub(super) fn connect(environment: &NotifyEnvironment) -> anyhow::Result<Self> {
        let Some(name) = &environment.socket else {
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
            watchdog: watchdog(environment),
        })
    }

    /// Reports that the server is ready.
    pub(super) fn ready(&self) {
        self.send("READY=1\nSTATUS=serving");
    }

    /// Reports that the server is stopping.
    pub(super) fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stopping");
    }

    /// Reports periodically that the server is alive, as long as `check` completes. Never
    /// ends, so it must be dropped.
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
            tracing::warn!(%error, words, "cannot notify the supervisor");
        }
    }
}

/// Parses a path, or a name in the abstract namespace after `@`.
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

/// Returns half of the watchdog's timeout, as its documentation recommends; `None` if it
/// watches another process.
fn watchdog(environment: &NotifyEnvironment) -> Option<Duration> {
    let is_for_us = environment
        .watchdog_pid
        .as_ref()
        .is_none_or(|id| id.to_str().and_then(|id| id.parse().ok()) == Some(std::process::id()));
    let usec: u64 = environment.watchdog_usec.as_ref()?.to_str()?.parse().ok()?;
    (is_for_us && usec > 0).then(|| Duration::from_micros(usec) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(socket: &str) -> NotifyEnvironment {
        NotifyEnvironment {
            socket: Some(socket.into()),
            ..NotifyEnvironment::default()
        }
    }

    fn received(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 100];
        let read = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..read].into()).unwrap()
    }

    #[test]
    fn a_name_after_an_at_sign_is_an_abstract_socket() {
        let name = format!("tenterhook-test-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(&name).unwrap();
        let supervisor = UnixDatagram::bind_addr(&abstract_name).unwrap();
        Notify::connect(&environment(&format!("@{name}")))
            .unwrap()
            .ready();
        assert_eq!(received(&supervisor), "READY=1\nSTATUS=serving");
    }

    #[test]
    fn a_socket_that_cannot_be_used_is_reported() {
        for name in ["relative", "/no/such/socket", "vsock:2:1"] {
            let error = Notify::connect(&environment(name)).unwrap_err();
            assert!(format!("{error:#}").contains("NOTIFY_SOCKET"), "{error:#}");
        }
        assert!(
            Notify::connect(&NotifyEnvironment::default())
                .unwrap()
                .socket
                .is_none()
        );
    }

    #[test]
    fn the_watchdog_of_another_process_is_not_ours() {
        let environment = |usec: &str, pid: Option<u32>| NotifyEnvironment {
            watchdog_usec: Some(usec.into()),
            watchdog_pid: pid.map(|pid| pid.to_string().into()),
            ..NotifyEnvironment::default()
        };
        let own = std::process::id();
        let second = Some(Duration::from_secs(1));
        assert_eq!(watchdog(&environment("2000000", Some(own))), second);
        assert_eq!(watchdog(&environment("2000000", None)), second);
        assert_eq!(watchdog(&environment("2000000", Some(own + 1))), None);
        for usec in ["0", "", "soon", "-1"] {
            assert_eq!(watchdog(&environment(usec, Some(own))), None);
        }
    }
}
