//! Reads its event as a hook in Rust does.

use tenterhook_sdk::Hook;

fn main() {
    match Hook::open() {
        Ok(hook) => {
            let event = hook.event();
            println!("{} {} {:?}", event.kind, event.id, event.data);
            println!(
                "attempt {}, service {:?}",
                hook.attempt(),
                hook.param("service")
            );
        }
        Err(error) => println!("{error}"),
    }
}
