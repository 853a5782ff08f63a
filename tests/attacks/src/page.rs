//! The page that the table becomes.

use std::fmt::Write as _;
use std::thread;

use crate::measured::Measured;
use crate::row::Row;
use crate::server::Neighbours;
use crate::server::crashes::Crashed;
use crate::server::siege::Besieged;

const BEGINNING: &str = "\
<!-- Written by `make attacks`. Do not edit: run that. -->

# Attacks

Every hostile program of the test suites, run against the engine and through a server:
what stopped it and what it cost the host. `make attacks` measures all of it on your
machine and fails if an attack is not held: it ends otherwise than its row expects, the
host's memory grows too far, a descriptor is left behind, or another account's
hook fails.

Each row has a process of its own with an engine in it. There the attack runs once
alone; *time* is from the call to the report, and *memory* is how far the process grew
at its peak meanwhile, files included, beside the most that it
may: the run's own limits (of an upload that is refused: its size) and 32 MiB. *Late* is
how long after its deadline a run ended that its deadline ended, and then how long after
being cancelled. *Compiler* is the most memory of the process that compiled the program,
of the 2 GiB that it may have. Then as many such attacks as the engine has threads run
in a loop, and a hook `echo hi` runs beside them; its median and 99th percentile stand
before those of the same hook on the idle engine. *Left* are descriptors after all that.

Limits are small, so that they are reached soon. The last column is the test that
proves the row in every build.
";

/// Prints the page. All rows are without faults.
pub(crate) fn print(
    sections: &[(&str, Vec<Row>)],
    neighbours: &Neighbours,
    besieged: &[Besieged],
    crashed: &Crashed,
) -> String {
    let mut page = BEGINNING.to_owned();
    let rows = sections.iter().flat_map(|(_, rows)| rows).count();
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let _ = writeln!(
        page,
        "\n{rows} attacks, all held. Measured on {cores} cores."
    );
    let measured = || {
        let rows = sections.iter().flat_map(|(_, rows)| rows);
        rows.filter_map(Row::measured)
    };
    let latest = |late: Option<u64>| late.map_or("–".to_owned(), time);
    let _ = writeln!(
        page,
        "The latest end was {} after a deadline and {} after a cancellation.",
        latest(measured().filter_map(|row| row.late_us).max()),
        latest(measured().filter_map(|row| row.cancelled_us).max()),
    );
    page.push_str(&through_a_server(neighbours));
    page.push_str(&under_siege(besieged));
    page.push_str(&killed(crashed));
    for (title, rows) in sections {
        let _ = writeln!(
            page,
            "\n## {title}\n\n| attack | stopped by | time | late | memory, of | compiler | left | hook beside it | hook alone | test |\n\
             |---|---|--:|--:|--:|--:|--:|--:|--:|---|"
        );
        for row in rows {
            if let Some(measured) = row.measured() {
                page.push_str(&line(row, measured));
            }
        }
    }
    page
}

fn through_a_server(neighbours: &Neighbours) -> String {
    let Neighbours {
        idle,
        beside,
        strikes,
    } = neighbours;
    let mut text = format!(
        "\n## Through a server\n\n\
         `tenterhook serve` with two accounts. One fires a hook `echo hi` over and over, and \
         waits for each answer; the other makes all attacks of this page at one time and in a \
         loop, from 38 connections: {} runs, {} uploads that were refused, {} requests that \
         were told to come back. Times are from the request to the answer, the event and the \
         outcome stored on disk between them. None of the hook's runs failed.\n\n\
         | `echo hi` of the other account | runs | median | 99th percentile | slowest |\n\
         |---|--:|--:|--:|--:|\n",
        strikes.runs, strikes.refused, strikes.turned_away
    );
    for (name, served) in [("alone", idle), ("beside all attacks", beside)] {
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} |",
            served.runs,
            time(served.median_us),
            time(served.slow_us),
            time(served.slowest_us),
        );
    }
    text
}

fn under_siege(besieged: &[Besieged]) -> String {
    let mut text = "\n## Some against another\n\n\
         Each row is a server of its own. Others attack what all share, over and over; an \
         account fires a hook `echo hi` and waits for each answer; a third party without a \
         token asks for `/healthz` five times a second, each time on a new connection. None of \
         the hook's runs failed, and health was always answered.\n\n\
         | attack | served | turned away | hook alone | hook beside it | slowest | health | slowest health | memory | test |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|---|\n"
        .to_owned();
    for row in besieged {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {}, {} | {}, {} | {} | {} of {} | {} | {} MiB | `{}` |",
            cell(row.attack),
            row.served,
            row.turned_away,
            time(row.idle.median_us),
            time(row.idle.slow_us),
            time(row.beside.median_us),
            time(row.beside.slow_us),
            time(row.beside.slowest_us),
            row.healthy,
            row.asked,
            time(row.health_slowest_us),
            row.peak_bytes >> 20,
            row.test,
        );
    }
    text
}

fn killed(crashed: &Crashed) -> String {
    let micros = crashed.served.iter().map(std::time::Duration::as_micros);
    let micros = micros.map(|micros| u64::try_from(micros).unwrap_or(u64::MAX));
    let served: Vec<_> = micros.map(time).collect();
    format!(
        "\n## A server that is killed\n\n\
         The server is killed with SIGKILL {} times, each time while the same executions of one \
         account run. After that they are dead: {}. The hook `echo hi` of another account was \
         served after each start, {} after the server listened. Test: \
         `dispatch/tests/it/crash.rs::after_three_attempts_that_killed_the_server_an_execution_is_dead`.\n",
        served.len(),
        cell(&crashed.error),
        served.join(", "),
    )
}

fn line(row: &Row, measured: &Measured) -> String {
    let Measured {
        idle,
        beside,
        descriptors_left,
        ..
    } = measured;
    format!(
        "| {} | {} | {} | {}, {} | {}, {} MiB | {} | {descriptors_left} | {}, {} | {}, {} | `{}` |\n",
        cell(&row.attack.name),
        cell(&measured.stopped_by),
        time(measured.wall_us),
        measured.late_us.map_or("–".to_owned(), time),
        measured.cancelled_us.map_or("–".to_owned(), time),
        mebibytes(measured.growth_bytes),
        row.allowed_bytes >> 20,
        match measured.compiler_bytes {
            0 => "–".to_owned(),
            bytes => format!("{} MiB", bytes >> 20),
        },
        time(beside.median_us),
        time(beside.slow_us),
        time(idle.median_us),
        time(idle.slow_us),
        row.attack.test,
    )
}

/// A text that stays in its cell, whatever it contains.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for c in text.chars() {
        match c {
            '|' => cell.push_str("\\|"),
            '<' => cell.push_str("&lt;"),
            c if c.is_control() => cell.extend(c.escape_default()),
            c => cell.push(c),
        }
    }
    cell
}

fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros / 100 % 10),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros / 10_000 % 100),
    }
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil((1 << 20) / 10);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_a_unit_that_fits() {
        assert_eq!(
            [999, 1_250, 1_234_567].map(time),
            ["999 µs", "1.2 ms", "1.23 s"]
        );
    }

    #[test]
    fn nothing_leaves_its_cell() {
        assert_eq!(cell("a|b\n\u{1b}[2J<"), "a\\|b\\n\\u{1b}[2J&lt;");
    }
}
