//! `account` and `principal`: who may do what on a running server.

use rustix::process::Signal;
use serde_json::json;

use crate::client::{json, tenterhook};
use crate::server::Server;
use crate::tenterhook::{Finished, command};

#[test]
fn an_account_is_created_listed_shown_and_changed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _server = Server::start(data, &[]);
    let made = json(data, &["account", "create", "acme"]);
    assert_eq!(made["name"], "acme");
    let list = tenterhook(data, ["account", "list"]).with_status(0);
    let rows: Vec<&str> = list.stdout.lines().collect();
    assert!(rows[0].starts_with("NUMBER  NAME"), "{list:?}");
    assert!(
        rows[1].contains("operator") && rows[2].contains("acme"),
        "{list:?}"
    );
    // By name, by number, by id, and the own one.
    for (query, name) in [
        ("acme", "acme"),
        ("2", "acme"),
        (made["id"].as_str().unwrap(), "acme"),
    ] {
        assert_eq!(json(data, &["account", "show", query])["name"], name);
    }
    assert_eq!(json(data, &["account", "show"])["name"], "operator");
    let changed = json(
        data,
        &["account", "set", "acme", "--hooks", "off", "--name", "a"],
    );
    assert_eq!(
        (&changed["name"], &changed["hooks_enabled"]),
        (&json!("a"), &json!(false))
    );
    let on = tenterhook(data, ["account", "set", "a", "--hooks", "on"]).with_status(0);
    assert!(on.stdout.lines().nth(1).unwrap().contains(" on "), "{on:?}");
}

#[test]
fn a_principal_is_created_listed_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _server = Server::start(data, &[]);
    json(data, &["account", "create", "acme"]);
    let of = ["--account", "acme"];
    let run = |args: &[&str]| tenterhook(data, args.iter().chain(&of));
    run(&["principal", "create", "ada", "--role", "member"]).with_status(0);
    let set = run(&["principal", "set", "ada", "--role", "admin", "--json"]).with_status(0);
    assert!(set.stdout.contains("\"admin\""), "{set:?}");
    let list = run(&["principal", "list"]).with_status(0);
    assert!(list.stdout.contains("ada   admin"), "{list:?}");
    let own = tenterhook(data, ["principal", "list"]).with_status(0);
    assert!(!own.stdout.contains("ada"), "{own:?}");
    let eve = json(data, &["principal", "create", "eve", "--role", "viewer"]);
    let deleted = json(data, &["principal", "delete", "eve"]);
    assert_eq!(deleted, json!({"deleted": eve["id"]}));
    assert_eq!(
        run(&["principal", "delete", "ada"]).with_status(0).stdout,
        ""
    );
    run(&["principal", "delete", "ada"])
        .with_status(1)
        .with_stderr("no such principal: `ada`; `tenterhook principal list` lists them");
    run(&["principal", "create", "x", "--role", "root"])
        .with_status(2)
        .with_stderr("a role is `viewer`");
    run(&["principal", "set", "x"])
        .with_status(1)
        .with_stderr("nothing to change: give --name or --role");
}

#[test]
fn refusals_name_the_reason_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    let run = |args: &[&str]| tenterhook(data, args);
    run(&["account", "create", "operator"])
        .with_status(1)
        .with_stderr("the name `operator` is already in use; choose another");
    run(&["account", "create", "a\u{1b}[2J"])
        .with_status(1)
        .with_stderr("`name` ");
    run(&["account", "show", "nobody"])
        .with_status(1)
        .with_stderr("no such account: `nobody`; `tenterhook account list` lists them");
    run(&["principal", "delete", "owner"])
        .with_status(1)
        .with_stderr("last owner");
    run(&["account", "list", "--token", "th_wrong"])
        .with_status(1)
        .with_stderr("the token is unknown")
        .with_stderr("the token is that of --token or TENTERHOOK_TOKEN");
    let viewer = json(data, &["token", "create", "v", "--role", "viewer"]);
    let viewer = viewer["token"].as_str().unwrap();
    run(&["account", "create", "x", "--token", viewer])
        .with_status(1)
        .with_stderr("this call needs the role `owner`");
    run(&["account", "list", "--server", "https://127.0.0.1"])
        .with_status(1)
        .with_stderr("https is not supported yet");
    run(&["account", "list", "--log", "=,="])
        .with_status(2)
        .with_stderr("`--log` ");
    // No folder, no token: nothing is guessed.
    let url = format!("http://{}", server.address);
    let output = command(["account", "list", "--server", &url])
        .current_dir(std::env::temp_dir())
        .output();
    Finished::of(output.unwrap())
        .with_status(1)
        .with_stderr("no token for http://127.0.0.1");
}

#[test]
fn a_server_that_is_not_running_is_reported_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    let address = server.address.clone();
    server.stop(Signal::TERM);
    assert!(!data.join("listen.addr").exists());
    tenterhook(data, ["account", "list"])
        .with_status(1)
        .with_stderr("no server is running on the data folder")
        .with_stderr("tenterhook serve");
    let url = format!("http://{address}");
    tenterhook(data, ["account", "list", "--server", &url])
        .with_status(1)
        .with_stderr(&format!("no server answers at {url}; is it running?"));
}

#[test]
fn the_address_file_of_a_killed_server_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    Server::start(data, &[]).stop(Signal::KILL);
    assert!(data.join("listen.addr").exists());
    tenterhook(data, ["account", "list"])
        .with_status(1)
        .with_stderr("no server is running on the data folder");
    let _server = Server::start(data, &[]);
    tenterhook(data, ["account", "list"]).with_status(0);
}

#[test]
fn names_on_a_terminal_are_neutral() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _server = Server::start(data, &[]);
    // No control character gets in, but text that turns its direction is text.
    json(data, &["account", "create", "a\u{202e}b"]);
    let list = tenterhook(data, ["account", "list"]).with_status(0);
    assert!(list.stdout.contains("a\\u{202e}b"), "{list:?}");
}
