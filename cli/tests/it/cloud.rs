//! A cloud of four hosts and two projects, and a manager that is notified of everything by
//! signed webhooks: it answers for the projects and moves their instances.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;

use crate::api::Owner;
use crate::server::Server;

/// Looks that a test takes before it gives up: some minutes.
const TRIES: u32 = 10_000;

/// What a project does when it is asked in one state; in all others it agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It agrees here too.
    Agrees,
    /// It answers NACK.
    Refuses(&'static str),
    /// It answers nothing.
    IsSilent(&'static str),
}

/// A server with an inventory, and the manager.
pub(crate) struct Cloud {
    pub(crate) owner: Owner,
    server: Server,
    data: TempDir,
    flags: Vec<&'static str>,
    manager: Arc<Manager>,
}

/// The clients that speak for the projects.
struct Manager {
    secret: String,
    /// Changes when the server is restarted: so does its port.
    owner: Mutex<Owner>,
    moods: Mutex<BTreeMap<&'static str, Mood>>,
    told: Mutex<Vec<Value>>,
}

impl Cloud {
    /// Four hosts with five instances of `blue` and `green`; none of the hosts is empty.
    pub(crate) fn new(flags: &[&'static str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut flags = flags.to_vec();
        flags.push("--webhook-private-addresses");
        let server = Server::start(data.path(), &flags);
        let owner = Owner::of(&server, data.path());
        for host in ["node-1", "node-2", "node-3", "node-4"] {
            owner.post("/api/v1/servers", &json!({"name": host}));
        }
        for (instance, host, project) in [
            ("vm-1", "node-1", "blue"),
            ("vm-2", "node-1", "green"),
            ("vm-3", "node-2", "blue"),
            ("vm-4", "node-3", "green"),
            ("vm-5", "node-4", "blue"),
        ] {
            let new = json!({"name": instance, "host": host, "project": project});
            owner.post("/api/v1/servers", &new);
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let webhook = owner.post(
            "/api/v1/webhooks",
            &json!({"url": format!("http://127.0.0.1:{port}/"), "events": []}),
        );
        let manager = Arc::new(Manager {
            secret: webhook["secret"].as_str().unwrap().to_owned(),
            owner: Mutex::new(owner.clone()),
            moods: Mutex::default(),
            told: Mutex::default(),
        });
        let of_thread = Arc::clone(&manager);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // What broke off is sent again.
                let _ = of_thread.take(stream.unwrap());
            }
        });
        Self {
            owner,
            server,
            data,
            flags,
            manager,
        }
    }

    /// Lets a project be of another mood from now on.
    pub(crate) fn project(&self, name: &'static str, mood: Mood) {
        self.manager.moods.lock().unwrap().insert(name, mood);
    }

    /// The data of all notifications of a type, as they arrived.
    pub(crate) fn told(&self, kind: &str) -> Vec<Value> {
        let told = self.manager.told.lock().unwrap();
        told.iter()
            .filter(|event| event["type"] == kind)
            .map(|event| event["data"].clone())
            .collect()
    }

    /// Begins a session over all four hosts; answers its path.
    pub(crate) fn begin(&self, workflow: &str, actions: &Value) -> String {
        let session = self.owner.post(
            "/v1/maintenance",
            &json!({
                "hosts": ["node-1", "node-2", "node-3", "node-4"],
                "state": "MAINTENANCE",
                "maintenance_at": "2020-01-02 03:04:05",
                "metadata": {"openstack_release": "Zed"},
                "workflow": workflow,
                "download": ["https://sw.example/fw.tar.gz"],
                "actions": actions,
            }),
        );
        format!(
            "/v1/maintenance/{}",
            session["session_id"].as_str().unwrap()
        )
    }

    /// Looks until the session is in this state; answers its detail.
    pub(crate) fn until(&self, session: &str, state: &str) -> Value {
        for _ in 0..TRIES {
            let now = self.owner.get(session)["state"].clone();
            if now == state {
                return self.detail(session);
            }
            let over = now == "MAINTENANCE_FAILED" || now == "MAINTENANCE_DONE";
            assert!(!over, "{now} {:#}", self.detail(session));
            // Only so that looking does not slow down what is looked at.
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{:#}", self.detail(session))
    }

    pub(crate) fn detail(&self, session: &str) -> Value {
        self.owner.get(&format!("{session}/detail"))
    }

    /// Asks a failed session to go on where it failed.
    pub(crate) fn resume(&self, session: &str) {
        let answer = self
            .owner
            .try_call("PUT", session, "application/json", "{}")
            .unwrap();
        assert_eq!(answer.0, 200, "{}", answer.1);
    }

    /// Kills the server, for real, and restarts it.
    pub(crate) fn killed_and_started_again(self) -> Self {
        let (status, _) = self.server.stop(Signal::KILL);
        assert_eq!(status, None, "it was killed");
        let server = Server::start(self.data.path(), &self.flags);
        let owner = Owner::of(&server, self.data.path());
        *self.manager.owner.lock().unwrap() = owner.clone();
        Self {
            owner,
            server,
            ..self
        }
    }
}

impl Manager {
    /// Takes one notification; answers once it was acted on.
    fn take(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut head = BTreeMap::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(": ") {
                head.insert(name.to_ascii_lowercase(), value.trim_end().to_owned());
            }
        }
        let length = head
            .get("content-length")
            .and_then(|text| text.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        self.assert_signed(&head, &body);
        let event: Value = serde_json::from_slice(&body)?;
        let done = self.act(&event);
        if done.is_ok() {
            self.told.lock().unwrap().push(event);
        }
        let status = if done.is_ok() {
            "204 No Content"
        } else {
            "503 Unavailable"
        };
        write!(stream, "HTTP/1.1 {status}\r\n\r\n")
    }

    fn assert_signed(&self, head: &BTreeMap<String, String>, body: &[u8]) {
        let key = self.secret.strip_prefix("whsec_").unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(key).unwrap()).unwrap();
        mac.update(format!("{}.{}.", head["webhook-id"], head["webhook-timestamp"]).as_bytes());
        mac.update(body);
        let said = head["webhook-signature"].strip_prefix("v1,").unwrap();
        mac.verify_slice(&STANDARD.decode(said).unwrap()).unwrap();
    }

    fn act(&self, event: &Value) -> std::io::Result<()> {
        let data = &event["data"];
        match event["type"].as_str() {
            Some("maintenance.scheduled") if !data["reply_at"].is_null() => self.answer(data),
            Some("action.instance") => self.evacuate(data),
            _ => Ok(()),
        }
    }

    /// Replies for a project, at the address that it was given.
    fn answer(&self, told: &Value) -> std::io::Result<()> {
        let owner = self.owner.lock().unwrap().clone();
        let state = told["state"].as_str().unwrap();
        let mood = {
            let moods = self.moods.lock().unwrap();
            moods.get(told["project_id"].as_str().unwrap()).copied()
        };
        let word = match mood {
            Some(Mood::IsSilent(here)) if here == state => return Ok(()),
            Some(Mood::Refuses(here)) if here == state => "NACK",
            _ => "ACK",
        };
        let mut reply = json!({"state": format!("{word}_{state}")});
        if told["allowed_actions"]
            .as_array()
            .is_some_and(|actions| !actions.is_empty())
        {
            let path = path_of(&told["instance_ids"]);
            let (_, answer) = owner.try_call("GET", path, "application/json", "")?;
            let ids = answer["instance_ids"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            reply["instance_actions"] = ids
                .iter()
                .map(|id| (id.as_str().unwrap().to_owned(), json!("MIGRATE")))
                .collect();
        }
        // It may be refused: the session can have gone on since it told this.
        let path = path_of(&told["reply_url"]);
        owner.try_call("PUT", path, "application/json", reply.to_string())?;
        Ok(())
    }

    /// Moves an instance away: to a host that is maintained, or else to any other.
    fn evacuate(&self, told: &Value) -> std::io::Result<()> {
        let owner = self.owner.lock().unwrap().clone();
        let detail = format!(
            "/v1/maintenance/{}/detail",
            told["session_id"].as_str().unwrap()
        );
        let (_, detail) = owner.try_call("GET", &detail, "application/json", "")?;
        let hosts = detail["hosts"].as_array().cloned().unwrap_or_default();
        let others: Vec<_> = hosts
            .iter()
            .filter(|host| host["host"] != told["host"])
            .collect();
        let maintained = others
            .iter()
            .find(|host| host["state"] == "MAINTENANCE_COMPLETE");
        let Some(to) = maintained.or(others.first()) else {
            return Ok(());
        };
        let path = format!("/api/v1/servers/{}", told["instance_id"].as_str().unwrap());
        let change = json!({"host": to["host"]});
        let (status, answer) =
            owner.try_call("PATCH", &path, "application/json", change.to_string())?;
        assert_eq!(status, 200, "{answer}");
        Ok(())
    }
}

/// The path of an address of the server, whose port may have changed meanwhile.
fn path_of(url: &Value) -> &str {
    let url = url.as_str().unwrap().strip_prefix("http://").unwrap();
    &url[url.find('/').unwrap()..]
}
