//! Does with its files what programs do on Unix, and prints what it finds.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

fn refused<T>(done: io::Result<T>) -> String {
    match done {
        Ok(_) => "done".into(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn main() -> io::Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open("/work/unnamed")?;
    file.write_all(b"hello")?;
    fs::remove_file("/work/unnamed")?;
    file.seek(SeekFrom::Start(1))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    println!("an open file outlives its name: {text}");

    fs::write("/work/one", "one")?;
    fs::hard_link("/work/one", "/work/other")?;
    let mut other = OpenOptions::new().append(true).open("/work/other")?;
    other.write_all(b" and more")?;
    println!("two names: {}", fs::read_to_string("/work/one")?);

    fs::write("/work/old", "old")?;
    fs::rename("/work/other", "/work/old")?;
    println!("replaced: {}", fs::read_to_string("/work/old")?);

    fs::create_dir_all("/work/a/b")?;
    fs::write("/work/a/b/c", "deep")?;
    fs::rename("/work/a", "/work/z")?;
    println!("moved: {}", fs::read_to_string("/work/z/b/c")?);

    let not_empty = fs::remove_dir("/work/z").map_err(|error| error.raw_os_error());
    println!("not empty: {not_empty:?}");
    println!("in itself: {}", refused(fs::rename("/work/z", "/work/z/y")));
    println!("there: {}", refused(fs::create_dir("/work/z")));
    println!("no folder: {}", refused(fs::read("/work/one/two")));
    println!("a folder: {}", refused(fs::write("/work/z", "text")));
    println!("above: {}", refused(fs::read_dir("/work/../..")));

    let sparse = File::create("/work/sparse")?;
    sparse.set_len(1 << 40)?;
    println!("sparse: {}", fs::metadata("/work/sparse")?.len());

    let mut names = Vec::new();
    for entry in fs::read_dir("/work")? {
        let entry = entry?;
        let kind = if entry.file_type()?.is_dir() { "/" } else { "" };
        names.push(format!("{}{kind}", entry.file_name().display()));
    }
    println!("in order: {}", names.join(" "));

    let mut zeros = [1; 4];
    File::open("/dev/zero")?.read_exact(&mut zeros)?;
    fs::write("/dev/null", "gone")?;
    println!(
        "devices: {zeros:?} {:?} {}",
        fs::read("/dev/null")?,
        refused(fs::write("/dev/full", "text"))
    );
    Ok(())
}
