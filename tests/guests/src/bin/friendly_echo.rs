//! Prints all that it was given: arguments, variables, standard input.

use std::{env, io};

fn main() -> io::Result<()> {
    for arg in env::args() {
        println!("arg {arg}");
    }
    for (name, value) in env::vars() {
        println!("env {name}={value}");
    }
    println!("cwd {}", env::current_dir()?.display());
    println!("stdin {}", io::read_to_string(io::stdin())?);
    eprintln!("on stderr");
    Ok(())
}
