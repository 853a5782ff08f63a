//! The refusals of Fenix's API: statuses, bodies, and what is named in them.

use http::Method;
use serde_json::{Value, json};

use crate::fenix_support::{Fenix, NOBODY, new_session, with};
use crate::support::Answer;

/// Makes no session, but tries.
async fn refused(fenix: &Fenix, members: &Value) -> Answer {
    let body = with(new_session(), members);
    fenix.post("/v1/maintenance", &body).await
}

#[tokio::test]
async fn an_invalid_new_session_is_refused_with_the_member() {
    let (fenix, _) = Fenix::with_two_hosts().await;
    fenix.app.script("prepare", "true\n").await;
    for (members, named) in [
        (json!({"state": null}), "`state`"),
        (json!({"state": "LUNCH"}), "`state`"),
        (json!({"state": "MAINTENANCE_FAILED"}), "`state`"),
        (json!({"state": 7}), "`state`"),
        (json!({"maintenance_at": null}), "`maintenance_at`"),
        (json!({"maintenance_at": "tomorrow"}), "`maintenance_at`"),
        (
            json!({"maintenance_at": "2031-02-30 00:00:00"}),
            "`maintenance_at`",
        ),
        (
            json!({"maintenance_at": "2031-02-03 04:05:06 junk"}),
            "`maintenance_at`",
        ),
        (json!({"maintenance_at": 1}), "`maintenance_at`"),
        (json!({"workflow": null}), "`workflow`"),
        (json!({"workflow": "no-such-source"}), "`workflow`"),
        (json!({"workflow": ["default"]}), "`workflow`"),
        (json!({"metadata": null}), "`metadata`"),
        (json!({"metadata": "x"}), "`metadata`"),
        (
            json!({"metadata": {"x": "y".repeat(100_000)}}),
            "`metadata`",
        ),
        (json!({"hosts": "node-1"}), "`hosts`"),
        (json!({"hosts": ["node-1", 2]}), "`hosts[1]`"),
        (json!({"hosts": ["node-1", "node-9"]}), "`hosts[1]`"),
        (json!({"hosts": ["web"]}), "`hosts[0]`"),
        (json!({"download": "https://sw.example"}), "`download`"),
        (json!({"download": [{"uri": 1}]}), "`download[0]`"),
        (json!({"actions": {}}), "`actions`"),
        (json!({"actions": [{"type": "pre"}]}), "`actions[0].plugin`"),
        (
            json!({"actions": [{"plugin": "prepare", "type": "pre"}, {"plugin": "none", "type": "host"}]}),
            "`actions[1].plugin`",
        ),
        (
            json!({"actions": [{"plugin": "prepare", "type": "during"}]}),
            "`actions[0].type`",
        ),
        (
            json!({"actions": [{"plugin": "prepare", "type": 1}]}),
            "`actions[0].type`",
        ),
    ] {
        let error = refused(&fenix, &members).await.expect_fenix_error(400);
        assert!(error.contains(named), "{members}: {error}");
    }
    let none = json!({"session_id": []});
    assert_eq!(fenix.get("/v1/maintenance").await.expect(200), none);
    let fine = json!({"actions": [{"plugin": "prepare", "type": "pre"}], "download": null,
        "maintenance_at": "2091-02-03 04:05:06", "unheard_of": {"a": 1}});
    refused(&fenix, &fine).await.expect(200);
}

#[tokio::test]
async fn a_body_that_is_not_an_object_is_400_whatever_its_media_type() {
    let fenix = Fenix::start().await;
    fenix.host("node-1").await;
    for bytes in ["", "{", "[]", "7", "null", "\"x\"", "{}x", "\u{1}", "{'a'}"] {
        for kind in ["application/json", "text/plain"] {
            let call = fenix.call(Method::POST, "/v1/maintenance").await;
            call.body(kind, bytes).send().await.expect_fenix_error(400);
        }
    }
    let call = fenix.call(Method::POST, "/v1/maintenance").await;
    let answer = call.body("application/json", b"{\"state\":\"\xff\"}".to_vec());
    answer.send().await.expect_fenix_error(400);
    // Fenix's own clients say nothing of the media type, and it is read all the same.
    let call = fenix.call(Method::POST, "/v1/maintenance").await;
    let call = call.body("text/plain", new_session().to_string());
    call.send().await.expect(200);
}

#[tokio::test]
async fn json_that_no_value_holds_is_ignored_or_named_with_its_member() {
    let (fenix, _) = Fenix::with_two_hosts().await;
    let post = async |members: &str| {
        let sound = new_session().to_string();
        let body = format!("{},{members}}}", sound.trim_end_matches('}'));
        let call = fenix.call(Method::POST, "/v1/maintenance").await;
        call.body("application/json", body).send().await
    };
    for (members, named) in [
        (r#""hosts":[1e400]"#, "`hosts[0]`"),
        (r#""hosts":["\ud83d"]"#, "`hosts[0]`"),
        (r#""state":1e400"#, "`state`"),
        (r#""workflow":"\ud83d""#, "`workflow`"),
        (r#""metadata":1e400"#, "`metadata`"),
        (r#""actions":[1e400]"#, "`actions[0]`"),
        (r#""download":[{"url":1e400}]"#, "`download[0]`"),
    ] {
        let error = post(members).await.expect_fenix_error(400);
        assert!(error.contains(named), "{members}: {error}");
    }
    let ignored = r#""maintenance_at":"2091-02-03 04:05:06","far":1e400,"\ud83d":"\udead""#;
    let made = post(ignored).await.expect(200);
    let session = format!("/v1/maintenance/{}", made["session_id"].as_str().unwrap());
    fenix.until_asked(&session, "blue", "MAINTENANCE").await;
    let call = fenix.call(Method::PUT, &format!("{session}/blue")).await;
    let reply = r#"{"state":"ACK_MAINTENANCE","z":1.10,"far":1e400}"#;
    let answer = call.body("application/json", reply).send().await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, reply.into()));
}

#[tokio::test]
async fn bodies_have_a_size_and_a_depth() {
    let fenix = Fenix::start().await;
    for depth in [33, 120, 200, 100_000] {
        let deep = format!(
            "{{\"metadata\":{}1{}}}",
            "[".repeat(depth),
            "]".repeat(depth)
        );
        let call = fenix.call(Method::POST, "/v1/maintenance").await;
        let answer = call.body("application/json", deep).send().await;
        let error = answer.expect_fenix_error(400);
        assert!(error.contains("deep") || error.contains("JSON"), "{error}");
    }
    let large = json!({"metadata": {"x": "y".repeat(256 * 1024)}});
    let error = refused(&fenix, &large).await.expect_fenix_error(413);
    assert!(error.contains("262144"), "{error}");
}

#[tokio::test]
async fn a_body_on_get_or_delete_is_400_and_an_empty_object() {
    let (fenix, web) = Fenix::with_two_hosts().await;
    let session = fenix.session(&json!({})).await;
    for (method, path) in [
        (Method::GET, "/v1/maintenance".to_owned()),
        (Method::GET, session.clone()),
        (Method::GET, format!("{session}/detail")),
        (Method::GET, format!("{session}/blue")),
        (Method::DELETE, session.clone()),
        (Method::DELETE, format!("/v1/instance/{web}")),
        (Method::DELETE, "/v1/instance_group/g".to_owned()),
    ] {
        for bytes in ["{}".to_owned(), " ".to_owned(), "x".repeat(1 << 20)] {
            let call = fenix.call(method.clone(), &path).await;
            let answer = call.body("application/json", bytes).send().await;
            assert_eq!(answer.expect(400), json!({}), "{method} {path}");
        }
    }
    assert_eq!(fenix.get(&session).await.status, 200);
    fenix.delete(&session).await.expect(200);
}

#[tokio::test]
async fn invalid_ids_are_422_and_unknown_ones_depend_on_the_call() {
    let fenix = Fenix::start().await;
    let urn = format!("urn:uuid:{NOBODY}");
    let braced = format!("%7B{NOBODY}%7D");
    for id in ["7", "detail", "%20", "0b7c1b3e", &urn, &braced, "%ff"] {
        let path = format!("/v1/maintenance/{id}");
        fenix.get(&path).await.expect_fenix_error(422);
        let detail = format!("{path}/detail");
        fenix.get(&detail).await.expect_fenix_error(422);
        fenix.put(&path, &json!({})).await.expect_fenix_error(422);
        fenix.delete(&path).await.expect_fenix_error(422);
    }
    // Ids of any version, with and without dashes, can be one.
    for id in [NOBODY.to_owned(), NOBODY.replace('-', "")] {
        let path = format!("/v1/maintenance/{id}");
        for path in [path.clone(), format!("{path}/detail")] {
            let error = fenix.get(&path).await.expect_fenix_error(404);
            assert_eq!(error, "Invalid session");
        }
        for answer in [
            fenix.put(&path, &json!({})).await,
            fenix.delete(&path).await,
        ] {
            assert_eq!(answer.expect_fenix_error(422), "Invalid session");
        }
    }
}

#[tokio::test]
async fn without_a_valid_token_the_error_is_keystones() {
    let fenix = Fenix::start().await;
    let words = json!({"error": {"code": 401, "title": "Unauthorized",
        "message": "The request you have made requires authentication."}});
    for (method, path) in [
        (Method::GET, "/v1/maintenance"),
        (Method::PUT, "/v1/instance/7"),
    ] {
        for token in ["", "th_wrong"] {
            let call = fenix.call(method.clone(), path).await;
            let answer = call.header("x-auth-token", token).send().await;
            assert_eq!(answer.expect(401), words);
            assert_eq!(
                answer.header("www-authenticate"),
                "Keystone uri=\"http://fenix.example:12347\""
            );
        }
    }
    let bearer = fenix.app.call(Method::GET, "/v1/maintenance").await;
    bearer.send().await.expect(200);
}

#[tokio::test]
async fn projects_get_the_host_that_the_admin_used_if_it_is_valid() {
    let fenix = Fenix::start().await;
    fenix.host("node-1").await;
    for host in ["a b", "a/b", "evil.example/path?", "x@y", ":80"] {
        let call = fenix.call(Method::POST, "/v1/maintenance").await;
        let call = call.header("host", host).json(&new_session());
        let error = call.send().await.expect_fenix_error(400);
        assert!(error.contains("Host"), "{error}");
    }
    let call = fenix.call(Method::POST, "/v1/maintenance").await;
    let call = call.header("host", "[::1]:8080").json(&new_session());
    call.send().await.expect(200);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_fenix_form() {
    let fenix = Fenix::start().await;
    fenix.get("/v1/unheard").await.expect_fenix_error(404);
    let answer = fenix.call(Method::PATCH, "/v1/maintenance").await;
    let answer = answer.send().await;
    answer.expect_fenix_error(405);
    assert!(answer.header("allow").contains("POST"));
}

#[tokio::test]
async fn an_internal_failure_reveals_nothing_of_its_cause() {
    let fenix = Fenix::start().await;
    fenix.host("node-1").await;
    refused(&fenix, &json!({"workflow": "none"}))
        .await
        .expect_fenix_error(400);
    fenix.app.break_store();
    let body = json!({"project_id": "blue"});
    let answer = fenix.put("/v1/instance_group/g", &body).await;
    assert_eq!(
        answer.expect(500),
        json!({"status": 500, "message": "Unknown Error"})
    );
}
