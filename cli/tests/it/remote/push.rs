//! `push`: once, again, changed, for show, and what stands against it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

use serde_json::json;

use super::Place;

#[test]
fn a_project_is_pushed_once_and_up_to_date_after_that() {
    let place = Place::new();
    place.project(
        "echo one\n",
        "[hook]\nargs = [\"-v\"]\nlimits = { wall_ms = 2000 }\n",
    );
    let pushed = place.push(&[]).with_status(0);
    assert!(
        pushed.stdout.contains("+ source guard: script, 9 bytes"),
        "{pushed:?}"
    );
    assert!(pushed.stdout.contains("+ hook on custom.go"), "{pushed:?}");
    assert!(pushed.stdout.ends_with("pushed\n"), "{pushed:?}");
    assert!(!pushed.stdout.contains('\u{1b}'), "{pushed:?}");
    assert_eq!(place.push(&[]).with_status(0).stdout, "up to date\n");

    let owner = place.owner();
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
fn what_has_changed_is_shown_and_changed() {
    let place = Place::new();
    place.project("echo one\necho two\n", "[hook]\nargs = [\"-v\"]\n");
    place.push(&[]).with_status(0);
    place.project(
        "echo one\necho \u{1b}[2Jthree\n",
        "[hook]\nargs = [\"-q\"]\nretry = { attempts = 2 }\n",
    );
    let shown = "~ source guard\n    echo one\n  - echo two\n  + echo ^[[2Jthree\n\
        ~ hook 1 on custom.go\n  - args = [\"-v\"]\n  + args = [\"-q\"]\n  - retry = ";
    let dry = place.push(&["--dry-run"]).with_status(0);
    assert!(dry.stdout.starts_with(shown), "{}", dry.stdout);
    assert!(dry.stdout.contains("dry run"), "{dry:?}");
    let owner = place.owner();
    assert_eq!(owner.get("/api/v1/hooks/1")["args"], json!(["-v"]));

    let pushed = place.push(&[]).with_status(0);
    assert!(pushed.stdout.starts_with(shown), "{}", pushed.stdout);
    let hook = owner.get("/api/v1/hooks/1");
    assert_eq!(
        (&hook["args"], &hook["retry"]["attempts"]),
        (&json!(["-q"]), &json!(2))
    );
    let sources = owner.get("/api/v1/sources?name=guard");
    assert_eq!(sources["items"][0]["revision"], 2);
    assert_eq!(place.push(&[]).with_status(0).stdout, "up to date\n");
}

#[test]
fn programs_read_what_would_change() {
    let place = Place::new();
    place.project("echo one\n", "");
    let folder = place.project.path().to_str().unwrap();
    let told = place.json(&["push", folder, "--dry-run"]);
    assert_eq!(
        (
            &told["source"]["action"],
            &told["hook"]["action"],
            &told["dry_run"]
        ),
        (&json!("create"), &json!("create"), &json!(true))
    );
    let told = place.json(&["push", folder]);
    let owner = place.owner();
    let hook = told["hook"]["id"].as_str().unwrap();
    let made = owner.get(&format!("/api/v1/hooks/{hook}"));
    assert_eq!(made["source"], told["source"]["id"]);
    place.project("echo one\n", "[hook]\nfailure_policy = \"closed\"\n");
    let told = place.json(&["push", folder]);
    assert_eq!(told["source"]["action"], "keep");
    assert_eq!(
        told["hook"]["changes"],
        json!([{"member": "failure_policy", "old": "open", "new": "closed"}])
    );
}

#[test]
fn a_source_that_other_hooks_run_too_says_so() {
    let place = Place::new();
    place.project("echo one\n", "");
    place.push(&[]).with_status(0);
    let owner = place.owner();
    let source = owner.get("/api/v1/hooks/1")["source"].clone();
    owner.post(
        "/api/v1/hooks",
        &json!({"source": source, "event": "custom.other"}),
    );
    place.project("echo two\n", "");
    let pushed = place.push(&[]).with_status(0);
    assert!(pushed.stdout.contains("2 hooks run it"), "{pushed:?}");

    owner.post(
        "/api/v1/hooks",
        &json!({"source": source, "event": "custom.go"}),
    );
    place
        .push(&[])
        .with_status(1)
        .saying("the hooks 1, 3 all run this source on custom.go");
}

#[test]
fn without_a_program_or_with_a_name_that_is_taken_it_says_what_to_do() {
    let place = Place::new();
    place.project("echo one\n", "");
    let script = place.project.path().join("hook.sh");
    std::fs::remove_file(&script).unwrap();
    place.push(&[]).with_status(1).saying("there is no ");
    let manifest = place.project.path().join("tenterhook.toml");
    let with_build =
        "name = \"guard\"\nevent = \"custom.go\"\nprogram = \"hook.wasm\"\nbuild = \"true\"\n";
    std::fs::write(&manifest, with_build).unwrap();
    place.push(&[]).with_status(1).saying("tenterhook build");

    let sources = place.owner().get("/api/v1/sources");
    let items = sources["items"].as_array().unwrap();
    let preloaded = items.iter().find(|one| one["preloaded"] == true).unwrap();
    let name = preloaded["name"].as_str().unwrap();
    std::fs::write(&script, "echo mine\n").unwrap();
    let text = format!("name = \"{name}\"\nevent = \"custom.go\"\nprogram = \"hook.sh\"\n");
    std::fs::write(&manifest, text).unwrap();
    place
        .push(&[])
        .with_status(1)
        .saying("came with the account and cannot be changed; give the project another `name`");

    place.project("#!/usr/bin/env python3\n", "");
    place.push(&[]).with_status(1).saying("python3");
    let hooks = place.owner().get("/api/v1/hooks");
    assert_eq!(hooks["items"], json!([]));
}

#[test]
fn who_may_not_read_scripts_sees_digests() {
    let place = Place::new();
    place.project("echo one\n", "");
    place.push(&[]).with_status(0);
    let issued = place.json(&["token", "create", "ci", "--role", "member"]);
    let token = issued["token"].as_str().unwrap();
    place.project("echo two\n", "");
    let pushed = place.push(&["--token", token]).with_status(0);
    assert!(pushed.stdout.contains("  - digest = sha256:"), "{pushed:?}");
    assert!(!pushed.stdout.contains("echo one"), "{pushed:?}");
    let issued = place.json(&["token", "create", "eye", "--role", "viewer"]);
    let token = issued["token"].as_str().unwrap();
    // Refused before it is sent: a program of many megabytes is heard out nowhere.
    for script in ["echo three\n".to_owned(), "#\n".repeat(8 << 20)] {
        place.project(&script, "");
        place
            .push(&["--token", token])
            .with_status(1)
            .saying("this call needs the role `member`");
    }
}

#[test]
fn a_program_beyond_the_limits_is_refused_with_the_limit() {
    let place = Place::new();
    place.project("#\n".repeat(100 * 1024), "");
    place.push(&[]).with_status(1).saying("98304");
    let huge = [&b"\0asm\x01\0\0\0"[..], &vec![0; 30 << 20]].concat();
    place.project("", "");
    std::fs::write(place.project.path().join("hook.sh"), huge).unwrap();
    place.push(&[]).with_status(1).saying("25165824");
}

#[test]
fn hooks_on_servers_and_for_containers_are_up_to_date_too() {
    let place = Place::new();
    let owner = place.owner();
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
        for (hook, told) in [(hook, "+ hook on "), (changed, "~ hook ")] {
            place.project("true\n", "");
            let manifest = format!(
                "name = \"on-{event}\"\nevent = \"{event}\"\nprogram = \"hook.sh\"\n[hook]\n{hook}"
            );
            std::fs::write(place.project.path().join("tenterhook.toml"), manifest).unwrap();
            let pushed = place.push(&[]).with_status(0);
            assert!(pushed.stdout.contains(told), "{event}: {pushed:?}");
            let again = place.push(&[]).with_status(0);
            assert_eq!(again.stdout, "up to date\n", "{event}");
        }
    }
}

#[test]
fn a_hook_that_the_operator_keeps_says_so() {
    let place = Place::new();
    let owner = place.owner();
    let source = owner.source("quiesce", "true\n");
    owner.post(
        "/api/v1/hooks",
        &json!({"name": "quiesce", "source": source, "event": "snapshot.pre", "managed": true, "criteria": []}),
    );
    let issued = place.json(&["token", "create", "ci", "--role", "member"]);
    let token = issued["token"].as_str().unwrap();
    place.project("true\n", "");
    let manifest = "name = \"quiesce\"\nevent = \"snapshot.pre\"\nprogram = \"hook.sh\"\n[hook]\nargs = [\"-v\"]\n";
    std::fs::write(place.project.path().join("tenterhook.toml"), manifest).unwrap();
    let pushed = place.push(&["--token", token]).with_status(1);
    assert!(
        pushed
            .stdout
            .contains("which is the operator's (managed): only admins change it"),
        "{pushed:?}"
    );
    let _ = pushed.saying("this call needs the role `admin`");
    place.push(&[]).with_status(0);
    assert_eq!(owner.get("/api/v1/hooks/1")["args"], json!(["-v"]));
}

#[test]
fn a_member_sets_values_that_it_does_not_read() {
    let place = Place::new();
    let hook = |key: &str| format!("[hook]\nargs = [\"-v\"]\nenv = {{ KEY = \"{key}\" }}\n");
    place.project("true\n", &hook("old-secret"));
    place.push(&[]).with_status(0);
    let issued = place.json(&["token", "create", "ci", "--role", "member"]);
    let flags = ["--token", issued["token"].as_str().unwrap()];
    place.project("true\n", &hook("new-secret"));
    let pushed = place.push(&flags).with_status(0);
    assert!(
        pushed
            .stdout
            .contains("~ env: this token may not read the current values"),
        "{pushed:?}"
    );
    assert!(!pushed.stdout.contains("old-secret"), "{pushed:?}");
    let hook = place.owner().get("/api/v1/hooks/1");
    assert_eq!(
        (&hook["env"], &hook["args"]),
        (&json!({"KEY": "new-secret"}), &json!(["-v"]))
    );
    let again = place.push(&[]).with_status(0);
    assert!(again.stdout.contains("up to date"), "{again:?}");
}

#[test]
fn of_two_pushes_at_once_the_second_is_told() {
    let place = Place::new();
    place.project("echo one\n", "");
    place.push(&[]).with_status(0);
    place.project("echo mine\n", "");
    let owner = place.owner();
    let id = owner.get("/api/v1/sources?name=guard")["items"][0]["id"].clone();
    let path = format!("/api/v1/sources/{}", id.as_str().unwrap());
    let yours = move || {
        let put = owner.try_call("PUT", &path, "application/octet-stream", "echo yours\n");
        assert_eq!(put.unwrap().0, 200);
    };
    let between = before_put(place.server.address.clone(), yours);
    let token = std::fs::read_to_string(place.data.path().join("owner.token")).unwrap();
    let flags = ["--server", &between, "--token", token.trim()];
    place
        .push(&flags)
        .with_status(1)
        .saying("somebody else has changed the source `guard` meanwhile; push again");
    let pushed = place.push(&[]).with_status(0);
    assert!(
        pushed.stdout.contains("- echo yours\n  + echo mine"),
        "{pushed:?}"
    );
}

#[test]
fn a_push_waits_for_what_the_server_goes_on_to_compile() {
    let place = Place::new();
    let server = without_patience(place.server.address.clone());
    let token = std::fs::read_to_string(place.data.path().join("owner.token")).unwrap();
    let flags = ["--server", &server, "--token", token.trim()];
    for (status, revision) in [(3, 1), (4, 2)] {
        place.project(crate::tiny::exiting(status), "");
        let pushed = place.push(&flags).with_status(0);
        assert!(pushed.stdout.ends_with("pushed\n"), "{pushed:?}");
        let sources = place.owner().get("/api/v1/sources?name=guard");
        assert_eq!(sources["items"][0]["revision"], revision, "{sources}");
    }
    place.project(crate::tiny::exporting_twice("f"), "");
    place
        .push(&flags)
        .with_status(1)
        .saying("duplicate export name");
}

/// A way to the server on which something happens before the first PUT arrives;
/// answers with its address. It lasts as long as the test.
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

/// A way to the server on which nobody waits for a program to be compiled.
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

/// A way to the server on which somebody sees, and may change, what is sent.
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
