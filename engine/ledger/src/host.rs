//! How much memory, descriptors and disk the host has, and where that was read.
//!
//! A container may have less than its machine: the smallest bound on this process
//! counts. This reads only files of the kernel, and changes nothing but the process's
//! own soft limit on descriptors.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Resource as ProcessResource, Rlimit, getrlimit, setrlimit};

/// An amount that the host has, and where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAmount {
    /// Bytes, or a count.
    pub amount: u64,
    /// Where it was read, for the operator.
    pub source: String,
}

/// The files in which the kernel reports what there is.
#[derive(Clone, Debug)]
pub struct Host {
    proc: PathBuf,
    cgroups: PathBuf,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            cgroups: "/sys/fs/cgroup".into(),
        }
    }
}

impl Host {
    /// Returns the memory that this process may use: the machine's, or that of the
    /// smallest control group (version 2) around it. `None` if the kernel does not report
    /// any.
    #[must_use]
    pub fn memory(&self) -> Option<HostAmount> {
        self.cgroup_memory()
            .into_iter()
            .chain(self.machine_memory())
            .min_by_key(|found| found.amount)
    }

    fn machine_memory(&self) -> Option<HostAmount> {
        let text = fs::read_to_string(self.proc.join("meminfo")).ok()?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(HostAmount {
            amount: kib.saturating_mul(1024),
            source: "the machine's memory".into(),
        })
    }

    fn cgroup_memory(&self) -> Option<HostAmount> {
        let text = fs::read_to_string(self.proc.join("self/cgroup")).ok()?;
        let own = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let group = self.cgroups.join(own);
        group
            .ancestors()
            .take_while(|group| group.starts_with(&self.cgroups))
            .filter_map(|group| {
                let file = group.join("memory.max");
                let text = fs::read_to_string(&file).ok()?;
                Some(HostAmount {
                    amount: text.trim().parse().ok()?,
                    source: file.display().to_string(),
                })
            })
            .min_by_key(|found| found.amount)
    }
}

/// Raises the soft limit on open files to the hard one, and returns the limit that is
/// then in force.
#[must_use]
pub fn raise_descriptors() -> HostAmount {
    let Rlimit { current, maximum } = getrlimit(ProcessResource::Nofile);
    let raised = setrlimit(
        ProcessResource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
    let amount = match raised {
        Ok(()) => maximum,
        Err(_) => current,
    };
    HostAmount {
        amount: amount.unwrap_or(u64::MAX),
        source: "RLIMIT_NOFILE".into(),
    }
}

/// Returns the free bytes of the file system that a folder is on.
///
/// # Errors
///
/// If the folder does not exist or cannot be accessed.
pub fn free_disk(folder: &Path) -> io::Result<HostAmount> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(HostAmount {
        amount: found.f_bavail.saturating_mul(found.f_frsize),
        source: format!("the disk of {}", folder.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let host = Host {
            proc: root.path().join("proc"),
            cgroups: root.path().join("cgroup"),
        };
        (root, host)
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:  16384 kB\nMemFree: 1 kB\n");

    #[test]
    fn the_smallest_control_group_around_the_process_counts() {
        let (_root, host) = host(&[
            MEMINFO,
            ("proc/self/cgroup", "0::/outer/inner\n"),
            ("cgroup/outer/memory.max", "4096\n"),
            ("cgroup/outer/inner/memory.max", "max\n"),
        ]);
        let found = host.memory().unwrap();
        assert_eq!(found.amount, 4096);
        assert!(found.source.ends_with("outer/memory.max"), "{found:?}");
    }

    #[test]
    fn without_a_bound_group_the_machines_memory_counts() {
        let (_root, host) = host(&[MEMINFO, ("proc/self/cgroup", "1:cpu:/x\n")]);
        assert_eq!(host.memory().unwrap().amount, 16 << 20);
    }

    #[test]
    fn a_kernel_that_reports_nothing_is_not_an_error() {
        assert_eq!(host(&[]).1.memory(), None);
    }

    #[test]
    fn this_machine_has_memory_descriptors_and_a_disk() {
        assert!(Host::default().memory().unwrap().amount > 0);
        assert!(raise_descriptors().amount > 0);
        assert!(free_disk(Path::new("/")).unwrap().amount > 0);
    }
}
