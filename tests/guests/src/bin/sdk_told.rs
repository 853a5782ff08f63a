//! A hook that logs everything it was given.

use tenterhook_sdk::{Event, Hook, debug, hook, info, warn};

#[hook]
fn tell(event: &Event, hook: &Hook) {
    debug!("nobody asked for this");
    let (kind, left) = (&event.kind, hook.time_left());
    info!(
        "told of {kind}",
        attempt = hook.attempt(),
        account = hook.account(),
        args = hook.args(),
        fuel = hook.limits().fuel,
        has_time = left.is_some_and(|left| !left.is_zero()),
    );
    warn!(hook.variable("OWN").unwrap_or("nothing"));
}
