//! The second layer: what native code could do on a guest's thread. These tests run their
//! own code there, like an attacker who has escaped.

use std::ffi::CStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, openat};
use rustix::mount::{FsOpenFlags, fsopen};
use rustix::process::{getpid, test_kill_process};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use tenterhook_engine::{Engine, Layers, Lockdown, Requirements, Settings};
use tenterhook_tests_artifacts as guests;

use crate::harness::{ENGINE, Run, SUCCESS, engine};

/// Runs something on both kinds of threads that work for guests.
async fn on_guest_threads<T: Send + 'static>(
    engine: &Engine,
    what: impl Fn() -> T + Send + Sync + 'static,
) -> [T; 2] {
    let what = Arc::new(what);
    let again = Arc::clone(&what);
    [
        engine.threads().spawn(async move { what() }).await.unwrap(),
        engine
            .threads()
            .spawn_blocking(move || again())
            .await
            .unwrap(),
    ]
}

/// Asserts that something is refused on guests' threads for lack of rights, and allowed on
/// any other thread.
async fn assert_refused<T>(what: impl Fn() -> io::Result<T> + Send + Sync + 'static) {
    what().map(drop).unwrap();
    assert!(ENGINE.stats().guest_lockdown.are_complete());
    for kind in on_guest_threads(&ENGINE, move || what().map_err(|error| error.kind()).err()).await
    {
        assert_eq!(kind, Some(io::ErrorKind::PermissionDenied));
    }
}

#[tokio::test]
async fn every_layer_is_applied_to_guest_threads() {
    let all = Layers {
        no_new_privileges: true,
        capabilities: true,
        landlock: true,
        seccomp: true,
    };
    {
        let engine = &*ENGINE;
        assert_eq!(
            engine.stats().guest_lockdown,
            all,
            "this kernel lacks a layer"
        );
        let threads = on_guest_threads(engine, rustix::thread::gettid).await;
        for thread in threads {
            let status = format!("/proc/self/task/{}/status", thread.as_raw_nonzero());
            let status = fs::read_to_string(status).unwrap();
            let status_of = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap().trim_start_matches(':').trim().to_owned()
            };
            assert_eq!(status_of("NoNewPrivs"), "1");
            assert_eq!(status_of("Seccomp"), "2");
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                assert_eq!(status_of(set), "0000000000000000", "{set}");
            }
        }
    }
}

#[tokio::test]
async fn a_guest_thread_cannot_open_a_host_file() {
    assert_refused(|| File::open("/etc/passwd")).await;
    assert_refused(|| File::open("/proc/self/environ")).await;
    assert_refused(|| fs::read_dir("/")).await;
    assert_refused(|| File::open("/dev/null")).await;
}

#[tokio::test]
async fn a_guest_thread_cannot_create_or_change_a_host_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("there"), "").unwrap();
    let [made, linked, there] = ["made", "linked", "there"].map(at);
    let open = there.clone();
    assert_refused(move || OpenOptions::new().write(true).open(&open)).await;
    let (from, to) = (there.clone(), at("moved"));
    assert_refused(move || {
        fs::rename(&from, &to)?;
        fs::rename(&to, &from)
    })
    .await;
    assert_refused(move || {
        File::create(&made)?;
        fs::remove_file(&made)
    })
    .await;
    assert_refused(move || {
        symlink("/etc", &linked)?;
        fs::remove_file(&linked)
    })
    .await;
}

#[tokio::test]
async fn a_guest_thread_cannot_open_through_a_folder_that_is_open() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("there"), "").unwrap();
    let open = Arc::new(File::open(folder.path()).unwrap());
    let again = Arc::clone(&open);
    assert_refused(move || Ok(openat(&*open, "there", OFlags::RDONLY, Mode::empty())?)).await;
    let write = OFlags::WRONLY | OFlags::CREATE;
    assert_refused(move || Ok(openat(&*again, "new", write, Mode::RWXU)?)).await;
}

#[tokio::test]
async fn a_guest_thread_cannot_connect_anywhere() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    assert_refused(move || TcpStream::connect(address)).await;
    assert_refused(move || UdpSocket::bind("127.0.0.1:0")?.connect(address)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _listening = UnixListener::bind(&path).unwrap();
    assert_refused(move || UnixStream::connect(&path)).await;
    assert_refused(UnixStream::pair).await;
}

#[tokio::test]
async fn a_guest_thread_cannot_listen() {
    assert_refused(|| TcpListener::bind("127.0.0.1:0")).await;
}

#[tokio::test]
async fn a_guest_thread_cannot_start_a_program() {
    assert_refused(|| Command::new("true").status()).await;
    // If starting one were allowed, the error would be that the program does not exist.
    for error in on_guest_threads(&ENGINE, || exec(c"/nothing/there")).await {
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
    assert_eq!(exec(c"/nothing/there").kind(), io::ErrorKind::NotFound);
}

#[expect(unsafe_code, reason = "the call itself is what is tested")]
fn exec(program: &CStr) -> io::Error {
    let words = [program.as_ptr(), std::ptr::null()];
    let none = [std::ptr::null()];
    // SAFETY: the lists end with null; the call returns, as there is no such program.
    unsafe { libc::execve(program.as_ptr(), words.as_ptr(), none.as_ptr()) };
    io::Error::last_os_error()
}

#[tokio::test]
async fn a_guest_thread_cannot_touch_a_process() {
    // Its own process is one that it would otherwise have every right to.
    assert_refused(|| Ok(test_kill_process(getpid())?)).await;
    assert_refused(read_own_memory).await;
    assert_eq!(ptrace_errors().await, [libc::EPERM; 2]);
}

#[expect(unsafe_code, reason = "the call itself is what is tested")]
fn read_own_memory() -> io::Result<()> {
    let (mut to, mut from) = ([0_u8; 1], [1_u8; 1]);
    let [to, from] = [&mut to, &mut from].map(|bytes| libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: 1,
    });
    // SAFETY: both are one byte long and live until the end of this function.
    let read = unsafe {
        libc::process_vm_readv(
            std::process::id().cast_signed(),
            &raw const to,
            1,
            &raw const from,
            1,
            0,
        )
    };
    match read {
        1 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[expect(unsafe_code, reason = "the call itself is what is tested")]
async fn ptrace_errors() -> [i32; 2] {
    let detach = || {
        // SAFETY: there is no process 0 to be detached from; the call only fails.
        unsafe { libc::ptrace(libc::PTRACE_DETACH, 0, 0, 0) };
        io::Error::last_os_error().raw_os_error().unwrap()
    };
    assert_eq!(detach(), libc::ESRCH);
    on_guest_threads(&ENGINE, detach).await
}

#[tokio::test]
async fn a_guest_thread_may_use_ioctl_only_to_scan_for_written_pages() {
    // Of the open files, only the process's own page map can answer.
    let map = Arc::new(File::open("/proc/self/pagemap").unwrap());
    for [scan, size] in on_guest_threads(&ENGINE, move || {
        [PAGEMAP_SCAN, libc::TIOCGWINSZ].map(|what| ioctl_error(&map, what))
    })
    .await
    {
        assert_eq!(
            scan,
            libc::EFAULT,
            "it was asked with nowhere to put the answer"
        );
        assert_eq!(size, libc::EPERM);
    }
}

/// What the runtime calls after a run, to zero what was written.
const PAGEMAP_SCAN: libc::Ioctl = 0xc060_6610;

#[expect(unsafe_code, reason = "the call itself is what is tested")]
fn ioctl_error(file: &File, what: libc::Ioctl) -> i32 {
    // SAFETY: the kernel refuses an argument that points nowhere.
    unsafe { libc::ioctl(file.as_raw_fd(), what, std::ptr::null_mut::<u8>()) };
    io::Error::last_os_error().raw_os_error().unwrap()
}

#[tokio::test]
async fn a_guest_thread_cannot_mount_or_leave_its_namespaces() {
    {
        let engine = &*ENGINE;
        for refused in on_guest_threads(engine, || {
            [
                fsopen("tmpfs", FsOpenFlags::empty()).map(drop),
                unshare(UnshareFlags::NEWUSER),
                unshare(UnshareFlags::NEWNS),
                // What every thread may do: it changes nothing.
                unshare(UnshareFlags::empty()),
            ]
        })
        .await
        {
            assert_eq!(refused, [Err(rustix::io::Errno::PERM); 4]);
        }
    }
    assert_eq!(unshare(UnshareFlags::empty()), Ok(()));
}

#[expect(unsafe_code, reason = "the call itself is what is tested")]
fn unshare(what: UnshareFlags) -> rustix::io::Result<()> {
    // SAFETY: it is refused, or changes nothing.
    unsafe { unshare_unsafe(what) }
}

#[tokio::test]
async fn a_thread_that_a_guest_thread_starts_is_locked_down_as_well() {
    for refused in on_guest_threads(&ENGINE, || {
        let started = std::thread::spawn(|| File::open("/etc/passwd").map(drop));
        started.join().unwrap().map_err(|error| error.kind())
    })
    .await
    {
        assert_eq!(refused, Err(io::ErrorKind::PermissionDenied));
    }
}

#[tokio::test]
async fn many_blocking_threads_are_locked_down_one_by_one() {
    // More filters than a thread can have, if each thread applied its own on top.
    let mut handles = Vec::new();
    let all_there = Arc::new(std::sync::Barrier::new(40));
    for _ in 0..40 {
        let all_there = Arc::clone(&all_there);
        handles.push(ENGINE.threads().spawn_blocking(move || {
            all_there.wait();
            File::open("/etc/passwd").is_err()
        }));
    }
    for handle in handles {
        assert!(handle.await.unwrap());
    }
}

#[tokio::test]
async fn without_lockdown_nothing_is_restricted_and_that_is_reported() {
    let engine = engine(Settings {
        lockdown: Lockdown::Off,
        ..Settings::default()
    });
    assert_eq!(engine.stats().guest_lockdown, Layers::default());
    let opened = on_guest_threads(&engine, || File::open("/etc/passwd").is_ok());
    assert_eq!(opened.await, [true; 2]);
    assert_eq!(
        Run::guest(guests::FRIENDLY_FILES).on(&engine).await.outcome,
        SUCCESS
    );
}

#[test]
fn the_rest_of_a_server_keeps_only_its_folders_and_connections() {
    let [own, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    fs::write(other.path().join("there"), "").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let engine = engine(Settings::default());
    let requirements = Requirements {
        change: vec![own.path().to_owned()],
        read: vec!["/etc".into(), "/not/there".into()],
        ..Requirements::default()
    };
    let refused = |done: io::Result<()>| {
        assert_eq!(done.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    };
    // Only the calling thread is restricted, and what it starts: this test continues.
    let held = || {
        engine.lock_down_process(&requirements).unwrap();
        fs::write(own.path().join("file"), "").unwrap();
        fs::remove_file(own.path().join("file")).unwrap();
        fs::read("/etc/passwd").unwrap();
        TcpStream::connect(address).unwrap();
        refused(fs::read(other.path().join("there")).map(drop));
        refused(fs::write(other.path().join("new"), ""));
        refused(fs::write("/etc/new", ""));
        refused(fs::read_dir("/root").map(drop));
        refused(TcpListener::bind("127.0.0.1:0").map(drop));
        refused(Command::new("true").status().map(drop));
        refused(
            fsopen("tmpfs", FsOpenFlags::empty())
                .map(drop)
                .map_err(io::Error::from),
        );
        refused(unshare(UnshareFlags::empty()).map_err(io::Error::from));
        refused(read_own_memory());
    };
    std::thread::scope(|scope| scope.spawn(held).join().unwrap());
    assert!(engine.stats().process_lockdown.are_complete());
    assert!(fs::read(other.path().join("there")).is_ok());
}
