//! The rights that the server keeps once it serves: its folders, its sockets, and what is
//! needed to resolve a name, to check a certificate and to start the compiler.

use std::fs;
use std::path::{Path, PathBuf};

use tenterhook_engine::{Engine, Lockdown, Requirements};

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

/// Devices that give no access to the machine.
const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// Drops all other rights, and logs which layers the kernel applies. To be called before
/// the threads that serve are started.
pub(super) fn apply(
    engine: &Engine,
    lockdown: Lockdown,
    data: &DataDir,
    database: &DatabaseUrl,
) -> anyhow::Result<()> {
    if lockdown == Lockdown::Off {
        tracing::warn!(
            "NO LOCKDOWN: the sandboxes are the only layer; code that escapes from one has every \
             right of this process (--no-lockdown)"
        );
        return Ok(());
    }
    engine.lock_down_process(&requirements(data, database))?;
    let stats = engine.stats();
    let (guests, process) = (stats.guest_lockdown, stats.process_lockdown);
    if guests.are_complete() && process.are_complete() {
        tracing::info!(%guests, %process, "locked down");
    } else {
        tracing::warn!(%guests, %process, "locked down as far as this kernel can");
    }
    Ok(())
}

fn requirements(data: &DataDir, database: &DatabaseUrl) -> Requirements {
    let mut change = vec![data.path().to_owned()];
    change.extend(database.folder().map(Path::to_owned));
    let mut start = vec![PathBuf::from("/proc/self/exe")];
    start.extend(loaders());
    Requirements {
        change,
        read: READ.map(PathBuf::from).into(),
        devices: DEVICES.map(PathBuf::from).into(),
        start,
    }
}

/// Returns the dynamic loader of this program, which the kernel also starts for the
/// compiler process. A static program has none.
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
