//! Tries every socket call on every descriptor that there might be.

use tenterhook_tests_guests::wasi;

fn main() {
    let mut out = [0_u64; 8];
    let at = out.as_mut_ptr() as usize;
    for fd in 0..64 {
        let calls = [
            ("accept", wasi::sock_accept(fd, 0, at)),
            ("recv", wasi::sock_recv(fd, at, 0, 0, at, at)),
            ("send", wasi::sock_send(fd, at, 0, 0, at)),
            ("shutdown", wasi::sock_shutdown(fd, 3)),
        ];
        for (call, error) in calls {
            if error == 0 {
                println!("{call} worked on {fd}");
            }
        }
    }
}
