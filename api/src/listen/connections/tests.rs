//! Which connections are evicted when there is no more room.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::FutureExt as _;
use tenterhook_ledger::{Capacities, Capacity};

use super::*;

const ACCOUNT: Holder = Holder::Account(7);

fn client(last: u8) -> Holder {
    Holder::client(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
}

/// Twenty descriptors, of which the operator alone may use four: one client has at
/// most twelve of the rest.
fn connections() -> Connections {
    let capacity = Capacity::of(20).with_reserve(4);
    let capacities = Capacities::default().with(Resource::Descriptors, capacity);
    Connections::new(Ledger::new(capacities), Audience::Clients)
}

async fn enter(connections: &Connections, client: Holder, count: usize) -> Vec<Connection> {
    let mut entered = Vec::new();
    for _ in 0..count {
        entered.push(connections.enter(client).await);
    }
    entered
}

fn asked(connections: &[Connection]) -> Vec<bool> {
    let asked = connections.iter();
    asked.map(|one| one.slot.leave.is_cancelled()).collect()
}

#[tokio::test]
async fn newcomers_beyond_their_share_use_the_reserve() {
    let connections = connections();
    let crowd = enter(&connections, client(1), 16).await;
    let newcomers = crowd.iter().filter(|one| one.slot.is_newcomer()).count();
    assert_eq!(newcomers, 4);
    // Another client has its own share.
    let other = enter(&connections, client(2), 1).await;
    assert!(!other[0].slot.is_newcomer());
    assert_eq!(asked(&crowd), [false; 16]);
}

#[tokio::test]
async fn the_longest_idle_connections_of_the_same_client_are_evicted() {
    let connections = connections();
    let other = enter(&connections, client(2), 1).await;
    let mut crowd = enter(&connections, client(1), 15).await;
    // The first is being answered, the second was answered just now.
    let answering = crowd[0].answering()();
    tokio::task::yield_now().await;
    drop(crowd[1].answering()());
    {
        let mut newcomer = std::pin::pin!(connections.enter(client(1)));
        assert!(newcomer.as_mut().now_or_never().is_none());
    }
    assert_eq!(asked(&other), [false]);
    let asked_to_leave = asked(&crowd);
    assert_eq!(asked_to_leave.iter().filter(|asked| **asked).count(), 14);
    assert!(!asked_to_leave[0]);
    crowd.remove(5);
    connections.enter(client(1)).now_or_never().unwrap();
    drop(answering);
}

#[tokio::test]
async fn a_newcomer_is_charged_to_its_account_or_closed() {
    let connections = connections();
    let crowd = enter(&connections, client(1), 16).await;
    let newcomer = crowd.iter().find(|one| one.slot.is_newcomer()).unwrap();
    newcomer.slot.charge_to(ACCOUNT).unwrap();
    assert!(!newcomer.slot.is_newcomer());
    let newcomer = crowd.iter().find(|one| one.slot.is_newcomer()).unwrap();
    let shortage = newcomer.slot.charge_to(client(1)).unwrap_err();
    assert_eq!(shortage.resource, Resource::Descriptors);
}

#[tokio::test]
async fn a_connection_stays_with_its_payer_if_the_account_has_no_room() {
    let connections = connections();
    let others = enter(&connections, client(2), 12).await;
    for one in &others {
        one.slot.charge_to(ACCOUNT).unwrap();
    }
    let own = enter(&connections, client(1), 1).await;
    own[0].slot.charge_to(ACCOUNT).unwrap();
    assert_eq!(own[0].slot.state.lock().guard.holder(), client(1));
}

#[tokio::test]
async fn a_proxys_client_has_its_own_share() {
    let connections = connections();
    let proxy = client(9);
    let mut crowd = Vec::new();
    for _ in 0..14 {
        let connection = connections.enter(proxy).await;
        if connection.is_of(client(1)).is_ok() {
            crowd.push(connection);
        }
    }
    let other = connections.enter(proxy).await;
    other.is_of(client(2)).unwrap();
    assert_eq!(other.slot.state.lock().guard.holder(), client(2));
}

#[tokio::test]
async fn a_request_that_outlives_its_connection_holds_nothing_of_it() {
    let connections = connections();
    let connection = connections.enter(client(1)).await;
    let slot = Arc::clone(connection.slot());
    drop(connection);
    let ledger = &connections.shared.ledger;
    assert_eq!(ledger.held(client(1), Resource::Descriptors), 0);
    assert_eq!(ledger.held(client(1), Resource::Memory), 0);
    drop(slot);
    connections.all_ended().await;
}

#[tokio::test]
async fn the_keep_alive_timeout_differs_from_the_head_timeout() {
    let hour = Duration::from_secs(60 * 60);
    let door = Door {
        head: 3 * hour,
        keep_alive: 9 * hour,
        ..Door::default()
    };
    let connections = connections();
    let connection = connections.enter(client(1)).await;
    let slot = connection.slot();
    let hours_left = || {
        let left = slot.read_deadline(&door)? - Instant::now();
        Some(left.as_secs().div_ceil(hour.as_secs()))
    };
    assert_eq!(hours_left(), Some(3), "nothing was said yet");
    slot.note_read();
    let deadline = slot.read_deadline(&door);
    slot.note_read();
    assert_eq!(slot.read_deadline(&door), deadline, "a head has begun");
    let answering = connection.answering()();
    assert_eq!(hours_left(), None);
    slot.note_read();
    drop(answering);
    assert_eq!(hours_left(), Some(9), "between two requests");
    slot.note_read();
    assert_eq!(hours_left(), Some(3), "the next head has begun");
}

#[tokio::test]
async fn probes_are_accepted_whatever_others_hold() {
    let connections = connections();
    let _crowd = enter(&connections, client(1), 16).await;
    let ledger = connections.shared.ledger.clone();
    let probes = Connections::new(ledger, Audience::Probes);
    let waiting = enter(&probes, client(1), PROBES).await;
    {
        let mut newcomer = std::pin::pin!(probes.enter(client(1)));
        assert!(newcomer.as_mut().now_or_never().is_none());
    }
    assert!(asked(&waiting)[0]);
    assert_eq!(asked(&waiting).iter().filter(|asked| **asked).count(), 16);
}
