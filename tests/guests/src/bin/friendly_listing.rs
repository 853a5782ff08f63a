//! Makes as many files as its argument says, and removes them if there is another
//! one; then reads the folder ten times and says how many different names it has.

use std::collections::BTreeSet;
use std::{env, fs};

fn main() {
    let mut arguments = env::args().skip(1);
    let count = arguments.next().and_then(|count| count.parse().ok());
    let remove = arguments.next().is_some();
    for file in 0..count.expect("the first argument is a number") {
        let path = format!("/work/a-name-that-takes-some-room-{file}");
        fs::write(&path, "").expect("there is room for a file");
        if remove {
            fs::remove_file(&path).expect("it was made just now");
        }
    }
    let mut names = BTreeSet::new();
    for _ in 0..10 {
        let entries = fs::read_dir("/work").expect("the folder is there");
        let listed: Vec<_> = entries
            .map(|entry| entry.expect("it can be read").file_name())
            .collect();
        names = listed.iter().cloned().collect();
        assert_eq!(names.len(), listed.len(), "no name comes twice");
    }
    println!("{}", names.len());
}
