//! Who may not read a hook's arguments and variables may not have them passed to a
//! program of their choice; and no audit event carries the text of a source.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use crate::astra_support::{Astra, HOOKS, SOURCES, base64, hook, source, source_change, with};
use crate::support::{Answer, TestApp};

async fn send(app: &TestApp, secret: &str, method: Method, path: &str, body: &Value) -> Answer {
    let call = app.call_as(secret, method, path).await;
    call.json(body).send().await
}

/// Replaces the bytes of a source.
async fn replace(app: &TestApp, secret: &str, source: i64, text: &str) -> Answer {
    let path = format!("/api/v1/sources/{source}");
    let call = app.call_as(secret, Method::PUT, &path).await;
    call.body("text/x-shellscript", text).send().await
}

/// A hook of an admin's with a secret in its arguments and one in its variables, bound
/// to a source, and its path.
async fn hook_of_an_admin(app: &TestApp, source: i64) -> String {
    let body = json!({
        "source": source, "event": "custom.a", "args": ["hush"], "env": {"KEY": "hush"},
    });
    let made = app.post("/api/v1/hooks", &body).await.expect(201);
    format!("/api/v1/hooks/{}", made["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_member_cannot_change_a_program_that_receives_values_set_by_others() {
    let app = TestApp::start().await;
    let (bound, other) = (app.script("a", "true").await, app.script("b", "env").await);
    let path = hook_of_an_admin(&app, bound).await;
    let member = app.token(Role::Member).await;
    let change = async |body: Value| send(&app, &member, Method::PATCH, &path, &body).await;
    for body in [
        json!({"source": other}),
        json!({"source": other, "args": []}),
        json!({"source": other, "env": {"KEY": "mine"}}),
    ] {
        let problem = change(body).await;
        let problem = problem.expect_problem(403, "/problems/forbidden");
        assert_eq!(problem["needs"], "admin");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("others have set"), "{detail}");
    }
    let problem = replace(&app, &member, bound, "env").await;
    problem.expect_problem(403, "/problems/forbidden");
    // The same bytes change nothing, and neither does another order.
    replace(&app, &member, bound, "true").await.expect(200);
    change(json!({"order": 3})).await.expect(200);
    let kept = app.get(&path).await.expect(200);
    assert_eq!(
        kept["source"],
        app.get(&format!("/api/v1/sources/{bound}")).await.json()["id"]
    );
    assert_eq!(kept["env"], json!({"KEY": "hush"}));
    // What a member has set may go wherever the member likes.
    let own = json!({"source": other, "args": [], "env": {"MINE": "1"}});
    change(own).await.expect(200);
    replace(&app, &member, other, "env; true").await.expect(200);
    assert_eq!(
        app.get(&path).await.expect(200)["env"],
        json!({"MINE": "1"})
    );
}

#[tokio::test]
async fn a_member_changes_a_hook_of_their_own_until_others_set_its_values() {
    let app = TestApp::start().await;
    let (bound, other) = (app.script("a", "true").await, app.script("b", "true").await);
    let member = app.token(Role::Member).await;
    let body = json!({"source": bound, "event": "custom.a", "env": {"MINE": "1"}});
    let made = send(&app, &member, Method::POST, "/api/v1/hooks", &body).await;
    let made = made.expect(201);
    let path = format!("/api/v1/hooks/{}", made["id"].as_str().unwrap());
    let change = async |body: Value| send(&app, &member, Method::PATCH, &path, &body).await;
    replace(&app, &member, bound, "echo more").await.expect(200);
    change(json!({"source": other})).await.expect(200);
    app.patch(&path, &json!({"args": ["hush"]}))
        .await
        .expect(200);
    change(json!({"order": 3})).await.expect(200);
    change(json!({"source": bound})).await.expect(403);
    change(json!({"env": {"MINE": "2"}})).await.expect(200);
    change(json!({"source": bound})).await.expect(403);
    replace(&app, &member, other, "env").await.expect(403);
}

#[tokio::test]
async fn admins_change_every_program_through_every_api() {
    let astra = Astra::start().await;
    let app = &astra.app;
    let (bound, other) = (app.script("a", "true").await, app.script("b", "true").await);
    let path = hook_of_an_admin(app, bound).await;
    for role in [Role::Admin, Role::Owner] {
        let secret = app.token(role).await;
        for source in [other, bound] {
            let body = json!({ "source": source });
            let changed = send(app, &secret, Method::PATCH, &path, &body).await;
            changed.expect(200);
        }
        let number = app.get(&path).await.json()["number"].clone();
        let croit = format!("/api/events/hooks/{number}");
        for source in [other, bound] {
            let body = json!({ "scriptId": source });
            let changed = send(app, &secret, Method::PATCH, &croit, &body).await;
            assert_eq!(changed.status, 204, "{role}: {}", changed.text());
        }
        let text = format!("echo {role}");
        replace(app, &secret, bound, &text).await.expect(200);
        let croit = format!("/api/events/scripts/{bound}");
        let body = json!({"name": "a", "contents": format!("{text} again")});
        let changed = send(app, &secret, Method::PATCH, &croit, &body).await;
        assert_eq!(changed.status, 204, "{role}: {}", changed.text());
    }
    assert_eq!(app.get(&path).await.json()["env"], json!({"KEY": "hush"}));
}

#[tokio::test]
async fn through_astras_api_too_a_member_changes_no_such_program() {
    let astra = Astra::start().await;
    let app = astra.application("shop", &[("shop-0", "postgres")]).await;
    let (bound, other) = (
        astra.script("a", "true\n").await,
        astra.script("b", "env\n").await,
    );
    let new = with(
        hook("quiesce", &bound, &app),
        &json!({"arguments": ["hush"]}),
    );
    let made = astra.post(HOOKS, &new).await.expect(201);
    let path = astra.path(&format!("{HOOKS}/{}", made["id"].as_str().unwrap()));
    let text = astra.path(&format!("{SOURCES}/{}", bound["id"].as_str().unwrap()));
    let change = |members: Value| {
        let whole = json!({"type": "application/astra-executionHook", "version": "1.3"});
        with(whole, &members)
    };
    let elsewhere = change(json!({"hookSourceID": other["id"]}));
    let with_own = change(json!({"hookSourceID": other["id"], "arguments": ["mine"]}));
    let replaced = source_change(&json!({"source": base64("env\n")}));
    let member = astra.app.token(Role::Member).await;
    for (path, body) in [(&path, &elsewhere), (&text, &replaced)] {
        let answer = send(&astra.app, &member, Method::PUT, path, body).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    let admin = astra.app.token(Role::Admin).await;
    for (secret, path, body) in [
        (&admin, &text, &replaced),
        (&admin, &path, &elsewhere),
        (&member, &path, &with_own),
    ] {
        let answer = send(&astra.app, secret, Method::PUT, path, body).await;
        assert_eq!(answer.status, 204, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn no_audit_event_carries_the_text_of_a_source_or_the_values_of_a_hook() {
    let astra = Astra::start().await;
    let app = &astra.app;
    let audit = app.script("audit", "cat\n").await;
    app.hook(audit, "OnAudit").await;
    // Short enough to be recorded whole.
    let text = "hush\n";
    let made = astra.post(SOURCES, &source("seen", text)).await.expect(201);
    let place = format!("{SOURCES}/{}", made["id"].as_str().unwrap());
    let change = source_change(&json!({"source": base64("hush 2\n")}));
    astra.put(&place, &change).await.expect(204);
    let application = astra.application("shop", &[("shop-0", "postgres")]).await;
    let new = hook("quiesce", &made, &application);
    let new = with(new, &json!({"arguments": ["hush"]}));
    astra.post(HOOKS, &new).await.expect(201);
    for (path, body) in [
        (
            "/api/events/scripts",
            json!({"name": "c", "contents": text}),
        ),
        (
            "/api/events/hook-scripts",
            json!({"name": "d", "contents": text, "hooks": []}),
        ),
        (
            "/api/events/scripts/execute",
            json!({"script": text, "args": ["hush"]}),
        ),
        (
            "/api/v1/hooks",
            json!({"source": audit, "event": "custom.a", "args": ["hush"], "env": {"K": "hush"}}),
        ),
    ] {
        app.post(path, &body).await;
    }
    for kind in ["text/x-shellscript", "application/json"] {
        let path = format!("/api/v1/sources?name={}", &kind[..4]);
        let call = app.call(Method::POST, &path).await;
        call.body(kind, "\"hush\"").send().await;
    }
    let list = app.get("/api/v1/tasks?event=OnAudit").await.expect(200);
    let mut audits = String::new();
    for task in list["items"].as_array().unwrap() {
        app.ended(task["number"].as_i64().unwrap()).await;
        let path = format!("/api/v1/tasks/{}", task["number"]);
        let task = app.get(&path).await.expect(200);
        audits.push_str(task["executions"][0]["stdout"].as_str().unwrap());
    }
    assert!(
        audits.contains("create_hook_source") && audits.contains("seen"),
        "{audits}"
    );
    for form in [text.trim(), &base64(text), &base64("hush 2\n")] {
        assert!(!audits.contains(form), "{form}: {audits}");
    }
}
