//! Makes, lists, renames and removes files in both folders that it may write to.

use std::{fs, io};

fn main() -> io::Result<()> {
    for folder in ["/work", "/tmp"] {
        assert_eq!(
            fs::read_dir(folder)?.count(),
            0,
            "{folder} is empty at the start"
        );
        fs::create_dir(format!("{folder}/inner"))?;
        fs::write(format!("{folder}/inner/note"), folder)?;
        fs::rename(format!("{folder}/inner/note"), format!("{folder}/note"))?;
        println!("{}", fs::read_to_string(format!("{folder}/note"))?);
        fs::remove_dir(format!("{folder}/inner"))?;
    }
    // Preview 1 knows no working folder: a relative path starts at the root.
    println!("{}", fs::read_to_string("work/note")?);
    Ok(())
}
