//! `token`: issuing, listing and revoking on a running server.

use serde_json::{Value, json};

use crate::client::{json, tenterhook};
use crate::server::Server;

fn status(server: &Server, token: &str) -> u16 {
    let bearer = format!("Authorization: Bearer {token}\r\n");
    server.get("/api/v1/limits", &bearer).status
}

#[test]
fn a_token_is_issued_works_is_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    let issued = tenterhook(
        data,
        [
            "token",
            "create",
            "ci",
            "--role",
            "member",
            "--expires",
            "30d",
        ],
    )
    .with_status(0)
    .with_stderr("issued the token `ci`, member; it expires at 20")
    .with_stderr("shown only once");
    let secret = issued.stdout.strip_suffix('\n').unwrap();
    assert!(secret.starts_with("th_") && !secret.contains(char::is_whitespace));
    assert!(!issued.stderr.contains(secret));
    assert_eq!(status(&server, secret), 200);

    let list = tenterhook(data, ["token", "list"]).with_status(0);
    let row = list
        .stdout
        .lines()
        .find(|row| row.starts_with("ci "))
        .unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[..4], ["ci", "member", "ci", "issued"], "{row}");
    assert!(
        cells[4].starts_with("20") && cells[5].starts_with("20"),
        "{row}"
    );
    assert!(!list.stdout.contains(secret));

    tenterhook(data, ["token", "revoke", "ci"]).with_status(0);
    assert_eq!(status(&server, secret), 401);
    tenterhook(data, ["token", "revoke", "ci"])
        .with_status(1)
        .with_stderr("no such token: `ci`");
}

#[test]
fn a_token_of_a_principal_of_another_account_opens_that_account() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _server = Server::start(data, &[]);
    let account = json(data, &["account", "create", "acme"]);
    json(
        data,
        &[
            "principal",
            "create",
            "ada",
            "--role",
            "owner",
            "--account",
            "acme",
        ],
    );
    let issued = json(
        data,
        &[
            "token",
            "create",
            "laptop",
            "--principal",
            "ada",
            "--account",
            "acme",
        ],
    );
    assert_eq!(
        (&issued["account"], &issued["role"], &issued["expires_at"]),
        (&account["id"], &json!("owner"), &Value::Null)
    );
    let secret = issued["token"].as_str().unwrap();
    let list = json(data, &["account", "list", "--token", secret]);
    assert_eq!(list, json!([account]));
    assert_eq!(json(data, &["account", "show", "--token", secret]), account);
    let list = json(
        data,
        &["token", "list", "--principal", "ada", "--account", "2"],
    );
    assert_eq!(list.as_array().unwrap().len(), 1);
    tenterhook(
        data,
        [
            "token",
            "create",
            "x",
            "--principal",
            "eve",
            "--account",
            "acme",
        ],
    )
    .with_status(1)
    .with_stderr("`principal` is neither the id nor the name of a principal");
    tenterhook(
        data,
        [
            "token",
            "create",
            "x",
            "--role",
            "viewer",
            "--expires",
            "soon",
        ],
    )
    .with_status(1)
    .with_stderr("`--expires soon` is neither a time");
    tenterhook(data, ["token", "create", "x"])
        .with_status(1)
        .with_stderr("`role` is required unless `principal` is given");
}

#[test]
fn a_login_is_revoked_only_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    let secret = std::fs::read_to_string(data.join("owner.token")).unwrap();
    let answer = crate::http::request(
        &server.address,
        "POST",
        "/api/auth/login-form",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        format!(
            "grant_type=password&username=owner&password={}",
            secret.trim()
        ),
    );
    assert_eq!(answer.status, 200, "{}", answer.body);
    let login: Value = serde_json::from_str(&answer.body).unwrap();
    let access = login["access_token"].as_str().unwrap();
    let list = json(data, &["token", "list"]);
    let session = list
        .as_array()
        .unwrap()
        .iter()
        .find(|token| token["kind"] == "session");
    let id = session.unwrap()["id"].as_str().unwrap();
    assert_eq!(status(&server, access), 200);
    let revoked = json(data, &["token", "revoke", id]);
    assert_eq!(revoked, json!({ "revoked": id }));
    assert_eq!(
        (status(&server, access), status(&server, secret.trim())),
        (401, 200)
    );
}
