//! A server on its own socket, and clients of it.

use std::net::SocketAddr;

use tenterhook_api::Door;
use tenterhook_dispatch::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use crate::support::TestApp;

/// A server with its door, and an operator's token.
pub(crate) struct House {
    pub(crate) app: TestApp,
    pub(crate) address: SocketAddr,
    pub(crate) secret: String,
    serving: JoinHandle<std::io::Result<()>>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(Door::default()).await
    }

    pub(crate) async fn with(door: Door) -> Self {
        Self::of(TestApp::start().await, door).await
    }

    /// A server of this application.
    pub(crate) async fn of(app: TestApp, door: Door) -> Self {
        let secret = app.token(Role::Owner).await;
        let socket = TcpSocket::new_v4().unwrap();
        // What the kernel holds of a reply counts as sent.
        socket.set_send_buffer_size(64 * 1024).unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let listener = socket.listen(1_024).unwrap();
        let address = listener.local_addr().unwrap();
        let served = app.app.clone().with_door(door);
        let serving = tokio::spawn(tenterhook_api::serve(
            listener,
            served,
            std::future::pending(),
        ));
        Self {
            app,
            address,
            secret,
            serving,
        }
    }

    /// The head of a call, except the header with the length of its body.
    pub(crate) fn head(&self, call: &str, kind: &str) -> String {
        let secret = &self.secret;
        format!(
            "{call} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\ncontent-type: {kind}\r\n"
        )
    }

    /// Sends one call, and returns everything that was received.
    pub(crate) async fn send(&self, call: &str, kind: &str, body: String) -> String {
        let (head, length) = (self.head(call, kind), body.len());
        let ending = "connection: close\r\n\r\n";
        self.say(&format!("{head}content-length: {length}\r\n{ending}{body}"))
            .await
    }

    /// Sends these bytes, and returns everything received until the server closed.
    pub(crate) async fn say(&self, bytes: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may close before it has read everything.
        let _ = stream.write_all(bytes.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    /// The door still opens for the next one, and what is behind it works.
    pub(crate) async fn is_open(&self) {
        let answer = self
            .send("GET /api/v1/limits", "application/json", String::new())
            .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!self.serving.is_finished());
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
