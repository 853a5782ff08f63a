//! Times contenders in turns and prints medians and ratios.

use std::time::Duration;

use crate::contender::Contender;

/// Runs in a row of one contender before the next has its turn. A hook on a busy
/// server is warm; each burst's first runs show the cold start in the 99th percentile.
const BURST: usize = 50;

/// Times the contenders and prints one row each; returns their medians, in
/// microseconds. Contenders that the machine lacks are named and skipped.
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
pub(crate) fn print(
    title: &str,
    runs: usize,
    contenders: Vec<Contender>,
) -> anyhow::Result<Vec<f64>> {
    println!("\n{title} ({runs} runs each, in turns)");
    println!(
        "{:<28} {:>12} {:>12} {:>10}",
        "", "median us", "p99 us", "x first"
    );
    let (present, absent): (Vec<_>, Vec<_>) = contenders.into_iter().partition(Contender::is_there);
    let mut times = vec![Vec::with_capacity(runs); present.len()];
    while times[0].len() < runs {
        for (contender, times) in present.iter().zip(&mut times) {
            for _ in 0..BURST.min(runs) {
                times.push(contender.once()?);
            }
        }
    }
    let mut medians = Vec::with_capacity(present.len());
    for (contender, times) in present.iter().zip(&mut times) {
        times.sort_unstable();
        let median = micros(times[times.len() / 2]);
        let slow = micros(times[times.len() * 99 / 100]);
        medians.push(median);
        println!(
            "{:<28} {median:>12.1} {slow:>12.1} {:>10.2}",
            contender.name,
            median / medians[0]
        );
    }
    for contender in absent {
        println!("{:<28} not on this machine", contender.name);
    }
    Ok(medians)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
