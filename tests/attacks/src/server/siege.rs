//! One account besieges a server for itself, and another goes on: how long its hook
//! takes meanwhile, and whether the server says that it is healthy at all times.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::http::Client;
use super::process::Server;
use super::{Served, account, bind, fire, sieges};
use crate::server::http::expect_success;

/// How long the hook is fired on the idle server.
const IDLE: Duration = Duration::from_secs(3);

/// How long it is fired beside the siege.
const BESIDE: Duration = Duration::from_secs(12);

/// How long the siege goes on before the hook is fired beside it.
const BEFORE: Duration = Duration::from_secs(2);

/// Between two questions after the server's health.
const BETWEEN: Duration = Duration::from_millis(200);

/// How long the server may take to say that it is healthy.
const HEALTH: Duration = Duration::from_secs(3);

/// An attack on what tenants share.
pub(super) struct Siege {
    /// What is tried, in a few words.
    pub(super) attack: &'static str,
    /// What the server is started with besides.
    pub(super) flags: &'static [&'static str],
    /// Descriptors that the server may have, if fewer than usual.
    pub(super) descriptors: Option<u32>,
    /// Accounts that attack.
    pub(super) accounts: usize,
    /// Makes ready what an account attacks with.
    pub(super) bring: fn(&mut Client) -> anyhow::Result<()>,
    /// Connections from which `strike` is done over and over.
    pub(super) connections: usize,
    /// Attacks once; says whether the server turned it away.
    pub(super) strike: fn(&mut Client, usize) -> anyhow::Result<Strike>,
    /// The test of the same, as `file::function`.
    pub(super) test: &'static str,
}

/// What became of one strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strike {
    /// The server did what was asked.
    Served,
    /// The server turned it away, or ended it.
    TurnedAway,
}

/// What a siege has come to.
pub(crate) struct Besieged {
    pub(crate) attack: &'static str,
    pub(crate) test: &'static str,
    /// The well-behaved hook on the idle server, and beside the siege.
    pub(crate) idle: Served,
    pub(crate) beside: Served,
    /// Strikes that were served, and that were turned away.
    pub(crate) served: usize,
    pub(crate) turned_away: usize,
    /// How often the server was asked whether it is healthy, and said so.
    pub(crate) asked: usize,
    pub(crate) healthy: usize,
    /// The longest that it took to say so, beside the siege.
    pub(crate) health_slowest_us: u64,
    /// The most memory that the server held.
    pub(crate) peak_bytes: u64,
}

impl fmt::Display for Besieged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: hook {} / {} / {} us, idle {} / {} us; {} served, {} turned away; healthy {} of {}, within {} us; {} MiB",
            self.attack,
            self.beside.median_us,
            self.beside.slow_us,
            self.beside.slowest_us,
            self.idle.median_us,
            self.idle.slow_us,
            self.served,
            self.turned_away,
            self.healthy,
            self.asked,
            self.health_slowest_us,
            self.peak_bytes >> 20,
        )
    }
}

/// Lays all sieges whose words contain `which`, one after the other, each on a server of
/// its own.
///
/// # Errors
///
/// When a run of the well-behaved hook fails, or the server does not always say that
/// it is healthy.
pub(crate) fn measure_all(
    which: &str,
    mut tell: impl FnMut(&Besieged),
) -> anyhow::Result<Vec<Besieged>> {
    let mut all = Vec::new();
    let mut failed = Vec::new();
    let wanted = sieges::ALL
        .iter()
        .filter(|siege| siege.attack.contains(which));
    for siege in wanted {
        match lay(siege) {
            Ok(besieged) => {
                tell(&besieged);
                all.push(besieged);
            }
            Err(error) => failed.push(format!("{}: {error:#}", siege.attack)),
        }
    }
    anyhow::ensure!(failed.is_empty(), "not held:\n{}", failed.join("\n"));
    Ok(all)
}

fn lay(siege: &Siege) -> anyhow::Result<Besieged> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path(), siege.flags, siege.descriptors)?;
    let mut owner = Client::new(server.address(), &server.token(data.path())?);
    let mut honest = account(&server, &mut owner, "honest")?;
    let source = honest.upload("hello", b"echo hi\n")?;
    let source = expect_success("/api/v1/sources", source)?;
    bind(&mut honest, &source, "hello", serde_json::json!({}))?;
    let mut hostile = Vec::new();
    for number in 0..siege.accounts {
        let mut client = account(&server, &mut owner, &format!("hostile-{number}"))?;
        (siege.bring)(&mut client).context("cannot make ready")?;
        hostile.push(client);
    }

    let always = AtomicBool::new(true);
    fire(&mut honest, "warm", Duration::from_secs(1), &always)?;
    let idle = fire(&mut honest, "idle", IDLE, &always)?;
    let over = AtomicBool::new(false);
    let number = AtomicUsize::new(0);
    let (beside, strikes, health, peak) = thread::scope(|scope| {
        let health = scope.spawn(|| watch(&owner, &over));
        let strikes: Vec<_> = (0..siege.connections)
            .map(|index| {
                let hostile = &hostile[index % hostile.len()];
                strike(scope, siege, hostile, &number, &over)
            })
            .collect();
        thread::sleep(BEFORE);
        let beside = fire(&mut honest, "beside", BESIDE, &always);
        over.store(true, Ordering::Relaxed);
        let peak = server.peak_bytes();
        // Whatever still waits is cut with the server.
        drop(server);
        let strikes: Vec<_> = strikes.into_iter().map(ScopedJoinHandle::join).collect();
        (beside, strikes, health.join(), peak)
    });
    let mut all = (0, 0);
    for struck in strikes {
        let (served, turned_away) = struck.expect("an attacker does not panic");
        all = (all.0 + served, all.1 + turned_away);
    }
    let health = health.expect("who asks does not panic");
    let besieged = Besieged {
        attack: siege.attack,
        test: siege.test,
        idle,
        beside: beside?,
        served: all.0,
        turned_away: all.1,
        asked: health.asked,
        healthy: health.healthy,
        health_slowest_us: u64::try_from(health.slowest.as_micros())?,
        peak_bytes: peak?,
    };
    anyhow::ensure!(
        besieged.asked == besieged.healthy && besieged.asked > 0,
        "the server did not always say that it is healthy: {besieged}"
    );
    Ok(besieged)
}

/// Strikes over and over; counts the strikes that were served and turned away.
fn strike<'scope>(
    scope: &'scope Scope<'scope, '_>,
    siege: &'scope Siege,
    hostile: &'scope Client,
    number: &'scope AtomicUsize,
    over: &'scope AtomicBool,
) -> ScopedJoinHandle<'scope, (usize, usize)> {
    scope.spawn(move || {
        let mut client = hostile.another();
        let (mut served, mut turned_away) = (0, 0);
        while !over.load(Ordering::Relaxed) {
            let number = number.fetch_add(1, Ordering::Relaxed);
            match (siege.strike)(&mut client, number) {
                Ok(Strike::Served) => served += 1,
                Ok(Strike::TurnedAway) | Err(_) => {
                    turned_away += 1;
                    // Asking again at once would only be another attack.
                    thread::sleep(Duration::from_millis(50));
                }
            }
        }
        (served, turned_away)
    })
}

/// What the server has said of its health.
#[derive(Default)]
struct Health {
    asked: usize,
    healthy: usize,
    slowest: Duration,
}

/// Asks whether the server is healthy, over and over, each time on a connection of its
/// own.
fn watch(client: &Client, over: &AtomicBool) -> Health {
    let mut health = Health::default();
    while !over.load(Ordering::Relaxed) {
        let mut client = client.another().with_patience(HEALTH);
        let asked_at = Instant::now();
        let answer = client.get("/healthz");
        if over.load(Ordering::Relaxed) {
            break;
        }
        let took = asked_at.elapsed();
        health.asked += 1;
        health.healthy += usize::from(answer.is_ok_and(|(status, _)| status == 200));
        health.slowest = health.slowest.max(took);
        thread::sleep(BETWEEN.saturating_sub(took));
    }
    health
}
