//! Imports outgoing HTTP of WASI 0.2 and, if its argument says so, uses it. A component alone:
//! see `wit/`. Prints the result of each call, and the code of each error.

use std::alloc::{Layout, alloc};

#[expect(unsafe_code, reason = "these are the host's functions")]
mod http {
    #[link(wasm_import_module = "wasi:http/types@0.2.3")]
    unsafe extern "C" {
        #[link_name = "[constructor]fields"]
        pub(super) fn fields() -> i32;
        #[link_name = "[method]fields.append"]
        pub(super) fn append(
            fields: i32,
            name: *const u8,
            name_len: usize,
            value: *const u8,
            value_len: usize,
            answer: *mut Answer,
        );
        #[link_name = "[method]fields.has"]
        pub(super) fn has(fields: i32, name: *const u8, len: usize) -> i32;
        #[link_name = "[constructor]outgoing-request"]
        pub(super) fn request(headers: i32) -> i32;
        #[link_name = "[method]outgoing-request.headers"]
        pub(super) fn headers(request: i32) -> i32;
        #[link_name = "[method]outgoing-request.set-method"]
        pub(super) fn set_method(request: i32, kind: i32, name: *const u8, len: usize) -> i32;
        #[link_name = "[method]outgoing-request.set-scheme"]
        pub(super) fn set_scheme(
            request: i32,
            is_some: i32,
            kind: i32,
            name: *const u8,
            len: usize,
        ) -> i32;
        #[link_name = "[method]outgoing-request.set-authority"]
        pub(super) fn set_authority(request: i32, is_some: i32, name: *const u8, len: usize)
        -> i32;
        #[link_name = "[method]outgoing-request.set-path-with-query"]
        pub(super) fn set_path(request: i32, is_some: i32, path: *const u8, len: usize) -> i32;
        #[link_name = "[method]outgoing-request.body"]
        pub(super) fn body(request: i32, answer: *mut Answer);
        #[link_name = "[method]outgoing-body.write"]
        pub(super) fn write(body: i32, answer: *mut Answer);
        #[link_name = "[static]outgoing-body.finish"]
        pub(super) fn finish(body: i32, is_some: i32, trailers: i32, answer: *mut Sent);
        #[link_name = "[constructor]request-options"]
        pub(super) fn options() -> i32;
        #[link_name = "[method]request-options.set-connect-timeout"]
        pub(super) fn set_connect_timeout(options: i32, is_some: i32, nanos: i64) -> i32;
        #[link_name = "[constructor]outgoing-response"]
        pub(super) fn response(headers: i32) -> i32;
    }

    #[link(wasm_import_module = "wasi:io/streams@0.2.3")]
    unsafe extern "C" {
        #[link_name = "[method]output-stream.blocking-write-and-flush"]
        pub(super) fn write_and_flush(
            stream: i32,
            bytes: *const u8,
            len: usize,
            answer: *mut [u32; 3],
        );
        #[link_name = "[resource-drop]output-stream"]
        pub(super) fn drop_stream(stream: i32);
    }

    #[link(wasm_import_module = "wasi:http/outgoing-handler@0.2.3")]
    unsafe extern "C" {
        #[link_name = "handle"]
        pub(super) fn handle(request: i32, is_some: i32, options: i32, answer: *mut Sent);
    }

    /// A handle, or an error code that fits a byte.
    #[derive(Default)]
    #[repr(C)]
    pub(super) struct Answer {
        failed: u8,
        byte: u8,
        handle: i32,
    }

    impl Answer {
        /// The handle, which stands where an integer is aligned.
        pub(super) fn handle(&self) -> Option<i32> {
            (self.failed == 0).then_some(self.handle)
        }

        /// The error code, which stands right behind the first byte.
        pub(super) fn code(&self) -> Option<u8> {
            (self.failed != 0).then_some(self.byte)
        }
    }

    /// What became of a request. An error code is aligned like the numbers in some of its cases.
    #[derive(Default)]
    #[repr(C, align(8))]
    pub(super) struct Sent {
        failed: u8,
        _unused: [u8; 7],
        code: u8,
        _rest: [u8; 31],
    }

    impl Sent {
        pub(super) fn code(&self) -> Option<u8> {
            (self.failed != 0).then_some(self.code)
        }
    }
}

use http::{Answer, Sent};

/// Makes room for what the host returns, and for the adapter of preview 1. Neither asks for
/// anything to grow.
#[expect(unsafe_code, reason = "the host calls it by this name")]
#[unsafe(export_name = "cabi_realloc")]
pub extern "C" fn allocate(old: *mut u8, _: usize, align: usize, len: usize) -> *mut u8 {
    assert!(old.is_null(), "nothing grows");
    let layout = Layout::from_size_align(len, align).expect("the host asks for a valid layout");
    // SAFETY: nothing of no size is asked for.
    unsafe { alloc(layout) }
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("send") => send(),
        Some("hoard") => hoard(),
        Some("respond") => respond(),
        _ => println!("nothing is sent"),
    }
}

#[expect(unsafe_code, reason = "the calls get addresses of live values only")]
fn send() {
    // SAFETY: every pointer is to a value that outlives its call.
    unsafe {
        let fields = http::fields();
        println!("append {:?}", append(fields, "accept", "*/*").code());
        println!(
            "append a line {:?}",
            append(fields, "x", "a\r\nb: c").code()
        );
        println!("has {}", has(fields, "Accept"));
        let request = http::request(fields);
        let headers = http::headers(request);
        println!("has {}", has(headers, "accept"));
        println!("append later {:?}", append(headers, "x", "y").code());
        let (path, host) = ("/latest/meta-data", "169.254.169.254");
        let set = [
            http::set_method(request, 2, std::ptr::null(), 0),
            http::set_scheme(request, 1, 0, std::ptr::null(), 0),
            http::set_authority(request, 1, host.as_ptr(), host.len()),
            http::set_path(request, 1, path.as_ptr(), path.len()),
        ];
        println!("set {set:?}");
        let mut body = Answer::default();
        http::body(request, &raw mut body);
        let body = body.handle().expect("a request has a body");
        let mut stream = Answer::default();
        http::write(body, &raw mut stream);
        let stream = stream.handle().expect("a body can be written");
        let mut written = [0; 3];
        http::write_and_flush(stream, path.as_ptr(), path.len(), &raw mut written);
        println!("write {}", written[0] & 0xff);
        http::drop_stream(stream);
        let options = http::options();
        println!("timeout {}", http::set_connect_timeout(options, 1, 1));
        let mut sent = Sent::default();
        http::handle(request, 1, options, &raw mut sent);
        println!("handle {:?}", sent.code());
        let mut finished = Sent::default();
        http::finish(body, 0, 0, &raw mut finished);
        println!("finish {:?}", finished.code());
    }
}

/// Keeps header fields until it is refused more, in as many collections as it may have.
#[expect(unsafe_code, reason = "the calls get addresses of live values only")]
fn hoard() {
    let value = "x".repeat(16 << 10);
    let mut kept = 0;
    loop {
        // SAFETY: the call has no pointers.
        let fields = unsafe { http::fields() };
        if let Some(code) = append(fields, "x", &value).code() {
            println!("refused {code} after {} KiB", kept >> 10);
            return;
        }
        kept += value.len();
    }
}

#[expect(unsafe_code, reason = "the calls have no pointers")]
fn respond() {
    // SAFETY: see above.
    unsafe {
        http::response(http::fields());
    }
}

#[expect(unsafe_code, reason = "the call gets addresses of live values only")]
fn append(fields: i32, name: &str, value: &str) -> Answer {
    let mut answer = Answer::default();
    let (name_at, value_at) = (name.as_ptr(), value.as_ptr());
    // SAFETY: every pointer is to a value that outlives its call.
    unsafe {
        http::append(
            fields,
            name_at,
            name.len(),
            value_at,
            value.len(),
            &raw mut answer,
        );
    }
    answer
}

#[expect(unsafe_code, reason = "the call gets the address of a live value only")]
fn has(fields: i32, name: &str) -> bool {
    // SAFETY: the pointer is to a value that outlives its call.
    unsafe { http::has(fields, name.as_ptr(), name.len()) != 0 }
}
