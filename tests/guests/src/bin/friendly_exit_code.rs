//! Leaves with the status that its argument names, by the call that only
//! components have. A component alone: see `wit/`.

#[expect(unsafe_code, reason = "these are the host's functions")]
mod exit {
    #[link(wasm_import_module = "wasi:cli/exit@0.2.3")]
    unsafe extern "C" {
        #[link_name = "exit-with-code"]
        pub(super) fn exit_with_code(status: u32);
    }
}

fn main() {
    let status = std::env::args().nth(1).and_then(|text| text.parse().ok());
    #[expect(unsafe_code, reason = "the call takes a number and does not return")]
    // SAFETY: no memory is involved.
    unsafe {
        exit::exit_with_code(status.expect("the first argument is a number"));
    }
}
