//! Calls itself until the stack is used up.

use std::hint::black_box;

#[expect(unconditional_recursion, reason = "this is the attack")]
fn deeper(depth: u64) -> u64 {
    black_box(deeper(black_box(depth + 1))) + depth
}

fn main() {
    println!("{}", deeper(0));
}
