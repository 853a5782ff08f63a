//! A hook of a few lines: its event's type, a line of output, a verdict.

use tenterhook_sdk::events::PreFormatDisk;
use tenterhook_sdk::{Verdict, hook};

#[hook]
fn hello(disk: PreFormatDisk) -> Verdict {
    println!("hello {}", disk.device);
    Verdict::allow()
}
