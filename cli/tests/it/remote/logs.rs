//! `logs`: of finished executions, and of output while it is printed.

use std::io::{BufRead as _, BufReader};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::Workspace;
use crate::server::Server;
use crate::tenterhook::{Finished, command, signal};

/// Time for a hook that sleeps until it is cancelled.
const LONG: &str = "[hook.limits]\nwall_ms = 600000\n";

/// Prints on both streams and then sleeps.
const TALKS: &str = "echo begun
echo '{\"level\":\"warn\",\"message\":\"nearly full\",\"percent\":97}' >&2
printf '\\033[2Jplain\\n' >&2
";

#[test]
fn output_is_shown_with_formatted_log_lines() {
    let workspace = Workspace::new();
    workspace.project(TALKS, "");
    workspace.push(&[]).with_status(0);
    let reply = workspace.json(&["fire", "custom.go"]);
    let id = reply["task"]["executions"][0]["id"].as_str().unwrap();
    let alone = workspace.run(["logs", id]).with_status(0);
    assert_eq!(
        alone.stdout,
        "begun\nWARN  nearly full percent=97\n^[[2Jplain\n"
    );
    let short = id.rsplit('-').next().unwrap();
    let of_task = workspace.run(["logs", "--task", "1"]).with_status(0).stdout;
    assert!(
        of_task.starts_with(&format!("guard[{short}] begun\n")),
        "{of_task}"
    );
    assert!(
        of_task.ends_with(&format!(
            "guard[{short}] -- FINISHED, exited with status 0\n"
        )),
        "{of_task}"
    );
    assert_eq!(
        workspace.run(["logs", "--hook", "1"]).with_status(0).stdout,
        of_task
    );
    assert_eq!(workspace.run(["logs"]).with_status(0).stdout, of_task);

    let lines = workspace
        .run(["logs", short, "--json"])
        .with_status(0)
        .stdout;
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines[0],
        json!({"execution": id, "task": 1, "name": "guard", "stream": "stdout", "text": "begun"})
    );
    assert_eq!(lines[1]["log"]["percent"], 97);
    assert_eq!(lines[2]["text"], "\u{1b}[2Jplain");
    assert_eq!(
        (&lines[3]["state"], &lines[3]["outcome"]["status"]),
        (&json!("FINISHED"), &json!(0))
    );
}

#[test]
fn one_execution_is_followed_to_its_end() {
    let workspace = Workspace::new();
    workspace.project(format!("{TALKS}sleep 1h\n"), LONG);
    workspace.push(&[]).with_status(0);
    let task = workspace.fire();
    let id = workspace.one_that_runs()["id"].as_str().unwrap().to_owned();
    let mut following = workspace.start(&["logs", &id, "--follow"]);
    // It sleeps for an hour after this: what is heard was printed a moment ago.
    following.line_with("begun");
    following.line_with("WARN  nearly full");
    following.line_with("^[[2Jplain");
    workspace.run(["cancel", "--task", &task]).with_status(0);
    assert_eq!(following.result(), Some(0));
}

#[test]
fn executions_of_a_hook_are_followed_until_ctrl_c() {
    let workspace = Workspace::new();
    workspace.project(format!("{TALKS}sleep 1h\n"), LONG);
    workspace.push(&[]).with_status(0);
    let mut following = workspace.start(&["logs", "--hook", "1", "-f"]);
    for task in 1..3 {
        assert_eq!(workspace.fire(), task.to_string());
        let line = following.line_with("begun");
        assert!(line.starts_with("guard["), "{line}");
        following.line_with("plain");
        workspace
            .run(["cancel", "--task", &task.to_string()])
            .with_status(0);
        following.line_with("-- CANCELED");
    }
    signal(&following.child, Signal::INT);
    assert_eq!(following.result(), Some(130));
}

#[test]
fn a_task_or_an_execution_is_followed_over_its_attempts_until_it_finishes() {
    let workspace = Workspace::new();
    workspace.project(
        "echo try $HOOK_ATTEMPT; exit 1\n",
        "[hook.retry]\nattempts = 2\nbackoff_ms = 1500\n",
    );
    workspace.push(&[]).with_status(0);
    let task = workspace.fire();
    let id = workspace.json(&["executions"])[0]["id"].clone();
    let mut alone = workspace.start(&["logs", id.as_str().unwrap(), "-f"]);
    let mut following = workspace.start(&["logs", "--task", &task, "-f"]);
    following.line_with("try 2");
    following.line_with("-- FAILED, exited with status 1");
    assert_eq!(following.result(), Some(0));
    alone.line_with("try 2");
    assert_eq!(alone.result(), Some(0));
}

#[test]
fn a_reader_that_stops_reading_is_not_a_failure() {
    let workspace = Workspace::new();
    workspace.project(
        "n=0; while [ $n -lt 20000 ]; do echo 0123456789; n=$((n + 1)); done\n",
        "",
    );
    workspace.push(&[]).with_status(0);
    workspace.run(["fire", "custom.go"]).with_status(0);
    for args in [
        &["logs"][..],
        &["logs", "--json"],
        &["logs", "--task", "1", "-f"],
    ] {
        let mut child = command(args)
            .env("TENTERHOOK_DATA", workspace.data.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        drop(stdout);
        let result = Finished::of(child.wait_with_output().unwrap()).with_status(0);
        assert_eq!(result.stderr, "", "{args:?}");
    }
}

#[test]
fn a_stopping_server_ends_following_with_a_message() {
    let workspace = Workspace::new();
    workspace.project(format!("{TALKS}sleep 1h\n"), LONG);
    workspace.push(&[]).with_status(0);
    workspace.fire();
    let id = workspace.one_that_runs()["id"].as_str().unwrap().to_owned();
    let following = workspace.start(&["logs", &id, "-f", "--reconnect", "1s"]);
    let hasty = workspace.start(&["logs", &id, "-f", "--reconnect", "0s"]);
    following.line_with("begun");
    hasty.line_with("begun");
    let Workspace { server, .. } = workspace;
    server.stop_at_once();
    let (status, log) = following.finish();
    assert_eq!(status, Some(1), "{log}");
    assert!(
        log.contains("lost the connection to the server; reconnecting"),
        "{log}"
    );
    assert!(log.contains("no server answers"), "{log}");
    let (status, log) = hasty.finish();
    assert_eq!(status, Some(1), "{log}");
    assert!(log.contains("closed the connection"), "{log}");
}

#[test]
fn following_survives_a_server_that_is_killed_and_restarted() {
    let workspace = Workspace::new();
    let script = "echo attempt $HOOK_ATTEMPT; printf 'cut off'; [ $HOOK_ATTEMPT = 1 ] && sleep 1h; echo; echo done\n";
    workspace.project(script, LONG);
    workspace.push(&[]).with_status(0);
    let task = workspace.fire();
    let id = workspace.one_that_runs()["id"].as_str().unwrap().to_owned();
    let alone = workspace.start(&["logs", &id, "-f"]);
    let of_task = workspace.start(&["logs", "--task", &task, "-f"]);
    alone.line_with("attempt 1");
    of_task.line_with("attempt 1");
    let Workspace { server, data, .. } = workspace;
    let address = server.address.clone();
    server.stop(Signal::KILL);
    let _server = Server::start_at(data.path(), &address);

    for mut following in [alone, of_task] {
        let lines = following.rest();
        let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        assert_eq!(following.result(), Some(0), "{lines:#?}");
        assert_eq!(
            (count("attempt 1"), count("attempt 2")),
            (0, 1),
            "{lines:#?}"
        );
        assert_eq!(count("done"), 1, "{lines:#?}");
        let (_, log) = following.finish();
        assert!(
            log.contains("reconnecting") && log.contains("the server is back"),
            "{log}"
        );
    }
}

#[test]
fn a_connection_that_breaks_loses_no_line_and_repeats_none() {
    let workspace = Workspace::new();
    let script = "n=0; while [ $n -lt 6 ]; do echo \"<line $n>\"; echo \"<oops $n>\" >&2; sleep 0.4; n=$((n + 1)); done\n";
    workspace.project(script, LONG);
    workspace.push(&[]).with_status(0);
    let relay = Relay::to(&workspace.server.address);
    let owner = workspace.owner();
    workspace.fire();
    let id = workspace.one_that_runs()["id"].as_str().unwrap().to_owned();
    let server = format!("http://{}", relay.address);
    let following = workspace.start(&[
        "logs",
        &id,
        "-f",
        "--server",
        &server,
        "--token",
        &owner.token,
    ]);
    let mut lines = Vec::new();
    for broken_at in ["<line 1>", "<oops 3>"] {
        lines.extend(following.lines_to(broken_at));
        relay.cut();
    }
    lines.extend(following.rest());
    let (status, log) = following.finish();
    assert_eq!(status, Some(0), "{log}");
    for stream in ["line", "oops"] {
        let of_it = lines.iter().filter(|line| line.contains(stream));
        let expected: Vec<String> = (0..6).map(|n| format!("<{stream} {n}>")).collect();
        assert!(of_it.eq(&expected), "{lines:#?}\n{log}");
    }
    assert!(log.contains("reconnecting"), "{log}");
}

#[test]
fn an_earlier_attempt_is_listed_and_its_output_printed() {
    let workspace = Workspace::new();
    workspace.project(
        "echo try $HOOK_ATTEMPT; exit 1\n",
        "[hook.retry]\nattempts = 2\nbackoff_ms = 0\n",
    );
    workspace.push(&[]).with_status(0);
    workspace.run(["fire", "custom.go"]);
    let id = workspace.json(&["executions"])[0]["id"].clone();
    let id = id.as_str().unwrap();
    let print = |args: &[&str]| workspace.run(args).with_status(0).stdout;
    assert_eq!(print(&["logs", id]), "try 2\n");
    assert_eq!(print(&["logs", id, "--attempt", "1"]), "try 1\n");
    workspace.run(["logs", id, "--attempt", "3"]).with_status(1);
    let attempts = |args: &[&str]| -> Vec<Value> {
        let lines = print(args);
        let lines = lines.lines().map(serde_json::from_str::<Value>);
        lines.map(|line| line.unwrap()["attempt"].clone()).collect()
    };
    assert_eq!(
        attempts(&["logs", id, "--attempt", "1", "--json"]),
        [json!(1), json!(1)]
    );
    assert_eq!(
        attempts(&["logs", id, "--json"]),
        [Value::Null, Value::Null]
    );
    let table = print(&["executions", id]);
    let rows: Vec<_> = table.lines().map(str::trim_start).collect();
    assert!(rows[0].starts_with("ATTEMPT"), "{table}");
    assert!(
        rows[1].starts_with("1 ") && rows[2].starts_with("2 "),
        "{table}"
    );
    assert!(rows[1].contains("exited with status 1"), "{table}");
    assert_eq!(
        workspace
            .json(&["executions", id])
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn bytes_that_are_not_text_are_shown_alike_stored_and_followed() {
    let workspace = Workspace::new();
    let script = "printf 'a\\377\\376b\\n'; printf '\\303\\n\\303\\244\\n' >&2\n";
    workspace.project(script, "");
    workspace.push(&[]).with_status(0);
    workspace.run(["fire", "custom.go"]).with_status(0);
    let id = workspace.json(&["executions"])[0]["id"].clone();
    let id = id.as_str().unwrap();
    let print = |args: &[&str]| workspace.run(args).with_status(0).stdout;
    let expected = "a\\xff\\xfeb\n\\xc3\nä\n";
    assert_eq!(print(&["logs", id]), expected);
    assert_eq!(print(&["logs", id, "-f"]), expected);
    assert_eq!(print(&["logs", id, "--attempt", "1"]), expected);

    let stored = print(&["logs", id, "--json"]);
    assert_eq!(print(&["logs", id, "-f", "--json"]), stored);
    let lines: Vec<Value> = stored
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&lines[0]["text"], &lines[0]["text_base64"]),
        (&json!("a\u{fffd}\u{fffd}b"), &json!("Yf/+Yg=="))
    );
    assert_eq!(lines[1]["text_base64"], "ww==");
    assert_eq!(lines[2].get("text_base64"), None);
}

/// Passes connections on to a server until they are cut.
struct Relay {
    address: String,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let open: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let (server, noted) = (server.to_owned(), Arc::clone(&open));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(&server) else {
                    return;
                };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                noted.lock().unwrap().extend([near, far]);
            }
        });
        Self { address, open }
    }

    fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
