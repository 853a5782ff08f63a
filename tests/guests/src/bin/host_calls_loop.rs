//! Makes the same cheap call for ever: the one that its argument names.

use std::{env, fs};

use tenterhook_tests_guests::wasi::{self, MONOTONIC, Sleep, Until};

fn main() {
    let call: fn() = match env::args().nth(1).as_deref() {
        Some("clock") => || {
            let _ = wasi::now(MONOTONIC);
        },
        Some("yield") => || {
            wasi::sched_yield();
        },
        Some("empty-write") => || {
            wasi::fd_write(1, 0, 0, 0);
        },
        Some("bad-write") => || {
            wasi::fd_write(1, 0, usize::MAX, 0);
        },
        Some("poll") => || {
            let _ = wasi::poll(&[Sleep::new(MONOTONIC, 0, Until::FromNow)]);
        },
        Some("bad-poll") => || {
            wasi::poll_oneoff(0, 0, usize::MAX, 0);
        },
        Some("read-dir") => || {
            for entry in fs::read_dir("/").into_iter().flatten() {
                std::hint::black_box(&entry);
            }
        },
        Some("large-dir") => {
            for index in 0..20 {
                let _ = fs::write(format!("/work/{index}"), "");
            }
            || {
                for entry in fs::read_dir("/work").into_iter().flatten() {
                    std::hint::black_box(&entry);
                }
            }
        }
        Some("stat") => || {
            let _ = fs::metadata("/work");
        },
        Some("read-file") => {
            fs::write("/work/file", [0; 4096]).expect("there is room for a block");
            || {
                let _ = fs::read("/work/file");
            }
        }
        Some("write-file") => || {
            let _ = fs::write("/work/file", [0; 4096]);
        },
        Some("bad-open") => || {
            let _ = fs::read("/no/such/file");
        },
        other => panic!("there is no call {other:?}"),
    };
    loop {
        call();
    }
}
