use std::net::{IpAddr, Ipv4Addr};

use futures_util::FutureExt as _;
use futures_util::task::noop_waker;
use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn account(number: u8) -> Holder {
    Holder::Account(number.into())
}

fn address(number: u8) -> Holder {
    Holder::Address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, number)))
}

/// Takes a turn at once, which is given back by hand.
fn take(turns: &Turns, holder: Holder) {
    match turns.take(holder, &mut None, &noop_waker()) {
        Ok(turn) => std::mem::forget(turn),
        Err(_) => panic!("it has to wait"),
    }
}

/// Waits in line with a connection of its own.
fn wait(turns: &Turns, holder: Holder) -> Waiting {
    wait_as(turns, holder, &mut None)
}

fn wait_as(turns: &Turns, holder: Holder, own: &mut Option<Own>) -> Waiting {
    match turns.take(holder, own, &noop_waker()) {
        Ok(_) => panic!("it need not wait"),
        Err(waiting) => waiting,
    }
}

/// Takes the one out whose turn has come.
fn take_called(waiting: &mut Vec<Waiting>) -> Holder {
    let called = waiting.iter().position(has_come);
    waiting
        .remove(called.expect("a waiting task is called"))
        .holder
}

fn has_come(waiting: &Waiting) -> bool {
    is_called(&waiting.ticket, &noop_waker())
}

fn is_empty(turns: &Turns) -> bool {
    let state = turns.state.lock();
    let waiting = [&state.accounts, &state.strangers].map(|order| order.waiting.len());
    state.taken == 0 && waiting == [0, 0] && state.lines.is_empty()
}

#[test]
fn while_processors_are_free_no_step_waits() {
    let turns = Turns::new(2, 0);
    take(&turns, account(1));
    take(&turns, account(1));
    turns.give_back(account(1), MS);
    take(&turns, account(1));
    turns.give_back(account(1), MS);
    turns.give_back(account(1), MS);
    assert!(is_empty(&turns));
}

#[test]
fn the_holder_served_least_is_next_and_not_the_first_to_come() {
    let turns = Turns::new(1, 0);
    take(&turns, account(1));
    let many: Vec<_> = (0..10).map(|_| wait(&turns, account(1))).collect();
    let other = wait(&turns, account(2));
    turns.give_back(account(1), MS);
    assert!(has_come(&other) && !many.iter().any(has_come));
    // The other uses as much: then it is the first's turn again.
    let again = wait(&turns, account(2));
    turns.give_back(account(2), 2 * MS);
    assert!(has_come(&many[0]) && !has_come(&again));
}

#[test]
fn the_connections_of_one_account_share_what_one_would_have() {
    let turns = Turns::new(1, 0);
    take(&turns, account(1));
    let (many, other) = (account(1), account(2));
    let mut waiting: Vec<_> = (0..100).map(|_| wait(&turns, many)).collect();
    waiting.push(wait(&turns, other));
    let mut on = many;
    let mut served = 0_u32;
    for _ in 0..100 {
        served += u32::from(on == other);
        turns.give_back(on, MS);
        on = take_called(&mut waiting);
        waiting.push(wait(&turns, on));
    }
    assert!(served.abs_diff(100 - served) <= 1, "{served}");
}

#[test]
fn strangers_together_are_served_as_much_as_one_account_however_many_they_are() {
    let turns = Turns::new(1, 0);
    take(&turns, address(0));
    let mut waiting: Vec<_> = (1..200).map(|n| wait(&turns, address(n))).collect();
    waiting.push(wait(&turns, account(1)));
    let mut on = address(0);
    let mut served = 0;
    for _ in 0..100 {
        served += u32::from(on == account(1));
        turns.give_back(on, MS);
        on = take_called(&mut waiting);
        waiting.push(wait(&turns, on));
    }
    assert!(served.abs_diff(50) <= 1, "{served}");
}

#[test]
fn a_new_stranger_does_not_wait_until_all_others_have_been_served() {
    let turns = Turns::new(1, 0);
    take(&turns, address(0));
    let mut waiting: Vec<_> = (1..100).map(|n| wait(&turns, address(n))).collect();
    let mut on = address(0);
    // No two steps take as long as each other.
    let mut took = MS;
    let mut step = |waiting: &mut Vec<Waiting>, on: Holder| {
        took += Duration::from_nanos(1);
        turns.give_back(on, took);
        take_called(waiting)
    };
    for _ in 0..350 {
        let next = step(&mut waiting, on);
        waiting.push(wait(&turns, on));
        on = next;
    }
    waiting.push(wait(&turns, address(200)));
    let before = (0..100).position(|_| {
        on = step(&mut waiting, on);
        on == address(200)
    });
    assert!(before.is_some_and(|others| others < 5), "{before:?}");
}

#[test]
fn behind_one_address_no_client_waits_for_the_many_connections_of_another() {
    let turns = Turns::new(1, 0);
    let shared = address(1);
    take(&turns, shared);
    let mut many = [None; 100];
    let mut waiting: Vec<_> = many
        .iter_mut()
        .map(|own| wait_as(&turns, shared, own))
        .collect();
    // No two steps take as long as each other, and each connection comes again at once.
    let mut took = MS;
    let mut step = |waiting: &mut Vec<Waiting>, other: Option<&Waiting>| {
        took += Duration::from_nanos(1);
        turns.give_back(shared, took);
        if other.is_some_and(has_come) {
            return true;
        }
        let called = waiting.iter().position(has_come).unwrap();
        waiting.remove(called);
        let own = &mut many[called];
        own.as_mut().unwrap().served += took;
        waiting.insert(called, wait_as(&turns, shared, own));
        false
    };
    for _ in 0..250 {
        step(&mut waiting, None);
    }
    let other = wait(&turns, shared);
    let before = (0..100).position(|_| step(&mut waiting, Some(&other)));
    assert!(before.is_some_and(|others| others < 5), "{before:?}");
}

#[test]
fn a_served_client_gets_its_next_turn_however_many_connections_are_opened_meanwhile() {
    for holder in [|_| address(1), |_| account(1), address] {
        let turns = Turns::new(1, 0);
        take(&turns, holder(0));
        let mut on = holder(0);
        let mut waiting: Vec<_> = (1..50).map(|n| wait(&turns, holder(n))).collect();
        let mut own = None;
        let first = wait_as(&turns, holder(200), &mut own);
        // The one that is served leaves, and another comes.
        let mut served = |waiting: &mut Vec<Waiting>, one: &Waiting| {
            (0..1_000_u32).position(|n| {
                turns.give_back(on, MS);
                if has_come(one) {
                    on = one.holder;
                    return true;
                }
                on = take_called(waiting);
                waiting.push(wait(&turns, holder(50 + u8::try_from(n % 100).unwrap())));
                false
            })
        };
        assert!(served(&mut waiting, &first).is_some());
        own.as_mut().unwrap().served += MS;
        let again = wait_as(&turns, holder(200), &mut own);
        let before = served(&mut waiting, &again);
        assert!(before.is_some_and(|others| others < 250), "{before:?}");
    }
}

#[test]
fn a_holder_without_a_turn_finds_one_although_others_have_long_ones() {
    let turns = Turns::new(2, 1);
    take(&turns, account(1));
    take(&turns, account(1));
    let third = wait(&turns, account(1));
    take(&turns, account(2));
    // The one that was kept is taken: who comes now waits.
    let late = wait(&turns, account(3));
    turns.give_back(account(2), MS);
    assert!(has_come(&late) && !has_come(&third));
}

#[test]
fn time_used_while_none_waited_does_not_count() {
    let turns = Turns::new(1, 0);
    take(&turns, account(1));
    turns.give_back(account(1), 1_000 * MS);
    take(&turns, account(2));
    let (second, first) = (wait(&turns, account(2)), wait(&turns, account(1)));
    turns.give_back(account(2), MS);
    assert!(has_come(&first) && !has_come(&second));
}

#[test]
fn a_client_that_leaves_while_waiting_loses_no_turn() {
    let turns = Turns::new(1, 0);
    let holder = || Holder::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
    take(&turns, account(1));
    let mut gone = turns.take_for(holder, async {});
    let mut called = turns.take_for(holder, async {});
    assert!((&mut gone).now_or_never().is_none());
    assert!((&mut called).now_or_never().is_none());
    drop(gone);
    assert_eq!(turns.waiting(), 1);
    turns.give_back(account(1), MS);
    // Its turn has come, but it is not polled.
    drop(called);
    assert!(is_empty(&turns));
}

#[tokio::test]
async fn a_step_that_panics_gives_its_turn_back() {
    let turns = Turns::new(1, 0);
    let step = turns.take_for(|| account(1), async { panic!("a bug") });
    assert!(tokio::spawn(step).await.is_err());
    assert!(is_empty(&turns));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_one_of_many_is_served_to_its_end() {
    let turns = Turns::new(2, 1);
    let steps = (0..200).map(|n: u8| {
        let step = async {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        };
        tokio::spawn(turns.take_for(move || account(n % 5), step))
    });
    for step in steps.collect::<Vec<_>>() {
        step.await.unwrap();
    }
    assert!(is_empty(&turns));
}

proptest! {
    #[test]
    fn no_turn_is_lost_or_created_whatever_comes_and_goes(
        acts in proptest::collection::vec((0_u8..4, 0_u8..4, 0_u32..5), 0..200),
    ) {
        let turns = Turns::new(2, 1);
        let mut all: Vec<Waiting> = Vec::new();
        // Two connections of each.
        let mut own = [None; 8];
        let mut taken: Vec<Holder> = Vec::new();
        for (act, who, time) in acts {
            let holder = match who {
                0 | 1 => account(who),
                _ => address(who),
            };
            match act {
                0 | 1 => match turns.take(holder, &mut own[usize::from(2 * who + act)], &noop_waker()) {
                    Ok(turn) => {
                        std::mem::forget(turn);
                        taken.push(holder);
                    }
                    Err(waiting) => all.push(waiting),
                },
                2 if !taken.is_empty() => {
                    let holder = taken.swap_remove(usize::from(who) % taken.len());
                    turns.give_back(holder, time * MS);
                }
                3 if !all.is_empty() => {
                    turns.leave(&all.swap_remove(usize::from(who) % all.len()));
                }
                _ => {}
            }
            for own in own.iter_mut().flatten() {
                own.served += time * MS;
            }
            all.retain(|waiting| {
                let called = has_come(waiting);
                if called {
                    taken.push(waiting.holder);
                }
                !called
            });
            let state = turns.state.lock();
            prop_assert_eq!(state.taken, taken.len());
            prop_assert!(state.taken <= state.common + state.kept);
            prop_assert!(state.next().is_none(), "a turn is free although a task waits");
        }
        for waiting in all {
            turns.leave(&waiting);
        }
        for holder in taken {
            turns.give_back(holder, MS);
        }
        prop_assert!(is_empty(&turns));
    }
}
