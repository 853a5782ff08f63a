//! An account as Fenix's clients see it: a few hosts, and projects with instances on
//! them.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::{AccountId, NewServer, Role};

use crate::support::{Answer, Call, TestApp};

/// How often a session is looked at before it is given up, and how long between.
const LOOKS: u32 = 1_200;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// An id that no session has.
pub(crate) const NOBODY: &str = "0b7c1b3e-5a41-1f4c-9d8e-2f6a7c8d9e0f";

/// The operator's account through the Fenix API.
pub(crate) struct Fenix {
    pub(crate) app: TestApp,
    pub(crate) account: AccountId,
    pub(crate) admin: String,
    pub(crate) member: String,
}

impl Fenix {
    pub(crate) async fn start() -> Self {
        let app = TestApp::start().await;
        let (admin, member) = (app.token(Role::Admin).await, app.token(Role::Member).await);
        let identity = app
            .dispatcher
            .identities()
            .authenticate(&admin)
            .await
            .unwrap();
        Self {
            account: identity.unwrap().account,
            app,
            admin,
            member,
        }
    }

    /// One with `node-1`, on which an instance of `blue` lives, and `node-2`, which is
    /// empty; returns the instance too.
    pub(crate) async fn with_two_hosts() -> (Self, String) {
        let fenix = Self::start().await;
        fenix.host("node-1").await;
        fenix.host("node-2").await;
        let instance = fenix.instance("web", "node-1", "blue").await;
        (fenix, instance)
    }

    /// A call as OpenStack's clients make it.
    pub(crate) async fn call_as(&self, secret: &str, method: Method, path: &str) -> Call<'_> {
        let call = self.app.call_as(secret, method, path).await;
        call.anonymous()
            .header("x-auth-token", secret)
            .header("host", "fenix.example:12347")
    }

    pub(crate) async fn call(&self, method: Method, path: &str) -> Call<'_> {
        self.call_as(&self.admin, method, path).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).await.send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path).await.json(body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path).await.json(body).send().await
    }

    /// A project's call.
    pub(crate) async fn reply(&self, path: &str, body: &Value) -> Answer {
        let call = self.call_as(&self.member, Method::PUT, path).await;
        call.json(body).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).await.send().await
    }

    pub(crate) async fn host(&self, name: &str) {
        let new = NewServer {
            name: name.to_owned(),
            ..NewServer::default()
        };
        let dispatcher = &self.app.dispatcher;
        dispatcher
            .servers()
            .create(self.account, new)
            .await
            .unwrap();
    }

    /// Creates an instance; returns its id.
    pub(crate) async fn instance(&self, name: &str, host: &str, project: &str) -> String {
        let new = NewServer {
            name: name.to_owned(),
            host: Some(host.to_owned()),
            project: Some(project.to_owned()),
            ..NewServer::default()
        };
        let dispatcher = &self.app.dispatcher;
        let server = dispatcher
            .servers()
            .create(self.account, new)
            .await
            .unwrap();
        server.id.to_string()
    }

    /// Moves an instance to another host, as its cloud would.
    pub(crate) async fn move_to(&self, instance: &str, host: &str) {
        let servers = self.app.get("/api/servers").await.expect(200);
        let server = servers.as_array().unwrap().iter();
        let server = server.clone().find(|server| server["uuid"] == instance);
        let path = format!("/api/servers/{}", server.unwrap()["id"]);
        self.app
            .patch(&path, &json!({ "host": host }))
            .await
            .expect(200);
    }

    /// Creates a session; returns its path.
    pub(crate) async fn session(&self, members: &Value) -> String {
        let body = with(new_session(), members);
        let made = self.post("/v1/maintenance", &body).await.expect(200);
        format!("/v1/maintenance/{}", made["session_id"].as_str().unwrap())
    }

    /// Waits until a session's detail is as wanted; returns it.
    pub(crate) async fn until(&self, session: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let path = format!("{session}/detail");
        let mut detail = Value::Null;
        for _ in 0..LOOKS {
            detail = self.get(&path).await.expect(200);
            if wanted(&detail) {
                return detail;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("the session never came so far: {detail:#}");
    }

    /// Waits until a session is in a state; returns its detail.
    pub(crate) async fn until_state(&self, session: &str, state: &str) -> Value {
        self.until(session, |detail| detail["state"] == state).await
    }

    /// Waits until a session waits in a state for a project's reply.
    pub(crate) async fn until_asked(&self, session: &str, project: &str, state: &str) -> Value {
        let asked = json!({"project_id": project, "reply": format!("ACK_{state}")});
        self.until(session, |detail| {
            let waiting = detail["waiting_for"].as_array().unwrap();
            waiting.contains(&asked)
        })
        .await
    }
}

/// The body of a request for a session that starts at once.
pub(crate) fn new_session() -> Value {
    json!({
        "state": "MAINTENANCE", "maintenance_at": "2001-02-03 04:05:06",
        "workflow": "default", "metadata": {},
    })
}

/// `body` with these members too, or in place of its own.
pub(crate) fn with(mut body: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

impl Answer {
    /// Checks that it is Fenix's error with this status; returns its text.
    #[track_caller]
    pub(crate) fn expect_fenix_error(&self, status: u16) -> String {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), "application/json");
        let members = body.as_object().map(serde_json::Map::len);
        assert_eq!(members, Some(1), "{body}");
        body["error"].as_str().unwrap().to_owned()
    }
}
