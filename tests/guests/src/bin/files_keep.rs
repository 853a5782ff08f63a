//! Leaves a file for whoever comes next, and looks for one that somebody left.

use std::fs;

fn main() {
    for folder in ["/", "/work", "/tmp"] {
        println!(
            "{folder} {}",
            fs::read_dir(folder).into_iter().flatten().count()
        );
        let _ = fs::write(format!("{folder}/left-behind"), "secret");
    }
}
