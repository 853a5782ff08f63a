//! Failures are counted, forgiven with time and forgotten within bounds.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

const LIMITS: FailureLimits = FailureLimits {
    address: Quota {
        burst: 4,
        refill: Duration::from_secs(1),
    },
    name: Quota {
        burst: 2,
        refill: Duration::from_secs(6),
    },
    keys: 8,
};

fn client(address: impl Into<IpAddr>) -> Client {
    let mut extensions = Extensions::new();
    extensions.insert(ConnectInfo(SocketAddr::new(address.into(), 1)));
    Client::of(&extensions)
}

fn here() -> Client {
    client(Ipv4Addr::new(192, 0, 2, 1))
}

fn token(from: Client, secret: &str) -> Attempt<'_> {
    Attempt {
        from,
        name: None,
        secret,
    }
}

fn login<'a>(name: &'a str, secret: &'a str) -> Attempt<'a> {
    Attempt {
        name: Some(name),
        ..token(here(), secret)
    }
}

fn waits(failures: &Failures, attempt: Attempt<'_>, now: Instant) -> Option<u64> {
    failures.wait(attempt, now).map(|wait| wait.as_secs())
}

fn fail(failures: &Failures, attempt: Attempt<'_>, now: Instant) {
    failures.failed(attempt, Refusal::InvalidToken, now);
}

#[test]
fn an_address_that_fails_too_often_waits_until_its_quota_recovers() {
    let (failures, now) = (Failures::new(LIMITS), Instant::now());
    for _ in 0..4 {
        assert_eq!(waits(&failures, token(here(), "x"), now), None);
        fail(&failures, token(here(), "x"), now);
    }
    assert_eq!(waits(&failures, token(here(), "y"), now), Some(1));
    let later = now + Duration::from_secs(1);
    assert_eq!(waits(&failures, token(here(), "y"), later), None);
    fail(&failures, token(here(), "y"), later);
    assert_eq!(waits(&failures, token(here(), "z"), later), Some(1));
}

#[test]
fn a_user_name_waits_longer_and_other_names_do_not() {
    let (failures, now) = (Failures::new(LIMITS), Instant::now());
    for _ in 0..2 {
        fail(&failures, login("ada", "x"), now);
    }
    assert_eq!(waits(&failures, login("ada", "y"), now), Some(6));
    assert_eq!(waits(&failures, login("eve", "y"), now), None);
    assert_eq!(waits(&failures, token(here(), "y"), now), None);
}

#[test]
fn other_addresses_do_not_wait_even_under_the_same_name() {
    let (failures, now) = (Failures::new(LIMITS), Instant::now());
    for _ in 0..10 {
        fail(&failures, login("ada", "x"), now);
    }
    let elsewhere = Attempt {
        from: client(Ipv4Addr::new(192, 0, 2, 2)),
        ..login("ada", "y")
    };
    assert_eq!(waits(&failures, elsewhere, now), None);
}

#[tokio::test]
async fn a_secret_that_was_right_is_looked_up_without_waiting_for_a_turn() {
    let (failures, now) = (Failures::new(LIMITS), Instant::now());
    failures.succeeded("right");
    for _ in 0..10 {
        fail(&failures, login("ada", "x"), now);
    }
    let mut turns = Vec::new();
    for _ in 0..100 {
        turns.push(failures.look_up(login("ada", "right"), now).await);
    }
    assert!(turns.iter().all(Option::is_some));
}

#[test]
fn beyond_the_quota_a_failure_is_refused_and_counts_no_more() {
    let (failures, now) = (Failures::new(LIMITS), Instant::now());
    let refusals = |n: usize| {
        let refused =
            (0..n).map(|_| failures.failed(token(here(), "x"), Refusal::InvalidToken, now));
        refused.collect::<Vec<_>>()
    };
    assert_eq!(refusals(4), vec![Refusal::InvalidToken; 4]);
    let retry_after = Duration::from_secs(1);
    assert_eq!(
        refusals(9),
        vec![Refusal::TooManyFailures { retry_after }; 9]
    );
}

#[test]
fn one_customers_ipv6_addresses_are_one() {
    let address = |text: &str| client(text.parse::<IpAddr>().unwrap());
    assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
    assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
    assert_eq!(address("::ffff:192.0.2.1"), here());
}

#[test]
fn a_flood_of_names_and_addresses_is_bounded_and_hides_no_attacker() {
    let (failures, now) = (Failures::new(LIMITS), Instant::now());
    for _ in 0..10 {
        fail(&failures, login("ada", "x"), now);
    }
    for n in 0..1_000_u32 {
        let name = format!("name-{n}");
        let from = client(Ipv4Addr::from_bits(n));
        let attempt = Attempt {
            from,
            ..login(&name, "x")
        };
        fail(&failures, attempt, now);
    }
    assert_eq!(failures.addresses.lock().len(), LIMITS.keys);
    assert_eq!(failures.names.lock().len(), LIMITS.keys);
    assert!(waits(&failures, login("ada", "y"), now).is_some());
}

#[test]
fn secrets_that_are_remembered_are_bounded() {
    let failures = Failures::new(LIMITS);
    for n in 0..KNOWN_MOST + 10 {
        failures.succeeded(&n.to_string());
    }
    assert!(failures.known.lock().len() <= KNOWN_MOST);
}

proptest! {
    /// However the attempts are spread over time, no more are reported as wrong than the
    /// quota and the time that has passed allow.
    #[test]
    fn no_more_failures_are_reported_as_wrong_than_the_quota_allows(pauses in prop::collection::vec(0_u64..3_000, 1..60)) {
        let (failures, start) = (Failures::new(LIMITS), Instant::now());
        let (mut now, mut looked_at) = (start, 0);
        for pause in pauses {
            now += Duration::from_millis(pause);
            let refusal = failures.failed(token(here(), "x"), Refusal::InvalidToken, now);
            looked_at += u64::from(refusal == Refusal::InvalidToken);
            let seconds = now.duration_since(start).as_secs();
            prop_assert!(looked_at <= u64::from(LIMITS.address.burst) + seconds);
        }
    }
}
