//! Clients that mean no good, over a real socket: each is turned away or bounded,
//! and the next one is served as if nothing had been.

use std::time::Duration;

use serde_json::json;
use tenterhook_api::Door;
use tenterhook_ledger::{Capacities, Capacity, Level, Resource};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::house::House;
use crate::support::{TestApp, event_of};

/// Short enough for a test to wait for; nothing asserts on how long it took.
const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn an_endless_head_is_cut_off() {
    let door = Door {
        head: SHORT,
        ..Door::default()
    };
    let house = House::with(door).await;
    for begun in ["", "GET", "GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: "] {
        let answer = house.say(begun).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{begun:?}: {answer}"
        );
    }
    house.is_open().await;
}

#[tokio::test]
async fn a_second_endless_head_is_cut_off() {
    let door = Door {
        head: SHORT,
        keep_alive: SHORT,
        ..Door::default()
    };
    let house = House::with(door).await;
    let answer = house
        .say("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /healthz HT")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    house.is_open().await;
}

#[tokio::test]
async fn a_body_that_takes_too_long_as_a_whole_is_408() {
    let door = Door {
        body: SHORT,
        body_pause: Duration::from_secs(3600),
        ..Door::default()
    };
    let house = House::with(door).await;
    let head = house.head(
        "POST /api/auth/login-form",
        "application/x-www-form-urlencoded",
    );
    let answer = house
        .say(&format!("{head}content-length: 1000\r\n\r\nname="))
        .await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    house.is_open().await;
}

#[tokio::test]
async fn a_body_that_pauses_too_long_is_408_in_every_api() {
    let door = Door {
        body_pause: SHORT,
        ..Door::default()
    };
    let house = House::with(door).await;
    for (call, kind) in [
        ("POST /api/v1/hooks", "application/json"),
        ("POST /api/v1/events", "application/cloudevents+json"),
        ("POST /api/v1/sources?name=a", "application/wasm"),
        ("POST /api/events/scripts", "application/json"),
    ] {
        for length in [
            "content-length: 1000\r\n\r\n{",
            "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
        ] {
            let head = house.head(call, kind);
            let answer = house.say(&format!("{head}{length}")).await;
            assert!(answer.starts_with("HTTP/1.1 408"), "{call}: {answer}");
            assert!(answer.contains("\r\nconnection: close"), "{call}: {answer}");
        }
    }
    house.is_open().await;
}

#[tokio::test]
async fn a_head_with_too_much_in_it_is_refused() {
    let house = House::new().await;
    let many: String = (0..5_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    let wide = format!("x-large: {}\r\n", "x".repeat(1 << 20));
    let named = format!("{}: 1\r\n", "x".repeat(1 << 20));
    for headers in [many, wide, named] {
        let request = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let answer = house.say(&request).await;
        // A client that is cut off while it still writes may miss the answer.
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer}"
        );
    }
    let path = "a".repeat(1 << 20);
    let answer = house
        .say(&format!("GET /{path} HTTP/1.1\r\nhost: x\r\n\r\n"))
        .await;
    assert!(
        answer.is_empty()
            || answer.starts_with("HTTP/1.1 414")
            || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    house.is_open().await;
}

#[tokio::test]
async fn json_of_ten_thousand_levels_is_refused_wherever_json_is_read() {
    let house = House::new().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    for deep in [deep, objects] {
        let mut event = event_of("custom.a", json!("DEEP")).to_string();
        event = event.replace("\"DEEP\"", &deep);
        for (call, kind, body) in [
            ("POST /api/v1/hooks", "application/json", deep.clone()),
            (
                "POST /api/v1/hooks",
                "application/json",
                format!("{{\"env\":{deep}}}"),
            ),
            ("POST /api/v1/events", "application/json", deep.clone()),
            ("POST /api/v1/events", "application/json", event.clone()),
            (
                "POST /api/v1/events",
                "application/cloudevents-batch+json",
                format!("[{event}]"),
            ),
            ("POST /api/events/scripts", "application/json", deep.clone()),
            (
                "POST /api/events/hooks",
                "application/json",
                format!("{{\"x\":{deep}}}"),
            ),
            (
                "POST /api/events/scripts/execute",
                "application/json",
                deep.clone(),
            ),
        ] {
            let answer = house.send(call, kind, body).await;
            let refused = ["400", "404", "405", "422"];
            assert!(
                refused
                    .iter()
                    .any(|code| answer.starts_with(&format!("HTTP/1.1 {code}"))),
                "{call}: {answer}"
            );
        }
        let path = format!("GET /api/tasks?pagination={deep}");
        let answer = house.send(&path, "application/json", String::new()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    house.is_open().await;
}

#[tokio::test]
async fn compressed_bodies_are_not_unpacked() {
    let house = House::new().await;
    for coding in [
        "gzip",
        "br",
        "zstd",
        "deflate",
        "gzip, gzip",
        "identity, gzip",
    ] {
        let head = house.head("POST /api/v1/hooks", "application/json");
        let answer = house
            .say(&format!(
                "{head}content-encoding: {coding}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 415"), "{coding}: {answer}");
    }
    let head = house.head("POST /api/v1/hooks", "application/json");
    let answer = house
        .say(&format!(
            "{head}transfer-encoding: gzip, chunked\r\nconnection: close\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        ))
        .await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    house.is_open().await;
}

#[tokio::test]
async fn path_traversal_reaches_nothing() {
    let house = House::new().await;
    for path in [
        "/api/../healthz",
        "/api/v1/../../healthz",
        "/api/%2e%2e/healthz",
        "/api/v1/hooks/%2e%2e/%2e%2e/%2e%2e/healthz",
        "/%00",
        "/api/v1/hooks/%00",
        "/api/v1/hooks/1%00",
        "/api/v1/hooks/..%2f..%2fhealthz",
        "/api/v1/hooks/..%5c..%5chealthz",
        "/api/v1/hooks/%0d%0ax-evil:%201",
        "/api/v1/hooks/%1b%5b2J",
        "/api/v1/hooks/%ff%fe",
        "/api/v1/hooks/%zz",
        "//api//v1//hooks",
        "//healthz",
        "/healthz/",
        "/healthz;a=b",
        "/./healthz",
        "/api/v1/sources/-1",
        "/api/v1/sources/99999999999999999999999",
        "/api/v1/tasks/1e3",
    ] {
        let answer = house
            .send(&format!("GET {path}"), "application/json", String::new())
            .await;
        assert!(
            answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400"),
            "{path}: {answer}"
        );
        assert!(!answer.contains("\r\nx-evil:"), "{path}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(!body.contains(char::is_control), "{path}: {answer:?}");
        assert!(!body.contains("\\u00"), "{path}: {answer:?}");
    }
    house.is_open().await;
}

#[tokio::test]
async fn malformed_requests_are_refused_before_routing() {
    let house = House::new().await;
    for request in [
        "\r\n\r\n\r\n\0",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n",
        "GET /health\0z HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: \0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: x\r\nx a: 1\r\n\r\n",
        "GET /healthz HTTP/9.9\r\nhost: x\r\n\r\n",
        "GET /healthz\r\n\r\n",
        "POST /api/v1/hooks HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        "POST /api/v1/hooks HTTP/1.1\r\nhost: x\r\ncontent-length: -2\r\n\r\n{}",
        "POST /api/v1/hooks HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n{}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = house.say(request).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{request:?}: {answer}"
        );
    }
    house.is_open().await;
}

#[tokio::test]
async fn garbage_after_a_valid_request_is_refused_and_ends_the_connection() {
    let house = House::new().await;
    let answer = house
        .say("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n\u{1}garbage\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "{answer}");
    house.is_open().await;
}

#[tokio::test]
async fn names_with_control_characters_are_refused() {
    let house = House::new().await;
    for name in ["\0", "a\nb", "\u{1b}[2J", "a\u{7f}", "\u{9b}31m"] {
        let escaped: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        for (call, kind, body) in [
            (
                format!("POST /api/v1/sources?name={escaped}"),
                "text/x-shellscript",
                "echo hi".to_owned(),
            ),
            (
                "POST /api/v1/tokens".to_owned(),
                "application/json",
                json!({"name": name, "role": "viewer"}).to_string(),
            ),
            (
                "POST /api/v1/accounts".to_owned(),
                "application/json",
                json!({"name": name}).to_string(),
            ),
            (
                "POST /api/events/scripts".to_owned(),
                "application/json",
                json!({"name": name, "contents": "echo hi", "description": ""}).to_string(),
            ),
            (
                "POST /api/servers".to_owned(),
                "application/json",
                json!({"name": name}).to_string(),
            ),
        ] {
            let answer = house.send(&call, kind, body).await;
            assert!(
                answer.starts_with("HTTP/1.1 422") || answer.starts_with("HTTP/1.1 400"),
                "{call} {name:?}: {answer}"
            );
        }
    }
    house.is_open().await;
}

/// Eight connections at most, and as many for those whose share is used up.
fn few_connections() -> Capacities {
    let capacity = Capacity::of(16).with_reserve(8);
    Capacities::default().with(Resource::Descriptors, capacity)
}

#[tokio::test]
async fn idle_connections_are_evicted_for_a_request() {
    let app = TestApp::start_with(few_connections()).await;
    let house = House::of(app, Door::default()).await;
    let mut held = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        let begun: &[u8] = if number % 2 == 0 {
            b""
        } else {
            b"GET /healthz HTT"
        };
        // The server may have let go of it already.
        let _ = stream.write_all(begun).await;
        held.push(stream);
    }
    house.is_open().await;
    let ledger = house.app.dispatcher.ledger();
    let levels = ledger.levels();
    let is_it = |level: &&Level| level.resource == Resource::Descriptors;
    let descriptors = levels.iter().find(is_it).unwrap();
    assert!(descriptors.peak <= 16, "{descriptors:?}");
}

#[tokio::test]
async fn connections_that_were_served_once_are_evicted_too() {
    let app = TestApp::start_with(few_connections()).await;
    let house = House::of(app, Door::default()).await;
    let mut held = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        held.push(stream);
    }
    house.is_open().await;
}

#[tokio::test]
async fn a_connection_without_a_further_request_is_eventually_closed() {
    let door = Door {
        keep_alive: SHORT,
        ..Door::default()
    };
    let house = House::with(door).await;
    let answer = house.say("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[tokio::test]
async fn the_listener_for_probes_serves_them_and_nothing_else_whatever_others_hold() {
    let nothing = Capacity::of(0);
    let capacities = Capacities::default()
        .with(Resource::Requests, nothing)
        .with(Resource::Streams, nothing)
        .with(Resource::Descriptors, nothing);
    let app = TestApp::start_with(capacities).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(tenterhook_api::serve_probes(
        listener,
        app.app.clone(),
        std::future::pending(),
    ));
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/api/v1/limits", 404),
        ("/openapi.json", 404),
        ("/", 404),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {answer}"
        );
    }
    serving.abort();
}

#[tokio::test]
async fn a_request_without_one_valid_host_is_400_in_the_form_of_its_api() {
    let house = House::new().await;
    for hosts in [
        "",
        "host: a\r\nhost: b\r\n",
        "host: a\r\nhost: a\r\n",
        "host: a b\r\n",
        "host: a/b\r\n",
        "host: a@b\r\n",
        "host: [::1\r\n",
        "host: a:b\r\n",
        "host: \u{e4}\r\n",
    ] {
        for (call, kind) in [
            ("GET /healthz", "application/problem+json"),
            ("GET /", "application/problem+json"),
            ("GET /nothing", "application/problem+json"),
            ("OPTIONS *", "application/problem+json"),
            ("OPTIONS /api/v1/events", "application/problem+json"),
            ("POST /api/v1/events", "application/problem+json"),
            ("GET /api/tasks", "application/json"),
            (
                "GET /accounts/x/core/v1/hookSources",
                "application/problem+json",
            ),
            ("GET /v2.1/", "application/json"),
            ("GET /v1/maintenance", "application/json"),
        ] {
            let answer = house
                .say(&format!(
                    "{call} HTTP/1.1\r\n{hosts}connection: close\r\n\r\n"
                ))
                .await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{hosts:?}: {answer}");
            assert!(answer.contains(kind), "{hosts:?}: {answer}");
        }
    }
    for host in [
        "a.example",
        "a:8080",
        "[::1]:80",
        "a:",
        "",
        "127.0.0.1",
        "a_b~c",
    ] {
        let answer = house
            .say(&format!(
                "GET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{host:?}: {answer}");
    }
    // Who speaks the older version need not say it.
    let answer = house.say("GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
}

#[tokio::test]
async fn a_client_that_closes_its_side_after_a_request_still_gets_the_reply() {
    let house = House::new().await;
    let script = house.app.script("slow", "sleep 1; echo done").await;
    house.app.hook(script, "custom.a").await;
    let event = event_of("custom.a", json!(1)).to_string();
    let kind = "application/cloudevents+json";
    let head = house.head("POST /api/v1/events?wait=60", kind);
    let wait = format!("{head}content-length: {}\r\n\r\n{event}", event.len());
    let head = house.head("GET /api/v1/sources", "text/plain");
    let list = format!("{head}\r\n");
    let two = format!("{list}{list}");
    for (sent, replies) in [(&wait, 1), (&list, 1), (&two, 2)] {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.matches("HTTP/1.1 200").count(), replies, "{answer}");
        assert!(!answer.contains("\"state\":\"WAITING\""), "{answer}");
    }
    house.is_open().await;
}

#[tokio::test]
async fn a_client_that_closes_its_side_still_gets_the_whole_output_of_a_finished_execution() {
    let house = House::new().await;
    let script = house
        .app
        .script("done", "echo first; echo second >&2")
        .await;
    house.app.hook(script, "custom.a").await;
    house.app.fire("custom.a", json!(1)).await;
    let list = house.app.get("/api/v1/executions").await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    let head = house.head(&format!("GET /api/v1/executions/{id}/output"), "text/plain");
    for _ in 0..20 {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        let request = format!("{head}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        for event in ["first", "second", "event: end", "FINISHED"] {
            assert!(answer.contains(event), "{event}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_request_that_breaks_off_does_not_block_the_connection() {
    let house = House::new().await;
    let head = house.head(
        "POST /api/v1/events?wait=60",
        "application/cloudevents+json",
    );
    for begun in [
        format!("{head}content-length: 1000\r\n\r\n{{"),
        format!("{head}transfer-encoding: chunked\r\n\r\n1\r\n{{\r\n"),
        head,
    ] {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
    house.is_open().await;
}

#[tokio::test]
async fn a_client_that_left_holds_its_wait_no_longer_than_it_asked_for_and_no_stream() {
    let house = House::new().await;
    let script = house.app.script("slow", "echo begun; sleep 1h").await;
    house.app.hook(script, "custom.a").await;
    let kind = "application/cloudevents+json";
    let event = event_of("custom.a", json!(1)).to_string();
    let posted = house.send("POST /api/v1/events", kind, event).await;
    assert!(posted.starts_with("HTTP/1.1 202"), "{posted}");
    let list = house.app.get("/api/v1/executions").await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();

    let ledger = house.app.dispatcher.ledger();
    let event = event_of("custom.a", json!(2)).to_string();
    let head = house.head("POST /api/v1/events?wait=0.5", kind);
    let wait = format!("{head}content-length: {}\r\n\r\n{event}", event.len());
    let head = house.head(&format!("GET /api/v1/executions/{id}/output"), kind);
    for sent in [wait, format!("{head}\r\n")] {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        while ledger.taken(Resource::Streams) == 0 {
            tokio::task::yield_now().await;
        }
        drop(stream);
        while ledger.taken(Resource::Streams) > 0 {
            tokio::time::sleep(SHORT).await;
        }
    }
    house.is_open().await;
}
