//! Attacks the engine with every hostile program there is, and writes the table
//! of what that cost its host.
//!
//! Each attack has a process of its own, so that no row disturbs another. Fails
//! if one does not end as its row expects or takes more than it may, or if another
//! account's hook fails while all of them are made through a server.

mod attack;
mod compilers;
mod ending;
mod guests;
mod honest;
mod host;
mod measured;
mod page;
mod row;
mod server;
mod table;
mod target;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::row::Row;
use crate::server::crashes::Crashed;
use crate::server::siege::Besieged;

/// The word that starts a compiler process.
const COMPILE: &str = "compile";

/// The word with which only the sieges are laid.
const SIEGE: &str = "siege";

/// The word with which only the attacks through a server are made.
const SERVER: &str = "server";

/// The words that start the compiler's process: this very program.
fn compiler() -> Vec<PathBuf> {
    vec!["/proc/self/exe".into(), COMPILE.into()]
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let words: Vec<&OsStr> = words.iter().map(AsRef::as_ref).collect();
    let done = match words[..] {
        [word, ref limits @ ..] if word == COMPILE => {
            return tenterhook_engine::compile_worker(limits.iter().map(|word| word.into()));
        }
        [word, index, folder] if word == row::MEASURE => row::serve(index, Path::new(folder)),
        [word] if word == SIEGE => siege("").map(drop),
        [word, which] if word == SIEGE => siege(&which.to_string_lossy()).map(drop),
        [word] if word == SERVER => neighbours(),
        [page] => write(Path::new(page)),
        _ => Err(anyhow::anyhow!(
            "usage: tenterhook-attacks FILE.md | server | siege [WORDS]"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the whole table, then all of it through a server, and writes the page.
/// A table with a row that failed is printed and not written.
#[expect(clippy::print_stdout, reason = "the rows are what this program is for")]
fn write(page: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut sections = Vec::new();
    let mut index = 0;
    for section in table::sections() {
        let mut rows = Vec::new();
        for attack in section.attacks {
            let row = Row::measure(index, attack, folder.path())?;
            println!("{row}");
            rows.push(row);
            index += 1;
        }
        sections.push((section.title, rows));
    }
    let rows = || sections.iter().flat_map(|(_, rows)| rows);
    let failed = rows().filter(|row| !row.faults().is_empty()).count();
    let attacks: Vec<_> = rows().map(|row| &row.attack).collect();
    let neighbours = server::measure(&attacks).context("through a server")?;
    println!("{neighbours}");
    let (besieged, crashed) = siege("")?;
    anyhow::ensure!(failed == 0, "{failed} of {index} attacks are not held");
    std::fs::write(
        page,
        page::print(&sections, &neighbours, &besieged, &crashed),
    )
    .with_context(|| format!("cannot write {}", page.display()))
}

/// Makes all attacks through a server; prints what that has come to.
#[expect(clippy::print_stdout, reason = "the row is what this program is for")]
fn neighbours() -> anyhow::Result<()> {
    let attacks: Vec<_> = table::sections()
        .into_iter()
        .flat_map(|section| section.attacks)
        .collect();
    println!("{}", server::measure(&attacks.iter().collect::<Vec<_>>())?);
    Ok(())
}

/// Kills a server again and again and lays the sieges whose words contain `which`; prints
/// what that has come to.
#[expect(clippy::print_stdout, reason = "the rows are what this program is for")]
fn siege(which: &str) -> anyhow::Result<(Vec<Besieged>, Crashed)> {
    let crashed = server::crashes::measure().context("a server that is killed")?;
    println!("{crashed}");
    let besieged = server::siege::measure_all(which, |besieged| println!("{besieged}"))?;
    Ok((besieged, crashed))
}
