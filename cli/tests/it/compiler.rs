//! Modules and components that are built to cost the compiler too much: their upload is
//! refused with the reason, and other clients are not affected.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tenterhook_tests_artifacts::handmade::{doubling, locals_everywhere, loops};

use crate::api::{Owner, event};
use crate::server::Server;
use crate::status::status;
use crate::tiny;

#[test]
fn a_module_of_many_loops_is_refused_when_compiling_takes_too_long() {
    let scene = Scene::new(&["--max-compile-time", "1s"]);
    let reason = scene.refused(&loops(4));
    assert!(
        reason.contains("more than 1 s of processor time"),
        "{reason}"
    );
    scene.goes_on();
}

#[test]
fn a_module_of_many_locals_is_refused_when_compiling_takes_too_long() {
    let scene = Scene::new(&["--max-compile-time", "1s"]);
    let reason = scene.refused(&locals_everywhere());
    assert!(
        reason.contains("more than 1 s of processor time"),
        "{reason}"
    );
    scene.goes_on();
}

#[test]
fn a_module_that_needs_too_much_memory_to_compile_is_refused() {
    let scene = Scene::new(&["--max-compile-memory", "256MiB"]);
    let reason = scene.refused(&loops(4));
    assert!(reason.contains("more than 256 MiB of memory"), "{reason}");
    scene.goes_on();
}

#[test]
fn a_component_whose_instances_double_at_every_level_is_refused() {
    let scene = Scene::new(&["--max-compile-time", "2s"]);
    for levels in [12, 16, 24] {
        let reason = scene.refused(&doubling(levels));
        assert!(
            ["instances", "processor time", "memory"]
                .iter()
                .any(|bound| reason.contains(bound)),
            "{levels}: {reason}"
        );
    }
    scene.goes_on();
}

#[test]
fn a_compiler_crash_is_reported_to_the_uploader() {
    let scene = Scene::new(&[]);
    let (status, problem) = scene.upload_and_signal(Signal::SYS);
    assert_eq!(status, 422, "{problem}");
    assert_eq!(problem["type"], "/problems/invalid-program", "{problem}");
    assert!(problem.to_string().contains("crashed"), "{problem}");
    scene.goes_on();
}

#[test]
fn a_compiler_that_is_killed_from_outside_is_not_the_uploaders_fault() {
    let scene = Scene::new(&[]);
    let (status, problem) = scene.upload_and_signal(Signal::KILL);
    assert_eq!(status, 500, "{problem}");
    assert_eq!(problem["type"], "/problems/internal", "{problem}");
    scene.goes_on();
}

#[test]
fn a_compiler_drops_more_rights_than_its_server() {
    let scene = Scene::new(&["--max-compile-time", "1s"]);
    let server = status(scene.server.id());
    let server: u32 = server.field("Seccomp_filters").parse().unwrap();
    let (_, compiler) = scene.upload_and_see(|compiler| {
        let seen = status(compiler);
        let held = seen.find("Seccomp_filters")?.parse::<u32>().ok()? > server;
        held.then_some(seen)
    });
    assert_eq!(compiler.field("NoNewPrivs"), "1");
    assert_eq!(compiler.field("CapEff"), "0000000000000000");
    assert_eq!(compiler.field("CapPrm"), "0000000000000000");
}

#[test]
fn one_accounts_bombs_do_not_keep_anothers_upload_waiting() {
    let scene = Scene::new(&["--max-compile-time", "1s"]);
    let other = scene.owner.of_another_account("other");
    let bomb = loops(4);
    std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..12)
            .map(|_| scope.spawn(|| scene.upload(&bomb)))
            .collect();
        while children(scene.server.id()).is_empty() {
            std::thread::yield_now();
        }
        for status in 0..3 {
            other.source(&format!("good-{status}"), tiny::exiting(status));
        }
        // What was in progress may have finished; what waited behind it has not.
        assert!(uploads.iter().any(|upload| !upload.is_finished()));
        for upload in uploads {
            let (status, problem) = upload.join().unwrap();
            let kind = &problem["type"];
            match status {
                // On a busy machine its turn may not have come yet.
                202 => {}
                422 => assert_eq!(kind, "/problems/invalid-program", "{problem}"),
                503 => assert_eq!(kind, "/problems/too-busy", "{problem}"),
                _ => panic!("{problem}"),
            }
        }
    });
    scene.goes_on();
}

/// A server and its owner.
struct Scene {
    server: Server,
    owner: Owner,
    _data: tempfile::TempDir,
}

impl Scene {
    fn new(flags: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path(), flags);
        let owner = Owner::of(&server, data.path());
        Self {
            server,
            owner,
            _data: data,
        }
    }

    fn upload(&self, bytes: &[u8]) -> (u16, Value) {
        let path = "/api/v1/sources?name=bomb&wait=120";
        self.owner
            .try_call("POST", path, "application/wasm", bytes)
            .unwrap()
    }

    /// Uploads what must be refused; returns the reason.
    #[track_caller]
    fn refused(&self, bytes: &[u8]) -> String {
        let (status, problem) = self.upload(bytes);
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["type"], "/problems/invalid-program", "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    }

    /// Uploads what takes long to compile and sends its compiler a signal.
    fn upload_and_signal(&self, signal: Signal) -> (u16, Value) {
        let (answer, ()) = self.upload_and_see(|compiler| kill_process(compiler, signal).ok());
        answer
    }

    /// Uploads what takes long to compile, and looks at its compiler until there
    /// is something to see.
    fn upload_and_see<T>(&self, look: impl Fn(Pid) -> Option<T>) -> ((u16, Value), T) {
        let bomb = loops(4);
        std::thread::scope(|scope| {
            let upload = scope.spawn(|| self.upload(&bomb));
            let seen = loop {
                assert!(!upload.is_finished(), "no compiler was seen");
                let compilers = children(self.server.id());
                if let Some(seen) = compilers.first().and_then(|compiler| look(*compiler)) {
                    break seen;
                }
                std::thread::yield_now();
            };
            (upload.join().unwrap(), seen)
        })
    }

    /// The server answers, compiles what is good, and runs it.
    fn goes_on(&self) {
        assert_eq!(self.server.get("/healthz", "").status, 200);
        let source = self.owner.source("good", tiny::exiting(7));
        let hook = json!({"source": source, "event": "custom.good"});
        self.owner.post("/api/v1/hooks", &hook);
        let task = self.owner.fire_and_wait(&event("good", 1));
        let outcome = &task["executions"][0]["outcome"];
        assert_eq!(*outcome, json!({"kind": "exited", "status": 7}), "{task}");
        assert_eq!(children(self.server.id()), [], "a compiler was left behind");
    }
}

/// The processes that this one has started and that still run its own program.
fn children(parent: Pid) -> Vec<Pid> {
    let is_child = |process: &Path| {
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        let command = fs::read(process.join("cmdline")).unwrap_or_default();
        status.contains(&format!("\nPPid:\t{}\n", parent.as_raw_nonzero()))
            && command
                .split(|byte| *byte == 0)
                .any(|word| word == b"compile-worker")
    };
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let id = entry.file_name().to_str()?.parse().ok()?;
            is_child(&entry.path()).then(|| Pid::from_raw(id))?
        })
        .collect()
}
