//! A client of a running server: JSON out, JSON in, as the owner.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::http;
use crate::server::Server;

/// The owner of a server's first account.
#[derive(Clone)]
pub(crate) struct Owner {
    address: String,
    pub(crate) token: String,
}

impl Owner {
    /// Takes the token from the server's data folder.
    pub(crate) fn of(server: &Server, data: &Path) -> Self {
        Self {
            address: server.address.clone(),
            token: fs::read_to_string(data.join("owner.token"))
                .unwrap()
                .trim()
                .into(),
        }
    }

    /// The client with this token.
    pub(crate) fn with(server: &Server, token: &str) -> Self {
        Self {
            address: server.address.clone(),
            token: token.to_owned(),
        }
    }

    /// Creates another account and returns its owner.
    pub(crate) fn of_another_account(&self, name: &str) -> Self {
        let account = self.post("/api/v1/accounts", &json!({"name": name}));
        let token = json!({"account": account["id"], "name": "owner", "role": "owner"});
        let token = self.post("/api/v1/tokens", &token);
        Self {
            address: self.address.clone(),
            token: token["token"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.call("GET", path, "application/json", "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", path, "application/json", body.to_string())
    }

    /// Uploads a source; returns its number.
    pub(crate) fn source(&self, name: &str, bytes: impl AsRef<[u8]>) -> u64 {
        let path = format!("/api/v1/sources?name={name}&wait=120");
        let source = self.call("POST", &path, "application/octet-stream", bytes);
        source["number"].as_u64().unwrap()
    }

    /// Uploads a script and binds it to `custom.<name>`.
    pub(crate) fn hook(&self, name: &str, script: &str, limits: &Value) {
        let source = self.source(name, script);
        let event = format!("custom.{name}");
        self.post(
            "/api/v1/hooks",
            &json!({"source": source, "event": event, "limits": limits}),
        );
    }

    /// Fires an event and waits for its task's end.
    pub(crate) fn fire_and_wait(&self, event: &Value) -> Value {
        self.post("/api/v1/events?wait=60", event)["task"].take()
    }

    /// Asks for a task until it has ended.
    pub(crate) fn result(&self, task: &str) -> Value {
        loop {
            let task = self.get(&format!("/api/v1/tasks/{task}"));
            if task["ended_at"] != Value::Null {
                return task;
            }
        }
    }

    fn call(&self, method: &str, path: &str, kind: &str, body: impl AsRef<[u8]>) -> Value {
        let (status, answer) = self.try_call(method, path, kind, body).unwrap();
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer
    }

    /// One call to a server that may be gone.
    pub(crate) fn try_call(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: impl AsRef<[u8]>,
    ) -> std::io::Result<(u16, Value)> {
        let headers = format!(
            "Authorization: Bearer {}\r\nContent-Type: {kind}\r\n",
            self.token
        );
        let answer = http::try_request(&self.address, method, path, &headers, body)?;
        let json = match answer.body.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text)?,
        };
        Ok((answer.status, json))
    }
}

/// An event of the hook point `custom.<name>`.
pub(crate) fn event(name: &str, id: impl ToString) -> Value {
    json!({"specversion": "1.0", "id": id.to_string(), "source": "/tests", "type": format!("custom.{name}")})
}
