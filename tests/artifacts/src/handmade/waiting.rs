//! Modules that wait in preview 1, on whatever a test puts together. They call
//! the host as no library would: what they wait for lies in their memory as bytes.

use wasm_encoder::{BlockType, ConstExpr, EntityType, Function, MemArg, ValType};

use super::Shape;

/// Where what is waited for lies.
const SUBSCRIPTIONS: i32 = 64;

/// Where the path of the file is that may be opened first.
const PATH: i32 = 8_000;

/// Where the host says how many events there are; they follow after it.
const STORED: i32 = 8_188;
const EVENTS: i32 = STORED + 4;

/// Bytes of an event.
const EVENT_BYTES: i32 = 32;

/// What one call waits for, in one version of WASI.
#[derive(Clone, Debug)]
pub struct Wait {
    namespace: &'static str,
    subscriptions: Vec<u8>,
    count: i32,
    times: i32,
    imports_files: bool,
    opens: Option<&'static str>,
    creates: bool,
}

impl Wait {
    /// The two versions of preview 1.
    pub const VERSIONS: [&'static str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

    /// Waits for nothing yet, in this version of preview 1.
    #[must_use]
    pub fn new(namespace: &'static str) -> Self {
        Self {
            namespace,
            subscriptions: Vec::new(),
            count: 0,
            times: 1,
            imports_files: false,
            opens: None,
            creates: false,
        }
    }

    /// Waits for a clock too: for so many nanoseconds, or until it shows them.
    #[must_use]
    pub fn clock(self, userdata: u64, clock: u32, nanoseconds: u64, absolute: bool) -> Self {
        let older = self.namespace == Self::VERSIONS[1];
        let mut bytes = vec![0; if older { 56 } else { 48 }];
        // The older version has an identifier before the clock.
        let shift = if older { 8 } else { 0 };
        bytes[..8].copy_from_slice(&userdata.to_le_bytes());
        bytes[16 + shift..20 + shift].copy_from_slice(&clock.to_le_bytes());
        bytes[24 + shift..32 + shift].copy_from_slice(&nanoseconds.to_le_bytes());
        bytes[40 + shift] = absolute.into();
        self.subscription(&bytes)
    }

    /// Waits until a descriptor can be read (1) or written (2) too.
    #[must_use]
    pub fn descriptor(self, userdata: u64, tag: u8, fd: u32) -> Self {
        let mut bytes = vec![0; self.subscription_bytes()];
        bytes[..8].copy_from_slice(&userdata.to_le_bytes());
        bytes[8] = tag;
        bytes[16..20].copy_from_slice(&fd.to_le_bytes());
        self.subscription(&bytes)
    }

    /// Says that there are so many things, whatever there is.
    #[must_use]
    pub fn counting(mut self, count: i32) -> Self {
        self.count = count;
        self
    }

    /// Waits so many times, one after another.
    #[must_use]
    pub fn times(mut self, times: i32) -> Self {
        self.times = times;
        self
    }

    /// Imports a function that works on files, and does not call it.
    #[must_use]
    pub fn importing_files(mut self) -> Self {
        self.imports_files = true;
        self
    }

    /// Opens this file first, for reading: it becomes descriptor 4.
    #[must_use]
    pub fn opening(mut self, path: &'static str) -> Self {
        self.imports_files = true;
        self.opens = Some(path);
        self
    }

    /// Creates that file if it does not exist.
    #[must_use]
    pub fn creating(mut self) -> Self {
        self.creates = true;
        self
    }

    fn subscription_bytes(&self) -> usize {
        if self.namespace == Self::VERSIONS[1] {
            56
        } else {
            48
        }
    }

    fn subscription(mut self, bytes: &[u8]) -> Self {
        self.subscriptions.extend_from_slice(bytes);
        self.count += 1;
        self
    }

    /// The module. It leaves with the last error number as its status, and prints
    /// how many events there were, four bytes, and the events as they are.
    #[must_use]
    pub fn module(&self) -> Vec<u8> {
        const READ: i64 = 2;
        let at = |offset| MemArg {
            offset,
            align: 0,
            memory_index: 0,
        };
        let mut shape = Shape::default();
        let four = shape.ty([ValType::I32; 4], [ValType::I32]);
        let one = shape.ty([ValType::I32], []);
        let open = shape.ty(
            [
                ValType::I32,
                ValType::I32,
                ValType::I32,
                ValType::I32,
                ValType::I32,
                ValType::I64,
                ValType::I64,
                ValType::I32,
                ValType::I32,
            ],
            [ValType::I32],
        );
        let mut import = |name, ty| {
            shape
                .imports
                .import(self.namespace, name, EntityType::Function(ty));
            shape.imported += 1;
            shape.imported - 1
        };
        let poll = import("poll_oneoff", four);
        let write = import("fd_write", four);
        let exit = import("proc_exit", one);
        let path_open = self.imports_files.then(|| import("path_open", open));
        let (status, left) = (0, 1);
        let mut code = Function::new([(2, ValType::I32)]);
        let mut then = code.instructions();
        if let (Some(path_open), Some(path)) = (path_open, self.opens) {
            let len = i32::try_from(path.len()).expect("a path is short");
            then.i32_const(3)
                .i32_const(0)
                .i32_const(PATH)
                .i32_const(len)
                .i32_const(self.creates.into())
                .i64_const(READ)
                .i64_const(0)
                .i32_const(0)
                .i32_const(STORED)
                .call(path_open)
                .drop();
        }
        then.i32_const(self.times)
            .local_set(left)
            .loop_(BlockType::Empty)
            .i32_const(SUBSCRIPTIONS)
            .i32_const(EVENTS)
            .i32_const(self.count)
            .i32_const(STORED)
            .call(poll)
            .local_set(status)
            .local_get(left)
            .i32_const(1)
            .i32_sub()
            .local_tee(left)
            .br_if(0)
            .end();
        // One piece: the number of events, and the events.
        then.i32_const(0)
            .i32_const(STORED)
            .i32_store(at(0))
            .i32_const(0)
            .i32_const(4 + self.count.clamp(0, 64) * EVENT_BYTES)
            .i32_store(at(4))
            .i32_const(1)
            .i32_const(0)
            .i32_const(1)
            .i32_const(16)
            .call(write)
            .drop()
            .local_get(status)
            .call(exit)
            .end();
        shape.data.active(
            0,
            &ConstExpr::i32_const(SUBSCRIPTIONS),
            self.subscriptions.iter().copied(),
        );
        let path = self.opens.unwrap_or_default();
        shape
            .data
            .active(0, &ConstExpr::i32_const(PATH), path.bytes());
        shape.command(code)
    }
}
