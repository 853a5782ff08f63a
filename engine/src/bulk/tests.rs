//! A split program does the same as the original: to every byte, and trap for trap.

use proptest::prelude::*;
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ExportKind, ExportSection, Function,
    FunctionSection, Instruction, MemorySection, MemoryType, Module, RawSection, TypeSection,
    ValType,
};
use wasmtime::{Engine, Instance, Store, Trap, WasmBacktrace};

use super::*;

/// A piece so small that every operation has several.
const SMALL: u32 = 16;

/// Bytes of the data segment that is copied from.
const SEGMENT: usize = 300;

const FILL: Instruction<'_> = Instruction::MemoryFill(0);
const COPY: Instruction<'_> = Instruction::MemoryCopy {
    src_mem: 0,
    dst_mem: 0,
};
const INIT: Instruction<'_> = Instruction::MemoryInit {
    mem: 0,
    data_index: 0,
};

/// The functions of the module below, by what they do.
const FUNCTIONS: [(&str, Instruction<'_>, u32); 4] = [
    ("fill", FILL, 0),
    ("copy", COPY, 0),
    ("init", INIT, 0),
    // It has all the locals that a function may have: three are its parameters.
    ("full", COPY, 49_997),
];

fn module() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 3], []);
    let (mut functions, mut exports) = (FunctionSection::new(), ExportSection::new());
    let mut code = CodeSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    for (index, (name, instruction, locals)) in (0..).zip(FUNCTIONS) {
        functions.function(0);
        exports.export(name, ExportKind::Func, index);
        let mut function = Function::new([(locals, ValType::I64)]);
        function
            .instructions()
            .local_get(0)
            .local_get(1)
            .local_get(2);
        function.instruction(&instruction).instructions().end();
        code.function(&function);
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut data = DataSection::new();
    data.passive((0..SEGMENT).map(|byte| byte.to_le_bytes()[0]));
    // What the memory begins with: no two places are alike for long.
    let bytes = (0..65_536_u32).map(|byte| (byte * 7 + byte / 251).to_le_bytes()[0]);
    data.active(0, &ConstExpr::i32_const(0), bytes);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&memories)
        .section(&exports)
        .section(&DataCountSection { count: 2 })
        .section(&code)
        .section(&data);
    module.finish()
}

/// The memory afterwards, and the trap with the functions of its backtrace.
type Effect = (Vec<u8>, Option<(Trap, Vec<u32>)>);

struct Loaded(Engine, wasmtime::Module);

impl Loaded {
    fn new(bytes: &[u8]) -> Self {
        let engine = Engine::default();
        let module = wasmtime::Module::from_binary(&engine, bytes).unwrap();
        Self(engine, module)
    }

    fn effect(&self, name: &str, operands: (i32, i32, i32)) -> Effect {
        let mut store = Store::new(&self.0, ());
        let instance = Instance::new(&mut store, &self.1, &[]).unwrap();
        let function = instance.get_typed_func::<(i32, i32, i32), ()>(&mut store, name);
        let ended = function.unwrap().call(&mut store, operands);
        let trap = ended.err().map(|error| {
            let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
            let frames = frames.iter().map(|frame| frame.func_index()).collect();
            (*error.downcast_ref::<Trap>().unwrap(), frames)
        });
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        (memory.data(&store).to_vec(), trap)
    }
}

/// Operands near each other, near the edges of the memory, and anywhere.
fn operand() -> impl Strategy<Value = i32> {
    prop_oneof![
        4 => 0..400_i32,
        2 => 65_000..65_600_i32,
        1 => any::<i32>(),
    ]
}

#[test]
fn a_split_program_does_the_same() {
    let whole = module();
    let split = split_into(&whole, SMALL).unwrap();
    assert!(matches!(split, Cow::Owned(_)));
    let (whole, split) = (Loaded::new(&whole), Loaded::new(&split));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(500));
    let cases = (0..FUNCTIONS.len(), (operand(), operand(), operand()));
    runner
        .run(&cases, |(function, operands)| {
            let name = FUNCTIONS[function].0;
            let (whole, split) = (whole.effect(name, operands), split.effect(name, operands));
            prop_assert!(whole.0 == split.0, "the memory differs");
            prop_assert_eq!(whole.1, split.1);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_program_without_large_instructions_is_unchanged() {
    // No segment is larger than a piece, and these lengths are known.
    let small = |len: i32| {
        let mut function = Function::new([]);
        function
            .instructions()
            .i32_const(0)
            .i32_const(0)
            .i32_const(len)
            .memory_fill(0)
            .end();
        let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
        types.ty().function([], []);
        functions.function(0);
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut code = CodeSection::new();
        code.function(&function);
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&memories);
        module.section(&code);
        module.finish()
    };
    let len = i32::try_from(PIECE_BYTES).unwrap();
    assert!(matches!(split(&small(len)).unwrap(), Cow::Borrowed(_)));
    assert!(matches!(split(&small(len + 1)).unwrap(), Cow::Owned(_)));
    assert!(matches!(split(&small(-1)).unwrap(), Cow::Owned(_)));
}

#[test]
fn modules_in_components_are_split_at_any_depth() {
    const COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    let component = |id, content: &[u8]| {
        let mut bytes = COMPONENT.to_vec();
        append(&mut bytes, id, content);
        bytes
    };
    let module = module();
    let outer = component(4, &component(1, &module));
    let expected = split_into(&module, SMALL).unwrap();
    let expected = component(4, &component(1, &expected));
    assert_eq!(split_into(&outer, SMALL).unwrap(), expected);
    assert!(matches!(
        split_into(&COMPONENT, SMALL).unwrap(),
        Cow::Borrowed(_)
    ));
}

#[test]
fn custom_sections_stay_where_they_are() {
    let mut whole = Module::new();
    let custom = [3, b'a', b'b', b'c', 1, 2, 3];
    whole.section(&RawSection {
        id: 0,
        data: &custom,
    });
    let mut whole = whole.finish();
    whole.extend_from_slice(&module()[HEADER_BYTES..]);
    append(&mut whole, 0, &custom);
    let split = split_into(&whole, SMALL).unwrap();
    let all = sections(&split).unwrap();
    for section in [all.first().unwrap(), all.last().unwrap()] {
        assert_eq!(split[section.content.clone()], custom);
    }
    Loaded::new(&split);
}
