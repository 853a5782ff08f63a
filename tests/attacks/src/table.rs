//! The whole table: every attack, by what it attacks.

mod contained;
mod files;
mod host_calls;
mod memory;
mod processor;
mod scripts;
mod uploads;

use std::time::Duration;

use tenterhook_engine::Limits;

use crate::attack::Attack;

/// Attacks on one thing.
pub(crate) struct Section {
    /// The heading.
    pub(crate) title: &'static str,
    pub(crate) attacks: Vec<Attack>,
}

/// All attacks.
pub(crate) fn sections() -> Vec<Section> {
    let section = |title, attacks| Section { title, attacks };
    vec![
        section("Processor and time", processor::attacks()),
        section("Memory and output", memory::attacks()),
        section("Files", files::attacks()),
        section("Ways out", contained::attacks()),
        section("Calls into the host", host_calls::attacks()),
        section("Shell scripts", scripts::attacks()),
        section("Uploads", uploads::attacks()),
    ]
}

/// A deadline that comes long before the fuel ends.
fn soon(limits: &mut Limits) {
    limits.fuel = u64::MAX >> 1;
    limits.wall = Duration::from_millis(100);
}
