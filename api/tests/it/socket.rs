//! The listener: answering over a socket, and ending well.

use std::time::Duration;

use serde_json::json;
use tenterhook_dispatch::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::support::{TestApp, event_of};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn requests_are_served_until_the_shutdown_and_the_listener_ends() {
    let app = TestApp::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<Instant>();
    let serving = tokio::spawn(tenterhook_api::serve(listener, app.app.clone(), async {
        stopped.await.unwrap()
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 200");
    stop.send(Instant::now() + LONG).unwrap();
    serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_in_progress_is_cut_off_when_the_shutdown_requires_it() {
    let app = TestApp::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<Instant>();
    let door = tenterhook_api::Door {
        body: LONG,
        body_pause: LONG,
        strangers_body: LONG,
        ..Default::default()
    };
    let served = app.app.clone().with_door(door);
    let serving = tokio::spawn(tenterhook_api::serve(listener, served, async {
        stopped.await.unwrap()
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(
            b"POST /api/auth/login-form HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nname=",
        )
        .await
        .unwrap();
    let ledger = app.dispatcher.ledger();
    while ledger.taken(tenterhook_ledger::Resource::Requests) == 0 {
        tokio::task::yield_now().await;
    }
    stop.send(Instant::now()).unwrap();
    serving.await.unwrap().unwrap();
    drop(stream);
}

#[tokio::test]
async fn an_oversized_head_is_refused() {
    let app = TestApp::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(tenterhook_api::serve(
        listener,
        app.app.clone(),
        std::future::pending(),
    ));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /healthz HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    // The server may close before it has read everything.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
        "{answer:?}"
    );
    serving.abort();
}

#[tokio::test]
async fn an_audit_record_names_where_the_request_came_from() {
    let app = TestApp::start().await;
    let script = app.script("audit", "jq -r .ip").await;
    app.hook(script, "OnAudit").await;
    let secret = app.token(Role::Owner).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(tenterhook_api::serve(
        listener,
        app.app.clone(),
        std::future::pending(),
    ));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "DELETE /api/v1/hooks/99 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 404"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let tasks = app
        .get("/api/v1/tasks?event=OnAudit&limit=1")
        .await
        .expect(200);
    let newest = tasks["items"][0]["number"].as_i64().unwrap();
    app.ended(newest).await;
    let task = app
        .get(&format!("/api/v1/tasks/{newest}"))
        .await
        .expect(200);
    assert_eq!(task["executions"][0]["stdout"], "127.0.0.1\n", "{task}");
    serving.abort();
}

#[tokio::test]
async fn a_client_that_follows_an_output_does_not_hold_up_the_shutdown() {
    let app = TestApp::start().await;
    let script = app.script("slow", "echo begun; sleep 1h").await;
    app.hook(script, "custom.a").await;
    let posted = app
        .post("/api/v1/events", &event_of("custom.a", json!(1)))
        .await
        .expect(202);
    let path = format!("/api/v1/executions?task={}", posted["task"]["number"]);
    let list = app.get(&path).await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap();
    let secret = app.token(Role::Viewer).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<Instant>();
    let serving = tokio::spawn(tenterhook_api::serve(listener, app.app.clone(), async {
        stopped.await.unwrap()
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /api/v1/executions/{id}/output HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    while !String::from_utf8_lossy(&received).contains("begun") {
        assert_ne!(stream.read_buf(&mut received).await.unwrap(), 0);
    }
    stop.send(Instant::now() + LONG).unwrap();
    serving.await.unwrap().unwrap();
    stream.read_to_end(&mut received).await.unwrap();
    assert!(!String::from_utf8_lossy(&received).contains("event: end"));
    app.call(
        http::Method::POST,
        &format!("/api/v1/executions/{id}/cancel"),
    )
    .await
    .send()
    .await
    .expect(202);
}
