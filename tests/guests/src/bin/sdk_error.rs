//! A hook that ends by `?`, with an error that has a source.

use std::error::Error;
use std::fmt;
use std::num::ParseIntError;

use tenterhook_sdk::{Verdict, hook};

#[derive(Debug)]
struct Unreadable(ParseIntError);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot read the size\nof the disk")
    }
}

impl Error for Unreadable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[hook]
fn guard() -> Result<Verdict, Box<dyn Error>> {
    let bytes: u64 = "many".parse().map_err(Unreadable)?;
    Ok(Verdict::allow().with("bytes", bytes))
}
