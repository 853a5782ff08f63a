//! The fuel that a run used is known, however it ends: by itself, interrupted in a loop, or by
//! a trap. What calls into the host cost is not tested here.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_engine::{Gauge, Limit, Limits, Outcome};
use tokio_util::sync::CancellationToken;
use wasm_encoder::{BlockType, EntityType, Function, ValType};

use crate::guests;
use crate::harness::{ENGINE, Run, SUCCESS, stopped};
use crate::wasm::{self, Shape};

/// More fuel than any run here burns, and time to do it on a machine that is busy.
const PLENTY: u64 = 100_000_000_000;
const LONG: Duration = Duration::from_secs(60);

/// What an interrupted run may have used beyond what is reported, with a wide margin: the
/// host learns of guest code's fuel by the million.
const UNREPORTED: u64 = 4 << 20;

/// Fuel of one iteration of the loop that traps at its end.
const TURN: u64 = 5;

fn plenty(limits: &mut Limits) {
    (limits.fuel, limits.wall) = (PLENTY, LONG);
}

/// Returns a module that loops `turns` times in one function without calls, and then
/// divides by zero.
fn turning_until_it_traps(turns: i32) -> Vec<u8> {
    let left = 0;
    let mut code = Function::new([(1, ValType::I32)]);
    code.instructions()
        .i32_const(turns)
        .local_set(left)
        .loop_(BlockType::Empty)
        .local_get(left)
        .i32_const(1)
        .i32_sub()
        .local_tee(left)
        .br_if(0)
        .end()
        .i32_const(1)
        .local_get(left)
        .i32_div_u()
        .drop()
        .end();
    Shape::default().command(code)
}

/// Returns a module that loops `turns` times. Each iteration calls a function without a
/// loop, grows the memory by nothing, and reads the time: all the ways in which guest code
/// calls its host.
fn turning(turns: i32) -> Vec<u8> {
    let mut shape = Shape::default();
    let clock = shape.ty([ValType::I32, ValType::I64, ValType::I32], [ValType::I32]);
    shape.imports.import(
        "wasi_snapshot_preview1",
        "clock_time_get",
        EntityType::Function(clock),
    );
    shape.imported = 1;
    let (time, straight) = (0, 2);
    let left = 0;
    let mut entry = Function::new([(1, ValType::I32)]);
    entry
        .instructions()
        .i32_const(turns)
        .local_set(left)
        .loop_(BlockType::Empty)
        .call(straight)
        .i32_const(0)
        .memory_grow(0)
        .drop()
        .i32_const(1)
        .i64_const(0)
        .i32_const(8)
        .call(time)
        .drop()
        .local_get(left)
        .i32_const(1)
        .i32_sub()
        .local_tee(left)
        .br_if(0)
        .end()
        .end();
    let mut long = Function::new([]);
    for _ in 0..3_000 {
        long.instructions().i32_const(1).drop();
    }
    long.instructions().end();
    shape.functions(&[(0, entry), (0, long)])
}

#[tokio::test]
async fn an_interrupted_loop_is_charged_like_one_that_runs_out_of_fuel() {
    /// How far apart the two may be: only the speed of the machine differs.
    const APART: u64 = 10;
    let runs = || {
        let [module, twin] = Run::bytes_in_every_form(wasm::spin_holding(0));
        [module, twin, Run::component_of(guests::LIMITS_SPIN_FOREVER)]
    };
    for (to_its_fuel, to_its_deadline) in runs().into_iter().zip(runs()) {
        let whole = to_its_fuel.limits(|limits| (limits.fuel, limits.wall) = (100_000_000, LONG));
        let whole = whole.go().await;
        assert_eq!(whole.outcome, stopped(Limit::Fuel));
        let cut = to_its_deadline.limits(|limits| {
            limits.fuel = PLENTY;
            limits.wall = Duration::from_millis(300);
        });
        let cut = cut.go().await;
        assert_eq!(cut.outcome, stopped(Limit::Wall));
        let by_time = whole.usage.fuel / whole.usage.cpu_us * cut.usage.cpu_us;
        assert!(
            (by_time / APART..=by_time * APART).contains(&cut.usage.fuel),
            "{by_time}"
        );
    }
}

#[tokio::test]
async fn what_the_gauge_showed_is_charged_when_a_loop_is_cancelled() {
    const SEEN: u64 = 100_000_000;
    for run in Run::bytes_in_every_form(wasm::spin_holding(0)) {
        let gauge = Arc::new(Gauge::default());
        let cancel = CancellationToken::new();
        let run = run.limits(plenty);
        let run = run.with(|invocation| {
            invocation.gauge = Some(Arc::clone(&gauge));
            invocation.cancel = cancel.clone();
        });
        let running = run.start(&ENGINE).await;
        while gauge.so_far().is_none_or(|so_far| so_far.fuel < SEEN) && !running.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        cancel.cancel();
        let report = running.await.unwrap().unwrap();
        assert_eq!(report.outcome, Outcome::Cancelled);
        assert!(report.usage.fuel >= gauge.so_far().unwrap().fuel);
    }
}

#[tokio::test]
async fn a_loop_that_ends_in_a_trap_is_charged_for_its_iterations() {
    const TURNS: i32 = 20_000_000;
    for run in Run::bytes_in_every_form(turning_until_it_traps(TURNS)) {
        let run = run.limits(plenty).go().await;
        assert!(matches!(run.outcome, Outcome::Trapped(_)));
        let burnt = TURN * u64::from(TURNS.cast_unsigned());
        let fuel = run.usage.fuel;
        assert!(fuel <= burnt + 100 && fuel + UNREPORTED >= burnt, "{fuel}");
    }
}

#[tokio::test]
async fn every_iteration_of_a_loop_costs_the_same_however_many_there_are() {
    let burnt = async |turns: i32| {
        let run = Run::bytes(turning(turns));
        let run = run.limits(plenty).go().await;
        assert_eq!(run.outcome, SUCCESS);
        assert_eq!(run.usage.host_calls, 2 * u64::from(turns.cast_unsigned()));
        run.usage.fuel
    };
    let (one, two) = (burnt(1).await, burnt(2).await);
    for turns in [3, 1_000, 10_000_i32] {
        let all = one + (two - one) * u64::from(turns.cast_unsigned() - 1);
        assert_eq!(burnt(turns).await, all, "{turns} turns");
    }
}

#[tokio::test]
async fn a_run_succeeds_with_exactly_the_fuel_it_needs_and_not_with_less() {
    let run = |fuel| {
        Run::bytes(turning(1_000))
            .limits(|limits| limits.fuel = fuel)
            .go()
    };
    let needed = run(PLENTY).await.usage.fuel;
    let again = run(needed).await;
    assert_eq!((&again.outcome, again.usage.fuel), (&SUCCESS, needed));
    for short in [1, 100, 1 << 20, 3 << 20] {
        let again = run(needed - short).await;
        let result = (&again.outcome, again.usage.fuel);
        assert_eq!(result, (&stopped(Limit::Fuel), needed - short));
    }
}
