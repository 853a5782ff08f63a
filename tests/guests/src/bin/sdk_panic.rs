//! A hook that looks beyond the end of a list, after a line of output.

use tenterhook_sdk::{Hook, hook};

#[hook]
fn guard(hook: &Hook) {
    println!("looking");
    println!("{}", hook.args()[17]);
}
