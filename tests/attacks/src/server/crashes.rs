//! A server that is killed again and again while one account's executions run: they are
//! given up in the end, and another account's hook runs after each start.

use std::fmt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::http::{Client, expect_success};
use super::process::Server;
use super::{account, bind, event};

/// How often the server is killed.
const KILLS: usize = 3;

/// Executions of the one account that run when it is killed.
const EXECUTIONS: usize = 2;

/// Tries of an execution before it is given up.
const ATTEMPTS: u64 = 3;

/// How long an execution may take to start again: those that were running when the server
/// was killed start last, one after the other, with pauses between them.
const PATIENCE: Duration = Duration::from_secs(120);

/// What has come of it.
pub(crate) struct Crashed {
    /// How long the other account's hook took after each start, from the moment when the
    /// server listened.
    pub(crate) served: Vec<Duration>,
    /// What the executions were given up with.
    pub(crate) error: String,
}

impl fmt::Display for Crashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} executions in progress, the server killed {KILLS} times: dead with {:?}; the other \
             account's hook after each start took {:?}",
            EXECUTIONS, self.error, self.served
        )
    }
}

/// Kills a server until it gives up what runs.
///
/// # Errors
///
/// When an execution is not given up, or a run of the other account fails.
pub(crate) fn measure() -> anyhow::Result<Crashed> {
    let data = tempfile::tempdir()?;
    let mut server = Server::start(data.path(), &[], None)?;
    let mut owner = Client::new(server.address(), &server.token(data.path())?);
    let mut honest = account(&server, &mut owner, "honest")?;
    let mut hostile = account(&server, &mut owner, "hostile")?;
    let limits = json!({"limits": {"wall_ms": 1_500_000}});
    for (client, program, more) in [
        (&mut honest, &b"echo hi\n"[..], json!({})),
        (&mut hostile, &b"sleep 1500\n"[..], limits),
    ] {
        let source = client.upload("crash", program)?;
        let source = expect_success("/api/v1/sources", source)?;
        bind(client, &source, "crash", more)?;
    }
    let mut tasks = Vec::new();
    for number in 0..EXECUTIONS {
        let event = event("crash", &format!("crash-{number}"));
        let posted = hostile.created("/api/v1/events", &event)?;
        let id = posted["task"]["id"].as_str().context("it has a task")?;
        tasks.push(id.to_owned());
    }

    let mut served = Vec::new();
    for kill in 1..=KILLS {
        let attempt = u64::try_from(kill)?;
        for task in &tasks {
            until(&mut hostile, task, |execution| {
                execution["attempt"] == attempt && execution["state"] == "RUNNING"
            })?;
        }
        server = restart(server, data.path())?;
        hostile = Client::new(server.address(), hostile.secret());
        honest = Client::new(server.address(), honest.secret());
        let listens_since = Instant::now();
        let event = event("crash", &format!("hello-{kill}"));
        let answer = honest.created("/api/v1/events?wait=60", &event)?;
        served.push(listens_since.elapsed());
        let stdout = &answer["task"]["executions"][0]["stdout"];
        anyhow::ensure!(stdout == "hi\n", "after {kill} kills: {answer}");
    }
    let mut error = String::new();
    for task in &tasks {
        let execution = until(&mut hostile, task, |execution| execution["dead"] == true)?;
        anyhow::ensure!(execution["attempt"] == ATTEMPTS, "{execution}");
        error = execution["error"].as_str().unwrap_or_default().to_owned();
    }
    anyhow::ensure!(error.contains("killed"), "it is dead without a word");
    Ok(Crashed { served, error })
}

/// Kills a server, which is not asked to end, and starts another on what it has left.
fn restart(server: Server, data: &Path) -> anyhow::Result<Server> {
    drop(server);
    Server::start(data, &[], None)
}

/// Looks at the execution of a task until it is as `is` wants it.
fn until(client: &mut Client, task: &str, is: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
    let began_at = Instant::now();
    loop {
        let (status, answer) = client.get(&format!("/api/v1/tasks/{task}"))?;
        let execution = &answer["executions"][0];
        if is(execution) {
            return Ok(execution.clone());
        }
        anyhow::ensure!(
            status == 200 && began_at.elapsed() < PATIENCE,
            "it did not come to that: {status} {answer}"
        );
        thread::sleep(Duration::from_millis(50));
    }
}
