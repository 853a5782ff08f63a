//! Makes links out of its folders and follows them; leaves one where the host
//! looks for its verdict.

use std::fs;

fn main() {
    for (name, target) in [
        ("/work/absolute", "/etc/passwd"),
        ("/work/relative", "../../../../../../etc/passwd"),
        ("/work/folder", "../../../../../.."),
        ("/verdict.json", "../../../../../../etc/hostname"),
    ] {
        #[expect(
            deprecated,
            reason = "the only call of the standard library that WASI has"
        )]
        let made = fs::soft_link(target, name).is_ok();
        println!("{name} made {made}, read {}", fs::read(name).is_ok());
    }
    println!("through {}", fs::read("/work/folder/etc/passwd").is_ok());
    println!(
        "renamed {}",
        fs::rename("/work/relative", "/work/../../passwd").is_ok()
    );
    println!(
        "linked {}",
        fs::hard_link("/work/../../../etc/passwd", "/work/hard").is_ok()
    );
}
