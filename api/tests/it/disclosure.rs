//! Who reads what may hold secrets: the text of sources, the values of hooks.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::{Criterion, NewHook, Role, SourceId, Subject, Targets};

use crate::astra_support::{Astra, HOOKS, SOURCES};
use crate::support::{Answer, TestApp};

const ROLES: [Role; 4] = [Role::Viewer, Role::Member, Role::Admin, Role::Owner];

async fn get(app: &TestApp, secret: &str, path: &str) -> Answer {
    app.call_as(secret, Method::GET, path).await.send().await
}

/// Uploads a script; returns the source.
async fn upload(app: &TestApp, name: &str, text: &str) -> Value {
    let path = format!("/api/v1/sources?name={name}");
    let call = app.call(Method::POST, &path).await;
    let call = call.body("text/x-shellscript", text);
    call.send().await.expect(201)
}

#[tokio::test]
async fn one_rule_decides_who_reads_a_sources_text_in_every_api() {
    let astra = Astra::start().await;
    let app = &astra.app;
    let open = upload(app, "open", "echo open\n").await;
    let hidden = upload(app, "hidden&private=true", "echo hidden\n").await;
    for role in ROLES {
        let secret = app.token(role).await;
        let list = get(app, &secret, &astra.path(SOURCES)).await.expect(200);
        for source in [&open, &hidden] {
            let readable = role >= Role::Admin && source["private"] == false;
            let what = format!("{} as {role}", source["name"]);
            let (id, number) = (source["id"].as_str().unwrap(), &source["number"]);
            let status = if readable { 200 } else { 403 };
            for path in [
                format!("/api/v1/sources/{id}/bytes"),
                format!("/api/events/scripts/{number}"),
            ] {
                let answer = get(app, &secret, &path).await;
                assert_eq!(answer.status, status, "{path}: {what}");
                assert_eq!(answer.text().contains("echo"), readable, "{what}");
            }
            let one = astra.path(&format!("{SOURCES}/{id}"));
            let one = get(app, &secret, &one).await.expect(200);
            assert_eq!(one["source"].is_string(), readable, "{what}");
            let items = list["items"].as_array().unwrap();
            let item = items.iter().find(|item| item["id"] == id).unwrap();
            assert_eq!(item, &one, "{what}");
        }
    }
}

#[tokio::test]
async fn a_private_source_is_bound_run_and_replaced_although_no_role_can_read_it() {
    let app = TestApp::start().await;
    let hidden = upload(&app, "hidden&private=true", "echo one\n").await;
    let id = hidden["id"].as_str().unwrap();
    let bytes = app.get(&format!("/api/v1/sources/{id}/bytes")).await;
    let problem = bytes.expect_problem(403, "/problems/withheld");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("private"), "{detail}");
    app.hook(hidden["number"].as_i64().unwrap(), "custom.a")
        .await;
    let call = app
        .call(Method::PUT, &format!("/api/v1/sources/{id}"))
        .await;
    let call = call.body("text/x-shellscript", "echo two\n");
    call.send().await.expect(200);
    let posted = app.fire("custom.a", json!({})).await;
    assert_eq!(posted["task"]["executions"][0]["stdout"], "two\n");
}

/// A hook with a secret in its arguments and one in its variables.
async fn hook(app: &TestApp) -> Value {
    let source = app.script("a", "true").await;
    let body = json!({
        "source": source, "event": "custom.a",
        "args": ["-v", "--token=hush"], "env": {"KEY": "hush", "MODE": "dry"},
    });
    app.post("/api/v1/hooks", &body).await.expect(201)
}

#[tokio::test]
async fn below_admin_a_hook_shows_variables_and_arguments_without_values() {
    let app = TestApp::start().await;
    let made = hook(&app).await;
    let path = format!("/api/v1/hooks/{}", made["id"].as_str().unwrap());
    for role in ROLES {
        let secret = app.token(role).await;
        let one = get(&app, &secret, &path).await.expect(200);
        let list = get(&app, &secret, "/api/v1/hooks").await.expect(200);
        assert_eq!(list["items"], json!([one]), "{role}");
        if role >= Role::Admin {
            assert_eq!(one, made, "{role}");
            continue;
        }
        assert_eq!(one["env"], json!({"KEY": null, "MODE": null}), "{role}");
        assert_eq!(one["args"], json!([null, null]), "{role}");
        assert!(!one.to_string().contains("hush"), "{role}");
        for member in ["name", "source", "event", "order", "enabled", "limits"] {
            assert_eq!(one[member], made[member], "{role}");
        }
    }
}

#[tokio::test]
async fn a_withheld_value_that_is_sent_back_is_refused_and_never_stored() {
    let app = TestApp::start().await;
    let made = hook(&app).await;
    let path = format!("/api/v1/hooks/{}", made["id"].as_str().unwrap());
    let member = app.token(Role::Member).await;
    let shown = get(&app, &member, &path).await.expect(200);
    for (name, pointer) in [("env", "/env/KEY"), ("args", "/args/0")] {
        for (method, path, body) in [
            (Method::PATCH, path.as_str(), json!({})),
            (
                Method::POST,
                "/api/v1/hooks",
                json!({"source": shown["source"], "event": "custom.b"}),
            ),
        ] {
            let mut body = body;
            body[name] = shown[name].clone();
            let call = app.call_as(&member, method, path).await.json(&body);
            let problem = call.send().await;
            let problem = problem.expect_problem(422, "/problems/invalid-request");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
            let detail = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(detail.contains("withheld"), "{problem}");
        }
    }
    assert_eq!(app.get(&path).await.expect(200), made);
    assert_eq!(
        app.get("/api/v1/hooks").await.expect(200)["items"],
        json!([made])
    );
}

#[tokio::test]
async fn a_member_changes_a_hook_with_withheld_values_and_they_are_kept() {
    let app = TestApp::start().await;
    let made = hook(&app).await;
    let path = format!("/api/v1/hooks/{}", made["id"].as_str().unwrap());
    let member = app.token(Role::Member).await;
    let change = async |body: Value| {
        let call = app.call_as(&member, Method::PATCH, &path).await;
        call.json(&body).send().await.expect(200)
    };
    let changed = change(json!({"order": 7})).await;
    assert_eq!(
        (&changed["order"], &changed["args"]),
        (&json!(7), &json!([null, null]))
    );
    let kept = app.get(&path).await.expect(200);
    assert_eq!((&kept["env"], &kept["args"]), (&made["env"], &made["args"]));
    // All of them can be set again, and what was set is not shown either.
    let changed = change(json!({"env": {"NEW": "hush"}, "args": []})).await;
    assert_eq!(
        (&changed["env"], &changed["args"]),
        (&json!({"NEW": null}), &json!([]))
    );
    let kept = app.get(&path).await.expect(200);
    assert_eq!(kept["env"], json!({"NEW": "hush"}));
}

#[tokio::test]
async fn only_admins_read_the_arguments_of_an_execution_hook() {
    let astra = Astra::start().await;
    let app = astra.application("shop", &[("shop-0", "postgres")]).await;
    let source = astra.script("a", "true\n").await;
    let source: SourceId = source["id"].as_str().unwrap().parse().unwrap();
    let criterion = Criterion {
        subject: Subject::ContainerImage,
        value: "postgres".into(),
    };
    let new = NewHook {
        name: Some("quiesce".into()),
        args: vec!["--token=hush".into()],
        targets: Some(Targets::Containers {
            app: Some(app.id),
            criteria: vec![criterion],
        }),
        ..NewHook::new(source, "snapshot.pre")
    };
    let dispatcher = &astra.app.dispatcher;
    let hook = dispatcher.hooks().create(astra.account, new).await.unwrap();
    for role in ROLES {
        let secret = astra.app.token(role).await;
        let readable = role >= Role::Admin;
        for path in [
            format!("{HOOKS}/{}", hook.id),
            HOOKS.to_owned(),
            format!("{HOOKS}?include=name,arguments"),
        ] {
            let answer = get(&astra.app, &secret, &astra.path(&path)).await;
            let body = answer.expect(200).to_string();
            assert!(body.contains("quiesce"), "{role}: {body}");
            assert_eq!(body.contains("hush"), readable, "{role}: {body}");
        }
        // Neither can it be found out by asking for what fits.
        let filter = "filter=arguments%5B*%5D%20eq%20'--token=hush'";
        let path = astra.path(&format!("{HOOKS}?{filter}"));
        let found = get(&astra.app, &secret, &path).await.expect(200);
        assert_eq!(found["items"] != json!([]), readable, "{role}");
    }
}
