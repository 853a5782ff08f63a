//! An account as Astra's clients see it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use tenterhook_dispatch::{AccountId, App, Container, Label, NewApp, NewHook, Role, Targets};

use crate::support::{Answer, Call, TestApp};

/// The operator's account through the Astra API.
pub(crate) struct Astra {
    pub(crate) app: TestApp,
    pub(crate) account: AccountId,
    pub(crate) owner: String,
}

pub(crate) const SOURCES: &str = "/core/v1/hookSources";
pub(crate) const HOOKS: &str = "/core/v1/executionHooks";

impl Astra {
    pub(crate) async fn start() -> Self {
        let app = TestApp::start().await;
        let owner = app.token(Role::Owner).await;
        let identity = app
            .dispatcher
            .identities()
            .authenticate(&owner)
            .await
            .unwrap();
        Self {
            account: identity.unwrap().account,
            app,
            owner,
        }
    }

    pub(crate) fn path(&self, path: &str) -> String {
        format!("/accounts/{}{path}", self.account)
    }

    pub(crate) async fn call(&self, method: Method, path: &str) -> Call<'_> {
        self.app
            .call_as(&self.owner, method, &self.path(path))
            .await
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

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).await.send().await
    }

    /// Makes a script.
    pub(crate) async fn script(&self, name: &str, text: &str) -> Value {
        self.post(SOURCES, &source(name, text)).await.expect(201)
    }

    /// The own sources, without those that came with the account.
    pub(crate) async fn sources(&self, query: &str) -> Vec<Value> {
        let list = self.get(&format!("{SOURCES}{query}")).await.expect(200);
        let items = list["items"].as_array().unwrap().clone();
        let own = |item: &Value| item["preloaded"] != "true";
        items.into_iter().filter(own).collect()
    }

    /// Enters an application with these containers: pod and image.
    pub(crate) async fn application(&self, name: &str, containers: &[(&str, &str)]) -> App {
        let containers = containers.iter().map(|(pod, image)| Container {
            pod_name: (*pod).to_owned(),
            pod_labels: vec![Label {
                name: "tier".to_owned(),
                value: "db".to_owned(),
            }],
            container_image: (*image).to_owned(),
            container_name: "main".to_owned(),
            namespace_name: "prod".to_owned(),
        });
        let new = NewApp {
            name: name.to_owned(),
            containers: containers.collect(),
            ..NewApp::default()
        };
        let dispatcher = &self.app.dispatcher;
        dispatcher.apps().create(self.account, new).await.unwrap()
    }

    /// Creates a hook that the operator manages; returns its id.
    pub(crate) async fn managed_hook(&self, name: &str) -> String {
        let source = self.script(&format!("{name}.sh"), "true\n").await;
        let source: tenterhook_dispatch::SourceId = source["id"].as_str().unwrap().parse().unwrap();
        let targets = Targets::Containers {
            app: None,
            criteria: Vec::new(),
        };
        let new = NewHook {
            name: Some(name.to_owned()),
            targets: Some(targets),
            managed: true,
            ..NewHook::new(source, "backup.pre")
        };
        let hook = self.app.dispatcher.hooks().create(self.account, new).await;
        hook.unwrap().id.to_string()
    }
}

/// The body of a request for a script.
pub(crate) fn source(name: &str, text: &str) -> Value {
    json!({
        "type": "application/astra-hookSource", "version": "1.0",
        "name": name, "sourceType": "script", "source": base64(text),
    })
}

/// The body of a request that changes a script.
pub(crate) fn source_change(members: &Value) -> Value {
    with(
        json!({"type": "application/astra-hookSource", "version": "1.0"}),
        members,
    )
}

/// The body of a request for an execution hook.
pub(crate) fn hook(name: &str, source: &Value, app: &App) -> Value {
    json!({
        "type": "application/astra-executionHook", "version": "1.3", "name": name,
        "hookType": "custom", "action": "snapshot", "stage": "pre",
        "hookSourceID": source["id"], "appID": app.id,
    })
}

/// `body` with these members too, or in place of its own.
pub(crate) fn with(mut body: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn md5(bytes: impl AsRef<[u8]>) -> String {
    let digest = Md5::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Answer {
    /// Checks that it is the problem with this number, and what all of them have.
    #[track_caller]
    pub(crate) fn expect_astra(&self, status: u16, number: u16) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let kind = format!("https://astra.netapp.io/problems/{number}");
        assert_eq!(problem["type"], kind, "{problem}");
        assert_eq!(problem["status"], status.to_string(), "{problem}");
        assert_eq!(problem["correlationID"], self.header("x-request-id"));
        assert!(problem["detail"].is_string() && problem["title"].is_string());
        problem
    }

    /// The same, with the one parameter or member that it names.
    #[track_caller]
    pub(crate) fn expect_wrong(&self, status: u16, number: u16, list: &str) -> String {
        let problem = self.expect_astra(status, number);
        let wrong = problem[list].as_array().unwrap();
        assert_eq!(wrong.len(), 1, "{problem}");
        assert!(!wrong[0]["reason"].as_str().unwrap().is_empty());
        wrong[0]["name"].as_str().unwrap().to_owned()
    }
}
