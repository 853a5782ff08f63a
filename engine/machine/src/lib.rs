//! The world of one run, held in host memory.
//!
//! Files behave as those of a tmpfs do, and no kernel is asked for any of them: there is
//! nothing to mount, to leak or to race. What a run sees is a function of what it did, so
//! inode numbers, listings and errors are the same in every repetition.
//!
//! Nothing here knows of WebAssembly. The engine serves all versions of WASI from it.

mod device;
mod errno;
mod files;

pub use crate::device::Device;
pub use crate::errno::Errno;
pub use crate::files::{
    BLOCK_BYTES, Digesting, Entry, Files, INODE_BYTES, Kind, Last, NAME_MAX_BYTES, NodeId, Open,
    Owner, PATH_MAX_BYTES, Place, Quota, Start, Stat, Target, Times,
};
