//! One row: an attack, measured in a process of its own, and what is wrong with it.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::attack::Attack;
use crate::measured::{self, Measured};
use crate::table;

/// The word that starts the process of one row.
pub(crate) const MEASURE: &str = "measure";

/// How long one row may take. A limit that does not hold is seen here.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program of the row, and what was measured, in the folder of all rows.
const PROGRAM: &str = "program";
const MEASURED: &str = "measured.json";

/// One row of the table.
pub(crate) struct Row {
    pub(crate) attack: Attack,
    /// The most by which the host's memory may grow.
    pub(crate) allowed_bytes: u64,
    /// Why there is no measurement, if there is none.
    measured: Result<Measured, String>,
}

impl Row {
    /// Measures the attack that stands at `index` of the table.
    pub(crate) fn measure(index: usize, attack: Attack, folder: &Path) -> anyhow::Result<Self> {
        let program = attack.program()?;
        // The process reads what was made here: making it would fill its memory.
        fs::write(folder.join(PROGRAM), &program)?;
        let mut process = Command::new("/proc/self/exe")
            .arg(MEASURE)
            .arg(index.to_string())
            .arg(folder)
            .spawn()
            .context("cannot start a process for the attack")?;
        let measured = match wait(&mut process)? {
            Some(status) if status.success() => {
                let json = fs::read(folder.join(MEASURED))?;
                Ok(serde_json::from_slice(&json)?)
            }
            Some(status) => Err(format!("its process ended with {status}")),
            None => Err(format!("not over after {} s", PATIENCE.as_secs())),
        };
        Ok(Self {
            allowed_bytes: attack.allowed_bytes(u64::try_from(program.len())?),
            attack,
            measured,
        })
    }

    /// What was measured. Only rows without faults have it.
    pub(crate) fn measured(&self) -> Option<&Measured> {
        self.measured.as_ref().ok()
    }

    /// What is wrong; nothing if the attack is held.
    pub(crate) fn faults(&self) -> Vec<String> {
        let measured = match &self.measured {
            Ok(measured) => measured,
            Err(reason) => return vec![reason.clone()],
        };
        let mut faults = Vec::new();
        if !measured.as_expected {
            faults.push("it did not end as expected".to_owned());
        }
        if measured.growth_bytes > self.allowed_bytes {
            faults.push("it took more memory than it may".to_owned());
        }
        if measured.compiler_bytes > self.attack.compile.memory {
            faults.push("compiling it took more memory than it may".to_owned());
        }
        if measured.descriptors_left > 0 {
            faults.push("it left descriptors open".to_owned());
        }
        faults
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.attack.name)?;
        if let Ok(measured) = &self.measured {
            write!(
                f,
                "{}; {} us, {} of {} MiB, {} MiB to compile, {} descriptors left; hook {} / {} us, idle {} / {} us",
                measured.stopped_by,
                measured.wall_us,
                measured.growth_bytes >> 20,
                self.allowed_bytes >> 20,
                measured.compiler_bytes >> 20,
                measured.descriptors_left,
                measured.beside.median_us,
                measured.beside.slow_us,
                measured.idle.median_us,
                measured.idle.slow_us,
            )?;
        }
        for fault in self.faults() {
            write!(f, "; FAILED: {fault}")?;
        }
        Ok(())
    }
}

/// Does the work of the process of one row.
pub(crate) fn serve(index: &OsStr, folder: &Path) -> anyhow::Result<()> {
    let index: usize = index.to_string_lossy().parse()?;
    let attack = table::sections()
        .into_iter()
        .flat_map(|section| section.attacks)
        .nth(index)
        .context("there is no such row")?;
    let program = fs::read(folder.join(PROGRAM))?;
    // Nothing that another row has compiled: this one is to show what that takes.
    let cache = tempfile::tempdir()?;
    let measured = measured::measure(&attack, &program, cache.path())?;
    fs::write(folder.join(MEASURED), serde_json::to_vec(&measured)?)?;
    Ok(())
}

/// The status of a process once it has ended; one that does not is killed.
fn wait(process: &mut Child) -> anyhow::Result<Option<std::process::ExitStatus>> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(10));
    }
    process.kill()?;
    process.wait()?;
    Ok(None)
}
