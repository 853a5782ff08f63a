//! Hands the host addresses outside its memory, and lengths that overflow.

use tenterhook_tests_guests::wasi;

fn main() {
    const BAD: [usize; 4] = [usize::MAX, usize::MAX - 7, 0xffff_0000, 0x7fff_fff8];
    for at in BAD {
        println!(
            "{} {} {} {} {}",
            wasi::clock_time_get(0, 0, at),
            wasi::fd_write(1, at, 2, at),
            wasi::fd_write(1, at, 1024, 0),
            wasi::poll_oneoff(at, at, 1, at),
            wasi::random_get(at, 1024),
        );
        println!("{}", wasi::path_open(3, 0, at, 4096, 0, 0, 0, 0, at));
        println!("{}", wasi::path_open(3, 0, 0, usize::MAX, 0, 0, 0, 0, 0));
    }
}
