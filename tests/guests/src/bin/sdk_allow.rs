//! The same as `sdk_hello`, with a verdict.

use tenterhook_sdk::events::PreFormatDisk;
use tenterhook_sdk::{Verdict, hook};

#[hook]
fn guard(disk: PreFormatDisk) -> Verdict {
    println!("hello {}", disk.device);
    Verdict::allow()
}
