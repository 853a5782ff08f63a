//! The usage of a run as a table, which `--bill` prints: how much of each limit was used,
//! and how the run ended.

use tenterhook_engine::{Limits, Program, Report};

use super::ending::{Ending, answer};
use crate::amount::{count, size, time};
use crate::neutral;
use crate::paint::Painter;

/// Cells of a bar.
const BAR: usize = 20;

/// Draws the table.
pub(super) fn draw(
    program: &Program,
    run: &Report,
    limits: &Limits,
    ending: &Ending,
    paint: Painter,
) -> String {
    let usage = &run.usage;
    let wall = u64::try_from(limits.wall.as_micros()).unwrap_or(u64::MAX);
    let rows = [
        ("fuel", usage.fuel, limits.fuel, count as Show),
        ("memory", usage.memory_peak_bytes, limits.memory, size),
        ("time", usage.wall_us, wall, time),
        ("output", usage.output_bytes, limits.output, size),
        ("files", usage.files_bytes, limits.files, size),
    ];
    let mut text = String::new();
    for (name, used, limit, show) in rows {
        let amounts = format!("{} of {}", show(used), show(limit));
        text += &format!(
            "{name:<9} {amounts:<22} {:>5}  {}\n",
            percent(used, limit),
            bar(used, limit, paint)
        );
    }
    let calls = count(usage.host_calls);
    let cpu = time(usage.cpu_us);
    let outcome = neutral::line(&run.outcome.to_string());
    let outcome = match run.is_success() {
        true => paint.ok(&outcome),
        false => paint.bad(&outcome),
    };
    text += &format!(
        "{:<9} {calls} host calls, {cpu} of processor time\n",
        "also"
    );
    text += &format!("{:<9} {outcome}\n", "outcome");
    text += &format!("{:<9} {}\n", "verdict", answer(run, paint));
    text += &format!("{:<9} {}\n", "status", ending.status());
    text += &format!(
        "{:<9} {} {}\n",
        "program",
        program.kind(),
        paint.dim(&program.digest().to_string())
    );
    text
}

type Show = fn(u64) -> String;

/// Formats the share of the limit, rounded so that 0 and 100 mean none and all.
fn percent(used: u64, limit: u64) -> String {
    let share = share(used, limit);
    match share {
        _ if used == 0 => "0 %".into(),
        _ if share < 0.01 => "<1 %".into(),
        _ if share < 1.0 => format!("{:.0} %", (share * 100.0).min(99.0)),
        _ => format!("{:.0} %", share * 100.0),
    }
}

fn bar(used: u64, limit: u64, paint: Painter) -> String {
    let cells = (u128::from(used.min(limit)) * BAR as u128).div_ceil(u128::from(limit.max(1)));
    let cells = usize::try_from(cells).unwrap_or(BAR).min(BAR);
    let full = "█".repeat(cells);
    let full = match share(used, limit) {
        0.0..0.7 => paint.ok(&full),
        0.7..0.9 => paint.warn(&full),
        _ => paint.bad(&full),
    };
    format!("{full}{}", paint.dim(&"░".repeat(BAR - cells)))
}

fn share(used: u64, limit: u64) -> f64 {
    used as f64 / limit.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paint;

    #[test]
    fn zero_and_full_differ_from_nearly_zero_and_nearly_full() {
        assert_eq!(percent(0, 10), "0 %");
        assert_eq!(percent(1, 1_000), "<1 %");
        assert_eq!(percent(999, 1_000), "99 %");
        assert_eq!(percent(1_000, 1_000), "100 %");
        assert_eq!(percent(2_500, 1_000), "250 %");
    }

    #[test]
    fn a_bar_is_as_long_as_its_share_and_never_longer_than_itself() {
        let bar = |used, limit| bar(used, limit, paint::none());
        assert_eq!(bar(0, 10), "░".repeat(20));
        assert_eq!(bar(1, 1_000), format!("█{}", "░".repeat(19)));
        assert_eq!(bar(5, 10), format!("{}{}", "█".repeat(10), "░".repeat(10)));
        assert_eq!(bar(u64::MAX, 1), "█".repeat(20));
        assert_eq!(bar(0, 0), "░".repeat(20));
    }
}
