//! One application per test: a separate store, one engine for all.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tenterhook_api::{App, FailureLimits, NovaRules, Proxies};
use tenterhook_delivery::Webhooks;
use tenterhook_dispatch::{AccountId, Dispatcher, Error, ExecutionId, NewToken, Role, Settings};
use tenterhook_engine::{Engine, Limits};
use tenterhook_ledger::{Capacities, Ledger};
use tenterhook_maintenance::Maintenance;
use tenterhook_store::Sqlite;
use tower::ServiceExt;

/// Longer than any hook of these tests takes; nothing asserts on it.
pub(crate) const LONG: &str = "60";

/// An application with an account and a token of each role.
pub(crate) struct TestApp {
    pub(crate) router: Router,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) delivery: Webhooks,
    pub(crate) app: App,
    account: AccountId,
    folder: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Checks the status, and returns the JSON body.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// Checks that it is a problem of this type with this status.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, kind: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["type"], kind, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        problem
    }

    /// Checks that it is croit's error with this status; returns its text.
    #[track_caller]
    pub(crate) fn expect_croit_error(&self, status: u16) -> String {
        let body = self.expect(status);
        assert_eq!(
            body.as_object().map(serde_json::Map::len),
            Some(1),
            "{body}"
        );
        body["error"].as_str().unwrap().to_owned()
    }
}

/// A request that is being put together.
pub(crate) struct Call<'a> {
    app: &'a TestApp,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    from: Option<SocketAddr>,
}

impl Call<'_> {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    pub(crate) fn token(self, secret: &str) -> Self {
        let value = format!("Bearer {secret}");
        self.header("authorization", &value)
    }

    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn anonymous(mut self) -> Self {
        self.headers.remove(header::AUTHORIZATION);
        self
    }

    /// As if it came from this address.
    pub(crate) fn from(self, address: &str) -> Self {
        let address = SocketAddr::new(address.parse().unwrap(), 1);
        Self {
            from: Some(address),
            ..self
        }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    pub(crate) async fn send(self) -> Answer {
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers;
        if let Some(from) = self.from {
            request.extensions_mut().insert(ConnectInfo(from));
        }
        let response = self.app.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().into(),
        }
    }
}

fn engine() -> Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE
        .get_or_init(|| Engine::start(tenterhook_engine::Settings::default()).unwrap())
        .clone()
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_on(engine()).await
    }

    /// An application whose tenants share so much and no more.
    pub(crate) async fn start_with(capacities: Capacities) -> Self {
        let settings = tenterhook_engine::Settings {
            ledger: Ledger::new(capacities),
            ..tenterhook_engine::Settings::default()
        };
        Self::start_on(Engine::start(settings).unwrap()).await
    }

    async fn start_on(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("test.db")).await.unwrap();
        let settings = Settings {
            default_limits: Limits::for_testing(),
            ..Settings::default()
        };
        let store = std::sync::Arc::new(store);
        let dispatcher = Dispatcher::start(store.clone(), engine, settings)
            .await
            .unwrap();
        let delivery = Webhooks::start(
            store.clone(),
            tenterhook_delivery::Settings::default(),
            dispatcher.ledger().clone(),
        )
        .await
        .unwrap();
        let maintenance = Maintenance::start(
            dispatcher.clone(),
            delivery.clone(),
            store,
            tenterhook_maintenance::Settings::default(),
        )
        .await
        .unwrap();
        let account = dispatcher.accounts().create("operator").await.unwrap().id;
        let app = App::new(dispatcher.clone(), maintenance);
        Self {
            router: tenterhook_api::router(app.clone()),
            dispatcher,
            delivery,
            app,
            account,
            folder,
        }
    }

    /// The same with other bounds on logins and tokens that are wrong.
    pub(crate) fn with_failure_limits(mut self, limits: FailureLimits) -> Self {
        self.app = self.app.with_failure_limits(limits);
        self.router = tenterhook_api::router(self.app.clone());
        self
    }

    /// The same, behind these proxies.
    pub(crate) fn with_proxies(mut self, proxies: Proxies) -> Self {
        self.app = self.app.with_proxies(proxies);
        self.router = tenterhook_api::router(self.app.clone());
        self
    }

    /// The same, with these rules for Nova's API.
    pub(crate) fn with_nova_rules(mut self, rules: NovaRules) -> Self {
        self.app = self.app.with_nova_rules(rules);
        self.router = tenterhook_api::router(self.app.clone());
        self
    }

    /// Makes another account; returns it and with its owner's token.
    pub(crate) async fn tenant(&self, name: &str) -> (Value, String) {
        let new = json!({ "name": name });
        let account = self.post("/api/v1/accounts", &new).await.expect(201);
        let body = json!({"account": account["id"], "name": "owner", "role": "owner"});
        let issued = self.post("/api/v1/tokens", &body).await.expect(201);
        (account, issued["token"].as_str().unwrap().to_owned())
    }

    /// A call with this token.
    pub(crate) async fn call_as(&self, secret: &str, method: Method, path: &str) -> Call<'_> {
        self.unsigned(method, path).token(secret)
    }

    /// Makes the database unreadable, as a failing disk would.
    pub(crate) fn break_store(&self) {
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            let length = std::fs::metadata(&path).unwrap().len();
            std::fs::write(&path, vec![0xff; usize::try_from(length).unwrap()]).unwrap();
        }
    }

    /// The operator's account.
    pub(crate) fn account(&self) -> AccountId {
        self.account
    }

    /// Issues a token; its name is the role's.
    pub(crate) async fn token(&self, role: Role) -> String {
        let new = NewToken {
            name: format!("{role}-{}", uuid()),
            principal: None,
            role,
            expires_at: None,
        };
        let (_, secret) = self
            .dispatcher
            .tokens()
            .issue(self.account, new)
            .await
            .unwrap();
        secret.reveal().to_owned()
    }

    /// A call with an owner's token.
    pub(crate) async fn call(&self, method: Method, path: &str) -> Call<'_> {
        let secret = self.token(Role::Owner).await;
        self.unsigned(method, path).token(&secret)
    }

    fn unsigned(&self, method: Method, path: &str) -> Call<'_> {
        Call {
            app: self,
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            from: None,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).await.send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path).await.json(body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path).await.json(body).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).await.send().await
    }

    /// Uploads a script through the native API; returns its number.
    pub(crate) async fn script(&self, name: &str, text: &str) -> i64 {
        let path = format!("/api/v1/sources?name={name}&wait=120");
        let call = self.call(Method::POST, &path).await;
        let answer = call.body("text/x-shellscript", text).send().await;
        answer.expect(201)["number"].as_i64().unwrap()
    }

    /// Enters a server; returns its id.
    pub(crate) async fn server(&self, name: &str) -> i64 {
        let answer = self.post("/api/servers", &json!({ "name": name })).await;
        answer.expect(201)["id"].as_i64().unwrap()
    }

    /// Binds a script to an event through the native API.
    pub(crate) async fn hook(&self, source: i64, event: &str) -> Value {
        let body = json!({"source": source, "event": event});
        self.post("/api/v1/hooks", &body).await.expect(201)
    }

    /// Fires an event and waits for what its hooks make of it.
    pub(crate) async fn fire(&self, event: &str, data: Value) -> Value {
        let path = format!("/api/v1/events?wait={LONG}");
        let posted = self.post(&path, &event_of(event, data)).await.expect(200);
        for execution in posted["task"]["executions"].as_array().unwrap() {
            let id = execution["id"].as_str().unwrap().parse().unwrap();
            self.check_replay(id).await;
        }
        posted
    }

    /// Replays an execution of the operator's account: it has to be the same.
    async fn check_replay(&self, id: ExecutionId) {
        let executions = self.dispatcher.executions();
        match executions.replay(self.account, id, None, None).await {
            Ok(replay) => assert_eq!(replay.differences, [], "{replay:?}"),
            // The server did not run it to its end.
            Err(Error::WrongState { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Waits for a task to end.
    pub(crate) async fn ended(&self, number: i64) {
        let key = tenterhook_dispatch::Key::Number(tenterhook_dispatch::Number::new(
            number.try_into().unwrap(),
        ));
        let detail = self
            .dispatcher
            .tasks()
            .wait(self.account, key, Duration::from_secs(60))
            .await
            .unwrap();
        assert!(detail.task.state.is_over());
        for execution in detail.executions {
            self.check_replay(execution.id).await;
        }
    }
}

/// An event in the structured form with a new id.
pub(crate) fn event_of(kind: &str, data: Value) -> Value {
    json!({"specversion": "1.0", "id": uuid(), "source": "/tests", "type": kind, "data": data})
}

pub(crate) fn uuid() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Encodes a value for a query string.
pub(crate) fn encode(value: &Value) -> String {
    form_urlencoded::byte_serialize(value.to_string().as_bytes()).collect()
}
