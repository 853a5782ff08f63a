//! Leaves a verdict: the text of its argument as it is, or a denial.

use std::{env, fs, io};

use tenterhook_sdk::contract::VERDICT_FILE;
use tenterhook_sdk::{Hook, Verdict};

fn main() -> io::Result<()> {
    match env::args().nth(1) {
        Some(text) => fs::write(VERDICT_FILE, text),
        None => Hook::open()
            .expect("the run has an event")
            .answer(&Verdict::deny("still in use").with("users", 3)),
    }
}
