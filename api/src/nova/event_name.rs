//! The names of external events, and since which version they exist.

use super::microversion::Microversion;

/// The name of an external event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EventName {
    /// The name itself: that of a hook point.
    pub(super) name: &'static str,
    since: Microversion,
    /// Whether an event of this name has to have a tag.
    pub(super) tag: Tag,
}

/// Whether an event has to have a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// It may.
    Optional,
    /// It has to.
    Required,
}

const fn row(name: &'static str, minor: u16, tag: Tag) -> EventName {
    let since = Microversion::of(minor);
    EventName { name, since, tag }
}

/// All of them, in the order of refusals.
const ALL: [EventName; 8] = [
    row("network-changed", 1, Tag::Optional),
    row("network-vif-plugged", 1, Tag::Optional),
    row("network-vif-unplugged", 1, Tag::Optional),
    row("network-vif-deleted", 1, Tag::Optional),
    row("volume-extended", 51, Tag::Required),
    row("power-update", 76, Tag::Required),
    row("accelerator-request-bound", 82, Tag::Required),
    row("volume-reimaged", 93, Tag::Optional),
];

/// The names that a client of this version may use.
pub(super) fn known(version: Microversion) -> impl Iterator<Item = &'static EventName> {
    static NAMES: [EventName; 8] = ALL;
    NAMES.iter().filter(move |row| row.since <= version)
}

#[cfg(test)]
mod tests {
    use tenterhook_dispatch::HookPoint;

    use super::*;

    #[test]
    fn every_name_is_a_hook_point_and_none_is_missing() {
        let points: Vec<_> = HookPoint::catalog()
            .filter(|point| serde_json::json!(point.face) == "nova")
            .map(|point| point.name)
            .collect();
        let names: Vec<_> = known(Microversion::MAX).map(|row| row.name).collect();
        assert_eq!(names, points);
    }

    #[test]
    fn later_versions_know_more_names() {
        for (minor, most) in [
            (1, "network-vif-deleted"),
            (50, "network-vif-deleted"),
            (51, "volume-extended"),
            (75, "volume-extended"),
            (76, "power-update"),
            (81, "power-update"),
            (82, "accelerator-request-bound"),
            (92, "accelerator-request-bound"),
            (93, "volume-reimaged"),
        ] {
            let last = known(Microversion::of(minor)).last().unwrap();
            assert_eq!(last.name, most, "2.{minor}");
        }
    }
}
