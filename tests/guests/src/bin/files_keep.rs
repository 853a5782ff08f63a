//! Prints what an earlier run left in its folders, and leaves something for whichever
//! comes next; quietly, so that the folders look as before.

use std::fs::{File, FileTimes};
use std::time::SystemTime;
use std::{env, fs};

fn main() {
    let quietly = env::args().nth(1).as_deref() == Some("quietly");
    for folder in ["/", "/work", "/tmp"] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let content = fs::read_to_string(entry.path()).unwrap_or_default();
            println!("{} {content}", entry.path().display());
        }
        let left = format!("{folder}/left-behind");
        let _ = fs::write(&left, "secret");
        if quietly {
            let _ = fs::remove_file(left);
            let _ = fs::write("/event.json", "secret ".repeat(1000));
            let long_ago = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
            let _ = File::open(folder).and_then(|folder| folder.set_times(long_ago));
        }
    }
}
