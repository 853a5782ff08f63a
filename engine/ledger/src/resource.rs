//! What tenants share: one variant per resource, with the unit that it is counted in.

use std::fmt;

/// Something that tenants share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Host memory: linear memories, files in memory, output, bodies in flight,
    /// queued work.
    Memory,
    /// Guests that want a core. A sleeping guest holds none.
    RunSlots,
    /// Stacks of the instance pool: runs in progress.
    Stacks,
    /// Linear memories of the instance pool.
    Memories,
    /// Tables of the instance pool.
    Tables,
    /// Core instances of the instance pool.
    CoreInstances,
    /// File descriptors: connections, the store.
    Descriptors,
    /// Requests that are being answered.
    Requests,
    /// Responses that may take long: waits and followed output.
    Streams,
    /// Bytes on the disk: events, outputs, programs, compiled code.
    Disk,
    /// Bytes of events in memory whose hooks wait or run. Counted apart from other memory:
    /// an account that waits for room to run could fill that room by waiting otherwise.
    Queue,
    /// Programs that are being received, and programs that wait for the compiler.
    Uploads,
    /// Programs that are being compiled.
    Compilations,
    /// Attempts to deliver a webhook.
    Deliveries,
}

/// What a resource is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// A count.
    Count,
}

impl Resource {
    /// All of them, in the order of the variants.
    pub const ALL: [Self; 14] = [
        Self::Memory,
        Self::RunSlots,
        Self::Stacks,
        Self::Memories,
        Self::Tables,
        Self::CoreInstances,
        Self::Descriptors,
        Self::Requests,
        Self::Streams,
        Self::Disk,
        Self::Queue,
        Self::Uploads,
        Self::Compilations,
        Self::Deliveries,
    ];

    /// Returns the name in lower case, as it appears in metrics and in error messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::RunSlots => "run_slots",
            Self::Stacks => "stacks",
            Self::Memories => "memories",
            Self::Tables => "tables",
            Self::CoreInstances => "core_instances",
            Self::Descriptors => "descriptors",
            Self::Requests => "requests",
            Self::Streams => "streams",
            Self::Disk => "disk",
            Self::Queue => "queue",
            Self::Uploads => "uploads",
            Self::Compilations => "compilations",
            Self::Deliveries => "deliveries",
        }
    }

    /// Returns what it is counted in.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::Memory | Self::Disk | Self::Queue => Unit::Bytes,
            Self::RunSlots
            | Self::Stacks
            | Self::Memories
            | Self::Tables
            | Self::CoreInstances
            | Self::Descriptors
            | Self::Requests
            | Self::Streams
            | Self::Uploads
            | Self::Compilations
            | Self::Deliveries => Unit::Count,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_has_its_own_index() {
        for (index, resource) in Resource::ALL.into_iter().enumerate() {
            assert_eq!(resource as usize, index, "{resource}");
        }
    }
}
