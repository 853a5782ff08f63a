//! The lockdown of a compiler process: it keeps its three streams, and nothing else.

use rustix::thread::CapabilitySet;

use super::calls::Calls;
use super::files::{Connect, Files};
use super::layers::Layers;
use super::restrictions::{NotApplied, Restrictions};

/// Restricts the calling thread, and those that it starts, to computing.
pub(crate) fn lock_down_compiler() -> Result<Layers, NotApplied> {
    let restrictions = Restrictions {
        capabilities: CapabilitySet::empty(),
        files: Files::none(Connect::No)?,
        calls: Calls::of_compiler()?,
    };
    restrictions.apply()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io;
    use std::net::TcpStream;
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    use rustix::fs::{Mode, OFlags, openat};
    use rustix::process::{getpid, test_kill_process};

    use super::*;

    /// Layers apply to a thread: the one here is locked down like a whole compiler process.
    #[test]
    fn a_compiler_computes_and_does_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("there"), "").unwrap();
        let open = File::open(folder.path()).unwrap();
        let locked_down = || {
            let layers = lock_down_compiler().unwrap();
            assert!(layers.are_complete(), "this kernel lacks a layer: {layers}");
            refused(File::open("/etc/passwd"));
            refused(File::create(folder.path().join("new")));
            refused(openat(&open, "there", OFlags::RDONLY, Mode::empty()).map_err(io::Error::from));
            refused(TcpStream::connect("127.0.0.1:9"));
            refused(UnixStream::pair());
            refused(Command::new("true").status());
            refused(test_kill_process(getpid()).map_err(io::Error::from));
            // What it needs: memory and threads.
            let sum = std::thread::spawn(|| vec![1_u64; 1 << 20].iter().sum::<u64>());
            assert_eq!(sum.join().unwrap(), 1 << 20);
        };
        std::thread::scope(|scope| scope.spawn(locked_down).join().unwrap());
    }

    #[track_caller]
    fn refused<T>(done: io::Result<T>) {
        let error = done.err().expect("it must be refused");
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
