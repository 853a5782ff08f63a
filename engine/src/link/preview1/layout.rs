//! What the two versions of preview 1 lay out or number differently.

use tenterhook_machine::{Kind, Stat};

/// One version of preview 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The module that its functions are imported from.
    pub(super) namespace: &'static str,
    /// Where the parts of a subscription are. The older version has an identifier before
    /// the clock.
    pub(super) subscription: Subscription,
    /// The numbers of a seek's origins: the start, the position, the end.
    pub(super) whence: [u32; 3],
    /// How many bytes the count of names has in what is told of a file.
    links_bytes: usize,
}

/// The size of a subscription, and the offsets of its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) bytes: u32,
    pub(super) clock: usize,
    pub(super) timeout: usize,
    pub(super) flags: usize,
}

/// `wasi_snapshot_preview1`.
pub(super) static CURRENT: Layout = Layout {
    namespace: "wasi_snapshot_preview1",
    subscription: Subscription {
        bytes: 48,
        clock: 16,
        timeout: 24,
        flags: 40,
    },
    whence: [0, 1, 2],
    links_bytes: 8,
};

/// `wasi_unstable`.
pub(super) static UNSTABLE: Layout = Layout {
    namespace: "wasi_unstable",
    subscription: Subscription {
        bytes: 56,
        clock: 24,
        timeout: 32,
        flags: 48,
    },
    whence: [2, 0, 1],
    links_bytes: 4,
};

impl Layout {
    /// Returns what is told of a file, as bytes.
    pub(super) fn filestat(&self, stat: &Stat) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend(DEVICE.to_le_bytes());
        bytes.extend(stat.number.to_le_bytes());
        bytes.push(filetype(stat.kind));
        // The count is aligned to its own size.
        bytes.resize(16 + self.links_bytes, 0);
        bytes.extend(&stat.links.to_le_bytes()[..self.links_bytes]);
        bytes.extend(stat.size.to_le_bytes());
        bytes.extend(stat.times.accessed.to_le_bytes());
        bytes.extend(stat.times.modified.to_le_bytes());
        bytes.extend(stat.times.changed.to_le_bytes());
        bytes
    }
}

/// The number of the one file system.
const DEVICE: u64 = 1;

/// Returns the number of a kind of file.
pub(super) fn filetype(kind: Kind) -> u8 {
    match kind {
        Kind::Device(_) => 2,
        Kind::Folder => 3,
        Kind::File => 4,
        Kind::Link => 7,
    }
}

#[cfg(test)]
mod tests {
    use tenterhook_machine::{Owner, Times};

    use super::*;

    #[test]
    fn a_file_is_told_in_the_layout_of_each_version() {
        let stat = Stat {
            number: 0x0102,
            kind: Kind::File,
            mode: 0o644,
            owner: Owner::default(),
            links: 3,
            size: 4,
            held: 4096,
            times: Times {
                accessed: 5,
                modified: 6,
                changed: 7,
            },
        };
        let current = CURRENT.filestat(&stat);
        assert_eq!((current.len(), current[16]), (64, 4));
        let word = |at: usize| u64::from_le_bytes(current[at..at + 8].try_into().unwrap());
        let words = [0, 8, 24, 32, 40, 48, 56].map(word);
        assert_eq!(words, [1, 0x0102, 3, 4, 5, 6, 7]);
        let unstable = UNSTABLE.filestat(&stat);
        assert_eq!((unstable.len(), unstable[16], unstable[20]), (56, 4, 3));
        assert_eq!(&unstable[24..], &current[32..]);
    }
}
