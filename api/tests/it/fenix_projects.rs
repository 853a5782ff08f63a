//! The projects' part of Fenix: instance ids, and replies in both spellings.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use crate::fenix_support::{Fenix, NOBODY, new_session};

#[tokio::test]
async fn a_session_completes_with_replies_in_both_spellings() {
    let (fenix, web) = Fenix::with_two_hosts().await;
    let db = fenix.instance("db", "node-1", "green").await;
    let session = fenix.session(&json!({})).await;
    let of = |project: &str| format!("{session}/{project}");
    fenix.until_asked(&session, "green", "MAINTENANCE").await;
    let instances = fenix.call_as(&fenix.member, Method::GET, &of("blue")).await;
    assert_eq!(
        instances.send().await.expect(200),
        json!({"instance_ids": [web]})
    );
    // What clients add to their replies comes back with them.
    let ack = json!({"state": "ACK_MAINTENANCE", "session_id": "x", "instance_ids": [web]});
    assert_eq!(fenix.reply(&of("blue"), &ack).await.expect(200), ack);
    let ack = json!({"state": "ACK_MAINTENANCE", "instance_actions": {}});
    fenix.reply(&of("green"), &ack).await.expect(200);

    let planned = "PLANNED_MAINTENANCE";
    fenix.until_asked(&session, "blue", planned).await;
    fenix.until_asked(&session, "green", planned).await;
    let without = json!({"state": "ACK_PLANNED_MAINTENANCE"});
    let error = fenix.reply(&of("blue"), &without).await;
    let error = error.expect_fenix_error(400);
    assert!(
        error.contains(&web) && error.contains("OWN_ACTION"),
        "{error}"
    );
    let plural =
        json!({"state": "ACK_PLANNED_MAINTENANCE", "instance_actions": {&web: "OWN_ACTION"}});
    let singular = json!({"state": "ACK_PLANNED_MAINTENANCE", "instance_action": "OWN_ACTION"});
    let foreign = fenix.reply(&of("green"), &plural).await;
    let error = foreign.expect_fenix_error(400);
    assert!(error.contains(&web), "{error}");
    // A client that has not heard the answer says it again.
    for _ in 0..3 {
        fenix.reply(&of("blue"), &plural).await.expect(200);
        let one = format!("{session}/green/{}", db.to_uppercase());
        fenix.reply(&one, &singular).await.expect(200);
    }
    fenix.move_to(&web, "node-2").await;
    fenix.move_to(&db, "node-2").await;

    let complete = "MAINTENANCE_COMPLETE";
    fenix.until_asked(&session, "blue", complete).await;
    fenix.until_asked(&session, "green", complete).await;
    let ack = json!({"state": "ACK_MAINTENANCE_COMPLETE"});
    fenix.reply(&of("blue"), &ack).await.expect(200);
    fenix.reply(&of("green"), &ack).await.expect(200);
    let detail = fenix.until_state(&session, "MAINTENANCE_DONE").await;
    let replies = detail["steps"].as_array().unwrap().iter();
    let replies = replies.filter(|step| step["what"] == "reply");
    assert_eq!(replies.count(), 6, "{detail:#}");
}

#[tokio::test]
async fn a_write_is_visible_to_the_next_read() {
    let (fenix, web) = Fenix::with_two_hosts().await;
    // As long as this hook runs, the session asks no project.
    let slow = fenix
        .app
        .script("slow", "while :; do sleep 1; done\n")
        .await;
    fenix.app.hook(slow, "session.MAINTENANCE").await;
    let session = fenix.session(&json!({})).await;
    let id = session.rsplit('/').next().unwrap();
    let project = format!("{session}/blue");
    assert_eq!(
        fenix.get(&project).await.expect(200),
        json!({"instance_ids": [web]})
    );
    let short = json!({"session_id": id, "state": "MAINTENANCE"});
    assert_eq!(fenix.get(&session).await.expect(200), short);
    let listed = fenix.get("/v1/maintenance").await.expect(200);
    assert_eq!(listed, json!({"session_id": [id]}));
    let detail = fenix.get(&format!("{session}/detail")).await.expect(200);
    assert_eq!(detail["steps"][0]["what"], "create", "{detail:#}");
    assert_eq!(detail["waiting_for"], json!([]), "it has asked: {detail:#}");
    // It is not asked yet, and told so; another project has no part in it.
    let ack = json!({"state": "ACK_MAINTENANCE"});
    let error = fenix.reply(&project, &ack).await.expect_fenix_error(400);
    assert!(error.contains("has not asked"), "{error}");
    fenix
        .get(&format!("{session}/green"))
        .await
        .expect_fenix_error(422);
    let db = fenix.instance("db", "node-2", "green").await;
    assert_eq!(
        fenix.get(&format!("{session}/green")).await.expect(200),
        json!({"instance_ids": [db]})
    );
    fenix.delete(&session).await.expect(200);
    fenix.get(&project).await.expect_fenix_error(422);
    fenix.get(&session).await.expect_fenix_error(404);
    let none = json!({"session_id": []});
    assert_eq!(fenix.get("/v1/maintenance").await.expect(200), none);
}

#[tokio::test]
async fn a_reply_and_a_resumption_are_visible_to_the_next_read() {
    let (fenix, web) = Fenix::with_two_hosts().await;
    fenix.instance("db", "node-1", "green").await;
    let session = fenix.session(&json!({})).await;
    let blue = format!("{session}/blue");
    let of_blue = async || {
        let detail = fenix.get(&format!("{session}/detail")).await.expect(200);
        let projects = detail["projects"].as_array().unwrap().iter();
        let mut blue = projects.filter(|project| project["project_id"] == "blue");
        blue.next().unwrap()["state"].clone()
    };
    fenix.until_asked(&session, "blue", "MAINTENANCE").await;
    fenix.until_asked(&session, "green", "MAINTENANCE").await;
    let ack = json!({"state": "ACK_MAINTENANCE"});
    fenix.reply(&blue, &ack).await.expect(200);
    assert_eq!(of_blue().await, "ACK_MAINTENANCE");
    let nack = json!({"state": "NACK_MAINTENANCE"});
    let green = format!("{session}/green");
    fenix.reply(&green, &nack).await.expect(200);
    fenix.until_state(&session, "MAINTENANCE_FAILED").await;

    fenix.put(&session, &json!({})).await.expect(200);
    let state = fenix.get(&session).await.expect(200)["state"].clone();
    assert_eq!(state, "MAINTENANCE");
    assert_eq!(of_blue().await, "ACK_MAINTENANCE");
    assert_eq!(
        fenix.get(&blue).await.expect(200),
        json!({"instance_ids": [web]})
    );
    fenix.delete(&session).await.expect(200);
}

#[tokio::test]
async fn a_reply_for_another_state_is_refused_with_the_expected_one() {
    let (fenix, web) = Fenix::with_two_hosts().await;
    let session = fenix.session(&json!({})).await;
    fenix.until_asked(&session, "blue", "MAINTENANCE").await;
    for path in [format!("{session}/blue"), format!("{session}/blue/{web}")] {
        let body = json!({"state": "ACK_PLANNED_MAINTENANCE", "instance_action": "MIGRATE"});
        let error = fenix.reply(&path, &body).await.expect_fenix_error(400);
        assert!(error.contains("ACK_MAINTENANCE"), "{error}");
        assert!(error.contains("NACK_MAINTENANCE"), "{error}");
    }
    let detail = fenix.get(&format!("{session}/detail")).await.expect(200);
    assert_eq!(
        detail["state"], "MAINTENANCE",
        "it changed nothing: {detail}"
    );
    let ack = json!({"state": "ACK_MAINTENANCE"});
    fenix
        .reply(&format!("{session}/blue"), &ack)
        .await
        .expect(200);
    let nack = json!({"state": "NACK_MAINTENANCE"});
    fenix
        .reply(&format!("{session}/blue"), &nack)
        .await
        .expect_fenix_error(400);
    fenix.delete(&session).await.expect(200);
}

#[tokio::test]
async fn nonsensical_replies_are_refused_with_the_member() {
    let (fenix, web) = Fenix::with_two_hosts().await;
    let session = fenix.session(&json!({})).await;
    fenix.until_asked(&session, "blue", "MAINTENANCE").await;
    let path = format!("{session}/blue");
    for (body, named) in [
        (json!({}), "`state`"),
        (json!({"state": null}), "`state`"),
        (json!({"state": "ACK"}), "`state`"),
        (json!({"state": "ACK_LUNCH"}), "`state`"),
        (json!({"state": "MAINTENANCE"}), "`state`"),
        (json!({"state": ["ACK_MAINTENANCE"]}), "`state`"),
        (
            json!({"state": "ACK_MAINTENANCE", "instance_actions": [web]}),
            "`instance_actions`",
        ),
        (
            json!({"state": "ACK_MAINTENANCE", "instance_actions": {&web: "FLY"}}),
            "`instance_actions.",
        ),
        (
            json!({"state": "ACK_MAINTENANCE", "instance_action": 1}),
            "`instance_action`",
        ),
        (json!([]), "object"),
        (json!("ACK_MAINTENANCE"), "object"),
    ] {
        let error = fenix.reply(&path, &body).await.expect_fenix_error(400);
        assert!(error.contains(named), "{body}: {error}");
    }
    for bytes in ["", "{", "ACK", "\u{0}"] {
        let call = fenix.call(Method::PUT, &path).await;
        let answer = call.body("application/json", bytes).send().await;
        let error = answer.expect_fenix_error(400);
        assert!(error.contains("JSON"), "{error}");
    }
    fenix.delete(&session).await.expect(200);
}

#[tokio::test]
async fn unknown_or_invalid_ids_in_the_path_are_422() {
    let (fenix, web) = Fenix::with_two_hosts().await;
    let session = fenix.session(&json!({})).await;
    fenix.until_asked(&session, "blue", "MAINTENANCE").await;
    let ack = json!({"state": "ACK_MAINTENANCE"});
    for path in [
        format!("/v1/maintenance/{NOBODY}/blue"),
        "/v1/maintenance/7/blue".to_owned(),
        format!("{session}/red"),
        format!("{session}/%00"),
        format!("{session}/%ff"),
        format!("{session}/{}", "x".repeat(256)),
        format!("{session}/blue/web"),
        format!("/v1/maintenance/{NOBODY}/blue/{web}"),
    ] {
        fenix.reply(&path, &ack).await.expect_fenix_error(422);
        if path.matches('/').count() == 4 {
            fenix.get(&path).await.expect_fenix_error(422);
        }
    }
    fenix.delete(&session).await.expect(200);
}

#[tokio::test]
async fn in_the_operators_session_only_a_tenant_speaks_for_itself() {
    let fenix = Fenix::start().await;
    fenix.host("node-1").await;
    fenix.host("node-2").await;
    let (tenant, owner) = fenix.app.tenant("blue").await;
    let (_, stranger) = fenix.app.tenant("red").await;
    let project = tenant["id"].as_str().unwrap().to_owned();
    let vm = fenix.instance("vm", "node-1", &project).await;
    let session = fenix.session(&json!({})).await;
    fenix.until_asked(&session, &project, "MAINTENANCE").await;
    let path = format!("{session}/{project}");
    let call = fenix.call_as(&owner, Method::GET, &path).await;
    assert_eq!(call.send().await.expect(200), json!({"instance_ids": [vm]}));

    let ack = json!({"state": "ACK_MAINTENANCE"});
    let call = fenix.call_as(&stranger, Method::GET, &path).await;
    let error = call.send().await.expect_fenix_error(422);
    assert_eq!(error, "Invalid session");
    let call = fenix.call_as(&stranger, Method::PUT, &path).await;
    let error = call.json(&ack).send().await.expect_fenix_error(422);
    assert_eq!(error, "Invalid session");
    // The session itself is the operator's alone.
    for secret in [&owner, &stranger] {
        for path in [session.clone(), format!("{session}/detail")] {
            let call = fenix.call_as(secret, Method::GET, &path).await;
            let error = call.send().await.expect_fenix_error(404);
            assert_eq!(error, "Invalid session");
        }
        for method in [Method::PUT, Method::DELETE] {
            let call = fenix.call_as(secret, method, &session).await;
            let error = call.send().await.expect_fenix_error(422);
            assert_eq!(error, "Invalid session");
        }
        let call = fenix.call_as(secret, Method::GET, "/v1/maintenance").await;
        assert_eq!(call.send().await.expect(200), json!({"session_id": []}));
    }
    let call = fenix.call_as(&owner, Method::PUT, &path).await;
    assert_eq!(call.json(&ack).send().await.expect(200), ack);
    let planned = "PLANNED_MAINTENANCE";
    fenix.until_asked(&session, &project, planned).await;
    fenix.delete(&session).await.expect(200);
}

#[tokio::test]
async fn projects_need_the_member_role_and_sessions_the_admin_role() {
    let (fenix, web) = Fenix::with_two_hosts().await;
    let session = fenix.session(&json!({})).await;
    let viewer = fenix.app.token(Role::Viewer).await;
    let admins = [
        (Method::POST, "/v1/maintenance".to_owned()),
        (Method::GET, "/v1/maintenance".to_owned()),
        (Method::GET, session.clone()),
        (Method::PUT, session.clone()),
        (Method::DELETE, session.clone()),
        (Method::GET, format!("{session}/detail")),
    ];
    let projects = [
        (Method::GET, format!("{session}/blue")),
        (Method::PUT, format!("{session}/blue")),
        (Method::PUT, format!("{session}/blue/{web}")),
        (Method::PUT, format!("/v1/instance/{web}")),
        (Method::DELETE, format!("/v1/instance/{web}")),
        (Method::PUT, "/v1/instance_group/g".to_owned()),
        (Method::DELETE, "/v1/instance_group/g".to_owned()),
    ];
    for (calls, secret, needs) in [
        (&admins[..], &fenix.member, "admin"),
        (&admins[..], &viewer, "admin"),
        (&projects[..], &viewer, "member"),
    ] {
        for (method, path) in calls {
            let call = fenix.call_as(secret, method.clone(), path).await;
            let error = call.send().await.expect_fenix_error(403);
            assert!(error.contains(needs), "{method} {path}: {error}");
        }
    }
    fenix.delete(&session).await.expect(200);
}

#[tokio::test]
async fn projects_get_the_address_at_which_the_admin_created_the_session() {
    let (fenix, web) = Fenix::with_two_hosts().await;
    let script = fenix.app.script("tell", "cat\n").await;
    fenix.app.hook(script, "maintenance.scheduled").await;
    let call = fenix.call(Method::POST, "/v1/maintenance").await;
    let call = call
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "evil.example");
    let made = call.json(&new_session()).send().await.expect(200);
    let id = made["session_id"].as_str().unwrap();
    let session = format!("/v1/maintenance/{id}");
    fenix.until_asked(&session, "blue", "MAINTENANCE").await;
    let told = told(&fenix).await;
    let at = format!("http://fenix.example:12347{session}/blue");
    assert_eq!(
        (&told["reply_url"], &told["instance_ids"]),
        (&json!(at), &json!(at)),
        "{told}"
    );
    assert_eq!(
        (&told["state"], &told["session_id"]),
        (&json!("MAINTENANCE"), &json!(id)),
    );
    let path = at.strip_prefix("http://fenix.example:12347").unwrap();
    assert_eq!(
        fenix.get(path).await.expect(200),
        json!({"instance_ids": [web]})
    );
    let ack = json!({"state": "ACK_MAINTENANCE"});
    fenix.reply(path, &ack).await.expect(200);
    fenix.delete(&session).await.expect(200);
}

/// What the hook for the last notification received.
async fn told(fenix: &Fenix) -> Value {
    let list = fenix
        .app
        .get("/api/v1/tasks?event=maintenance.scheduled")
        .await;
    let number = list.expect(200)["items"][0]["number"].as_i64().unwrap();
    fenix.app.ended(number).await;
    let task = fenix.app.get(&format!("/api/v1/tasks/{number}")).await;
    let event = task.expect(200)["executions"][0]["stdout"].clone();
    serde_json::from_str(event.as_str().unwrap()).unwrap()
}
