//! The keys of jobs: unique by their number, readable by what follows it.

use crate::work::{HostState, Work};

/// Characters of one part; two parts, a number and a word stay under 200.
const PART: usize = 80;

pub(super) fn key(number: u64, work: &Work) -> String {
    match work {
        Work::Enter { state, .. } => format!("{number}-enter-{state}"),
        Work::Decide { .. } => format!("{number}-decide"),
        Work::Notify(_) => format!("{number}-notify"),
        Work::TellHost { host, state } => {
            let what = match state {
                HostState::InMaintenance => "in",
                HostState::MaintenanceComplete => "out",
            };
            format!("{number}-{what}-{}", part(host))
        }
        Work::Act { action, host } => {
            format!("{number}-act-{}-{}", part(host), part(&action.plugin))
        }
        Work::Instruct(_) => format!("{number}-instruct"),
        Work::Wait { .. } => "wait".to_owned(),
        Work::Rest => "rest".to_owned(),
    }
}

/// A name, as far as it is harmless wherever a key may stand.
fn part(name: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.chars()
        .take(PART)
        .map(|c| if harmless(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Action, ActionType};

    fn act(host: &str, plugin: &str) -> Work {
        Work::Act {
            host: host.to_owned(),
            action: Action {
                plugin: plugin.to_owned(),
                kind: ActionType::Host,
                metadata: crate::metadata::Metadata::default(),
            },
        }
    }

    #[test]
    fn a_key_names_the_job_and_its_place() {
        let key = key(17, &act("node-1", "fw_upgrade"));
        assert_eq!(key, "17-act-node-1-fw_upgrade");
    }

    #[test]
    fn a_key_stays_short_and_plain_whatever_the_names() {
        let name = "é\n/".repeat(400);
        let key = key(u64::MAX, &act(&name, &name));
        assert!(key.len() <= 200 && key.bytes().all(|b| b.is_ascii_graphic()));
    }
}
