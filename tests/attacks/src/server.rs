//! The same attacks through a real server: one account makes all of them at one
//! time and over and over, and the hook of another goes on.

mod attacker;
pub(crate) mod crashes;
mod http;
mod process;
pub(crate) mod siege;
mod sieges;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::attacker::{Arsenal, Strikes};
use self::http::Client;
use self::process::Server;
use crate::attack::Attack;

/// How long the hook is fired on the idle server.
const IDLE: Duration = Duration::from_secs(5);

/// How long it is fired beside the attacks, at least.
const BESIDE: Duration = Duration::from_secs(20);

/// How long it may take until each attack was made once.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a well-behaved hook takes from its event to the answer.
pub(crate) struct Served {
    pub(crate) runs: usize,
    pub(crate) median_us: u64,
    pub(crate) slow_us: u64,
    pub(crate) slowest_us: u64,
}

/// What became of the two accounts.
pub(crate) struct Neighbours {
    /// The well-behaved hook on the idle server.
    pub(crate) idle: Served,
    /// The same beside the attacks.
    pub(crate) beside: Served,
    /// What the attacker was answered.
    pub(crate) strikes: Strikes,
}

impl fmt::Display for Neighbours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            idle,
            beside,
            strikes,
        } = self;
        write!(f, "through a server: {strikes:?}")?;
        for (name, served) in [("alone", idle), ("beside", beside)] {
            write!(
                f,
                "; hook {name}: {} runs, {} / {} / {} us",
                served.runs, served.median_us, served.slow_us, served.slowest_us
            )?;
        }
        Ok(())
    }
}

/// Starts a server and makes all `attacks` through it.
///
/// # Errors
///
/// When a run of the well-behaved hook fails, or the server fails at all.
pub(crate) fn measure(attacks: &[&Attack]) -> anyhow::Result<Neighbours> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path(), &["--max-compile-time", "2s"], None)?;
    let mut owner = Client::new(server.address(), &server.token(data.path())?);
    let mut honest = account(&server, &mut owner, "honest")?;
    let source = honest.upload("hello", b"echo hi\n")?;
    let source = http::expect_success("/api/v1/sources", source)?;
    bind(&mut honest, &source, "hello", json!({}))?;
    let hostile = account(&server, &mut owner, "hostile")?;
    let arsenal = Arsenal::bring(hostile, attacks)?;

    let always = AtomicBool::new(true);
    fire(&mut honest, "warm", Duration::from_secs(1), &always)?;
    let idle = fire(&mut honest, "idle", IDLE, &always)?;
    let (over, all_made) = (AtomicBool::new(false), AtomicBool::new(false));
    let (beside, strikes) = thread::scope(|scope| {
        let attackers = arsenal.strike(scope, &over, &all_made);
        let beside = fire(&mut honest, "beside", BESIDE, &all_made);
        over.store(true, Ordering::Relaxed);
        (beside, attackers.join())
    });
    Ok(Neighbours {
        idle,
        beside: beside?,
        strikes: strikes?,
    })
}

/// Makes an account; answers its owner.
fn account(server: &Server, operator: &mut Client, name: &str) -> anyhow::Result<Client> {
    let account = operator.created("/api/v1/accounts", &json!({"name": name}))?;
    let token = json!({"account": account["id"], "name": "owner", "role": "owner"});
    let token = operator.created("/api/v1/tokens", &token)?;
    let token = token["token"].as_str().unwrap_or_default();
    Ok(Client::new(server.address(), token))
}

/// Binds a source to `custom.<name>`.
fn bind(client: &mut Client, source: &Value, name: &str, more: Value) -> anyhow::Result<()> {
    let mut hook = more;
    hook["source"] = source["id"].clone();
    hook["event"] = json!(format!("custom.{name}"));
    client.created("/api/v1/hooks", &hook)?;
    Ok(())
}

fn event(name: &str, id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/attacks", "type": format!("custom.{name}")})
}

/// Fires the well-behaved hook repeatedly for at least this long, and until `enough`.
fn fire(
    client: &mut Client,
    series: &str,
    lasting: Duration,
    enough: &AtomicBool,
) -> anyhow::Result<Served> {
    let began_at = Instant::now();
    let mut times = Vec::new();
    while began_at.elapsed() < lasting || !enough.load(Ordering::Relaxed) {
        anyhow::ensure!(began_at.elapsed() < PATIENCE, "not all attacks were made");
        let event = event("hello", &format!("{series}-{}", times.len()));
        let started_at = Instant::now();
        let (status, answer) = client.post("/api/v1/events?wait=60", &event)?;
        times.push(started_at.elapsed());
        let run = &answer["task"]["executions"][0];
        anyhow::ensure!(
            status < 300
                && run["outcome"] == json!({"kind": "exited", "status": 0})
                && run["stdout"] == "hi\n",
            "the well-behaved hook failed: {status} {answer}"
        );
    }
    times.sort_unstable();
    let micros = |index: usize| u64::try_from(times[index].as_micros());
    Ok(Served {
        runs: times.len(),
        median_us: micros(times.len() / 2)?,
        slow_us: micros(times.len() * 99 / 100)?,
        slowest_us: micros(times.len() - 1)?,
    })
}
