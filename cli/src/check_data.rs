//! `tenterhook check-data`: checks what a server has stored.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use tenterhook_store::Checked;

use crate::serve::StorageFlags;
use crate::{command, neutral};

/// Checks what a server has stored: that the database is intact, that programs match their
/// digests, that nothing is orphaned, that accounts are charged for what they have, and that
/// a server can start with the files beside the database.
///
/// It changes nothing and may be used while the server runs. Exit status: 0 if everything
/// is in order, 1 if not.
#[derive(Debug, Args)]
pub(crate) struct CheckDataArgs {
    #[command(flatten)]
    storage: StorageFlags,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &CheckDataArgs, log: Option<&str>) -> ExitCode {
    command::run_to(log, || run(args))
}

fn run(args: &CheckDataArgs) -> anyhow::Result<ExitCode> {
    let database = args.storage.database()?;
    let mut checked = command::block_on(tenterhook_store::check(&database))?;
    checked.extend(args.storage.files());
    let well = checked.iter().all(|checked| checked.faults.is_empty());
    let printed = match args.json {
        true => format!("{}\n", json(&checked, well)),
        false => text(&checked),
    };
    match io::stdout().lock().write_all(printed.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    Ok(match well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn json(checked: &[Checked], well: bool) -> Value {
    let checks: Vec<_> = checked
        .iter()
        .map(|checked| {
            json!({
                "name": checked.name,
                "ok": checked.faults.is_empty(),
                "faults": checked.faults,
            })
        })
        .collect();
    json!({ "ok": well, "checks": checks })
}

/// One line for each check, followed by one for each fault.
fn text(checked: &[Checked]) -> String {
    let mut text = String::new();
    for checked in checked {
        let word = match checked.faults.is_empty() {
            true => "ok   ",
            false => "FAULT",
        };
        text.push_str(&format!("{word}  {}\n", checked.name));
        for fault in &checked.faults {
            text.push_str(&format!("       {}\n", neutral::line(fault)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_listed_under_its_check() {
        let checked = [
            Checked {
                name: "integrity",
                faults: Vec::new(),
            },
            Checked {
                name: "programs",
                faults: vec!["one is damaged".into()],
            },
        ];
        assert_eq!(
            text(&checked),
            "ok     integrity\nFAULT  programs\n       one is damaged\n"
        );
        assert_eq!(
            json(&checked, false)["checks"][1]["faults"][0],
            "one is damaged"
        );
    }
}
