//! Hands the host addresses outside its memory, and lengths that overflow: the
//! call and the address that its arguments name.

use std::env;

use tenterhook_tests_guests::wasi;

fn main() {
    let mut args = env::args().skip(1);
    let call = args.next().unwrap_or_default();
    let at = args
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usize::MAX);
    let error = match call.as_str() {
        "clock" => wasi::clock_time_get(0, 0, at),
        "write" => wasi::fd_write(1, at, 2, at),
        "many-pieces" => wasi::fd_write(1, at, 1024, 0),
        "poll" => wasi::poll_oneoff(at, at, 1, at),
        "random" => wasi::random_get(at, 1024),
        "open" => wasi::path_open(3, 0, at, 4096, 0, 0, 0, 0, at),
        "open-long" => wasi::path_open(3, 0, 0, at, 0, 0, 0, 0, 0),
        other => panic!("there is no call {other}"),
    };
    println!("answered {error}");
}
