//! `tenterhook quote`: what a hook's executions use, as percentiles.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use tenterhook_wire::Usage;

use crate::client::{self, Client};
use crate::replay::last::{self, HookReplays};
use crate::table::{Column, OutputFormat, print, print_json, table};
use crate::{amount, command, program_file};

/// Says what a hook's newest executions have used: percentiles of fuel, memory and time.
///
/// With `--with`, what another program would have used on the same input.
#[derive(Debug, Args)]
pub(crate) struct QuoteArgs {
    /// The hook, by id or number.
    #[arg(value_name = "HOOK")]
    hook: String,
    /// How many of its executions.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = last::parse)]
    last: usize,
    /// Run this program on their input instead. It gets the hook's variables, so the token
    /// must be an admin's.
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

/// What so many executions in a hundred stay within.
#[derive(Serialize)]
struct Row {
    percentile: u8,
    fuel: u64,
    memory_peak_bytes: u64,
    wall_us: u64,
}

const PERCENTILES: [u8; 4] = [50, 90, 99, 100];

const COLUMNS: [Column<Row>; 4] = [
    ("PERCENTILE", |one| match one.percentile {
        100 => "all".into(),
        percentile => format!("{percentile} %"),
    }),
    ("FUEL", |one| amount::count(one.fuel)),
    ("MEMORY", |one| amount::size(one.memory_peak_bytes)),
    ("TIME", |one| amount::time(one.wall_us)),
];

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &QuoteArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &QuoteArgs) -> anyhow::Result<()> {
    let client = Client::open(&args.client)?;
    let usages: Vec<Usage> = match &args.with {
        None => {
            let ended = last::ended(&client, &args.hook, args.last)?;
            ended
                .into_iter()
                .filter_map(|one| one.into_value().latest.usage)
                .collect()
        }
        Some(path) => {
            let program = program_file::read(path)?.whole(path)?;
            HookReplays::replay(&client, &args.hook, args.last, Some(&program))?.usages()
        }
    };
    if usages.is_empty() {
        bail!("the hook {} has no execution that has ended", args.hook);
    }
    let rows: Vec<Row> = PERCENTILES
        .iter()
        .map(|percentile| row(*percentile, &usages))
        .collect();
    if args.format.is_json() {
        return print_json(&serde_json::json!({"executions": usages.len(), "percentiles": rows}));
    }
    print(&format!(
        "{}of {} executions\n",
        table(&rows, &COLUMNS),
        usages.len()
    ))
}

/// The least that so many in a hundred stay within.
fn row(percentile: u8, usages: &[Usage]) -> Row {
    let of = |amount: fn(&Usage) -> u64| {
        let mut amounts: Vec<u64> = usages.iter().map(amount).collect();
        amounts.sort_unstable();
        let rank = (amounts.len() * usize::from(percentile)).div_ceil(100);
        amounts[rank.saturating_sub(1)]
    };
    Row {
        percentile,
        fuel: of(|usage| usage.fuel),
        memory_peak_bytes: of(|usage| usage.memory_peak_bytes),
        wall_us: of(|usage| usage.wall_us),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_least_that_covers_so_many() {
        let usages: Vec<Usage> = (1..=10)
            .map(|fuel| Usage {
                fuel,
                ..Usage::default()
            })
            .collect();
        let fuels = PERCENTILES.map(|percentile| row(percentile, &usages).fuel);
        assert_eq!(fuels, [5, 9, 10, 10]);
        assert_eq!(row(50, &usages[..1]).fuel, 1);
    }
}
