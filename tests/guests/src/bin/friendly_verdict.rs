//! Leaves a verdict: the text of its argument as it is, or a denial.

use std::{env, fs, io};

use tenterhook_sdk::Verdict;
use tenterhook_sdk::contract::VERDICT_FILE;

fn main() -> io::Result<()> {
    match env::args().nth(1) {
        Some(text) => fs::write(VERDICT_FILE, text),
        None => Verdict::deny("still in use").with("users", 3).leave(),
    }
}
