//! What this process holds of its host, as the kernel counts it.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Bytes of memory that this process holds now.
pub(crate) fn memory_bytes() -> anyhow::Result<u64> {
    status("VmRSS:")
}

/// The most memory that this process held since [`forget_peak`], in bytes.
pub(crate) fn memory_peak_bytes() -> anyhow::Result<u64> {
    status("VmHWM:")
}

/// The most memory that another process held so far; `None` once it has ended.
pub(crate) fn memory_peak_bytes_of(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    field_of(&text, "VmHWM:")
}

/// Resets the peak to the current value.
pub(crate) fn forget_peak() -> anyhow::Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak of memory")
}

/// Descriptors that this process has open.
pub(crate) fn descriptors() -> anyhow::Result<u64> {
    entries(Path::new("/proc/self/fd"))
}

/// Entries of a folder.
pub(crate) fn entries(folder: &Path) -> anyhow::Result<u64> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()));
    Ok(u64::try_from(entries?.count())?)
}

fn status(field: &str) -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/self/status").context("cannot read own status")?;
    field_of(&text, field).with_context(|| format!("the kernel does not tell {field}"))
}

fn field_of(status: &str, field: &str) -> Option<u64> {
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"))?;
    Some(kib.parse::<u64>().ok()? << 10)
}
