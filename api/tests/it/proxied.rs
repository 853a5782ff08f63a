//! Behind a proxy: which peers are trusted, and what clients gain from it.

use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use tenterhook_api::{Door, FailureLimits, Proxies, ProxyProtocol, Quota};
use tenterhook_dispatch::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::House;
use crate::support::{Answer, TestApp};

const PROXY: &str = "192.0.2.1";

const LIMITS: FailureLimits = FailureLimits {
    address: Quota {
        burst: 2,
        refill: Duration::from_secs(3_600),
    },
    name: Quota {
        burst: 2,
        refill: Duration::from_secs(3_600),
    },
    keys: 64,
};

fn trusting(network: &str, protocol: ProxyProtocol) -> Proxies {
    Proxies::new([network.parse().unwrap()], protocol)
}

async fn wrong_token(app: &TestApp, from: &str, header: (&'static str, &str)) -> Answer {
    let call = app.call_as("th_wrong", Method::GET, "/api/v1/limits").await;
    call.from(from).header(header.0, header.1).send().await
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_are_distinguished() {
    let app = TestApp::start().await.with_failure_limits(LIMITS);
    let app = app.with_proxies(trusting(PROXY, ProxyProtocol::Off));
    for _ in 0..2 {
        wrong_token(&app, PROXY, ("x-forwarded-for", "203.0.113.5"))
            .await
            .expect_problem(401, "/problems/unauthenticated");
    }
    for header in [
        ("x-forwarded-for", "198.51.100.7, 203.0.113.5"),
        ("forwarded", "for=198.51.100.7, for=203.0.113.5"),
    ] {
        wrong_token(&app, PROXY, header)
            .await
            .expect_problem(429, "/problems/too-many-failures");
    }
    wrong_token(&app, PROXY, ("x-forwarded-for", "203.0.113.6"))
        .await
        .expect_problem(401, "/problems/unauthenticated");
}

#[tokio::test]
async fn no_other_peer_can_name_another_client() {
    let app = TestApp::start().await.with_failure_limits(LIMITS);
    let app = app.with_proxies(trusting(PROXY, ProxyProtocol::Off));
    for n in 0..2 {
        let forged = format!("203.0.113.{n}");
        wrong_token(&app, "192.0.2.9", ("x-forwarded-for", &forged))
            .await
            .expect_problem(401, "/problems/unauthenticated");
    }
    wrong_token(&app, "192.0.2.9", ("x-forwarded-for", "203.0.113.9"))
        .await
        .expect_problem(429, "/problems/too-many-failures");
}

#[tokio::test]
async fn an_audit_record_names_the_client_behind_the_proxy() {
    let app = TestApp::start().await;
    let app = app.with_proxies(trusting(PROXY, ProxyProtocol::Off));
    let script = app.script("audit", "jq -r .ip").await;
    app.hook(script, "OnAudit").await;
    let call = app.call(Method::DELETE, "/api/v1/hooks/99").await;
    let call = call.from(PROXY).header("x-forwarded-for", "203.0.113.5");
    call.send().await.expect(404);
    let tasks = app.get("/api/v1/tasks?event=OnAudit&limit=1").await;
    let newest = tasks.expect(200)["items"][0]["number"].as_i64().unwrap();
    app.ended(newest).await;
    let task = app
        .get(&format!("/api/v1/tasks/{newest}"))
        .await
        .expect(200);
    assert_eq!(task["executions"][0]["stdout"], "203.0.113.5\n", "{task}");
}

/// A header of PROXY protocol v2 for a connection from this address.
fn header(source: [u8; 4]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".to_vec();
    header.extend_from_slice(&source);
    header.extend_from_slice(&[192, 0, 2, 1, 0x12, 0x34, 0, 80]);
    header
}

async fn house(trusted: &str) -> House {
    let app = TestApp::start().await.with_failure_limits(LIMITS);
    let app = app.with_proxies(trusting(trusted, ProxyProtocol::Required));
    House::of(app, Door::default()).await
}

async fn say(to: SocketAddr, parts: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    for part in parts {
        let _ = stream.write_all(part).await;
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

const WRONG: &[u8] = b"GET /api/v1/limits HTTP/1.1\r\nhost: x\r\nauthorization: Bearer th_wrong\r\nconnection: close\r\n\r\n";
const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn the_proxy_protocol_distinguishes_clients() {
    let house = house("127.0.0.1").await;
    for (source, status) in [(5, 401), (5, 401), (5, 429), (6, 401)] {
        let answer = say(house.address, &[&header([203, 0, 113, source]), WRONG]).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    // A proxy that checks on its own says so.
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
    let answer = say(house.address, &[local, HEALTH]).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_trusted_proxy_without_a_valid_header_is_not_served() {
    let house = house("127.0.0.0/8").await;
    let mut of_datagrams = header([203, 0, 113, 5]);
    of_datagrams[13] = 0x12;
    for begun in [
        &b""[..],
        b"PROXY TCP4 203.0.113.5 192.0.2.1 1 80\r\n",
        &of_datagrams,
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
    ] {
        let answer = say(house.address, &[begun, HEALTH]).await;
        assert_eq!(answer, "", "{begun:?}");
    }
}

#[tokio::test]
async fn the_header_of_any_other_peer_is_not_a_request() {
    let house = house("192.0.2.1").await;
    let answer = say(house.address, &[&header([203, 0, 113, 5]), HEALTH]).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let answer = say(house.address, &[HEALTH]).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_valid_token_is_accepted_through_a_proxy_that_passes_wrong_ones() {
    let app = TestApp::start().await.with_failure_limits(LIMITS);
    for _ in 0..70 {
        wrong_token(&app, PROXY, ("x-forwarded-for", "203.0.113.5")).await;
    }
    let secret = app.token(Role::Owner).await;
    let call = app.call_as(&secret, Method::GET, "/api/v1/limits").await;
    call.from(PROXY).send().await.expect(200);
}
