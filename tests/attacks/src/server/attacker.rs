//! The hostile account: its hooks are fired and its uploads sent, from many
//! connections at one time, until it is stopped.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use serde_json::json;

use super::http::{self, Client};
use super::{bind, event};
use crate::attack::Attack;

/// Connections that fire hooks: as many as the account's runs at one time.
const FIRING: usize = 32;

/// Connections that upload what will be refused.
const UPLOADING: usize = 6;

/// The most fuel that a server grants.
const FUEL_MAX: u64 = 200_000_000_000;

/// Everything that the account attacks with.
pub(super) struct Arsenal {
    client: Client,
    hooks: usize,
    uploads: Vec<Vec<u8>>,
    /// How many of each were begun.
    fired: AtomicUsize,
    uploaded: AtomicUsize,
}

/// One way to strike once.
type Strike = fn(&Arsenal, &mut Client, &mut Strikes) -> anyhow::Result<()>;

/// What the hostile account was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strikes {
    /// Runs of its hooks.
    pub(crate) runs: usize,
    /// Uploads that were refused.
    pub(crate) refused: usize,
    /// Requests that were refused with `Retry-After`.
    pub(crate) turned_away: usize,
}

/// The attack that is going on.
pub(super) struct Attackers<'scope> {
    threads: Vec<ScopedJoinHandle<'scope, anyhow::Result<Strikes>>>,
}

impl Arsenal {
    /// Uploads all programs that are accepted, with a hook each.
    pub(super) fn bring(mut client: Client, attacks: &[&Attack]) -> anyhow::Result<Self> {
        let (mut hooks, mut uploads) = (0, Vec::new());
        for attack in attacks {
            let program = attack.program()?;
            if attack.is_refused() {
                uploads.push(program);
                continue;
            }
            let name = format!("attack-{hooks}");
            let source = client.upload(&name, &program)?;
            let source = http::expect_success(&attack.name, source)?;
            let limits = &attack.limits;
            let hook = json!({
                "args": attack.args,
                "limits": {
                    "fuel": limits.fuel.min(FUEL_MAX),
                    "memory_bytes": limits.memory,
                    "wall_ms": u64::try_from(limits.wall.as_millis())?,
                    "output_bytes": limits.output,
                    "files_bytes": limits.files,
                    "inodes": limits.inodes,
                    "descriptors": limits.descriptors,
                },
            });
            bind(&mut client, &source, &name, hook)?;
            hooks += 1;
        }
        Ok(Self {
            client,
            hooks,
            uploads,
            fired: AtomicUsize::new(0),
            uploaded: AtomicUsize::new(0),
        })
    }

    /// Strikes with everything, in turn and in a loop, until it is `over`. Says
    /// so in `all_made` once everything was done at least once.
    pub(super) fn strike<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        over: &'scope AtomicBool,
        all_made: &'scope AtomicBool,
    ) -> Attackers<'scope> {
        let spawn = |strike: Strike| {
            scope.spawn(move || {
                let mut client = self.client.another();
                let mut strikes = Strikes::default();
                while !over.load(Ordering::Relaxed) {
                    strike(self, &mut client, &mut strikes)?;
                    if self.were_all_made() {
                        all_made.store(true, Ordering::Relaxed);
                    }
                }
                Ok(strikes)
            })
        };
        let firing = (0..FIRING).map(|_| spawn(Self::fire));
        let uploading = (0..UPLOADING).map(|_| spawn(Self::upload));
        Attackers {
            threads: firing.chain(uploading).collect(),
        }
    }

    /// Whether everything was begun once and ended: as many later ones have begun
    /// as there are connections.
    fn were_all_made(&self) -> bool {
        self.fired.load(Ordering::Relaxed) >= self.hooks + FIRING
            && self.uploaded.load(Ordering::Relaxed) >= self.uploads.len() + UPLOADING
    }

    fn fire(&self, client: &mut Client, strikes: &mut Strikes) -> anyhow::Result<()> {
        let number = self.fired.fetch_add(1, Ordering::Relaxed);
        let name = format!("attack-{}", number % self.hooks);
        let event = event(&name, &format!("strike-{number}"));
        let (status, answer) = client.post("/api/v1/events?wait=60", &event)?;
        match status {
            0..300 => {
                let run = &answer["task"]["executions"][0];
                anyhow::ensure!(run["outcome"].is_object(), "{name} had no outcome: {run}");
                strikes.runs += 1;
            }
            503 | 507 => strikes.turn_away(),
            _ => anyhow::bail!("{name} was answered {status}: {answer}"),
        }
        Ok(())
    }

    fn upload(&self, client: &mut Client, strikes: &mut Strikes) -> anyhow::Result<()> {
        let number = self.uploaded.fetch_add(1, Ordering::Relaxed);
        let bytes = &self.uploads[number % self.uploads.len()];
        // The server may close the connection of what is too large before all of
        // it was sent, and the answer is lost with it.
        let Ok((status, answer)) = client.upload("bomb", bytes) else {
            strikes.refused += 1;
            return Ok(());
        };
        match status {
            413 | 422 => strikes.refused += 1,
            503 => strikes.turn_away(),
            _ => anyhow::bail!("an upload was answered {status}: {answer}"),
        }
        Ok(())
    }
}

impl Strikes {
    fn turn_away(&mut self) {
        self.turned_away += 1;
        // A client that is told to retry in a second and asks at once is only
        // hammering at the door, which is another attack.
        std::thread::sleep(Duration::from_millis(100));
    }
}

impl Attackers<'_> {
    /// Waits until all have stopped.
    pub(super) fn join(self) -> anyhow::Result<Strikes> {
        let mut all = Strikes::default();
        for thread in self.threads {
            let strikes = thread.join().expect("an attacker does not panic")?;
            all.runs += strikes.runs;
            all.refused += strikes.refused;
            all.turned_away += strikes.turned_away;
        }
        Ok(all)
    }
}
