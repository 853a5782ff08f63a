//! The little HTTP that this program needs: one connection that is kept, JSON out,
//! JSON in.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use anyhow::Context as _;
use serde_json::Value;

/// A client with its token, and its connection to a server.
pub(super) struct Client {
    address: String,
    token: String,
    connection: Option<BufReader<TcpStream>>,
}

/// The status of an answer, and its body.
pub(super) type Answer = (u16, Value);

impl Client {
    pub(super) fn new(address: &str, token: &str) -> Self {
        Self {
            address: address.to_owned(),
            token: token.to_owned(),
            connection: None,
        }
    }

    /// The same client on a connection of its own.
    pub(super) fn another(&self) -> Self {
        Self::new(&self.address, &self.token)
    }

    /// Posts JSON.
    pub(super) fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(path, "application/json", body.to_string().as_bytes())
    }

    /// Posts JSON; an answer that is not of success is an error.
    pub(super) fn created(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        expect_success(path, self.post(path, body)?)
    }

    /// Uploads a program.
    pub(super) fn upload(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<Answer> {
        let path = format!("/api/v1/sources?name={name}");
        self.send(&path, "application/octet-stream", bytes)
    }

    /// Sends one request. A connection that failed is not used again.
    fn send(&mut self, path: &str, kind: &str, body: &[u8]) -> anyhow::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(&self.address)?;
                stream.set_nodelay(true)?;
                BufReader::new(stream)
            }
        };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
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
            Ok(()) => format!("no answer to POST {path}"),
            Err(error) => format!("cannot POST {path}: {error}"),
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

/// Reads one answer; tells whether another may follow on the connection.
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
        false => serde_json::from_slice(&body)?,
    };
    Ok(((status, body), keep))
}
