//! Hooks that run for containers, built-in sources, and who created
//! what: the parts of Astra's resources that the native API shows and manages.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use crate::support::{LONG, TestApp, event_of};

/// Creates an app with two containers, `db` and `web`; returns it.
async fn shop(app: &TestApp) -> Value {
    let container = |name: &str| {
        json!({
            "podName": format!("shop-{name}-0"),
            "podLabels": [{"name": "tier", "value": name}],
            "containerImage": format!("registry.example/{name}:1"),
            "containerName": name,
            "namespaceName": "shop",
        })
    };
    let body = json!({"name": "shop", "containers": [container("db"), container("web")]});
    app.post("/api/v1/apps", &body).await.expect(201)
}

async fn fire(app: &TestApp, kind: &str, subject: &Value) -> Value {
    let mut event = event_of(kind, json!({}));
    event["subject"] = subject.clone();
    let path = format!("/api/v1/events?wait={LONG}");
    app.post(&path, &event).await.expect(200)["task"].clone()
}

#[tokio::test]
async fn a_hook_for_containers_is_created_shown_and_changed() {
    let app = TestApp::start().await;
    let shop = shop(&app).await;
    let source = app.script("quiesce", "true").await;
    let body = json!({
        "name": "quiesce-db", "description": "flushes the tables", "source": source,
        "event": "snapshot.pre", "app": 1, "criteria": [{"type": "podLabel", "value": "^tier=db$"}],
        "labels": [{"name": "team", "value": "storage"}],
    });
    let hook = app.post("/api/v1/hooks", &body).await.expect(201);
    for member in ["name", "description", "criteria", "labels"] {
        assert_eq!(hook[member], body[member], "{member}: {hook}");
    }
    assert_eq!(
        (&hook["app"], &hook["servers"], &hook["managed"]),
        (&shop["id"], &Value::Null, &json!(false))
    );
    let path = format!("/api/v1/hooks/{}", hook["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.expect(200), hook);
    let criteria = json!([{"type": "containerName", "value": "web"}]);
    let changed = app
        .patch(&path, &json!({"criteria": criteria, "labels": []}))
        .await
        .expect(200);
    assert_eq!(
        (&changed["criteria"], &changed["app"], &changed["labels"]),
        (&criteria, &shop["id"], &json!([]))
    );
    let body = json!({"name": "quiesce-db", "source": source, "event": "snapshot.pre", "app": 1});
    app.post("/api/v1/hooks", &body)
        .await
        .expect_problem(409, "/problems/name-taken");
}

#[tokio::test]
async fn a_hook_for_containers_is_refused_where_it_makes_no_sense() {
    let app = TestApp::start().await;
    shop(&app).await;
    let source = app.script("a", "true").await;
    let hook = |more: Value| {
        let mut body = json!({"name": "h", "source": source, "event": "snapshot.pre"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    for (more, pointer) in [
        (json!({"app": 7}), "/app"),
        (json!({"app": "x"}), "/app"),
        (json!({"app": 1, "servers": "all"}), "/servers"),
        (
            json!({"app": 1, "criteria": [{"type": "color", "value": "x"}]}),
            "/criteria/0/type",
        ),
        (
            json!({"app": 1, "criteria": [{"type": "podName"}]}),
            "/criteria/0",
        ),
        (json!({"app": 1, "labels": {"a": "b"}}), "/labels"),
    ] {
        let problem = app.post("/api/v1/hooks", &hook(more.clone())).await;
        let problem = problem.expect_problem(422, "/problems/invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{more}: {problem}"
        );
    }
    for more in [
        json!({"app": 1, "criteria": [{"type": "podName", "value": "("}]}),
        json!({"app": 1, "event": "PreFormatDisk"}),
        json!({"app": 1, "criteria": vec![json!({"type": "podName", "value": "x"}); 11]}),
    ] {
        app.post("/api/v1/hooks", &hook(more))
            .await
            .expect_problem(422, "/problems/invalid-request");
    }
}

#[tokio::test]
async fn an_event_runs_a_hook_in_each_matching_container_and_shows_its_state() {
    let app = TestApp::start().await;
    let shop = shop(&app).await;
    let print = "echo \"$HOOK_PARAM_CONTAINER_NAME in $HOOK_PARAM_POD_NAME\"";
    let source = app.script("print", print).await;
    let body = json!({"name": "all", "source": source, "event": "snapshot.pre", "app": shop["id"]});
    app.post("/api/v1/hooks", &body).await.expect(201);
    let task = fire(&app, "snapshot.pre", &shop["id"]).await;
    assert_eq!(task["hookState"], "success", "{task}");
    assert_eq!(task["allow"], true);
    let mut ran: Vec<(&str, &str)> = task["executions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["container"]["containerName"].as_str().unwrap(),
                one["stdout"].as_str().unwrap(),
            )
        })
        .collect();
    ran.sort_unstable();
    assert_eq!(
        ran,
        [("db", "db in shop-db-0\n"), ("web", "web in shop-web-0\n")]
    );
    let problem = app
        .post("/api/v1/events", &{
            let mut event = event_of("snapshot.pre", json!({}));
            event["subject"] = json!("nowhere");
            event
        })
        .await
        .expect_problem(422, "/problems/invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/subject");
}

#[tokio::test]
async fn a_hook_that_fails_is_reported_in_the_state_and_stops_nothing() {
    let app = TestApp::start().await;
    shop(&app).await;
    let source = app.script("fail", "echo no >&2; exit 3").await;
    let criteria = json!([{"type": "containerName", "value": "^db$"}]);
    let body = json!({"name": "fails", "source": source, "event": "backup.post", "app": 1,
        "criteria": criteria, "failure_policy": "open"});
    app.post("/api/v1/hooks", &body).await.expect(201);
    let task = fire(&app, "backup.post", &json!("shop")).await;
    assert_eq!(
        (&task["hookState"], &task["allow"]),
        (&json!("failed"), &json!(true)),
        "{task}"
    );
    let details = task["hookStateDetails"].as_array().unwrap();
    assert_eq!(details.len(), 1, "{task}");
    for member in ["type", "title", "detail"] {
        assert!(details[0][member].is_string(), "{details:?}");
    }
    // Other events have no such state.
    app.hook(source, "custom.a").await;
    let other = app.fire("custom.a", json!({})).await;
    assert_eq!(other["task"]["hookState"], Value::Null);
}

#[tokio::test]
async fn only_admins_create_and_change_managed_hooks() {
    let app = TestApp::start().await;
    let source = app.script("a", "true").await;
    let body = json!({"name": "kept", "source": source, "event": "snapshot.pre",
        "criteria": [{"type": "podName", "value": "."}], "managed": true});
    let member = app.token(Role::Member).await;
    let call = app.call_as(&member, Method::POST, "/api/v1/hooks").await;
    let problem = call.json(&body).send().await;
    let problem = problem.expect_problem(403, "/problems/forbidden");
    assert_eq!(problem["needs"], "admin");
    let hook = app.post("/api/v1/hooks", &body).await.expect(201);
    assert_eq!(
        (&hook["managed"], &hook["app"]),
        (&json!(true), &Value::Null)
    );
    let path = format!("/api/v1/hooks/{}", hook["id"].as_str().unwrap());
    for method in [Method::PATCH, Method::DELETE] {
        let call = app.call_as(&member, method, &path).await;
        call.json(&json!({"order": 1}))
            .send()
            .await
            .expect_problem(403, "/problems/forbidden");
    }
    let call = app.call_as(&member, Method::GET, &path).await;
    call.send().await.expect(200);
    app.patch(&path, &json!({"order": 1})).await.expect(200);
    app.delete(&path).await.expect(204);
}

#[tokio::test]
async fn built_in_sources_are_listed_last_and_read_only() {
    let app = TestApp::start().await;
    let own = app.script("mine", "true").await;
    let list = app.get("/api/v1/sources").await.expect(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!(
        (&items[0]["number"], &items[0]["preloaded"]),
        (&json!(own), &json!(false))
    );
    let preloaded = &items[1..];
    assert!(!preloaded.is_empty());
    assert!(
        preloaded.iter().all(|one| one["preloaded"] == true),
        "{list}"
    );
    let one = &preloaded[0];
    let path = format!("/api/v1/sources/{}", one["id"].as_str().unwrap());
    assert_eq!(&app.get(&path).await.expect(200), one);
    assert!(
        app.get(&format!("{path}/bytes"))
            .await
            .text()
            .starts_with("#!")
    );
    let problem = app.delete(&path).await;
    let problem = problem.expect_problem(403, "/problems/read-only");
    assert_eq!(problem["noun"], "source");

    // croit's lists leave them out; by number they can be read and bound.
    let scripts = app.get("/api/events/scripts").await.expect(200);
    assert_eq!(scripts, json!([{"id": own, "name": "mine"}]));
    let page = app.get("/api/events/hook-scripts").await.expect(200);
    assert_eq!(page["total"], 1, "{page}");
    let number = &one["number"];
    let path = format!("/api/events/scripts/{number}");
    app.get(&path).await;
    let error = app
        .patch(&path, &json!({"name": "x"}))
        .await
        .expect_croit_error(403);
    assert!(error.contains("read-only"), "{error}");
    app.delete(&path).await.expect_croit_error(403);
    let body = json!({"scriptId": number, "event": "PreFormatDisk", "allServers": true});
    app.post("/api/events/hooks", &body).await.expect(201);
}

#[tokio::test]
async fn a_source_may_be_private_and_shows_who_created_it() {
    let app = TestApp::start().await;
    let principal = json!({"name": "ada", "role": "member"});
    let ada = app.post("/api/v1/principals", &principal).await.expect(201);
    let issued = json!({"name": "ci", "principal": "ada"});
    let issued = app.post("/api/v1/tokens", &issued).await.expect(201);
    let secret = issued["token"].as_str().unwrap();
    let call = app.call_as(secret, Method::POST, "/api/v1/sources?name=s&private=true");
    let call = call.await.body("text/x-shellscript", "true");
    let source = call.send().await.expect(201);
    assert_eq!(
        (
            &source["private"],
            &source["created_by"],
            &source["modified_by"]
        ),
        (&json!(true), &ada["id"], &Value::Null)
    );
    let body = json!({"source": source["id"], "event": "custom.a"});
    let call = app.call_as(secret, Method::POST, "/api/v1/hooks").await;
    let hook = call.json(&body).send().await.expect(201);
    assert_eq!(
        (&hook["created_by"], &hook["modified_by"]),
        (&ada["id"], &Value::Null)
    );
    let path = format!("/api/v1/hooks/{}", hook["id"].as_str().unwrap());
    let call = app.call_as(secret, Method::PATCH, &path).await;
    let hook = call.json(&json!({"order": 2})).send().await.expect(200);
    assert_eq!(hook["modified_by"], ada["id"]);
    app.call(Method::POST, "/api/v1/sources?name=x&private=yes")
        .await
        .body("text/x-shellscript", "true")
        .send()
        .await
        .expect_problem(422, "/problems/invalid-request");
}

#[tokio::test]
async fn croits_api_shows_who_created_and_changed_items_too() {
    let app = TestApp::start().await;
    let principal = json!({"name": "ada", "role": "admin"});
    let ada = app.post("/api/v1/principals", &principal).await.expect(201);
    let issued = json!({"name": "ci", "principal": "ada"});
    let issued = app.post("/api/v1/tokens", &issued).await.expect(201);
    let secret = issued["token"].as_str().unwrap();
    let send = async |method: Method, path: &str, body: Value| {
        let call = app.call_as(secret, method, path).await;
        call.json(&body).send().await
    };
    let script = json!({"name": "s", "contents": "true", "hooks": [{"event": "OnAudit", "allServers": true}]});
    let made = send(Method::POST, "/api/events/hook-scripts", script).await;
    let number = made.expect(200)["id"].as_i64().unwrap();
    let path = format!("/api/events/scripts/{number}");
    send(Method::PATCH, &path, json!({"contents": "false"}))
        .await
        .expect(204);
    let source = app
        .get(&format!("/api/v1/sources/{number}"))
        .await
        .expect(200);
    assert_eq!(
        (&source["created_by"], &source["modified_by"]),
        (&ada["id"], &ada["id"])
    );
    let hook = app.get("/api/v1/hooks/1").await.expect(200);
    assert_eq!(hook["created_by"], ada["id"]);
}

#[tokio::test]
async fn a_snapshot_does_not_proceed_without_the_hook_of_an_ambiguous_app() {
    let app = TestApp::start().await;
    let shop = shop(&app).await;
    let source = app.script("quiesce", "true").await;
    let body = json!({"name": "q", "source": source, "event": "snapshot.pre", "app": 1});
    app.post("/api/v1/hooks", &body).await.expect(201);
    for name in [json!("1"), shop["id"].clone()] {
        let taken = json!({"name": name, "containers": []});
        let answer = app.post("/api/v1/apps", &taken).await;
        let problem = answer.expect_problem(422, "/problems/invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/name", "{problem}");
    }
    // It is named by the number that the next one gets.
    app.post("/api/v1/apps", &json!({"name": "3", "containers": []}))
        .await
        .expect(201);
    app.post("/api/v1/apps", &json!({"name": "x", "containers": []}))
        .await
        .expect(201);
    let mut event = event_of("snapshot.pre", json!({}));
    event["subject"] = json!("3");
    let answer = app.post("/api/v1/events?wait=60", &event).await;
    let problem = answer.expect_problem(422, "/problems/invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/subject", "{problem}");
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("`number:3` or `name:3`"), "{problem}");
    for subject in ["1", "number:1", "name:shop", "shop"] {
        let task = fire(&app, "snapshot.pre", &json!(subject)).await;
        assert_eq!(
            task["executions"].as_array().unwrap().len(),
            2,
            "{subject}: {task}"
        );
    }
}
