//! Sleeps for as many milliseconds as its argument says, and says so.

use std::time::{Duration, Instant};
use std::{env, thread};

fn main() {
    let millis = env::args().nth(1).and_then(|text| text.parse().ok());
    let time = Duration::from_millis(millis.expect("the first argument is a number"));
    let started_at = Instant::now();
    println!("sleeping");
    thread::sleep(time);
    println!("slept {}", started_at.elapsed() >= time);
}
