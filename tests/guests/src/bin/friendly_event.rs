//! Reads its event as a hook in Rust does.

use tenterhook_sdk::Hook;

fn main() {
    let hook = Hook::open();
    match hook.event() {
        Ok(event) => {
            println!("{} {} {:?}", event.kind, event.id, event.data);
            println!(
                "attempt {}, service {:?}",
                hook.attempt(),
                hook.try_param("service")
            );
        }
        Err(error) => println!("{error}"),
    }
}
