//! What a run pays for its calls into the host: valid or not, each is paid for, and no run
//! pays more than it was given.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tenterhook_engine::Limit;
use wasm_encoder::{ConstExpr, EntityType, Function, ValType};

use crate::harness::{ENGINE, Run, SUCCESS, stopped};
use crate::wasm::Shape;

/// Fuel that is enough for all runs here.
const PLENTY: u64 = 1_000_000_000;

/// The least that any call costs.
const CALL: u64 = 2_000;

/// The least that a call with a path costs, whether the path exists or not.
const PATH: u64 = 2_000;

/// Lengths of the written buffers, whose descriptors are at the start of the memory.
const PIECES: [u32; 4] = [0, 1, 100, 4_000];

/// One call with its arguments, and the least that it costs.
#[derive(Clone, Debug)]
struct Call {
    name: &'static str,
    arguments: Vec<Argument>,
    at_least: u64,
}

#[derive(Clone, Copy, Debug)]
enum Argument {
    Short(i32),
    Long(i64),
}

impl Argument {
    fn ty(self) -> ValType {
        match self {
            Self::Short(_) => ValType::I32,
            Self::Long(_) => ValType::I64,
        }
    }
}

fn call(name: &'static str, at_least: u64, arguments: &[Argument]) -> Call {
    Call {
        name,
        arguments: arguments.to_vec(),
        at_least,
    }
}

/// Generates calls that succeed, and calls that are refused before they do anything.
fn any_call() -> impl Strategy<Value = Call> {
    use Argument::{Long, Short};
    let open = |descriptor, len| {
        let (flags, rights) = (Short(0), Long(0));
        let place = [Short(descriptor), flags, Short(1_024), Short(len), flags];
        let rest = [rights, rights, flags, Short(900)];
        call(
            "path_open",
            CALL + PATH,
            &[place.as_slice(), &rest].concat(),
        )
    };
    let wait = |count| {
        let arguments = [Short(2_048), Short(8_192), Short(count), Short(900)];
        call("poll_oneoff", CALL + 10_000, &arguments)
    };
    prop_oneof![
        Just(call("sched_yield", CALL, &[])),
        select(vec![900, -8])
            .prop_map(|at| { call("clock_time_get", CALL, &[Short(1), Long(0), Short(at)]) }),
        (0..PIECES.len()).prop_map(|piece| {
            let at = Short(i32::try_from(piece * 8).unwrap());
            let price = CALL + u64::from(PIECES[piece]);
            call("fd_write", price, &[Short(1), at, Short(1), Short(900)])
        }),
        Just(call(
            "fd_write",
            CALL,
            &[Short(1), Short(0), Short(100_000), Short(900)]
        )),
        (0..1_000_i32).prop_map(|len| {
            let price = CALL + 50 * u64::from(len.cast_unsigned());
            call("random_get", price, &[Short(2_048), Short(len)])
        }),
        Just(call("random_get", CALL, &[Short(0), Short(i32::MAX)])),
        select(vec![5, 5_000, -1]).prop_map(move |len| open(99, len)),
        select(vec![0, 100, -1]).prop_map(wait),
        select(vec![99, -1]).prop_map(|descriptor| call("fd_close", CALL, &[Short(descriptor)])),
    ]
}

/// Returns a program that makes these calls and ignores their results.
fn program(namespace: &str, calls: &[Call]) -> Vec<u8> {
    let mut shape = Shape::default();
    let pieces = PIECES.iter().flat_map(|len| [1_024, *len]);
    let pieces: Vec<u8> = pieces.flat_map(u32::to_le_bytes).collect();
    shape.data.active(0, &ConstExpr::i32_const(0), pieces);
    let mut code = Function::new([]);
    for call in calls {
        let parameters = call.arguments.iter().map(|argument| argument.ty());
        let parameters: Vec<_> = parameters.collect();
        shape.types.ty().function(parameters, [ValType::I32]);
        let ty = EntityType::Function(shape.types.len() - 1);
        shape.imports.import(namespace, call.name, ty);
        for argument in &call.arguments {
            match *argument {
                Argument::Short(value) => code.instructions().i32_const(value),
                Argument::Long(value) => code.instructions().i64_const(value),
            };
        }
        code.instructions().call(shape.imported).drop();
        shape.imported += 1;
    }
    code.instructions().end();
    shape.command(code)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_call_is_charged_and_no_run_is_charged_more_than_it_has(
        namespace in select(vec!["wasi_snapshot_preview1", "wasi_unstable"]),
        calls in vec(any_call(), 1..8),
        hundredths in prop_oneof![1..100_u64, 101..200_u64],
    ) {
        let run = |calls: &[Call], given| {
            let run = Run::bytes(program(namespace, calls)).limits(|limits| limits.fuel = given);
            ENGINE.threads().block_on(run.go())
        };
        let (last, others) = calls.split_last().unwrap();
        let (all, fewer) = (run(&calls, PLENTY), run(others, PLENTY));
        prop_assert_eq!((&all.outcome, &fewer.outcome), (&SUCCESS, &SUCCESS));
        prop_assert_eq!(all.usage.host_calls, calls.len() as u64);
        prop_assert!(all.usage.fuel >= fewer.usage.fuel + last.at_least);
        let least: u64 = calls.iter().map(|call| call.at_least).sum();
        prop_assert!(all.usage.fuel >= least);

        let given = all.usage.fuel * hundredths / 100;
        let again = run(&calls, given);
        if hundredths > 100 {
            prop_assert_eq!((&again.outcome, again.usage.fuel), (&SUCCESS, all.usage.fuel));
        } else {
            prop_assert_eq!((&again.outcome, again.usage.fuel), (&stopped(Limit::Fuel), given));
        }
    }
}
