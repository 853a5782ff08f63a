//! What tenants share: each run takes its share before it begins, returns it afterwards,
//! and leaves enough to others.

use tenterhook_engine::{Engine, Invocation, Kind, Limit, Limits, Outcome, Program, Settings};
use tenterhook_ledger::{Capacities, Capacity, Holder, Ledger, Resource, Scope};
use tokio_util::sync::CancellationToken;

use crate::harness::{Finished, Run, SUCCESS, engine, load, load_guest, stopped};
use crate::{guests, wasm};

const A: Holder = Holder::Account(1);
const B: Holder = Holder::Account(2);

/// Creates an engine on a host that has this much of one resource.
fn engine_with(resource: Resource, capacity: Capacity) -> Engine {
    engine(Settings {
        ledger: Ledger::new(Capacities::default().with(resource, capacity)),
        threads: 2,
        ..Settings::default()
    })
}

fn invocation(limits: &Limits, cancel: &CancellationToken) -> Invocation {
    Invocation {
        limits: limits.clone(),
        cancel: cancel.clone(),
        ..Invocation::default()
    }
}

/// Runs a program once for an account, which must be admitted at once.
async fn run_for(engine: &Engine, holder: Holder, program: &Program, limits: &Limits) -> Finished {
    let permit = engine.admit(holder, program, limits).unwrap();
    let invocation = invocation(limits, &CancellationToken::new());
    let run = engine.spawn_admitted(program, permit, invocation);
    Finished::from(run.await.unwrap().unwrap())
}

/// Waits until none of a resource is held.
async fn until_free(ledger: &Ledger, resource: Resource) {
    loop {
        let freed = ledger.freed();
        if ledger.taken(resource) == 0 {
            return;
        }
        freed.await;
    }
}

#[tokio::test]
async fn programs_of_many_parts_wait_for_them_instead_of_failing() {
    let engine = engine(Settings {
        sandboxes: 20,
        threads: 2,
        ..Settings::default()
    });
    for program in [wasm::spin_in_instances(16), wasm::many_tables(8)] {
        let program = load(&engine, &program).await;
        let mut running = Vec::new();
        for _ in 0..40 {
            let run = Run::loaded(&program).limits(|limits| limits.fuel = 1_000_000);
            running.push(run.start(&engine).await);
        }
        for run in running {
            let outcome = run.await.unwrap().unwrap().outcome;
            assert!(
                outcome == stopped(Limit::Fuel) || outcome == SUCCESS,
                "{outcome}"
            );
        }
    }
}

#[tokio::test]
async fn one_accounts_components_of_sixteen_memories_leave_room_to_anothers_hook() {
    let engine = engine(Settings {
        sandboxes: 20,
        threads: 2,
        ..Settings::default()
    });
    let greedy = load(&engine, &wasm::spin_in_instances(16)).await;
    let hello = load_guest(&engine, guests::FRIENDLY_HELLO).await;
    let limits = Limits {
        fuel: u64::MAX >> 1,
        ..Limits::for_testing()
    };
    let cancel = CancellationToken::new();
    let mut running = Vec::new();
    let refused = loop {
        match engine.admit(A, &greedy, &limits) {
            Ok(permit) => {
                let invocation = invocation(&limits, &cancel);
                running.push(engine.spawn_admitted(&greedy, permit, invocation));
            }
            Err(shortage) => break shortage,
        }
    };
    assert_eq!(
        (refused.resource, refused.scope, running.len()),
        (Resource::Memories, Scope::Holder, 6)
    );
    for _ in 0..10 {
        let run = run_for(&engine, B, &hello, &limits).await;
        assert_eq!(run.outcome, SUCCESS);
    }
    cancel.cancel();
    for run in running {
        assert_eq!(run.await.unwrap().unwrap().outcome, Outcome::Cancelled);
    }
}

#[tokio::test]
async fn a_sleeping_guest_leaves_its_run_slot_to_others() {
    let engine = engine_with(Resource::RunSlots, Capacity::of(1));
    let limits = Limits::for_testing();
    let hello = load_guest(&engine, guests::FRIENDLY_HELLO).await;
    for sleeper in [
        load_guest(&engine, guests::LIMITS_SLEEP_AN_HOUR).await,
        load(&engine, b"sleep 3600\n").await,
    ] {
        let permit = engine.admit(A, &sleeper, &limits).unwrap();
        assert!(engine.admit(B, &hello, &limits).is_err());
        let cancel = CancellationToken::new();
        let asleep = engine.spawn_admitted(&sleeper, permit, invocation(&limits, &cancel));
        until_free(engine.ledger(), Resource::RunSlots).await;
        assert_eq!(engine.ledger().held(A, Resource::Stacks), 1);
        assert_eq!(run_for(&engine, B, &hello, &limits).await.outcome, SUCCESS);
        cancel.cancel();
        let report = asleep.await.unwrap().unwrap();
        assert_eq!(report.outcome, Outcome::Cancelled);
    }
}

#[tokio::test]
async fn a_guest_that_spins_keeps_its_run_slot() {
    let engine = engine_with(Resource::RunSlots, Capacity::of(1));
    let spin = load_guest(&engine, guests::LIMITS_SPIN_FOREVER).await;
    let report = run_for(&engine, A, &spin, &Limits::for_testing()).await;
    assert_eq!(report.outcome, stopped(Limit::Fuel));
    // It held it all the time, even if other threads used the core.
    assert!(report.awake_us >= report.usage.cpu_us);
}

#[tokio::test]
async fn everything_a_run_takes_is_released_however_it_ends() {
    let engine = engine(Settings::default());
    for guest in [
        guests::FRIENDLY_FILES,
        guests::LIMITS_ABORT,
        guests::LIMITS_MEMORY_BOMB,
        guests::LIMITS_OUTPUT_FLOOD,
        guests::LIMITS_SPIN_FOREVER,
    ] {
        let program = load_guest(&engine, guest).await;
        run_for(&engine, A, &program, &Limits::for_testing()).await;
        for level in engine.ledger().levels() {
            assert_eq!((level.taken, level.holders), (0, 0), "{guest}: {level:?}");
        }
    }
}

#[tokio::test]
async fn a_run_is_admitted_with_all_the_memory_that_it_may_hold() {
    let limits = Limits {
        memory: 512 << 20,
        files: 1 << 30,
        ..Limits::default()
    };
    let engine = engine_with(Resource::Memory, Capacity::of(3 << 30));
    let files = load_guest(&engine, guests::FRIENDLY_FILES).await;
    let _permit = engine.admit(A, &files, &limits).unwrap();
    assert!(engine.ledger().held(A, Resource::Memory) >= (3 << 30) / 2);
    // The second one of four waits; what is left is for others.
    let refused = engine.admit(A, &files, &limits).unwrap_err();
    assert_eq!(refused.resource, Resource::Memory);
    assert!(!refused.is_lasting());
    let hello = load_guest(&engine, guests::FRIENDLY_HELLO).await;
    let run = run_for(&engine, B, &hello, &Limits::default()).await;
    assert_eq!(run.outcome, SUCCESS);
}

/// Waits until a holder has its turn at the compiler, and is charged for it.
async fn until_it_compiles(ledger: &Ledger, holder: Holder) {
    while ledger.held(holder, Resource::Memory) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ledger.held(holder, Resource::Compilations), 1);
}

#[tokio::test]
async fn a_compilation_holds_its_accounts_turn_and_memory_until_it_ends() {
    let memory = Capacity::of(100 << 20);
    let ledger = Ledger::new(Capacities::default().with(Resource::Memory, memory));
    let engine = engine(Settings {
        compiler: Some(vec!["/bin/sleep".into(), "1000".into()]),
        ledger: ledger.clone(),
        ..Settings::default()
    });
    let program = bytes::Bytes::from(wasm::many_tables(8));
    let compile = |holder| {
        let (engine, program) = (engine.clone(), program.clone());
        let kind = Kind::detect(&program);
        tokio::spawn(async move { engine.load_for(holder, kind, program).await })
    };
    let one = compile(A);
    until_it_compiles(&ledger, A).await;
    // A base for the compiler, and some for the program.
    let taken = ledger.held(A, Resource::Memory);
    assert!((64 << 20..65 << 20).contains(&taken), "{taken}");
    // Another account has the second turn, and is charged what it has room for.
    let other = compile(B);
    until_it_compiles(&ledger, B).await;
    assert!((1..64 << 20).contains(&ledger.held(B, Resource::Memory)));
    for compiling in [one, other] {
        compiling.abort();
    }
    until_free(&ledger, Resource::Compilations).await;
    until_free(&ledger, Resource::Memory).await;
}

#[tokio::test]
async fn a_run_that_needs_more_than_its_host_can_ever_give_is_stopped_by_the_host() {
    let engine = engine_with(Resource::Memory, Capacity::of(64 << 20));
    let limits = Limits {
        memory: 512 << 20,
        ..Limits::for_testing()
    };
    let bomb = load_guest(&engine, guests::LIMITS_MEMORY_BOMB).await;
    let run = run_for(&engine, A, &bomb, &limits).await;
    assert_eq!(run.outcome, stopped(Limit::Host));
    assert!(run.usage.memory_peak_bytes < 64 << 20);
    // One that needs less than it was promised is not affected.
    let hello = load_guest(&engine, guests::FRIENDLY_HELLO).await;
    assert_eq!(run_for(&engine, A, &hello, &limits).await.outcome, SUCCESS);
}
