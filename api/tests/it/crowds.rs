//! Crowds of clients that mean no good: what they may hold is bounded, and who comes
//! next, above all a probe, is answered as if they were not there.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tenterhook_api::Door;
use tenterhook_dispatch::{AccountId, Role};
use tenterhook_ledger::{Capacities, Capacity, Holder, Resource, Strangers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::house::House;
use crate::support::{TestApp, event_of};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3_600);

/// Nothing is cut while the test lasts: what is answered is answered beside it.
fn patient() -> Door {
    Door {
        head: LONG,
        keep_alive: LONG,
        body_pause: LONG,
        body: LONG,
        strangers_body: LONG,
        reply: LONG,
        ..Door::default()
    }
}

/// A small host: one client has at most six requests and three long replies.
fn small() -> Capacities {
    Capacities::default()
        .with(Resource::Requests, Capacity::of(8))
        .with(Resource::Streams, Capacity::of(4))
        .with(Resource::Descriptors, Capacity::of(80).with_reserve(8))
        .with(Resource::Memory, Capacity::of(4 << 30))
}

async fn house() -> House {
    House::of(TestApp::start_with(small()).await, patient()).await
}

const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

async fn every_probe_is_answered(house: &House) {
    for path in PROBES {
        let answer = house
            .say(&format!(
                "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

/// Begins to send something that never ends.
async fn begin(house: &House, begun: &str) -> TcpStream {
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    // The server may have let go of it already.
    let _ = stream.write_all(begun.as_bytes()).await;
    stream
}

const ENDLESS_LOGIN: &str =
    "POST /api/auth/login-form HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nname=";

#[tokio::test]
async fn endless_bodies_without_a_token_keep_no_probe_and_no_token_out() {
    let house = house().await;
    let mut held = Vec::new();
    for _ in 0..60 {
        held.push(begin(&house, ENDLESS_LOGIN).await);
        every_probe_is_answered(&house).await;
    }
    house.is_open().await;
}

/// As [`begin`], from another address of this host.
async fn begin_from(house: &House, last: u8, begun: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let own = std::net::SocketAddr::from(([127, 0, 0, last], 0));
    socket.bind(own).unwrap();
    let mut stream = socket.connect(house.address).await.unwrap();
    let _ = stream.write_all(begun.as_bytes()).await;
    stream
}

#[tokio::test]
async fn endless_bodies_from_many_addresses_leave_room_for_every_token() {
    let strangers = |most| Strangers {
        kept: 2,
        most,
        floor: 1,
    };
    let requests = Capacity::of(32).with_reserve(2).with_floor(2);
    let descriptors = Capacity::of(120).with_reserve(8).with_floor(2);
    let capacities = small()
        .with(Resource::Requests, requests.with_strangers(strangers(8)))
        .with(
            Resource::Descriptors,
            descriptors.with_strangers(strangers(30)),
        );
    let house = House::of(TestApp::start_with(capacities).await, patient()).await;
    let (_, tenant) = house.app.tenant("tenant").await;
    let mut held = Vec::new();
    for last in 2..18 {
        for _ in 0..8 {
            held.push(begin_from(&house, last, ENDLESS_LOGIN).await);
        }
        every_probe_is_answered(&house).await;
    }
    // The members of one account and of another, over connections of their own.
    for secret in [&house.secret, &tenant] {
        let head = house.head("GET /api/v1/limits", "application/json");
        let head = head.replace(&house.secret, secret);
        for _ in 0..8 {
            let answer = house.say(&format!("{head}connection: close\r\n\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }
    house.is_open().await;
}

#[tokio::test]
async fn endless_heads_keep_no_probe_and_no_token_out() {
    let house = house().await;
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(begin(&house, "GET /healthz HTTP/1.1\r\nhost: x\r\n").await);
    }
    every_probe_is_answered(&house).await;
    house.is_open().await;
}

#[tokio::test]
async fn a_body_without_a_valid_token_is_not_read() {
    let house = house().await;
    for token in ["", "authorization: Bearer th_wrong\r\n"] {
        let answer = house
            .say(&format!(
                "POST /api/v1/sources?name=a HTTP/1.1\r\nhost: x\r\n{token}\
                 content-type: application/wasm\r\ncontent-length: 1000000\r\n\r\n"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
}

#[tokio::test]
async fn an_account_that_has_used_up_its_requests_gets_503_from_every_api_and_others_do_not() {
    let house = house().await;
    let (account, secret) = house.app.tenant("greedy").await;
    let (_, other) = house.app.tenant("other").await;
    let ledger = house.app.dispatcher.ledger().clone();
    let head = house.head("POST /api/v1/hooks", "application/json");
    let head = head.replace(&house.secret, &secret);
    let mut held = Vec::new();
    let own: AccountId = account["id"].as_str().unwrap().parse().unwrap();
    let own = own.holder();
    while ledger.room(own, Resource::Requests) > 0 {
        let before = ledger.held(own, Resource::Requests);
        held.push(begin(&house, &format!("{head}content-length: 1000\r\n\r\n{{")).await);
        while ledger.held(own, Resource::Requests) == before {
            tokio::task::yield_now().await;
        }
    }
    for path in [
        "/api/v1/limits",
        "/api/tasks",
        "/accounts/x/core/v1/hookSources",
        "/v1/maintenance",
    ] {
        let call = house.app.call_as(&secret, Method::GET, path).await;
        let answer = call.send().await;
        let text = answer.text();
        assert_eq!(answer.status, 503, "{path}: {text}");
        assert_eq!(answer.header("retry-after"), "1", "{path}");
        assert!(
            text.contains("not enough requests of your share"),
            "{path}: {text}"
        );
    }
    let path = "/os-server-external-events";
    let call = house.app.call_as(&secret, Method::POST, path).await;
    let answer = call.json(&json!({"events": []})).send().await;
    let message = &answer.expect(503)["serviceUnavailable"]["message"];
    assert!(message.as_str().unwrap().contains("requests"), "{message}");

    let call = house
        .app
        .call_as(&other, Method::GET, "/api/v1/limits")
        .await;
    call.send().await.expect(200);
    every_probe_is_answered(&house).await;
    drop(held);
    while ledger.held(own, Resource::Requests) > 0 {
        ledger.freed().await;
    }
    house.is_open().await;
}

#[tokio::test]
async fn followed_output_of_a_viewer_keeps_no_probe_and_no_event_out() {
    let house = house().await;
    let app = &house.app;
    let script = app.script("slow", "echo begun; sleep 1h").await;
    app.hook(script, "custom.slow").await;
    let slow = event_of("custom.slow", json!(1));
    let posted = app.post("/api/v1/events", &slow).await.expect(202);
    let path = format!("/api/v1/executions?task={}", posted["task"]["number"]);
    let id = app.get(&path).await.expect(200)["items"][0]["id"].clone();
    let id = id.as_str().unwrap();
    let viewer = app.token(Role::Viewer).await;
    let follow = format!(
        "GET /api/v1/executions/{id}/output HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {viewer}\r\n\r\n"
    );
    let (mut followers, mut refused) = (Vec::new(), 0);
    for _ in 0..60 {
        let mut stream = begin(&house, &follow).await;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        match &status {
            b"HTTP/1.1 200" => followers.push(stream),
            b"HTTP/1.1 503" => refused += 1,
            other => panic!("{}", String::from_utf8_lossy(other)),
        }
    }
    assert_eq!((followers.len(), refused), (3, 57));
    let (_, other) = app.tenant("other").await;
    // A wait is a long reply too, and the other account has its own share of them.
    let call = app
        .call_as(&other, Method::POST, "/api/v1/events?wait=60")
        .await;
    call.json(&event_of("custom.nothing", json!(1)))
        .send()
        .await
        .expect(200);
    // The viewer's own account goes on too, but for what is long.
    app.post("/api/v1/events", &event_of("custom.nothing", json!(2)))
        .await
        .expect(202);
    let answer = app
        .post(
            "/api/v1/events?wait=60",
            &event_of("custom.nothing", json!(3)),
        )
        .await;
    let problem = answer.expect_problem(503, "/problems/too-busy");
    assert_eq!(problem["resource"], "streams");
    every_probe_is_answered(&house).await;
    house.is_open().await;
    let call = app
        .call(Method::POST, &format!("/api/v1/executions/{id}/cancel"))
        .await;
    call.send().await.expect(202);
}

#[tokio::test]
async fn an_event_whose_wait_was_refused_is_not_accepted() {
    let capacities = small().with(Resource::Streams, Capacity::of(0));
    let app = TestApp::start_with(capacities).await;
    let event = event_of("custom.a", json!(1));
    app.post("/api/v1/events?wait=1", &event)
        .await
        .expect_problem(503, "/problems/too-busy");
    let posted = app.post("/api/v1/events", &event).await.expect(202);
    assert_eq!(posted["repeated"], false);
}

#[tokio::test]
async fn bodies_in_flight_count_as_their_accounts_memory() {
    let capacities = small().with(Resource::Memory, Capacity::of(1 << 20));
    let app = TestApp::start_with(capacities).await;
    let large = json!({"specversion": "1.0", "padding": "x".repeat(900 << 10)});
    let problem = app
        .post("/api/v1/hooks", &large)
        .await
        .expect_problem(503, "/problems/too-busy");
    assert_eq!(problem["resource"], "memory");
    let ledger = app.dispatcher.ledger();
    assert_eq!(ledger.held(app.account().holder(), Resource::Memory), 0);
}

#[tokio::test]
async fn outputs_are_not_read_without_memory_for_them() {
    let app = TestApp::start_with(small().with(Resource::Memory, Capacity::of(1 << 30))).await;
    let script = app
        .script("loud", "head -c 1000000 /dev/zero | tr '\\0' x")
        .await;
    let hook =
        json!({"source": script, "event": "custom.loud", "limits": {"output_bytes": 16 << 20}});
    app.post("/api/v1/hooks", &hook).await.expect(201);
    let task = app.fire("custom.loud", json!(1)).await["task"].clone();
    let native = format!("/api/v1/tasks/{}", task["number"]);
    let croit = format!("/api/tasks/{}", task["number"]);
    let many = format!("/api/tasks/status?id={}", task["number"]);
    for path in [&native, &croit, &many] {
        app.get(path).await.expect(200);
    }
    // Somebody else has taken all but a little.
    let ledger = app.dispatcher.ledger();
    let mut others = ledger.empty(Holder::Operator);
    others.overdraw(Resource::Memory, (1 << 30) - (1 << 20));
    for path in [&native, &croit, &many] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.text());
        assert!(answer.text().contains("not enough memory"), "{path}");
    }
}

#[tokio::test]
async fn a_client_that_reads_none_of_its_reply_is_cut_off_and_its_memory_is_freed() {
    let door = Door {
        reply: Duration::from_millis(50),
        ..patient()
    };
    let house = House::of(TestApp::start_with(small()).await, door).await;
    let app = &house.app;
    let script = app
        .script("loud", "head -c 1000000 /dev/zero | tr '\\0' x")
        .await;
    let limits =
        json!({"output_bytes": 16 << 20, "memory_bytes": 256 << 20, "fuel": 20_000_000_000_u64});
    let hook = json!({"source": script, "event": "custom.loud", "limits": limits});
    app.post("/api/v1/hooks", &hook).await.expect(201);
    let task = app.fire("custom.loud", json!(1)).await;
    let id = task["task"]["executions"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ledger = app.dispatcher.ledger().clone();
    let own = app.account().holder();
    let head = house.head(&format!("GET /api/v1/executions/{id}"), "application/json");
    let mut held = Vec::new();
    for _ in 0..3 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let mut stream = socket.connect(house.address).await.unwrap();
        stream
            .write_all(format!("{head}\r\n").as_bytes())
            .await
            .unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        held.push(stream);
    }
    loop {
        let freed = ledger.freed();
        if ledger.held(own, Resource::Requests) == 0 && ledger.held(own, Resource::Memory) == 0 {
            break;
        }
        freed.await;
    }
}
