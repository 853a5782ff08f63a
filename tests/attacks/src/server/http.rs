//! The little HTTP that this program needs: one connection that is kept, JSON out,
//! JSON in.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

/// How long an answer may take. What is held up longer is not served.
const PATIENCE: Duration = Duration::from_secs(90);

/// A client with its token, and its connection to a server.
pub(super) struct Client {
    address: String,
    token: String,
    connection: Option<BufReader<TcpStream>>,
    patience: Duration,
}

/// The status of an answer, and its body.
pub(super) type Answer = (u16, Value);

impl Client {
    pub(super) fn new(address: &str, token: &str) -> Self {
        Self {
            address: address.to_owned(),
            token: token.to_owned(),
            connection: None,
            patience: PATIENCE,
        }
    }

    /// The same client, with another time for each answer.
    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Where the server is.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The secret that the client presents.
    pub(super) fn secret(&self) -> &str {
        &self.token
    }

    /// The same client on a connection of its own.
    pub(super) fn another(&self) -> Self {
        Self::new(&self.address, &self.token)
    }

    /// Reads what is there.
    pub(super) fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send("GET", path, "application/json", &[])
    }

    /// Posts JSON.
    pub(super) fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(
            "POST",
            path,
            "application/json",
            body.to_string().as_bytes(),
        )
    }

    /// Posts several events at once.
    pub(super) fn post_batch(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let kind = "application/cloudevents-batch+json";
        self.send("POST", path, kind, body.to_string().as_bytes())
    }

    /// Posts JSON; an answer that is not of success is an error.
    pub(super) fn created(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        expect_success(path, self.post(path, body)?)
    }

    /// Uploads a program.
    pub(super) fn upload(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<Answer> {
        let path = format!("/api/v1/sources?name={name}&wait=120");
        self.send("POST", &path, "application/octet-stream", bytes)
    }

    /// Sends one request. A connection that failed is not used again.
    fn send(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> anyhow::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(&self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(self.patience))?;
                stream.set_write_timeout(Some(self.patience))?;
                BufReader::new(stream)
            }
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            self.address,
            self.token,
            body.len()
        );
        // In one piece, so that it is one packet.
        let request = [head.as_bytes(), body].concat();
        // A server may answer before it has read everything, and close.
        let sent = connection.get_mut().write_all(&request);
        let (answer, keep) = read(&mut connection).with_context(|| match sent {
            Ok(()) => format!("no answer to {method} {path}"),
            Err(error) => format!("cannot {method} {path}: {error}"),
        })?;
        self.connection = keep.then_some(connection);
        Ok(answer)
    }
}

/// Takes the body of an answer of success.
pub(super) fn expect_success(path: &str, (status, body): Answer) -> anyhow::Result<Value> {
    anyhow::ensure!(status < 300, "POST {path}: {status} {body}");
    Ok(body)
}

/// Reads one response; returns whether another may follow on the connection.
fn read(connection: &mut BufReader<TcpStream>) -> anyhow::Result<(Answer, bool)> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status: u16 = status.with_context(|| format!("not an answer: {line:?}"))?;
    let (mut length, mut keep) = (0, true);
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        match header.split_once(": ") {
            Some(("content-length", value)) => length = value.parse()?,
            Some(("connection", "close")) => keep = false,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    let body = match body.is_empty() {
        true => Value::Null,
        // Health is reported in plain text.
        false => serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    Ok(((status, body), keep))
}
