//! Prints what `sdk_hello` prints for its event, and knows nothing of hooks.

fn main() {
    println!("hello /dev/sdc");
}
