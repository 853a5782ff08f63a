//! Runs a second with all cores busy, beside fork and exec.

use std::process::Command;
use std::time::{Duration, Instant};

use tenterhook_engine::{Engine, Program};

/// How long each row is measured.
const WINDOW: Duration = Duration::from_secs(3);

/// Runs in progress at one time.
const TASKS: usize = 32;

/// Measures and prints one row for each program and one for fork and exec.
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
pub(crate) fn print(
    engine: &Engine,
    module: &Program,
    component: &Program,
    script: &Program,
) -> anyhow::Result<()> {
    println!("\nruns a second, all cores busy");
    let rows = [
        ("module", module),
        ("component", component),
        ("script `echo hi`", script),
    ];
    for (name, program) in rows {
        println!("{name:<28} {:>12.0}", guests(engine, program)?);
    }
    println!("{:<28} {:>12.0}", "/bin/true by fork+exec", processes()?);
    Ok(())
}

fn guests(engine: &Engine, program: &Program) -> anyhow::Result<f64> {
    let started_at = Instant::now();
    let until = started_at + WINDOW;
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (engine, program) = (engine.clone(), program.clone());
            let handle = engine.threads().clone();
            handle.spawn(async move {
                let mut runs = 0_u32;
                while Instant::now() < until {
                    crate::run(&engine, &program, crate::invocation()).await?;
                    runs += 1;
                    // Others wait for the thread too.
                    tokio::task::yield_now().await;
                }
                anyhow::Ok(runs)
            })
        })
        .collect();
    let mut runs = 0.0;
    for task in tasks {
        runs += f64::from(tokio::runtime::Handle::block_on(engine.threads(), task)??);
    }
    Ok(runs / started_at.elapsed().as_secs_f64())
}

fn processes() -> anyhow::Result<f64> {
    let started_at = Instant::now();
    let until = started_at + WINDOW;
    let threads: Vec<_> = (0..2)
        .map(|_| {
            std::thread::spawn(move || {
                let mut runs = 0_u32;
                while Instant::now() < until {
                    anyhow::ensure!(Command::new("true").status()?.success(), "true failed");
                    runs += 1;
                }
                Ok(runs)
            })
        })
        .collect();
    let mut runs = 0.0;
    for thread in threads {
        runs += f64::from(thread.join().expect("the thread does not panic")?);
    }
    Ok(runs / started_at.elapsed().as_secs_f64())
}
