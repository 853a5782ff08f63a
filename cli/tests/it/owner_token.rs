//! The token of the operator's own account: whatever was done to it, the server starts.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::api::Owner;
use crate::server::Server;
use crate::tenterhook::{Finished, command};

/// What a token may do; `None` if it is void.
fn role(server: &Server, secret: &str) -> Option<String> {
    let bearer = format!("Authorization: Bearer {secret}\r\n");
    for (path, role) in [("/api/v1/tokens", "owner"), ("/api/v1/limits", "viewer")] {
        if server.get(path, &bearer).status == 200 {
            return Some(role.into());
        }
    }
    None
}

fn in_file(data: &Path) -> String {
    let text = fs::read_to_string(data.join("owner.token")).unwrap();
    text.trim().to_owned()
}

/// Issues a token; returns its secret.
fn issue(owner: &Owner, name: &str, role: &str) -> String {
    let token = owner.post("/api/v1/tokens", &json!({"name": name, "role": role}));
    token["token"].as_str().unwrap().to_owned()
}

fn id_of(owner: &Owner, path: &str, name: &str) -> String {
    let list = owner.get(path);
    let items = list["items"].as_array().unwrap();
    let found = items.iter().find(|item| item["name"] == name).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

fn call(owner: &Owner, method: &str, path: &str, body: &Value) -> u16 {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let called = owner.try_call(method, path, "application/json", body);
    called.unwrap().0
}

fn revoke(owner: &Owner, name: &str) {
    let id = id_of(owner, "/api/v1/tokens", name);
    let path = format!("/api/v1/tokens/{id}");
    assert_eq!(call(owner, "DELETE", &path, &Value::Null), 204);
}

fn lower(owner: &Owner, name: &str) {
    let id = id_of(owner, "/api/v1/principals", name);
    let path = format!("/api/v1/principals/{id}");
    assert_eq!(call(owner, "PATCH", &path, &json!({"role": "admin"})), 200);
}

#[test]
fn a_server_whose_first_owner_was_lowered_starts_and_issues_another_token() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    let first = in_file(data);
    let second = issue(&Owner::of(&server, data), "second", "owner");
    lower(&Owner::with(&server, &second), "owner");
    drop(server);

    // There is an owner's token, so none is issued unasked.
    drop(Server::start(data, &[]));
    assert_eq!(in_file(data), first);
    let server = Server::start(data, &["--new-owner-token"]);
    let new = in_file(data);
    assert_ne!(new, first);
    assert_eq!(role(&server, &new).as_deref(), Some("owner"));
    assert_eq!(role(&server, &second).as_deref(), Some("owner"));
    assert_eq!(role(&server, &first), None);
    drop(server);
    drop(Server::start(data, &["--new-owner-token"]));
    drop(Server::start(data, &[]));
}

#[test]
fn a_token_of_the_same_name_with_another_role_is_not_mistaken_for_the_owners() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    let second = issue(&Owner::of(&server, data), "second", "owner");
    let second_owner = Owner::with(&server, &second);
    revoke(&second_owner, "owner");
    let viewer = issue(&second_owner, "owner", "viewer");
    drop(server);

    let server = Server::start(data, &["--new-owner-token"]);
    assert_eq!(role(&server, &in_file(data)).as_deref(), Some("owner"));
    assert_eq!(role(&server, &viewer).as_deref(), Some("viewer"));
    let second_owner = Owner::with(&server, &second);
    revoke(&second_owner, "second");
    drop(server);
    // The one that was issued here is left, under whatever name.
    let before = in_file(data);
    let server = Server::start(data, &[]);
    assert_eq!(in_file(data), before);
    assert_eq!(role(&server, &before).as_deref(), Some("owner"));
}

#[test]
fn a_token_that_cannot_be_stored_stops_only_a_start_that_requests_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    revoke(&Owner::of(&server, data), "owner");
    drop(server);
    let file = data.join("owner.token");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();

    let (status, log) = Server::start(data, &[]).stop(Signal::TERM);
    assert_eq!(status, Some(0), "{log}");
    let refused = command([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--new-owner-token",
        "--data-dir",
    ])
    .arg(data)
    .output()
    .unwrap();
    Finished::of(refused)
        .with_status(1)
        .with_stderr("cannot write");
    fs::remove_dir(&file).unwrap();
    let server = Server::start(data, &[]);
    assert_eq!(role(&server, &in_file(data)).as_deref(), Some("owner"));
}
