//! `push`: once, again, changed, as a dry run, and what it refuses.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

use serde_json::json;

use super::Workspace;

#[test]
fn a_project_is_pushed_once_and_up_to_date_after_that() {
    let workspace = Workspace::new();
    workspace.project(
        "echo one\n",
        "[hook]\nargs = [\"-v\"]\nlimits = { wall_ms = 2000 }\n",
    );
    let pushed = workspace.push(&[]).with_status(0);
    assert!(
        pushed.stdout.contains("+ source guard: script, 9 bytes"),
        "{pushed:?}"
    );
    assert!(pushed.stdout.contains("+ hook on custom.go"), "{pushed:?}");
    assert!(pushed.stdout.ends_with("pushed\n"), "{pushed:?}");
    assert!(!pushed.stdout.contains('\u{1b}'), "{pushed:?}");
    assert_eq!(workspace.push(&[]).with_status(0).stdout, "up to date\n");

    let owner = workspace.owner();
    let sources = owner.get("/api/v1/sources?name=guard");
    let hooks = owner.get("/api/v1/hooks?event=custom.go");
    assert_eq!(sources["items"].as_array().unwrap().len(), 1);
    let hooks = hooks["items"].as_array().unwrap();
    assert_eq!(hooks.len(), 1);
    assert_eq!(
        (&hooks[0]["args"], &hooks[0]["limits"]),
        (&json!(["-v"]), &json!({"wall_ms": 2000}))
    );
    assert_eq!(sources["items"][0]["revision"], 1);
}

#[test]
fn warnings_about_a_script_are_shown() {
    let workspace = Workspace::new();
    workspace.project("echo one\nqm \u{1b}[2J; pct list\n", "");
    let pushed = workspace.push(&[]).with_status(0);
    assert!(
        pushed
            .stdout
            .contains("warning: 2:1: the sandbox has no command `qm`\n"),
        "{pushed:?}"
    );
    assert!(pushed.stdout.ends_with("pushed\n"), "{pushed:?}");
    workspace.project("pct list\n", "");
    let folder = workspace.project.path().to_str().unwrap();
    let reply = workspace.json(&["push", folder]);
    assert_eq!(reply["source"]["warnings"][0]["line"], 1, "{reply}");
}

#[test]
fn warnings_are_shown_by_a_dry_run_and_when_nothing_changes() {
    let workspace = Workspace::new();
    workspace.project("echo one\nqm list\nif\n", "");
    let warned = |pushed: &str| {
        let first = "warning: 2:1: the sandbox has no command `qm`\n";
        pushed.matches(first).count() == 1 && pushed.matches("syntax error").count() == 1
    };
    for (flags, last) in [
        (&["--dry-run"][..], "this was a dry run\n"),
        (&[], "\npushed\n"),
        (&[], "\nup to date\n"),
        (&["--dry-run"], "\nup to date\n"),
    ] {
        let pushed = workspace.push(flags).with_status(0);
        assert!(warned(&pushed.stdout), "{flags:?}: {pushed:?}");
        assert!(pushed.stdout.ends_with(last), "{flags:?}: {pushed:?}");
    }
    let folder = workspace.project.path().to_str().unwrap();
    for flags in [&["push", folder][..], &["push", folder, "--dry-run"]] {
        let reply = workspace.json(flags);
        assert_eq!(reply["source"]["action"], "keep");
        let warnings = reply["source"]["warnings"].as_array().unwrap();
        let first = json!({
            "severity": "warning", "line": 2, "column": 1,
            "message": "the sandbox has no command `qm`",
        });
        assert_eq!((warnings.len(), &warnings[0]), (2, &first), "{reply}");
        assert_eq!(warnings[1]["severity"], "error");
    }
}

#[test]
fn differences_are_shown_and_pushed() {
    let workspace = Workspace::new();
    workspace.project("echo one\necho two\n", "[hook]\nargs = [\"-v\"]\n");
    workspace.push(&[]).with_status(0);
    workspace.project(
        "echo one\necho \u{1b}[2Jthree\n",
        "[hook]\nargs = [\"-q\"]\nretry = { attempts = 2 }\n",
    );
    let shown = "~ source guard\n    echo one\n  - echo two\n  + echo ^[[2Jthree\n\
        ~ hook 1 on custom.go\n  - args = [\"-v\"]\n  + args = [\"-q\"]\n  - retry = ";
    let dry = workspace.push(&["--dry-run"]).with_status(0);
    assert!(dry.stdout.starts_with(shown), "{}", dry.stdout);
    assert!(dry.stdout.contains("dry run"), "{dry:?}");
    let owner = workspace.owner();
    assert_eq!(owner.get("/api/v1/hooks/1")["args"], json!(["-v"]));

    let pushed = workspace.push(&[]).with_status(0);
    assert!(pushed.stdout.starts_with(shown), "{}", pushed.stdout);
    let hook = owner.get("/api/v1/hooks/1");
    assert_eq!(
        (&hook["args"], &hook["retry"]["attempts"]),
        (&json!(["-q"]), &json!(2))
    );
    let sources = owner.get("/api/v1/sources?name=guard");
    assert_eq!(sources["items"][0]["revision"], 2);
    assert_eq!(workspace.push(&[]).with_status(0).stdout, "up to date\n");
}

#[test]
fn differences_are_printed_as_json() {
    let workspace = Workspace::new();
    workspace.project("echo one\n", "");
    let folder = workspace.project.path().to_str().unwrap();
    let reply = workspace.json(&["push", folder, "--dry-run"]);
    assert_eq!(
        (
            &reply["source"]["action"],
            &reply["hook"]["action"],
            &reply["dry_run"]
        ),
        (&json!("create"), &json!("create"), &json!(true))
    );
    let reply = workspace.json(&["push", folder]);
    let owner = workspace.owner();
    let hook = reply["hook"]["id"].as_str().unwrap();
    let made = owner.get(&format!("/api/v1/hooks/{hook}"));
    assert_eq!(made["source"], reply["source"]["id"]);
    workspace.project("echo one\n", "[hook]\nfailure_policy = \"closed\"\n");
    let reply = workspace.json(&["push", folder]);
    assert_eq!(reply["source"]["action"], "keep");
    assert_eq!(
        reply["hook"]["changes"],
        json!([{"member": "failure_policy", "old": "open", "new": "closed"}])
    );
}

#[test]
fn a_source_shared_with_other_hooks_is_reported() {
    let workspace = Workspace::new();
    workspace.project("echo one\n", "");
    workspace.push(&[]).with_status(0);
    let owner = workspace.owner();
    let source = owner.get("/api/v1/hooks/1")["source"].clone();
    owner.post(
        "/api/v1/hooks",
        &json!({"source": source, "event": "custom.other"}),
    );
    workspace.project("echo two\n", "");
    let pushed = workspace.push(&[]).with_status(0);
    assert!(
        pushed.stdout.contains("2 hooks run this source"),
        "{pushed:?}"
    );

    owner.post(
        "/api/v1/hooks",
        &json!({"source": source, "event": "custom.go"}),
    );
    workspace
        .push(&[])
        .with_status(1)
        .with_stderr("the hooks 1, 3 all run this source on custom.go");
}

#[test]
fn a_missing_program_or_a_taken_name_is_reported_with_a_remedy() {
    let workspace = Workspace::new();
    workspace.project("echo one\n", "");
    let script = workspace.project.path().join("hook.sh");
    std::fs::remove_file(&script).unwrap();
    workspace
        .push(&[])
        .with_status(1)
        .with_stderr("does not exist");
    let manifest = workspace.project.path().join("tenterhook.toml");
    let with_build =
        "name = \"guard\"\nevent = \"custom.go\"\nprogram = \"hook.wasm\"\nbuild = \"true\"\n";
    std::fs::write(&manifest, with_build).unwrap();
    workspace
        .push(&[])
        .with_status(1)
        .with_stderr("tenterhook build");

    let sources = workspace.owner().get("/api/v1/sources");
    let items = sources["items"].as_array().unwrap();
    let preloaded = items.iter().find(|one| one["preloaded"] == true).unwrap();
    let name = preloaded["name"].as_str().unwrap();
    std::fs::write(&script, "echo mine\n").unwrap();
    let text = format!("name = \"{name}\"\nevent = \"custom.go\"\nprogram = \"hook.sh\"\n");
    std::fs::write(&manifest, text).unwrap();
    workspace
        .push(&[])
        .with_status(1)
        .with_stderr("is built-in and cannot be changed; give the project another `name`");

    workspace.project("#!/usr/bin/env python3\n", "");
    workspace.push(&[]).with_status(1).with_stderr("python3");
    let hooks = workspace.owner().get("/api/v1/hooks");
    assert_eq!(hooks["items"], json!([]));
}

#[test]
fn a_role_that_may_not_read_scripts_sees_digests() {
    let workspace = Workspace::new();
    workspace.project("echo one\n", "");
    workspace.push(&[]).with_status(0);
    let issued = workspace.json(&["token", "create", "ci", "--role", "member"]);
    let token = issued["token"].as_str().unwrap();
    workspace.project("echo two\n", "");
    let pushed = workspace.push(&["--token", token]).with_status(0);
    assert!(pushed.stdout.contains("  - digest = sha256:"), "{pushed:?}");
    assert!(!pushed.stdout.contains("echo one"), "{pushed:?}");
    let issued = workspace.json(&["token", "create", "eye", "--role", "viewer"]);
    let token = issued["token"].as_str().unwrap();
    // Refused before it is sent: a program of many megabytes is heard out nowhere.
    for script in ["echo three\n".to_owned(), "#\n".repeat(8 << 20)] {
        workspace.project(&script, "");
        workspace
            .push(&["--token", token])
            .with_status(1)
            .with_stderr("this call needs the role `member`");
    }
}

#[test]
fn a_program_beyond_the_limits_is_refused_with_the_limit() {
    let workspace = Workspace::new();
    workspace.project("#\n".repeat(100 * 1024), "");
    workspace.push(&[]).with_status(1).with_stderr("98304");
    let huge = [&b"\0asm\x01\0\0\0"[..], &vec![0; 40 << 20]].concat();
    workspace.project("", "");
    std::fs::write(workspace.project.path().join("hook.sh"), huge).unwrap();
    workspace.push(&[]).with_status(1).with_stderr("33554432");
}

#[test]
fn hooks_on_servers_and_for_containers_are_up_to_date_too() {
    let workspace = Workspace::new();
    let owner = workspace.owner();
    for name in ["node-1", "node-2"] {
        owner.post("/api/servers", &json!({ "name": name }));
    }
    owner.post("/api/v1/apps", &json!({"name": "shop", "containers": []}));
    let projects = [
        // In another order than the server's, and an event that cannot choose.
        ("PreFormatDisk", "servers = [2, 1]\n", "servers = \"all\"\n"),
        (
            "OnAudit",
            "servers = [2, 1]\n",
            "servers = \"all\"\nargs = [\"x\"]\n",
        ),
        (
            "snapshot.pre",
            "app = \"shop\"\ncriteria = [{ type = \"podName\", value = \"^db\" }]\n",
            "app = \"shop\"\ncriteria = [{ type = \"podName\", value = \"^web\" }]\n",
        ),
    ];
    for (event, hook, changed) in projects {
        for (hook, reply) in [(hook, "+ hook on "), (changed, "~ hook ")] {
            workspace.project("true\n", "");
            let manifest = format!(
                "name = \"on-{event}\"\nevent = \"{event}\"\nprogram = \"hook.sh\"\n[hook]\n{hook}"
            );
            std::fs::write(workspace.project.path().join("tenterhook.toml"), manifest).unwrap();
            let pushed = workspace.push(&[]).with_status(0);
            assert!(pushed.stdout.contains(reply), "{event}: {pushed:?}");
            let again = workspace.push(&[]).with_status(0);
            assert_eq!(again.stdout, "up to date\n", "{event}");
        }
    }
}

#[test]
fn a_managed_hook_is_reported_as_such() {
    let workspace = Workspace::new();
    let owner = workspace.owner();
    let source = owner.source("quiesce", "true\n");
    owner.post(
        "/api/v1/hooks",
        &json!({"name": "quiesce", "source": source, "event": "snapshot.pre", "managed": true, "criteria": []}),
    );
    let issued = workspace.json(&["token", "create", "ci", "--role", "member"]);
    let token = issued["token"].as_str().unwrap();
    workspace.project("true\n", "");
    let manifest = "name = \"quiesce\"\nevent = \"snapshot.pre\"\nprogram = \"hook.sh\"\n[hook]\nargs = [\"-v\"]\n";
    std::fs::write(workspace.project.path().join("tenterhook.toml"), manifest).unwrap();
    let pushed = workspace.push(&["--token", token]).with_status(1);
    assert!(
        pushed
            .stdout
            .contains("managed by the operator: only admins may change it"),
        "{pushed:?}"
    );
    let _ = pushed.with_stderr("this call needs the role `admin`");
    workspace.push(&[]).with_status(0);
    assert_eq!(owner.get("/api/v1/hooks/1")["args"], json!(["-v"]));
}

#[test]
fn a_member_sets_values_that_it_cannot_read() {
    let workspace = Workspace::new();
    let hook = |key: &str| format!("[hook]\nargs = [\"-v\"]\nenv = {{ KEY = \"{key}\" }}\n");
    workspace.project("true\n", &hook("old-secret"));
    workspace.push(&[]).with_status(0);
    let issued = workspace.json(&["token", "create", "ci", "--role", "member"]);
    let flags = ["--token", issued["token"].as_str().unwrap()];
    workspace.project("true\n", &hook("new-secret"));
    let pushed = workspace.push(&flags).with_status(0);
    assert!(
        pushed
            .stdout
            .contains("~ env: this token may not read the current values"),
        "{pushed:?}"
    );
    assert!(!pushed.stdout.contains("old-secret"), "{pushed:?}");
    let hook = workspace.owner().get("/api/v1/hooks/1");
    assert_eq!(
        (&hook["env"], &hook["args"]),
        (&json!({"KEY": "new-secret"}), &json!(["-v"]))
    );
    let again = workspace.push(&[]).with_status(0);
    assert!(again.stdout.contains("up to date"), "{again:?}");
}

#[test]
fn of_two_concurrent_pushes_the_second_is_refused() {
    let workspace = Workspace::new();
    workspace.project("echo one\n", "");
    workspace.push(&[]).with_status(0);
    workspace.project("echo mine\n", "");
    let owner = workspace.owner();
    let id = owner.get("/api/v1/sources?name=guard")["items"][0]["id"].clone();
    let path = format!("/api/v1/sources/{}", id.as_str().unwrap());
    let yours = move || {
        let put = owner.try_call("PUT", &path, "application/octet-stream", "echo yours\n");
        assert_eq!(put.unwrap().0, 200);
    };
    let between = before_put(workspace.server.address.clone(), yours);
    let token = std::fs::read_to_string(workspace.data.path().join("owner.token")).unwrap();
    let flags = ["--server", &between, "--token", token.trim()];
    workspace
        .push(&flags)
        .with_status(1)
        .with_stderr("`guard` was changed by someone else in the meantime; push again");
    let pushed = workspace.push(&[]).with_status(0);
    assert!(
        pushed.stdout.contains("- echo yours\n  + echo mine"),
        "{pushed:?}"
    );
}

#[test]
fn a_push_waits_until_the_server_has_compiled() {
    let workspace = Workspace::new();
    let server = without_patience(workspace.server.address.clone());
    let token = std::fs::read_to_string(workspace.data.path().join("owner.token")).unwrap();
    let flags = ["--server", &server, "--token", token.trim()];
    for (status, revision) in [(3, 1), (4, 2)] {
        workspace.project(crate::tiny::exiting(status), "");
        let pushed = workspace.push(&flags).with_status(0);
        assert!(pushed.stdout.ends_with("pushed\n"), "{pushed:?}");
        let sources = workspace.owner().get("/api/v1/sources?name=guard");
        assert_eq!(sources["items"][0]["revision"], revision, "{sources}");
    }
    workspace.project(crate::tiny::exporting_twice("f"), "");
    workspace
        .push(&flags)
        .with_status(1)
        .with_stderr("duplicate export name");
}

/// A way to the server on which something happens before the first PUT arrives;
/// returns its address. It lasts as long as the test.
fn before_put(server: String, happens: impl FnOnce() + Send + 'static) -> String {
    let mut happens = Some(happens);
    between(server, move |bytes| {
        if bytes.starts_with(b"PUT ")
            && let Some(happens) = happens.take()
        {
            happens();
        }
    })
}

/// A proxy to the server through which no request waits for a program to be compiled.
fn without_patience(server: String) -> String {
    const WAIT: &[u8] = b"wait=20";
    between(server, |bytes| {
        let is_upload = bytes.starts_with(b"POST ") || bytes.starts_with(b"PUT ");
        let at = bytes.windows(WAIT.len()).position(|part| part == WAIT);
        if let Some(at) = at.filter(|_| is_upload) {
            bytes[at..at + WAIT.len()].copy_from_slice(b"wait=00");
        }
    })
}

/// A proxy to the server that sees, and may change, what is sent.
fn between(server: String, mut see: impl FnMut(&mut [u8]) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut upstream = TcpStream::connect(&server).unwrap();
            let mut answers = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut answers.0, &mut answers.1));
            let mut bytes = [0; 64 * 1024];
            // One connection after the other: that is how the command calls.
            while let Ok(count @ 1..) = client.read(&mut bytes) {
                see(&mut bytes[..count]);
                upstream.write_all(&bytes[..count]).unwrap();
            }
            let _ = upstream.shutdown(Shutdown::Both);
        }
    });
    address
}
