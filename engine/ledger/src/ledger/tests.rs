//! What the ledger promises, for any order of requests.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::*;
use crate::capacity::{Capacity, Strangers};

const A: Holder = Holder::Account(1);
const B: Holder = Holder::Account(2);

fn ledger(resource: Resource, capacity: Capacity) -> Ledger {
    Ledger::new(Capacities::default().with(resource, capacity))
}

fn client(last: u8) -> Holder {
    Holder::client(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
}

fn slots(amount: u64) -> Amounts {
    Amounts::of(Resource::RunSlots, amount)
}

#[test]
fn a_holder_that_takes_all_it_can_leaves_a_part_to_the_next() {
    let ledger = ledger(Resource::RunSlots, Capacity::of(64));
    let taken: Vec<_> = std::iter::from_fn(|| ledger.take(A, slots(1)).ok()).collect();
    assert_eq!(taken.len(), 48);
    let refused = ledger.take(A, slots(1)).unwrap_err();
    assert_eq!(
        (refused.scope, refused.is_lasting()),
        (Scope::Holder, false)
    );
    assert!(ledger.take(B, slots(8)).is_ok());
}

#[test]
fn a_dropped_amount_can_be_taken_again() {
    let ledger = ledger(Resource::RunSlots, Capacity::of(1));
    let guard = ledger.take(A, slots(1)).unwrap();
    assert_eq!(ledger.take(B, slots(1)).unwrap_err().scope, Scope::Host);
    drop(guard);
    let _guard = ledger.take(B, slots(1)).unwrap();
    assert_eq!(ledger.held(A, Resource::RunSlots), 0);
}

#[test]
fn only_the_operator_reaches_the_reserve() {
    let capacity = Capacity::of(10).with_reserve(10);
    let ledger = ledger(Resource::RunSlots, capacity);
    assert!(ledger.take(A, slots(1)).is_err());
    assert!(ledger.take(Holder::Operator, slots(10)).is_ok());
}

#[test]
fn amounts_are_taken_all_or_nothing() {
    let capacities = Capacities::default()
        .with(Resource::RunSlots, Capacity::of(10))
        .with(Resource::Memory, Capacity::of(100));
    let ledger = Ledger::new(capacities);
    let refused = ledger.take(A, slots(1).and(Resource::Memory, 1_000));
    assert_eq!(refused.unwrap_err().resource, Resource::Memory);
    assert_eq!(ledger.held(A, Resource::RunSlots), 0);
}

#[test]
fn an_amount_beyond_the_capacity_is_a_lasting_shortage() {
    let ledger = ledger(Resource::Memory, Capacity::of(100));
    let refused = ledger.take(A, Amounts::of(Resource::Memory, 76));
    assert!(refused.unwrap_err().is_lasting());
    assert_eq!(ledger.most(Resource::Memory), 75);
}

#[test]
fn a_guard_grows_shrinks_and_changes_hands() {
    let ledger = ledger(Resource::Memory, Capacity::of(100));
    let mut guard = ledger.empty(A);
    guard.grow(Resource::Memory, 50).unwrap();
    assert!(guard.grow(Resource::Memory, 50).is_err());
    guard.shrink(Resource::Memory, 20);
    guard.transfer(B).unwrap();
    assert_eq!(ledger.held(A, Resource::Memory), 0);
    assert_eq!(ledger.held(B, Resource::Memory), 30);
    drop(guard);
    assert_eq!(ledger.held(B, Resource::Memory), 0);
}

#[test]
fn a_part_of_a_guard_can_be_kept_longer_than_the_rest() {
    let ledger = ledger(Resource::Memory, Capacity::of(100));
    let mut guard = ledger.take(A, Amounts::of(Resource::Memory, 50)).unwrap();
    let kept = guard.split(Resource::Memory, 20);
    drop(guard);
    assert_eq!(ledger.held(A, Resource::Memory), 20);
    drop(kept);
    assert_eq!(ledger.held(A, Resource::Memory), 0);
}

#[test]
fn the_owner_of_a_resource_sets_its_capacity() {
    let ledger = Ledger::default();
    ledger.provide(Resource::Stacks, Capacity::of(4));
    assert_eq!(ledger.most(Resource::Stacks), 3);
    assert_eq!(ledger.most(Resource::Memory), u64::MAX);
}

#[test]
fn a_guard_is_not_transferred_to_a_holder_without_room() {
    let ledger = ledger(Resource::Memory, Capacity::of(100));
    let _others = ledger.take(B, Amounts::of(Resource::Memory, 50)).unwrap();
    let mut guard = ledger.take(A, Amounts::of(Resource::Memory, 30)).unwrap();
    assert!(guard.transfer(B).is_err());
    assert_eq!(guard.holder(), A);
    assert_eq!(ledger.held(A, Resource::Memory), 30);
}

#[test]
fn measured_amounts_count_like_taken_ones() {
    let ledger = ledger(Resource::Disk, Capacity::of(100));
    ledger.record(A, Resource::Disk, 120);
    assert_eq!(ledger.room(A, Resource::Disk), 0);
    ledger.record(A, Resource::Disk, 20);
    assert_eq!(ledger.room(A, Resource::Disk), 55);
}

#[tokio::test]
async fn a_waiter_is_notified_when_something_is_returned() {
    let ledger = ledger(Resource::RunSlots, Capacity::of(1));
    let guard = ledger.take(A, slots(1)).unwrap();
    let freed = ledger.freed();
    drop(guard);
    freed.await;
}

#[test]
fn levels_report_taken_and_refused_amounts() {
    let ledger = ledger(Resource::RunSlots, Capacity::of(4));
    let guard = ledger.take(A, slots(3)).unwrap();
    assert!(ledger.take(A, slots(1)).is_err());
    drop(guard);
    let levels = ledger.levels();
    let level = levels[Resource::RunSlots as usize];
    assert_eq!((level.taken, level.peak, level.refused), (0, 3, 1));
    assert_eq!((level.total, level.holders), (4, 0));
}

proptest! {
    #[test]
    fn nothing_is_ever_overbooked_and_everything_is_returned(
        total in 1_u64..200,
        reserve in 0_u64..50,
        steps in proptest::collection::vec((0_u128..5, 0_u64..80, any::<bool>()), 0..100),
    ) {
        let capacity = Capacity::of(total).with_reserve(reserve);
        let ledger = ledger(Resource::Memory, capacity);
        let mut guards = Vec::new();
        for (account, amount, drops) in steps {
            if drops && !guards.is_empty() {
                drop(guards.swap_remove(usize::try_from(amount).unwrap() % guards.len()));
            } else if let Ok(guard) = ledger.take(Holder::Account(account), Amounts::of(Resource::Memory, amount)) {
                guards.push(guard);
            }
            let taken: u64 = guards.iter().map(|guard| guard.amount(Resource::Memory)).sum();
            prop_assert!(taken <= total.saturating_sub(reserve));
            prop_assert_eq!(ledger.levels()[Resource::Memory as usize].taken, taken);
        }
        guards.clear();
        prop_assert_eq!(ledger.levels()[Resource::Memory as usize].taken, 0);
        prop_assert!(ledger.inner.books.lock().held.is_empty());
    }

    /// In any order of taking and giving back, by fewer accounts than there are floors
    /// for newcomers, and by any number of strangers.
    #[test]
    fn a_holder_of_nothing_gets_its_floor_however_greedy_the_others_are(
        total in 30_u64..4_000,
        reserve in 0_u64..8,
        floor in 1_u64..100,
        (kept, most) in (0_u64..8, 0_u64..200),
        steps in proptest::collection::vec((0_u8..12, 1_u64..400, any::<bool>()), 1..200),
    ) {
        let strangers = Strangers { kept, most: most.max(kept), floor: 1 };
        let capacity = Capacity::of(total)
            .with_reserve(total * reserve / 32)
            .with_strangers(strangers)
            .with_floor(floor);
        let floors = capacity.newcomers() / floor;
        prop_assume!(floors > 0);
        let ledger = ledger(Resource::Memory, capacity);
        let mut guards = Vec::new();
        for (who, amount, drops) in steps {
            let holder = match u64::from(who) < (floors - 1).min(8) {
                true => Holder::Account(who.into()),
                false => client(who),
            };
            if drops && !guards.is_empty() {
                drop(guards.swap_remove(usize::try_from(amount).unwrap() % guards.len()));
            } else {
                // As much as it requests, or all that it can have.
                let amount = amount.min(ledger.room(holder, Resource::Memory));
                guards.push(ledger.take(holder, Amounts::of(Resource::Memory, amount)).unwrap());
            }
            let newcomer = ledger.room(Holder::Account(100), Resource::Memory);
            prop_assert!(newcomer >= floor, "{newcomer} of {floor}");
        }
    }

    #[test]
    fn strangers_have_at_most_their_part_and_accounts_leave_it_to_them(
        total in 30_u64..4_000,
        (kept, more) in (0_u64..8, 0_u64..100),
        steps in proptest::collection::vec((0_u8..20, 1_u64..400, any::<bool>()), 1..200),
    ) {
        let strangers = Strangers { kept, most: kept + more, floor: 1 };
        let capacity = Capacity::of(total).with_strangers(strangers).with_floor(1);
        let ledger = ledger(Resource::Memory, capacity);
        let mut guards = Vec::new();
        for (who, amount, drops) in steps {
            let holder = match who < 10 {
                true => Holder::Account(who.into()),
                false => client(who),
            };
            if drops && !guards.is_empty() {
                drop(guards.swap_remove(usize::try_from(amount).unwrap() % guards.len()));
            } else {
                let amount = amount.min(ledger.room(holder, Resource::Memory));
                guards.push(ledger.take(holder, Amounts::of(Resource::Memory, amount)).unwrap());
            }
            let level = ledger.levels()[Resource::Memory as usize];
            prop_assert!(level.strangers <= kept + more);
            prop_assert!(level.taken - level.strangers <= total - kept.max(level.strangers));
            // What is kept for strangers is there for the next one.
            if level.strangers < kept {
                prop_assert!(ledger.room(client(200), Resource::Memory) > 0);
            }
        }
    }
}

#[test]
fn each_holder_gets_its_guaranteed_amount_however_many_there_are() {
    let capacity = Capacity::of(4).with_certain(1);
    let ledger = ledger(Resource::RunSlots, capacity);
    let mut guards = Vec::new();
    for account in 0..100 {
        let holder = Holder::Account(account);
        guards.push(ledger.take(holder, slots(1)).unwrap());
    }
    // A second one has to wait until there is room.
    assert!(ledger.take(A, slots(1)).is_err());
    guards.clear();
    assert!(ledger.take(A, slots(2)).is_ok());
}

#[test]
fn strangers_that_hold_all_of_their_part_keep_no_account_out() {
    let strangers = Strangers {
        kept: 4,
        most: 16,
        floor: 1,
    };
    let capacity = Capacity::of(64).with_strangers(strangers);
    let ledger = ledger(Resource::Requests, capacity);
    let one = |holder| ledger.take(holder, Amounts::of(Resource::Requests, 1));
    let mut held = Vec::new();
    for last in 0..100 {
        held.extend(std::iter::from_fn(|| one(client(last)).ok()));
    }
    assert_eq!(held.len(), 16);
    let refused = one(client(200)).unwrap_err();
    assert_eq!(
        (refused.scope, refused.is_lasting()),
        (Scope::Strangers, false)
    );
    assert_eq!(
        refused.to_string(),
        "not enough requests for clients without a token: 1 needed, 0 left"
    );
    // A request that presents its token is the account's, and a place is free again.
    held[0].transfer(A).unwrap();
    held.push(one(client(200)).unwrap());
    assert_eq!(ledger.room(B, Resource::Requests), 35);
}

#[tokio::test]
async fn a_waiter_gets_a_resource_once_it_is_returned() {
    let ledger = ledger(Resource::Uploads, Capacity::of(1));
    let guard = ledger.take(A, Amounts::of(Resource::Uploads, 1)).unwrap();
    let mut waiting = std::pin::pin!(ledger.wait_for(B, Resource::Uploads, 1));
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("there is none"),
        () = std::future::ready(()) => {}
    }
    drop(guard);
    assert_eq!(waiting.await.unwrap().holder(), B);
    let lasting = ledger.wait_for(A, Resource::Uploads, 2).await;
    assert!(lasting.unwrap_err().is_lasting());
}

#[test]
fn use_of_the_operators_reserve_leaves_no_less_to_others() {
    let capacity = Capacity::of(20).with_reserve(4);
    let ledger = Ledger::new(Capacities::default().with(Resource::Descriptors, capacity));
    let of = |amount| Amounts::of(Resource::Descriptors, amount);
    let _reserve = ledger.take(Holder::Operator, of(4)).unwrap();
    assert_eq!(ledger.room(A, Resource::Descriptors), 12);
    let _beyond = ledger.take(Holder::Operator, of(4)).unwrap();
    assert_eq!(ledger.room(A, Resource::Descriptors), 9);
    let shortage = ledger.take(A, of(10)).unwrap_err();
    assert_eq!(shortage.scope, Scope::Holder);
}
