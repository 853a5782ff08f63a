//! Bulk memory instructions: in pieces where they are large, and otherwise unchanged in
//! what they do, what they cost and how they fail.

use std::time::Duration;

use tenterhook_engine::{Limit, Outcome};
use wasm_encoder::{BlockType, Elements, Function, Instruction, InstructionSink, ValType};

use crate::harness::{Run, SUCCESS, stopped};
use crate::wasm::Shape;

const MIB: i32 = 1 << 20;

/// Returns a module with 64 MiB of memory that executes this instruction with three
/// operands, each from a local.
fn module(operands: [i32; 3], instruction: &Instruction<'_>) -> Vec<u8> {
    let mut code = Function::new([(3, ValType::I32)]);
    for (local, operand) in (0..).zip(operands) {
        code.instructions().i32_const(operand).local_set(local);
    }
    code.instructions().local_get(0).local_get(1).local_get(2);
    code.instruction(instruction);
    code.instructions().end();
    Shape {
        pages: 1024,
        ..Shape::default()
    }
    .command(code)
}

const FILL: Instruction<'_> = Instruction::MemoryFill(0);
const COPY: Instruction<'_> = Instruction::MemoryCopy {
    src_mem: 0,
    dst_mem: 0,
};

fn run(operands: [i32; 3], instruction: &Instruction<'_>) -> Run {
    Run::bytes(module(operands, instruction)).limits(|limits| limits.memory = 64 << 20)
}

#[tokio::test]
async fn every_byte_that_is_filled_or_copied_costs_fuel() {
    for instruction in [FILL, COPY] {
        for len in [0, 1, 1_000, MIB, MIB + 1, 32 * MIB] {
            let run = run([0, 7, len], &instruction).go().await;
            assert_eq!(run.outcome, SUCCESS, "{instruction:?} {len}");
            // A little for each piece, and for the code around it.
            let len = u64::from(len.cast_unsigned());
            let most = len + 200 + 50 * len.div_ceil(1 << 20);
            let fuel = run.usage.fuel;
            assert!(
                (len..=most).contains(&fuel),
                "{instruction:?} {len}: {fuel}"
            );
        }
    }
}

#[tokio::test]
async fn a_fill_that_fuel_does_not_suffice_for_is_stopped() {
    let run = run([0, 7, 32 * MIB], &FILL).limits(|limits| limits.fuel = 3 << 20);
    assert_eq!(run.go().await.outcome, stopped(Limit::Fuel));
}

#[tokio::test]
async fn an_access_out_of_bounds_traps_at_its_instruction() {
    const ALL: i32 = 64 * MIB;
    for (operands, instruction) in [
        ([1, 0, ALL], FILL),
        ([ALL, 0, 1], FILL),
        ([-1, 0, -1], FILL),
        ([MIB, 0, ALL], COPY),
        ([0, MIB, ALL], COPY),
        ([0, -1, 2 * MIB], COPY),
    ] {
        let run = run(operands, &instruction).limits(|limits| limits.fuel = u64::MAX >> 1);
        let run = run.go().await;
        let Outcome::Trapped(trap) = &run.outcome else {
            panic!("{operands:?}: {:?}", run.outcome);
        };
        assert!(
            trap.reason.contains("out of bounds memory"),
            "{}",
            trap.reason
        );
        assert_eq!(trap.backtrace, ["function 0"], "{operands:?}");
    }
}

#[tokio::test]
async fn tables_of_the_largest_size_do_not_block_a_thread() {
    const ALL: u32 = 131_072;
    let whole: [fn(&mut InstructionSink<'_>); 3] = [
        |code| {
            code.i32_const(0)
                .ref_func(0)
                .i32_const(ALL.cast_signed())
                .table_fill(0);
        },
        |code| {
            code.i32_const(1)
                .i32_const(0)
                .i32_const(ALL.cast_signed() - 1)
                .table_copy(0, 0);
        },
        |code| {
            code.i32_const(0)
                .i32_const(0)
                .i32_const(ALL.cast_signed())
                .table_init(0, 0);
        },
    ];
    for (index, whole) in whole.into_iter().enumerate() {
        let mut shape = Shape::default();
        shape.table(ALL.into());
        let functions = vec![0; ALL as usize];
        shape
            .elements
            .passive(Elements::Functions(functions.into()));
        let mut code = Function::new([]);
        code.instructions().loop_(BlockType::Empty);
        whole(&mut code.instructions());
        code.instructions().br(0).end().end();
        let run = Run::bytes(shape.command(code)).limits(|limits| {
            limits.fuel = u64::MAX >> 1;
            limits.wall = Duration::from_millis(100);
        });
        // The harness checks that none takes long.
        assert_eq!(run.go().await.outcome, stopped(Limit::Wall), "{index}");
    }
}
