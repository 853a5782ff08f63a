//! A hook whose verdict is longer than the engine reads.

use tenterhook_sdk::{Verdict, hook};

#[hook]
fn guard() -> Verdict {
    Verdict::deny("because ".repeat(10_000))
}
