//! Limits as flags: parsed from text, and checked against the engine's ceiling.

use clap::Args;
use tenterhook_engine::{AskedLimits, Limits};

use crate::faults::Faults;
use crate::quantity::{
    NotAnAmount, parse_count, parse_millis, parse_size, show_count, show_millis, show_size,
};

/// Limits of one run, as typed.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitFlags {
    /// Fuel: units of work, about one per instruction, such as `2G` [default: 10G].
    #[arg(long, value_name = "COUNT")]
    pub(crate) fuel: Option<String>,
    /// Linear memory, such as `128MiB` [default: 64MiB].
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Time from start to end, sleep included, such as `2s` [default: 30s].
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<String>,
    /// Output that is kept, both streams together [default: 1MiB].
    #[arg(long, value_name = "SIZE")]
    pub(crate) output: Option<String>,
    /// What the run's own files may hold [default: 64MiB].
    #[arg(long, value_name = "SIZE")]
    pub(crate) files: Option<String>,
    /// Files, folders and links that may exist [default: 1024].
    #[arg(long, value_name = "COUNT")]
    pub(crate) inodes: Option<String>,
    /// Files that may be open at one time [default: 64].
    #[arg(long, value_name = "COUNT")]
    pub(crate) descriptors: Option<String>,
}

impl LimitFlags {
    /// Parses every limit and records what is wrong with any, by its flag: `prefix` and the
    /// field's name.
    pub(crate) fn read(&self, prefix: &str, faults: &mut Faults) -> AskedLimits {
        let ceiling = Limits::ceiling();
        let mut read = |name, text: &Option<String>, parse: Parse, show: Show, most: u64| {
            let checked = parse(text.as_deref()?)
                .map_err(|error| error.to_string())
                .and_then(|asked| within(asked, most, show));
            faults.check(&format!("{prefix}{name}"), checked)
        };
        let wall = u64::try_from(ceiling.wall.as_millis()).unwrap_or(u64::MAX);
        let small = |count: u64| u32::try_from(count).expect("the ceiling is a u32");
        AskedLimits {
            fuel: read("fuel", &self.fuel, parse_count, show_count, ceiling.fuel),
            memory_bytes: read(
                "memory",
                &self.memory,
                parse_size,
                show_size,
                ceiling.memory,
            ),
            wall_ms: read("timeout", &self.timeout, parse_millis, show_millis, wall),
            output_bytes: read(
                "output",
                &self.output,
                parse_size,
                show_size,
                ceiling.output,
            ),
            files_bytes: read("files", &self.files, parse_size, show_size, ceiling.files),
            inodes: read(
                "inodes",
                &self.inodes,
                parse_count,
                show_count,
                ceiling.inodes.into(),
            )
            .map(small),
            descriptors: read(
                "descriptors",
                &self.descriptors,
                parse_count,
                show_count,
                ceiling.descriptors.into(),
            )
            .map(small),
        }
    }
}

type Parse = fn(&str) -> Result<u64, NotAnAmount>;
type Show = fn(u64) -> String;

fn within(asked: u64, most: u64, show: Show) -> Result<u64, String> {
    if asked == 0 {
        return Err("must not be 0".into());
    }
    if asked > most {
        return Err(format!(
            "can be {} at most, not {}",
            show(most),
            show(asked)
        ));
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requested_limits_are_read() {
        let flags = LimitFlags {
            fuel: Some("2G".into()),
            memory: Some("32MiB".into()),
            timeout: Some("200ms".into()),
            descriptors: Some("8".into()),
            ..LimitFlags::default()
        };
        let mut faults = Faults::default();
        let asked = flags.read("--", &mut faults);
        faults.none().unwrap();
        let limits = asked
            .resolve(&Limits::default(), &Limits::ceiling())
            .unwrap();
        assert_eq!(limits.fuel, 2_000_000_000);
        assert_eq!(limits.memory, 32 << 20);
        assert_eq!(limits.wall.as_millis(), 200);
        assert_eq!(limits.descriptors, 8);
        assert_eq!(limits.output, Limits::default().output);
    }

    #[test]
    fn every_invalid_limit_is_named() {
        let flags = LimitFlags {
            fuel: Some("0".into()),
            memory: Some("1TiB".into()),
            output: Some("17MiB".into()),
            inodes: Some("5000000000".into()),
            ..LimitFlags::default()
        };
        let mut faults = Faults::default();
        flags.read("--max-", &mut faults);
        let message = faults.none().unwrap_err().to_string();
        assert_eq!(
            message,
            "cannot use these settings:\n  \
             `--max-fuel` must not be 0\n  \
             `--max-memory` must be a size, such as 65536, 64KiB, 64MiB or 1GiB\n  \
             `--max-output` can be 16 MiB at most, not 17 MiB\n  \
             `--max-inodes` can be 65536 at most, not 5 G"
        );
    }
}
