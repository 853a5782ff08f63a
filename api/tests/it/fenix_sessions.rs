//! The admin's part of Fenix: sessions from POST to DELETE.

use http::Method;
use serde_json::{Value, json};

use crate::fenix_support::{Fenix, NOBODY, new_session, with};

#[tokio::test]
async fn a_session_is_created_listed_shown_and_removed() {
    let (fenix, _) = Fenix::with_two_hosts().await;
    let later = |host: &str| json!({"hosts": [host], "maintenance_at": "2091-02-03 04:05:06"});
    let made = fenix
        .post("/v1/maintenance", &with(new_session(), &later("node-1")))
        .await
        .expect(200);
    let id = made["session_id"].as_str().unwrap().to_owned();
    assert_eq!(made, json!({ "session_id": id }));
    let path = format!("/v1/maintenance/{id}");
    let second = fenix.session(&later("node-2")).await;
    let listed = fenix.get("/v1/maintenance").await.expect(200);
    let second_id = second.rsplit('/').next().unwrap();
    assert_eq!(listed, json!({"session_id": [id, second_id]}));
    assert_eq!(
        fenix.get(&path).await.expect(200),
        json!({"session_id": id, "state": "MAINTENANCE"})
    );
    assert_eq!(fenix.delete(&path).await.expect(200), json!({}));
    assert_eq!(
        fenix.get("/v1/maintenance").await.expect(200),
        json!({"session_id": [second_id]})
    );
    let gone = fenix.get(&path).await.expect_fenix_error(404);
    assert_eq!(gone, "Invalid session");
}

#[tokio::test]
async fn a_session_over_empty_hosts_completes_and_lists_every_step() {
    let fenix = Fenix::start().await;
    fenix.host("node-1").await;
    fenix.host("node-2").await;
    let body = json!({"hosts": ["node-2", "node-1"], "metadata": {"release": "Zed"}});
    let session = fenix.session(&body).await;
    let detail = fenix.until_state(&session, "MAINTENANCE_DONE").await;
    assert_eq!(detail["failure"], Value::Null);
    assert_eq!(detail["waiting_for"], json!([]));
    assert_eq!(detail["percent_done"], 100);
    assert_eq!(detail["maintenance_at"], "2001-02-03 04:05:06");
    assert_eq!(detail["workflow"], "default");
    assert_eq!(detail["metadata"], json!({"release": "Zed"}));
    assert!(detail["created_by"].as_str().unwrap().starts_with("admin"));
    assert_eq!(
        detail["hosts"],
        json!([
            {"host": "node-2", "state": "MAINTENANCE_COMPLETE"},
            {"host": "node-1", "state": "MAINTENANCE_COMPLETE"},
        ])
    );
    let steps = detail["steps"].as_array().unwrap();
    assert!(steps.len() >= 8, "{steps:?}");
    for (index, step) in steps.iter().enumerate() {
        assert_eq!(step["serial"], index + 1, "{step}");
        assert_eq!(step["ok"], true, "{step}");
        for name in ["at", "state", "what", "result"] {
            assert!(step[name].is_string(), "{step}");
        }
    }
}

#[tokio::test]
async fn every_call_is_served_with_a_slash_at_the_end_too() {
    let (fenix, instance) = Fenix::with_two_hosts().await;
    let later = json!({"maintenance_at": "2091-02-03 04:05:06"});
    let made = fenix
        .post("/v1/maintenance/", &with(new_session(), &later))
        .await
        .expect(200);
    let session = format!("/v1/maintenance/{}", made["session_id"].as_str().unwrap());
    fenix.until_asked(&session, "blue", "MAINTENANCE").await;
    for path in [
        "/v1/".to_owned(),
        "/v1/maintenance/".to_owned(),
        format!("{session}/"),
        format!("{session}/detail/"),
        format!("{session}/blue/"),
    ] {
        fenix.get(&path).await.expect(200);
    }
    let ack = json!({"state": "ACK_MAINTENANCE"});
    fenix
        .reply(&format!("{session}/blue/"), &ack)
        .await
        .expect(200);
    let other = json!({"state": "ACK_PLANNED_MAINTENANCE", "instance_action": "MIGRATE"});
    fenix
        .reply(&format!("{session}/blue/{instance}/"), &other)
        .await
        .expect_fenix_error(400);
    fenix
        .put(&format!("{session}/"), &json!({}))
        .await
        .expect_fenix_error(422);
    let instance = format!("/v1/instance/{instance}/");
    let body = json!({"project_id": "blue", "group_id": "g"});
    fenix.reply(&instance, &body).await.expect(200);
    fenix.delete(&instance).await.expect(200);
    fenix
        .reply("/v1/instance_group/g/", &body)
        .await
        .expect(200);
    fenix.delete("/v1/instance_group/g/").await.expect(200);
    fenix.delete(&format!("{session}/")).await.expect(200);
}

#[tokio::test]
async fn too_many_sessions_are_refused_until_one_is_removed() {
    let fenix = Fenix::start().await;
    fenix.host("node-1").await;
    let mut last = String::new();
    for _ in 0..3 {
        last = fenix.session(&json!({})).await;
        // Sessions that are over count as well.
        fenix.until_state(&last, "MAINTENANCE_DONE").await;
    }
    let answer = fenix.post("/v1/maintenance", &new_session()).await;
    assert_eq!(answer.expect_fenix_error(509), "Too many sessions");
    fenix.delete(&last).await.expect(200);
    fenix.session(&json!({})).await;
}

#[tokio::test]
async fn a_second_session_over_a_host_is_409_and_names_the_host_and_the_session() {
    let (fenix, _) = Fenix::with_two_hosts().await;
    let later = json!({"maintenance_at": "2091-02-03 04:05:06"});
    let over = |hosts: &[&str]| with(new_session(), &with(json!({ "hosts": hosts }), &later));
    let id_of = |session: &str| session.rsplit('/').next().unwrap().to_owned();
    let first = fenix.session(&over(&["node-2"])).await;
    // An empty list is all hosts, and so is none.
    for body in [
        over(&["node-1", "node-2"]),
        over(&[]),
        with(new_session(), &later),
    ] {
        let error = fenix.post("/v1/maintenance", &body).await;
        let error = error.expect_fenix_error(409);
        assert!(error.contains("`node-2`"), "{error}");
        assert!(error.contains(&id_of(&first)), "{error}");
    }
    let listed = fenix.get("/v1/maintenance").await.expect(200);
    assert_eq!(listed, json!({"session_id": [id_of(&first)]}));
    fenix.delete(&first).await.expect(200);

    let all = fenix.session(&later).await;
    let error = fenix.post("/v1/maintenance", &over(&["node-1"])).await;
    let error = error.expect_fenix_error(409);
    assert!(error.contains("`node-1`"), "{error}");
    assert!(error.contains(&id_of(&all)), "{error}");
    fenix.delete(&all).await.expect(200);
    let (every, named) = (over(&[]), over(&["node-1"]));
    let (one, two) = tokio::join!(
        fenix.post("/v1/maintenance", &every),
        fenix.post("/v1/maintenance", &named)
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text(), two.text());
}

#[tokio::test]
async fn a_failed_session_is_not_resumed_while_another_has_its_host() {
    let (fenix, _) = Fenix::with_two_hosts().await;
    let failed = fenix.session(&json!({})).await;
    fenix.until_asked(&failed, "blue", "MAINTENANCE").await;
    let nack = json!({"state": "NACK_MAINTENANCE"});
    let project = format!("{failed}/blue");
    fenix.reply(&project, &nack).await.expect(200);
    fenix.until_state(&failed, "MAINTENANCE_FAILED").await;

    let later = json!({"hosts": ["node-1"], "maintenance_at": "2091-02-03 04:05:06"});
    let second = fenix.session(&later).await;
    let error = fenix.put(&failed, &json!({})).await.expect_fenix_error(409);
    assert!(error.contains("`node-1`"), "{error}");
    assert!(
        error.contains(second.rsplit('/').next().unwrap()),
        "{error}"
    );
    let state = fenix.get(&failed).await.expect(200)["state"].clone();
    assert_eq!(state, "MAINTENANCE_FAILED");
    fenix.delete(&second).await.expect(200);
    fenix.put(&failed, &json!({})).await.expect(200);
    fenix.until_asked(&failed, "blue", "MAINTENANCE").await;
    fenix.delete(&failed).await.expect(200);
}

#[tokio::test]
async fn a_failed_session_resumes_where_it_failed_or_where_its_admin_chooses() {
    let (fenix, _) = Fenix::with_two_hosts().await;
    let session = fenix.session(&json!({})).await;
    let project = format!("{session}/blue");
    fenix.until_asked(&session, "blue", "MAINTENANCE").await;
    let early = fenix
        .put(&session, &json!({}))
        .await
        .expect_fenix_error(422);
    assert!(early.contains("MAINTENANCE_FAILED"), "{early}");
    let nack = json!({"state": "NACK_MAINTENANCE"});
    assert_eq!(fenix.reply(&project, &nack).await.expect(200), nack);

    let detail = fenix.until_state(&session, "MAINTENANCE_FAILED").await;
    assert_eq!(detail["failure"]["state"], "MAINTENANCE", "{detail:#}");
    let reason = detail["failure"]["reason"].as_str().unwrap();
    assert!(reason.contains("blue"), "{reason}");
    assert!(detail["failure"]["remedy"].is_string(), "{detail:#}");
    let failed = detail["steps"].as_array().unwrap();
    assert!(failed.iter().any(|step| step["ok"] == false), "{detail:#}");

    for state in [
        "LUNCH",
        "",
        "maintenance",
        "MAINTENANCE_FAILED",
        "MAINTENANCE_DONE",
    ] {
        let error = fenix.put(&session, &json!({ "state": state })).await;
        let error = error.expect_fenix_error(400);
        assert!(error.contains("`state`"), "{error}");
    }
    let id = session.rsplit('/').next().unwrap();
    let going = fenix.call(Method::PUT, &session).await.send().await;
    assert_eq!(
        going.expect(200),
        json!({"session_id": id, "state": "MAINTENANCE"})
    );
    fenix.until_asked(&session, "blue", "MAINTENANCE").await;
    fenix.reply(&project, &nack).await.expect(200);
    fenix.until_state(&session, "MAINTENANCE_FAILED").await;
    let named = json!({"state": "START_MAINTENANCE", "unheard_of": 1});
    assert_eq!(
        fenix.put(&session, &named).await.expect(200),
        json!({"session_id": id, "state": "START_MAINTENANCE"})
    );
    let detail = fenix
        .until_asked(&session, "blue", "PLANNED_MAINTENANCE")
        .await;
    assert_eq!(detail["failure"], Value::Null);
    assert_eq!(
        detail["hosts"],
        json!([
            {"host": "node-1", "state": null},
            {"host": "node-2", "state": "MAINTENANCE_COMPLETE"},
        ])
    );
    fenix.delete(&session).await.expect(200);
}

#[tokio::test]
async fn actions_of_admins_are_audited() {
    let fenix = Fenix::start().await;
    fenix.host("node-1").await;
    let audit = fenix.app.script("audit", "cat\n").await;
    fenix.app.hook(audit, "OnAudit").await;
    let session = fenix
        .session(&json!({"metadata": {"release": "Zed", "password": "hush"}}))
        .await;
    fenix.delete(&session).await.expect(200);
    let list = fenix.app.get("/api/v1/tasks?event=OnAudit").await;
    let mut told = String::new();
    for task in list.expect(200)["items"].as_array().unwrap() {
        fenix.app.ended(task["number"].as_i64().unwrap()).await;
        let path = format!("/api/v1/tasks/{}", task["number"]);
        let task = fenix.app.get(&path).await.expect(200);
        told.push_str(task["executions"][0]["stdout"].as_str().unwrap());
    }
    for part in [
        "create_session",
        "delete_session",
        "Zed",
        "\"category\":\"maintenance\"",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("hush"), "{told}");
}

#[tokio::test]
async fn the_version_is_public() {
    let fenix = Fenix::start().await;
    for path in ["/v1", "/v1/"] {
        let call = fenix.call(Method::GET, path).await;
        let told = call.header("x-auth-token", "").send().await.expect(200);
        assert_eq!(told["version"]["id"], "v1.0");
        assert_eq!(told["version"]["status"], "CURRENT");
        assert_eq!(
            told["version"]["links"],
            json!([{"rel": "self", "href": "http://fenix.example:12347/v1"}])
        );
    }
    assert_eq!(fenix.get(&format!("/v1/{NOBODY}")).await.status, 404);
}
