//! The types of events that are delivered. This list is the only one.

/// The types of events that are delivered; other events create no deliveries.
pub const KINDS: [&str; 4] = [
    "maintenance.scheduled",
    "maintenance.host",
    "maintenance.session",
    "action.instance",
];

/// Returns whether events of this type are delivered.
pub(crate) fn is_delivered(kind: &str) -> bool {
    KINDS.contains(&kind)
}
