//! Prints and leaves what `sdk_allow` does for its event, and knows nothing of hooks.

use std::fs;

fn main() {
    println!("hello /dev/sdc");
    fs::write("/verdict.json", r#"{"allow":true}"#).expect("the verdict can be left");
}
