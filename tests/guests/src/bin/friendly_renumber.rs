//! Opens a file in the place of another: again and again, as `freopen` does, or once
//! in the place of standard output, which is then written without end.

use std::env;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::IntoRawFd as _;

use tenterhook_tests_guests::wasi;

#[expect(unsafe_code, reason = "this is the host's function")]
mod raw {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub(super) fn fd_renumber(from: u32, to: u32) -> u16;
    }
}

/// Gives an open file the number of another descriptor.
fn put(file: File, place: u32) {
    let from = file.into_raw_fd().cast_unsigned();
    #[expect(unsafe_code, reason = "the call takes two numbers")]
    // SAFETY: no memory is involved.
    let error = unsafe { raw::fd_renumber(from, place) };
    assert_eq!(error, 0);
}

fn main() {
    let file = File::create("/work/file").expect("there is room for a file");
    if env::args().nth(1).as_deref() == Some("stdout") {
        put(file, 1);
        let block = [b'x'; 4096];
        let piece = [block.as_ptr() as usize, block.len()];
        let mut written = 0_usize;
        let mut count = 0_u32;
        while wasi::fd_write(1, piece.as_ptr() as usize, 1, &raw mut count as usize) == 0 {
            written += count as usize;
        }
        let _ = writeln!(std::io::stderr(), "{written}");
        return;
    }
    let place = file.into_raw_fd().cast_unsigned();
    for turn in 0..1_000 {
        match File::open("/work/file") {
            Ok(file) => put(file, place),
            Err(error) => {
                println!("{turn} times, then {:?}", error.raw_os_error());
                return;
            }
        }
    }
    println!("1000 times");
}
