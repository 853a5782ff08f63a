//! What the server keeps once it serves: its folders, its sockets, and what it
//! takes to resolve a name, to check a certificate and to start the compiler.

use std::fs;
use std::path::{Path, PathBuf};

use tenterhook_engine::{Engine, Lockdown, Needs};

use super::data_dir::DataDir;
use super::database::DatabaseUrl;

/// Programs, libraries, certificates, name resolution and time zones; the kernel's
/// own files, for the number of processors and the like.
const READ: [&str; 10] = [
    "/etc",
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/run/systemd/resolve",
    "/proc/self",
    // Whether the machine was started since the last server ran.
    "/proc/sys/kernel/random/boot_id",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
];

/// Devices that take and give nothing of the machine.
const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// Gives up the rest, and says what holds the server from now on. To be called
/// before the threads that serve are started.
pub(super) fn hold(
    engine: &Engine,
    lockdown: Lockdown,
    data: &DataDir,
    database: &DatabaseUrl,
) -> anyhow::Result<()> {
    if lockdown == Lockdown::Off {
        tracing::warn!(
            "NO LOCKDOWN: the sandboxes are the only layer; whoever escapes from one has every \
             right of this process (--no-lockdown)"
        );
        return Ok(());
    }
    engine.hold_process(&needs(data, database))?;
    let stats = engine.stats();
    let (guests, process) = (stats.guests_held, stats.process_held);
    if guests.are_all_there() && process.are_all_there() {
        tracing::info!(%guests, %process, "locked down");
    } else {
        tracing::warn!(%guests, %process, "locked down as far as this kernel can");
    }
    Ok(())
}

fn needs(data: &DataDir, database: &DatabaseUrl) -> Needs {
    let mut change = vec![data.path().to_owned()];
    change.extend(database.folder().map(Path::to_owned));
    let mut start = vec![PathBuf::from("/proc/self/exe")];
    start.extend(loaders());
    Needs {
        change,
        read: READ.map(PathBuf::from).into(),
        devices: DEVICES.map(PathBuf::from).into(),
        start,
    }
}

/// The dynamic loader that this program was started by: the kernel starts it for
/// the compiler's process again. A static program has none.
fn loaders() -> Vec<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut loaders: Vec<_> = maps
        .lines()
        .filter_map(|line| line.find('/').map(|at| PathBuf::from(&line[at..])))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("ld-"))
        })
        .collect();
    loaders.sort_unstable();
    loaders.dedup();
    loaders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_is_found_unless_there_is_none() {
        let program = fs::read("/proc/self/exe").unwrap();
        let named = program.windows(4).any(|bytes| bytes == b"/ld-");
        assert_eq!(!loaders().is_empty(), named);
    }
}
