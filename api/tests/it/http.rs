//! What HTTP itself promises, in every API: conditional reads, OPTIONS, cross-origin
//! requests, and how JSON and times may be written.

use http::Method;
use serde_json::{Value, json};
use tenterhook_api::CorsOrigins;

use crate::astra_support::{Astra, SOURCES, source};
use crate::fenix_support::Fenix;
use crate::support::{Answer, TestApp, event_of};

/// The same paths of all APIs, each with the methods that it has.
const PATHS: [(&str, &str); 9] = [
    ("/healthz", "GET,HEAD,OPTIONS"),
    ("/openapi.json", "GET,HEAD,OPTIONS"),
    ("/", "GET,HEAD,OPTIONS"),
    ("/api/v1/sources/1", "GET,HEAD,PUT,DELETE,OPTIONS"),
    ("/api/v1/events", "POST,OPTIONS"),
    ("/api/events/scripts", "GET,HEAD,POST,OPTIONS"),
    ("/accounts/x/core/v1/hookSources", "POST,GET,HEAD,OPTIONS"),
    ("/v2.1/os-server-external-events", "POST,OPTIONS"),
    ("/v1/maintenance", "GET,HEAD,POST,OPTIONS"),
];

async fn get_unless(app: &TestApp, path: &str, known: &str) -> Answer {
    let call = app.call(Method::GET, path).await;
    call.header("if-none-match", known).send().await
}

#[tokio::test]
async fn a_source_is_shown_with_the_tag_under_which_it_may_be_replaced() {
    let app = TestApp::start().await;
    let number = app.script("a", "true\n").await;
    let path = format!("/api/v1/sources/{number}");
    let shown = app.get(&path).await;
    shown.expect(200);
    let tag = shown.header("etag").to_owned();
    assert!(tag.starts_with("\"sha256:"), "{tag}");
    let put = async |tag: &str, query: &str, text: &str| {
        let path = format!("{path}{query}");
        let call = app.call(Method::PUT, &path).await.header("if-match", tag);
        call.body("text/x-shellscript", text).send().await
    };
    put(&tag, "?description=new", "true\n").await.expect(200);
    let other = app.get(&path).await.header("etag").to_owned();
    assert_ne!(other, tag, "the description is a part of what is shown");
    let problem = "/problems/changed-meanwhile";
    put(&tag, "", "echo 2\n").await.expect_problem(412, problem);
    put(&format!("W/{other}"), "", "echo 2\n")
        .await
        .expect_problem(412, problem);
    put(&format!("\"a,b\", {other}"), "", "echo 2\n")
        .await
        .expect(200);
}

#[tokio::test]
async fn an_unchanged_source_is_not_sent_again() {
    let app = TestApp::start().await;
    let number = app.script("a", "true\n").await;
    let source = format!("/api/v1/sources/{number}");
    for path in [source.clone(), format!("{source}/bytes")] {
        let whole = app.get(&path).await;
        assert_eq!(whole.status, 200);
        let tag = whole.header("etag");
        for known in [
            tag.to_owned(),
            format!("W/{tag}"),
            format!("\"x,y\", {tag}"),
            "*".to_owned(),
        ] {
            let answer = get_unless(&app, &path, &known).await;
            assert_eq!(answer.status, 304, "{path} {known}");
            assert_eq!(answer.header("etag"), tag);
            assert!(answer.body.is_empty());
            assert_eq!(answer.header("content-type"), "");
        }
        for known in ["\"x\"", "\"*\"", ""] {
            assert_eq!(get_unless(&app, &path, known).await.status, 200, "{known}");
        }
    }
    let call = app.call(Method::PUT, &source).await;
    let changed = call.body("text/x-shellscript", "echo 2\n").send().await;
    changed.expect(200);
    let old = app.get(&source).await.header("etag").to_owned();
    assert_eq!(get_unless(&app, &source, &old).await.status, 304);
}

#[tokio::test]
async fn astra_does_not_resend_unchanged_resources() {
    let astra = Astra::start().await;
    let made = astra.script("a", "true\n").await;
    let one = format!("{SOURCES}/{}", made["id"].as_str().unwrap());
    for path in [one.as_str(), SOURCES] {
        let tag = astra.get(path).await.header("etag").to_owned();
        let again = async |known: &str| {
            let call = astra.call(Method::GET, path).await;
            call.header("if-none-match", known).send().await
        };
        let answer = again(&format!("\"x\", W/{tag}")).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0));
        assert_eq!(answer.header("etag"), tag);
        again("\"x\"").await.expect(200);
    }
    // A change that must not be made while the resource is what the client has.
    let call = astra.call(Method::PUT, &one).await;
    call.header("if-none-match", "*")
        .json(&made)
        .send()
        .await
        .expect_astra(412, 38);
}

#[tokio::test]
async fn options_lists_the_methods_of_every_path_without_a_token() {
    let app = TestApp::start().await;
    for (path, allow) in PATHS {
        let answer = app.call(Method::OPTIONS, path).await.anonymous();
        let answer = answer.send().await;
        assert_eq!(answer.status, 204, "{path}");
        let sorted = |text: &str| {
            let mut methods: Vec<_> = text.split(',').map(str::to_owned).collect();
            methods.sort_unstable();
            methods
        };
        assert_eq!(sorted(answer.header("allow")), sorted(allow), "{path}");
        assert!(answer.body.is_empty(), "{path}");
        for name in ["access-control-allow-origin", "vary"] {
            let of_nova = path.starts_with("/v2.1");
            assert!(of_nova || answer.header(name).is_empty(), "{path} {name}");
        }
    }
    let nowhere = app.call(Method::OPTIONS, "/nothing").await.send().await;
    nowhere.expect_problem(404, "about:blank");
}

#[tokio::test]
async fn only_pages_of_listed_origins_may_read_replies() {
    let mut app = TestApp::start().await;
    let listed = "https://console.example";
    let origins = CorsOrigins::new([listed.parse().unwrap()]);
    app.app = app.app.with_cors_origins(origins);
    app.router = tenterhook_api::router(app.app.clone());
    for (path, allow) in PATHS {
        let ask = async |origin: &str| {
            let call = app.call(Method::OPTIONS, path).await.anonymous();
            let call = call.header("origin", origin);
            let call = call.header("access-control-request-method", "POST");
            let headers = "authorization,content-type,ce-id";
            let call = call.header("access-control-request-headers", headers);
            call.send().await
        };
        let answer = ask(listed).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), listed);
        let allowed = answer.header("access-control-allow-methods");
        assert_eq!(allowed.len(), allow.len(), "{allowed}");
        assert_eq!(
            answer.header("access-control-allow-headers"),
            "authorization,content-type,ce-id"
        );
        assert_eq!(answer.header("access-control-max-age"), "600");
        for other in [
            "https://console.example.evil.example",
            "http://console.example",
            "https://console.example:8443",
            "https://Console.example",
            "null",
        ] {
            let answer = ask(other).await;
            for name in ["origin", "methods", "headers"] {
                let name = format!("access-control-allow-{name}");
                assert_eq!(answer.header(&name), "", "{other}");
            }
            assert!(varies(&answer), "{other}");
        }
    }
    // Replies, and refusals as well: a page is to see why.
    for (path, status) in [("/healthz", 200), ("/api/v1/sources", 401), ("/no", 404)] {
        let get = app.call(Method::GET, path).await.anonymous();
        let answer = get.header("origin", listed).send().await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), listed);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        for name in ["ETag", "Location", "Retry-After", "X-Request-Id"] {
            let exposed = answer.header("access-control-expose-headers");
            assert!(exposed.split(", ").any(|own| own == name), "{exposed}");
        }
        assert!(varies(&answer));
        assert!(varies(&app.get("/healthz").await), "without an origin too");
    }
}

fn varies(answer: &Answer) -> bool {
    let mut all = answer.headers.get_all("vary").iter();
    all.any(|value| value == "Origin")
}

#[tokio::test]
async fn a_byte_order_mark_before_json_is_ignored_in_every_api() {
    let with_mark = |body: &Value| format!("\u{feff}{body}");
    let astra = Astra::start().await;
    let app = &astra.app;
    let post = async |path: &str, kind: &str, body: &Value| {
        let call = app.call(Method::POST, path).await;
        call.body(kind, with_mark(body)).send().await
    };
    let json = "application/json";
    let principal = json!({"name": "ada", "role": "viewer"});
    post("/api/v1/principals", json, &principal)
        .await
        .expect(201);
    let event = event_of("custom.a", json!({"a": 1}));
    let kind = "application/cloudevents+json";
    post("/api/v1/events", kind, &event).await.expect(202);
    let kind = "application/cloudevents-batch+json";
    let batch = json!([event_of("custom.a", json!(1))]);
    post("/api/v1/events", kind, &batch).await.expect(202);
    post("/api/servers", json, &json!({"name": "s"}))
        .await
        .expect(201);
    post(&astra.path(SOURCES), json, &source("a", "true\n"))
        .await
        .expect(201);
    let vm = crate::nova_support::instance(app, "vm", Some("h")).await;
    let events =
        crate::nova_support::events(&[crate::nova_support::event("network-changed", &vm.id)]);
    post(crate::nova_support::PATH, json, &events)
        .await
        .expect(200);
    // Only one, and only before the text.
    for body in ["\u{feff}\u{feff}{}", "{\u{feff}}", "{}\u{feff}", "\u{feff}"] {
        let call = app.call(Method::POST, "/api/v1/principals").await;
        call.body(json, body).send().await.expect(400);
    }
    let fenix = Fenix::start().await;
    let call = fenix.call(Method::POST, "/v1/maintenance").await;
    let answer = call
        .body(json, with_mark(&json!({"hosts": 7})))
        .send()
        .await;
    let text = answer.expect_fenix_error(400);
    assert!(text.contains("`hosts`"), "the text itself was read: {text}");
}

#[tokio::test]
async fn a_time_with_a_space_is_refused_with_an_explanation() {
    let app = TestApp::start().await;
    let space = "2026-05-04 03:02:01Z";
    for path in [
        "/api/v1/tasks?since=2026-05-04%2003:02:01Z",
        "/api/v1/tasks?until=2026-05-04T03:02:01+02:00",
    ] {
        let problem = app
            .get(path)
            .await
            .expect_problem(422, "/problems/invalid-request");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("`T`") && detail.contains("%2B"), "{detail}");
    }
    app.get("/api/v1/tasks?until=2026-05-04T03:02:01%2B02:00")
        .await
        .expect(200);
    let mut event = event_of("custom.a", json!(1));
    event["time"] = space.into();
    let call = app.call(Method::POST, "/api/v1/events").await;
    let sent = call.body("application/cloudevents+json", event.to_string());
    sent.send()
        .await
        .expect_problem(422, "/problems/invalid-request");
    let call = app.call(Method::POST, "/api/v1/events").await;
    let call = call.header("ce-id", "1").header("ce-source", "/s");
    let call = call.header("ce-type", "custom.a").header("ce-time", space);
    call.header("ce-specversion", "1.0")
        .send()
        .await
        .expect_problem(422, "/problems/invalid-request");
    let token = json!({"name": "t", "role": "viewer", "expires_at": "2099-05-04 03:02:01Z"});
    app.post("/api/v1/tokens", &token)
        .await
        .expect_problem(422, "/problems/invalid-request");
}
