//! Panics.

fn main() {
    panic!("this hook is broken");
}
