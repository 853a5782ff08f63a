//! Malicious receivers, and addresses that lead inside.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header;
use tenterhook_delivery::{Destinations, Settings, Status};

use crate::receiver::Receiver;
use crate::support::{ACCOUNT, event, offer, quick, start, subscribe, until_status, until_tried};

/// Takes connections on a thread of its own and lets `talk` treat each, after the
/// request's head has been read.
fn hostile(talk: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let talk = Arc::new(talk);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, talk) = (stream.unwrap(), Arc::clone(&talk));
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                talk(&mut stream);
            });
        }
    });
    address
}

/// Settings under which one attempt ends soon and the next is far away.
fn one_attempt() -> Settings {
    Settings {
        timeout: Duration::from_millis(500),
        pause: Duration::from_secs(3_600),
        ..quick()
    }
}

#[tokio::test]
async fn an_endless_response_is_not_read_to_its_end() {
    let written = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&written);
    let address = hostile(move |stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n");
        // Stops when the other side has gone; 1 GiB would be reached if it never did.
        while counted.load(Ordering::Relaxed) < 1 << 30 && stream.write_all(&[b'x'; 65_536]).is_ok()
        {
            counted.fetch_add(65_536, Ordering::Relaxed);
        }
    });
    let (webhooks, _) = start(quick()).await;
    let to = subscribe(&webhooks, format!("http://{address}/")).await;
    offer(&webhooks, "1").await;
    until_status(&webhooks, &to, Status::Delivered).await;
    // The buffers of both sides hold more than what was read.
    assert!(written.load(Ordering::Relaxed) < 64 << 20);
}

#[tokio::test]
async fn a_response_that_trickles_in_ends_with_the_attempt() {
    let address = hostile(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x: y\r\n").is_ok() {
            std::thread::park_timeout(Duration::from_millis(50));
        }
    });
    let (webhooks, _) = start(one_attempt()).await;
    let to = subscribe(&webhooks, format!("http://{address}/")).await;
    offer(&webhooks, "1").await;
    let delivery = until_tried(&webhooks, &to, 1).await;
    assert_eq!(delivery.status, Status::Waiting);
    assert_eq!(delivery.response.as_deref(), Some("no answer within 500ms"));
}

#[tokio::test]
async fn a_body_that_trickles_in_ends_with_the_attempt_and_the_status_counts() {
    let address = hostile(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 1000000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::park_timeout(Duration::from_millis(50));
        }
    });
    let (webhooks, _) = start(one_attempt()).await;
    let to = subscribe(&webhooks, format!("http://{address}/")).await;
    offer(&webhooks, "1").await;
    let delivery = until_status(&webhooks, &to, Status::Delivered).await;
    assert_eq!(delivery.response.as_deref(), Some("answered 202 Accepted"));
}

#[tokio::test]
async fn an_endpoint_that_never_answers_is_not_waited_for() {
    let address = hostile(|stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let (webhooks, _) = start(one_attempt()).await;
    let to = subscribe(&webhooks, format!("http://{address}/")).await;
    offer(&webhooks, "1").await;
    let delivery = until_tried(&webhooks, &to, 1).await;
    assert_eq!(delivery.response.as_deref(), Some("no answer within 500ms"));
}

#[tokio::test]
async fn heads_that_are_too_large_or_not_http_are_failures() {
    let answers: [Vec<u8>; 6] = [
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1 << 20)).into(),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(100_000)).into(),
        format!("HTTP/1.1 200 {}", "y".repeat(1 << 20)).into(),
        b"HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000),
        vec![0; 1 << 20],
        Vec::new(),
    ];
    for answer in answers {
        let begin = String::from_utf8_lossy(&answer[..answer.len().min(30)]).into_owned();
        let address = hostile(move |stream| {
            let _ = stream.write_all(&answer);
        });
        let (webhooks, _) = start(one_attempt()).await;
        let to = subscribe(&webhooks, format!("http://{address}/")).await;
        offer(&webhooks, "1").await;
        let delivery = until_tried(&webhooks, &to, 1).await;
        let response = delivery.response.unwrap();
        assert_eq!(delivery.status, Status::Waiting, "{begin:?}: {response}");
        assert!(response.chars().count() <= 500 && !response.contains(char::is_control));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inside, outside) = (Receiver::start().await, Receiver::start().await);
    for status in [301, 302, 303, 307, 308] {
        outside.will_answer_with(status, header::LOCATION, &inside.url());
    }
    let settings = Settings {
        attempts: 5,
        ..quick()
    };
    let (webhooks, _) = start(settings).await;
    let to = subscribe(&webhooks, outside.url()).await;
    offer(&webhooks, "1").await;
    let delivery = until_status(&webhooks, &to, Status::Failed).await;
    assert!(
        delivery
            .response
            .unwrap()
            .ends_with("redirects are not followed")
    );
    assert_eq!(outside.received().len(), 5);
    assert!(inside.received().is_empty());
}

#[tokio::test]
async fn private_addresses_are_not_called() {
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    let settings = Settings {
        destinations: Destinations::Public,
        ..one_attempt()
    };
    let (webhooks, _) = start(settings).await;
    for host in [
        "127.0.0.1",
        // A name, so that what it leads to is judged and not how it is written.
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "0.0.0.0",
        "0",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "１２７.0.0.1",
        "169.254.169.254",
    ] {
        let to = subscribe(&webhooks, format!("http://{host}:{port}/")).await;
        webhooks.offer(ACCOUNT, &event(host), None).await.unwrap();
        let delivery = until_tried(&webhooks, &to, 1).await;
        assert!(
            delivery
                .response
                .unwrap()
                .starts_with("not sent: the address is private"),
            "{host}"
        );
        assert_eq!(delivery.status, Status::Waiting);
        webhooks.unsubscribe(ACCOUNT, to.id).await.unwrap();
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_name_of_a_private_address_is_called_where_the_operator_allows_it() {
    let receiver = Receiver::start().await;
    let (webhooks, _) = start(quick()).await;
    let port = receiver.address.port();
    let to = subscribe(&webhooks, format!("http://localhost:{port}/")).await;
    offer(&webhooks, "1").await;
    until_status(&webhooks, &to, Status::Delivered).await;
}

#[tokio::test]
async fn nothing_is_sent_over_https_to_an_endpoint_without_tls() {
    let receiver = Receiver::start().await;
    let (webhooks, _) = start(one_attempt()).await;
    let to = subscribe(&webhooks, format!("https://{}/", receiver.address)).await;
    offer(&webhooks, "1").await;
    let delivery = until_tried(&webhooks, &to, 1).await;
    assert_eq!(delivery.status, Status::Waiting);
    assert!(receiver.received().is_empty());
}
