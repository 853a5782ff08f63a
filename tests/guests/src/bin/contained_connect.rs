//! Tries to reach the network as WASI 0.2 would allow it. A component alone: see
//! `wit/`. Prints the error code of each attempt; 255 means that it worked.

#[expect(unsafe_code, reason = "these are the host's functions")]
mod sockets {
    #[link(wasm_import_module = "wasi:sockets/instance-network@0.2.3")]
    unsafe extern "C" {
        #[link_name = "instance-network"]
        pub(super) fn network() -> i32;
    }

    #[link(wasm_import_module = "wasi:sockets/tcp-create-socket@0.2.3")]
    unsafe extern "C" {
        #[link_name = "create-tcp-socket"]
        pub(super) fn tcp(family: i32, answer: *mut Answer);
    }

    #[link(wasm_import_module = "wasi:sockets/udp-create-socket@0.2.3")]
    unsafe extern "C" {
        #[link_name = "create-udp-socket"]
        pub(super) fn udp(family: i32, answer: *mut Answer);
    }

    #[link(wasm_import_module = "wasi:sockets/ip-name-lookup@0.2.3")]
    unsafe extern "C" {
        #[link_name = "resolve-addresses"]
        pub(super) fn resolve(network: i32, name: *const u8, len: usize, answer: *mut Answer);
    }

    /// An address, flattened as the canonical ABI wants it: which of the two
    /// kinds, then the port and the parts of the longer one.
    macro_rules! with_address {
        ($module:literal, $method:literal, $name:ident) => {
            #[link(wasm_import_module = $module)]
            unsafe extern "C" {
                #[link_name = $method]
                pub(super) fn $name(
                    socket: i32,
                    network: i32,
                    kind: i32,
                    port: i32,
                    a: i32,
                    b: i32,
                    c: i32,
                    d: i32,
                    e: i32,
                    f: i32,
                    g: i32,
                    h: i32,
                    i: i32,
                    j: i32,
                    answer: *mut ShortAnswer,
                );
            }
        };
    }
    with_address!(
        "wasi:sockets/tcp@0.2.3",
        "[method]tcp-socket.start-connect",
        tcp_connect
    );
    with_address!(
        "wasi:sockets/tcp@0.2.3",
        "[method]tcp-socket.start-bind",
        tcp_bind
    );
    with_address!(
        "wasi:sockets/udp@0.2.3",
        "[method]udp-socket.start-bind",
        udp_bind
    );

    /// A handle, or an error code.
    #[derive(Default)]
    #[repr(C)]
    pub(super) struct Answer {
        failed: u8,
        value: i32,
    }

    impl Answer {
        pub(super) fn handle(&self) -> Result<i32, u8> {
            if self.failed == 0 {
                Ok(self.value)
            } else {
                Err(self.value.to_le_bytes()[0])
            }
        }
    }

    /// Nothing, or an error code.
    #[derive(Default)]
    #[repr(C)]
    pub(super) struct ShortAnswer {
        failed: u8,
        code: u8,
    }

    impl ShortAnswer {
        pub(super) fn code(&self) -> u8 {
            if self.failed == 0 { 255 } else { self.code }
        }
    }
}

use sockets::{Answer, ShortAnswer};

type WithAddress = unsafe extern "C" fn(
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    *mut ShortAnswer,
);

#[expect(unsafe_code, reason = "the calls get addresses of live values only")]
fn main() {
    // SAFETY: every pointer is to a value that outlives its call.
    unsafe {
        let network = sockets::network();
        let attempt = |what: &str, socket: Result<i32, u8>, call: WithAddress| match socket {
            Ok(socket) => {
                let mut answer = ShortAnswer::default();
                call(
                    socket,
                    network,
                    0,
                    8080,
                    127,
                    0,
                    0,
                    1,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    &raw mut answer,
                );
                println!("{what} {}", answer.code());
            }
            Err(code) => println!("{what} no socket {code}"),
        };
        let mut answer = Answer::default();
        sockets::tcp(0, &raw mut answer);
        attempt("tcp connect", answer.handle(), sockets::tcp_connect);
        sockets::tcp(0, &raw mut answer);
        attempt("tcp bind", answer.handle(), sockets::tcp_bind);
        sockets::udp(0, &raw mut answer);
        attempt("udp bind", answer.handle(), sockets::udp_bind);
        let name = "localhost";
        sockets::resolve(network, name.as_ptr(), name.len(), &raw mut answer);
        println!("lookup {:?}", answer.handle().err());
    }
}
