//! How much of each resource the server may share out: from the host, unless flags say
//! otherwise.
//!
//! It determines amounts and their sources; the ledger decides how they are shared.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use tenterhook_engine::{GuestStack, Limits};
use tenterhook_ledger::{
    Capacities, Capacity, Host, HostAmount, Resource, Strangers, free_disk, raise_descriptors,
};

use crate::faults::Faults;
use crate::quantity::{parse_count, parse_size, show_size};

const MIB: u64 = 1 << 20;

/// The least that a server can work with: itself and one small hook.
const MEMORY_MIN: u64 = 128 * MIB;
const DESCRIPTORS_MIN: u64 = 256;
const DISK_MIN: u64 = 64 * MIB;

/// What is assumed of a kernel that does not say how much memory there is.
const MEMORY_UNKNOWN: u64 = 1024 * MIB;

/// Memory that an account may take whatever its share, as long as that much is free, so that
/// late accounts can run something too: a hook with the default limits takes 144 MiB, files
/// included, and its requests have the rest. A stack larger than the default comes on top.
const MEMORY_FLOOR: u64 = 148 * MIB;

/// The same for descriptors: the connections of an account, and those of its webhooks.
const DESCRIPTORS_FLOOR: u64 = 80;

/// The same for requests and for long-lived replies.
const REQUESTS_FLOOR: u64 = 4;
const STREAMS_FLOOR: u64 = 2;

/// Bytes of the disk that are not shared out, beside those of the database's log: what is
/// kept for changes that free some has 24 MiB, and the rest is for indexes and what is free
/// within pages.
const DISK_OWN: u64 = 48 * MIB;

/// Bytes of the disk that the database's log may have. A larger program is in it as a whole
/// until it has been copied into the database, beside what was there before.
const LOG: u64 = 64 * MIB;
const LOG_BESIDE_PROGRAM: u64 = 20 * MIB;

/// Descriptors that are not shared out: the database's, the log's, those of the runtime and
/// of a compiler's process.
const DESCRIPTORS_OWN: u64 = 128;

/// Events in memory whose hooks wait or run; further ones wait in the store. It is part of
/// the quarter that is not shared out, and holds 128 events of the largest size: more than
/// start at one time.
const QUEUE: u64 = 64 * MIB;

/// Requests that are served at one time, and how many of them are reserved for the operator.
/// As many as there are connections; each costs tens of kilobytes besides its body, which
/// counts as memory.
const REQUESTS: (u64, u64) = (768, 32);

/// The share of strangers, that is, of clients without a token: at most a quarter together.
/// A client with a token counts as one until the token is looked up, within milliseconds;
/// all others can only log in, which takes 10 s at most. That many slots serve nineteen a
/// second even if each takes all of its time.
///
/// Part of it is reserved for them, whatever accounts hold: half of the requests, a quarter
/// of the descriptors, and a sixteenth of the memory, enough for that many requests with
/// bodies as large as those of logins.
const STRANGERS_PART: u64 = 4;

/// Long-lived replies, and how many of them are reserved for the operator. A third of the
/// requests, so that waiting clients never take all slots.
const STREAMS: (u64, u64) = (256, 16);

/// Programs that are being received or wait for the compiler. All of them are in memory,
/// which is counted as such; for a while an upload is both.
const UPLOADS: u64 = 48;

/// Attempts to deliver webhooks. Each has a connection, from the descriptors that are not
/// shared out, and most wait for their receiver.
const DELIVERIES: u64 = 64;

/// Flags that override what the host reports.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What the server may use of its host")]
pub(crate) struct CapacityFlags {
    /// Memory; three quarters of it are shared out [default: the machine's, or its
    /// control group's].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_HOST_MEMORY")]
    host_memory: Option<String>,
    /// Files and connections open at one time [default: the process's own limit].
    #[arg(long, value_name = "COUNT", env = "TENTERHOOK_HOST_DESCRIPTORS")]
    host_descriptors: Option<String>,
    /// What the data folder may hold [default: what it holds and what is free].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_MAX_DISK")]
    max_disk: Option<String>,
}

/// The flags, checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CapacityOverrides {
    memory: Option<u64>,
    descriptors: Option<u64>,
    disk: Option<u64>,
}

impl CapacityFlags {
    /// Reads the flags; what is not set is taken from the host later.
    pub(super) fn read(self, faults: &mut Faults) -> CapacityOverrides {
        let mut read = |flag, text: Option<String>, check: fn(&str) -> Result<u64, String>| {
            text.and_then(|text| faults.check(flag, check(&text)))
        };
        CapacityOverrides {
            memory: read("--host-memory", self.host_memory, |text| {
                size(text, MEMORY_MIN)
            }),
            descriptors: read("--host-descriptors", self.host_descriptors, descriptors),
            disk: read("--max-disk", self.max_disk, |text| size(text, DISK_MIN)),
        }
    }
}

fn size(text: &str, least: u64) -> Result<u64, String> {
    let size = parse_size(text).map_err(|error| error.to_string())?;
    if size < least {
        return Err(format!("must be at least {}, not {text}", show_size(least)));
    }
    Ok(size)
}

fn descriptors(text: &str) -> Result<u64, String> {
    let count = parse_count(text).map_err(|error| error.to_string())?;
    if count < DESCRIPTORS_MIN {
        return Err(format!("must be at least {DESCRIPTORS_MIN}, not {text}"));
    }
    Ok(count)
}

/// The amounts, and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resources {
    memory: HostAmount,
    descriptors: HostAmount,
    disk: HostAmount,
}

impl Resources {
    /// Asks the host for what flags have not overridden, for a server that accepts modules of
    /// up to `module_bytes`. Raises the process's limit of descriptors as far as it may be
    /// raised.
    ///
    /// # Errors
    ///
    /// If the data folder cannot be read.
    pub(super) fn find(
        overrides: CapacityOverrides,
        host: &Host,
        data: &Path,
        module_bytes: u64,
    ) -> anyhow::Result<Self> {
        let memory = overrides
            .memory
            .map(|amount| found(amount, "--host-memory"));
        let descriptors = raise_descriptors();
        let disk = match overrides.disk {
            Some(amount) => found(amount, "--max-disk"),
            None => disk_of(data, module_bytes).with_context(|| {
                format!(
                    "cannot find out how large the disk of {} is",
                    data.display()
                )
            })?,
        };
        Ok(Self {
            memory: memory.or_else(|| host.memory()).unwrap_or_else(|| {
                found(
                    MEMORY_UNKNOWN,
                    "a guess, since the kernel reports none; see --host-memory",
                )
            }),
            // The kernel would not grant more than its own limit.
            descriptors: match overrides.descriptors {
                Some(amount) if amount < descriptors.amount => found(amount, "--host-descriptors"),
                _ => descriptors,
            },
            disk,
        })
    }

    /// Returns how much of each resource may be shared out, with this many run slots, for
    /// runs on such a stack.
    ///
    /// A quarter of the memory stays for the server's own code and data, the
    /// database's cache, what runs keep mapped after their end, and what compilers
    /// take beyond what they are charged. A sixteenth of everything else is reserved for the operator.
    pub(super) fn capacities(&self, slots: Capacity, stack: GuestStack) -> Capacities {
        let sixteenth = |total: u64| Capacity::of(total).with_reserve(total / 16);
        let memory = self.memory.amount / 4 * 3;
        let memory_floor = MEMORY_FLOOR + stack.extra_memory();
        let descriptors = self.descriptors.amount.saturating_sub(DESCRIPTORS_OWN);
        let disk = self.disk.amount;
        let reserved = |(total, reserve)| Capacity::of(total).with_reserve(reserve);
        let strangers = |total: u64, kept_of: u64, floor| Strangers {
            kept: total / STRANGERS_PART / kept_of,
            most: total / STRANGERS_PART,
            floor,
        };
        Capacities::default()
            .with(Resource::RunSlots, slots)
            .with(
                Resource::Memory,
                sixteenth(memory)
                    .with_strangers(strangers(memory, 16, 256 * 1024))
                    .with_floor(memory_floor.min(memory / 4)),
            )
            .with(
                Resource::Descriptors,
                sixteenth(descriptors)
                    .with_strangers(strangers(descriptors, 4, 2))
                    .with_floor(DESCRIPTORS_FLOOR.min(descriptors / 4)),
            )
            .with(
                Resource::Requests,
                reserved(REQUESTS)
                    .with_strangers(strangers(REQUESTS.0, 2, 2))
                    .with_floor(REQUESTS_FLOOR),
            )
            .with(
                Resource::Streams,
                reserved(STREAMS).with_floor(STREAMS_FLOOR),
            )
            .with(Resource::Disk, sixteenth(disk).with_floor(disk / 64))
            .with(Resource::Queue, Capacity::of(QUEUE.min(memory / 16)))
            .with(Resource::Uploads, Capacity::of(UPLOADS).with_floor(2))
            .with(Resource::Deliveries, Capacity::of(DELIVERIES).with_floor(1))
    }

    /// Returns how many runs the engine has room for: one for each 32 MiB that are shared out.
    /// What a smaller run keeps mapped when it has finished, up to 4 MiB, then stays within
    /// the quarter that is not. Beyond 4,096 their stacks and memories would take a
    /// sizeable part of the mappings that a process may have, which are 65,530.
    pub(super) fn sandboxes(&self) -> u32 {
        let sandboxes = self.memory.amount / 4 * 3 / (32 * MIB);
        u32::try_from(sandboxes.clamp(16, 4_096)).expect("it was clamped")
    }

    /// Logs the amounts and their sources.
    pub(super) fn log(&self) {
        for (what, found, unit) in [
            ("memory", &self.memory, true),
            ("descriptors", &self.descriptors, false),
            ("disk", &self.disk, true),
        ] {
            let amount = match unit {
                true => about(found.amount),
                false => found.amount.to_string(),
            };
            tracing::info!(amount, source = found.source, "host: {what}");
        }
    }
}

/// Returns the most that a hook may ask for on this host, on such a stack: what one account
/// could be given if no other account held anything. Warns if that is less than the operator
/// allows.
pub(super) fn limits_here(capacities: &Capacities, stack: GuestStack, ceiling: &Limits) -> Limits {
    let here = ceiling.fitting(capacities.get(Resource::Memory).most(), stack);
    for (flag, allowed, here, unit) in [
        ("--max-memory", ceiling.memory, here.memory, true),
        ("--max-files", ceiling.files, here.files, true),
        ("--max-output", ceiling.output, here.output, true),
        (
            "--max-inodes",
            ceiling.inodes.into(),
            here.inodes.into(),
            false,
        ),
    ] {
        if here < allowed {
            let show = |amount| match unit {
                true => show_size(amount),
                false => amount.to_string(),
            };
            tracing::warn!(
                allowed = show(allowed),
                here = show(here),
                "{flag} exceeds what this host can give one account; it is lowered"
            );
        }
    }
    here
}

fn found(amount: u64, source: &str) -> HostAmount {
    HostAmount {
        amount,
        source: source.to_owned(),
    }
}

/// Returns what the folder holds plus what is free on its disk.
fn disk_of(data: &Path, module_bytes: u64) -> io::Result<HostAmount> {
    let free = free_disk(data)?;
    let held = held_by(data)?;
    Ok(HostAmount {
        amount: shared_of(free.amount.saturating_add(held), module_bytes),
        source: format!(
            "{}, and what it holds, less what the database needs beside its content",
            free.source
        ),
    })
}

/// Returns how much of a disk of this size can be shared out: half of a small one, else what
/// the database does not need.
fn shared_of(disk: u64, module_bytes: u64) -> u64 {
    let own = DISK_OWN + LOG.max(module_bytes.saturating_add(LOG_BESIDE_PROGRAM));
    disk - own.min(disk / 2)
}

/// Returns the bytes of all files in a folder. A file that vanishes meanwhile counts as
/// empty.
fn held_by(folder: &Path) -> io::Result<u64> {
    let mut held = 0_u64;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        held = held.saturating_add(match metadata.is_dir() {
            true => held_by(&entry.path()).unwrap_or(0),
            false => metadata.len(),
        });
    }
    Ok(held)
}

/// Formats an amount roughly: what a host reports is never a round number.
fn about(bytes: u64) -> String {
    match bytes >= 10 * 1024 * MIB {
        true => format!("{} GiB", bytes / (1024 * MIB)),
        false => format!("{} MiB", bytes / MIB),
    }
}

#[cfg(test)]
mod tests;
