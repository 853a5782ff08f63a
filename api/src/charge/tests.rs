//! Who holds what of a request, and when it is given back.

use std::net::{IpAddr, Ipv4Addr};

use http_body_util::BodyExt as _;
use tenterhook_ledger::{Capacities, Capacity, Strangers};

use super::*;

fn ledger() -> Ledger {
    let capacities = Capacities::default()
        .with(Resource::Requests, Capacity::of(4))
        .with(Resource::Streams, Capacity::of(2))
        .with(Resource::Memory, Capacity::of(4 << 20));
    Ledger::new(capacities)
}

fn client() -> Holder {
    Holder::client(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

const ACCOUNT: Holder = Holder::Account(7);

fn held(ledger: &Ledger, holder: Holder, resource: Resource) -> u64 {
    ledger.held(holder, resource)
}

#[test]
fn a_request_is_charged_to_the_address_until_its_account_is_known() {
    let ledger = ledger();
    let charge = Charge::begin(&ledger, client(), None);
    assert_eq!(held(&ledger, client(), Resource::Requests), 1);
    charge.charge_to(ACCOUNT).unwrap();
    assert_eq!(held(&ledger, client(), Resource::Requests), 0);
    assert_eq!(held(&ledger, ACCOUNT, Resource::Requests), 1);
    drop(charge);
    assert_eq!(held(&ledger, ACCOUNT, Resource::Requests), 0);
    assert_eq!(held(&ledger, ACCOUNT, Resource::Memory), 0);
}

#[test]
fn an_address_that_has_used_up_its_share_keeps_no_account_out() {
    let ledger = ledger();
    let crowd: Vec<_> = (0..10)
        .map(|_| Charge::begin(&ledger, client(), None))
        .collect();
    let last = crowd.last().unwrap();
    let Err(Refusal::Shortage(shortage)) = last.admit() else {
        panic!("it was let in");
    };
    assert_eq!(shortage.resource, Resource::Requests);
    last.charge_to(ACCOUNT).unwrap();
    assert_eq!(held(&ledger, ACCOUNT, Resource::Requests), 1);
}

#[test]
fn addresses_that_use_up_the_strangers_share_keep_no_account_out() {
    let strangers = Strangers {
        kept: 2,
        most: 8,
        floor: 1,
    };
    let capacity = Capacity::of(32).with_strangers(strangers).with_floor(2);
    let ledger = Ledger::new(Capacities::default().with(Resource::Requests, capacity));
    let mut crowd = Vec::new();
    for last in 0..12 {
        let client = Holder::client(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)));
        crowd.extend((0..6).map(|_| Charge::begin(&ledger, client, None)));
    }
    let let_in = crowd.iter().filter(|charge| charge.admit().is_ok());
    assert_eq!(let_in.count(), 8);
    // A client with a token is admitted beside them, and holds none of their slots.
    let own: Vec<_> = (0..4)
        .map(|_| Charge::begin(&ledger, client(), None))
        .collect();
    for charge in &own {
        charge.charge_to(ACCOUNT).unwrap();
    }
    assert_eq!(held(&ledger, ACCOUNT, Resource::Requests), 4);
}

#[test]
fn an_operator_gets_the_reserve_when_all_else_is_used_up() {
    let capacity = Capacity::of(4).with_reserve(1);
    let capacities = Capacities::default().with(Resource::Requests, capacity);
    let ledger = Ledger::new(capacities);
    let others: Vec<_> = (0..9)
        .map(|n| {
            let charge = Charge::begin(&ledger, client(), None);
            let _ = charge.charge_to(Holder::Account(n));
            charge
        })
        .collect();
    let charge = others.last().unwrap();
    assert!(charge.charge_to(ACCOUNT).is_err());
    charge.charge_to_reserve(ACCOUNT).unwrap();
    assert_eq!(held(&ledger, Holder::Operator, Resource::Requests), 1);
}

#[test]
fn a_waiting_client_frees_its_request_slot() {
    let ledger = ledger();
    let charge = Charge::begin(&ledger, client(), None);
    charge.charge_to(ACCOUNT).unwrap();
    charge.become_stream().unwrap();
    charge.become_stream().unwrap();
    assert_eq!(held(&ledger, ACCOUNT, Resource::Requests), 0);
    assert_eq!(held(&ledger, ACCOUNT, Resource::Streams), 1);
}

#[tokio::test]
async fn a_large_reply_counts_until_it_has_been_received() {
    let ledger = ledger();
    let charge = Charge::begin(&ledger, client(), None);
    let pieces = || Body::from(vec![0; 1 << 20]);
    let reply = charge.replied(Response::new(pieces())).unwrap();
    drop(charge);
    let before = held(&ledger, client(), Resource::Memory);
    assert_eq!(before, REQUEST_BYTES + (1 << 20));
    reply.into_body().collect().await.unwrap();
    assert_eq!(held(&ledger, client(), Resource::Memory), 0);
}

#[tokio::test]
async fn a_body_without_memory_for_it_breaks_off_with_the_shortage() {
    let ledger = ledger();
    let charge = Charge::begin(&ledger, client(), None);
    let error = charge
        .received(Body::from(vec![0; 8 << 20]))
        .collect()
        .await
        .unwrap_err();
    let refusal = crate::body::broken(&error);
    assert!(matches!(refusal, Refusal::Shortage(_)), "{refusal:?}");
    assert_eq!(held(&ledger, client(), Resource::Memory), REQUEST_BYTES);
}
