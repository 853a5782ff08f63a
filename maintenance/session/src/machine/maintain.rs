//! `START_MAINTENANCE`: maintaining every host that is empty, one after the other.

use super::record::Note;
use super::{Next, Poll, StageFailure};
use crate::action::ActionType;
use crate::inventory::HostKind;
use crate::progress::{HostProgress, Stage};
use crate::session::Session;
use crate::state::State;
use crate::work::{HostState, Work};

impl Session {
    pub(super) fn maintain_hosts(&mut self, poll: &Poll<'_>) -> Result<Next, StageFailure> {
        self.close_hosts(poll);
        let Some(host) = self.host_to_maintain(poll) else {
            return self.after_hosts();
        };
        let progress = self.progress.hosts.entry(host.clone()).or_default();
        let (announced, ran, kind) = (progress.announced, progress.ran, progress.kind);
        if !announced {
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

    /// Records, once, that nothing new is to be placed on hosts that wait.
    fn close_hosts(&mut self, poll: &Poll<'_>) {
        if self.progress.closed {
            return;
        }
        self.progress.closed = true;
        let hosts = self.unmaintained_computes(poll.inventory).len();
        let note = Note {
            what: "close",
            ..Note::default()
        };
        let text = format!("compute hosts that take no new instances until maintained: {hosts}");
        self.record(note, &text, poll.now);
    }

    /// The host that is being maintained; else the next one that is empty.
    fn host_to_maintain(&mut self, poll: &Poll<'_>) -> Option<String> {
        if self.progress.host.is_none() {
            let loads = poll.inventory.loads();
            let host = self
                .unmaintained()
                .find(|host| !loads.contains_key(host))?
                .to_owned();
            let progress = HostProgress {
                kind: poll
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
    fn after_hosts(&mut self) -> Result<Next, StageFailure> {
        let left = self.unmaintained().count();
        let maintained = self.progress.maintained;
        self.progress.stage = match (left, maintained) {
            (0, _) => Stage::Choose {
                next: State::MaintenanceComplete,
                why: "all hosts are maintained".to_owned(),
            },
            (_, 0) => {
                return Err(StageFailure::new(
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

    /// Records that the state of the host being maintained was announced.
    pub(super) fn host_announced(&mut self, state: HostState) {
        let Some(host) = self.progress.host.clone() else {
            return;
        };
        let progress = self.progress.hosts.entry(host).or_default();
        match state {
            HostState::InMaintenance => progress.announced = true,
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
