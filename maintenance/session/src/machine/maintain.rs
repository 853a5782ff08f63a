//! `START_MAINTENANCE`: maintaining every host that is empty, one after the other.

use super::record::Note;
use super::{Look, Next, Trouble};
use crate::action::ActionType;
use crate::inventory::HostKind;
use crate::progress::{HostProgress, Stage};
use crate::session::Session;
use crate::state::State;
use crate::work::{HostState, Work};

impl Session {
    pub(super) fn maintain_hosts(&mut self, look: &Look<'_>) -> Result<Next, Trouble> {
        self.close_hosts(look);
        let Some(host) = self.host_to_maintain(look) else {
            return self.after_hosts();
        };
        let progress = self.progress.hosts.entry(host.clone()).or_default();
        let (told, ran, kind) = (progress.told, progress.ran, progress.kind);
        if !told {
            return Ok(Next::Do(Work::TellHost {
                host,
                state: HostState::InMaintenance,
            }));
        }
        let work = match self.action(action_types(kind), ran) {
            Some(action) => Work::Act { action, host },
            None => Work::TellHost {
                host,
                state: HostState::MaintenanceComplete,
            },
        };
        Ok(Next::Do(work))
    }

    /// Says, once, that nothing new is to be placed on hosts that wait.
    fn close_hosts(&mut self, look: &Look<'_>) {
        if self.progress.closed {
            return;
        }
        self.progress.closed = true;
        let hosts = self.unmaintained_computes(look.inventory).len();
        let note = Note {
            what: "close",
            ..Note::default()
        };
        let text = format!("compute hosts that take no new instances until maintained: {hosts}");
        self.record(note, &text, look.now);
    }

    /// The host that is being maintained; else the next one that is empty.
    fn host_to_maintain(&mut self, look: &Look<'_>) -> Option<String> {
        if self.progress.host.is_none() {
            let loads = look.inventory.loads();
            let host = self
                .unmaintained()
                .find(|host| !loads.contains_key(host))?
                .to_owned();
            let progress = HostProgress {
                kind: look
                    .inventory
                    .hosts
                    .get(&host)
                    .map_or(HostKind::Other, |host| host.kind),
                ..HostProgress::default()
            };
            self.progress.hosts.insert(host.clone(), progress);
            self.progress.host = Some(host);
        }
        self.progress.host.clone()
    }

    /// Where to go when no host is left that is empty.
    fn after_hosts(&mut self) -> Result<Next, Trouble> {
        let left = self.unmaintained().count();
        let maintained = self.progress.maintained;
        self.progress.stage = match (left, maintained) {
            (0, _) => Stage::Choose {
                next: State::MaintenanceComplete,
                why: "all hosts are maintained".to_owned(),
            },
            (_, 0) => {
                return Err(Trouble::new(
                    "none of the hosts that are still to be maintained is empty",
                    "empty one of them and resume, or resume in PREPARE_MAINTENANCE",
                ));
            }
            _ => Stage::Choose {
                next: State::PlannedMaintenance,
                why: format!("hosts that are still to be maintained: {left}"),
            },
        };
        Ok(Next::Again)
    }

    /// That the host which is being maintained has been told so.
    pub(super) fn host_told(&mut self, state: HostState) {
        let Some(host) = self.progress.host.clone() else {
            return;
        };
        let progress = self.progress.hosts.entry(host).or_default();
        match state {
            HostState::InMaintenance => progress.told = true,
            HostState::MaintenanceComplete => {
                progress.maintained = true;
                self.progress.host = None;
                self.progress.maintained += 1;
                self.progress.idle = 0;
            }
        }
    }

    /// That a plug-in has run.
    pub(super) fn plugin_ran(&mut self, kind: ActionType) {
        if matches!(kind, ActionType::Pre | ActionType::Post) {
            self.progress.ran += 1;
        } else if let Some(host) = self.progress.host.clone() {
            self.progress.hosts.entry(host).or_default().ran += 1;
        }
    }
}

/// The types of the actions for a host, in the order in which they run.
fn action_types(kind: HostKind) -> &'static [ActionType] {
    match kind {
        HostKind::Compute => &[ActionType::Host, ActionType::Compute],
        HostKind::Controller => &[ActionType::Host, ActionType::Controller],
        HostKind::Other => &[ActionType::Host],
    }
}
