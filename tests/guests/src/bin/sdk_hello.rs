//! A hook of a few lines: its event's type, and a line of output.

use tenterhook_sdk::events::PreFormatDisk;
use tenterhook_sdk::hook;

#[hook]
fn hello(disk: PreFormatDisk) {
    println!("hello {}", disk.device);
}
