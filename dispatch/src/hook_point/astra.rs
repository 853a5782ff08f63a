//! The actions and stages of Astra's execution hooks, as `action.stage`.
//!
//! Their events name an application in `subject`, and their hooks run once for
//! each container of it that they match. What a container's hook is told of it
//! comes from the application, not from the event's `data`.

use super::{HookPoint, point};

/// Declares one row of the table: all rows tell their hooks the same.
macro_rules! row {
    ($name:literal, $description:literal) => {
        point!(Astra $name None, $description,
            "appId": "id of the application",
            "appName": "name of the application",
            "podName": "name of the container's pod",
            "containerName": "name of the container",
            "containerImage": "image of the container",
            "namespaceName": "namespace of the container's pod",
            "podLabels": "JSON object of the labels of the container's pod")
    };
}

pub(super) const POINTS: &[HookPoint] = &[
    row!(
        "snapshot.pre",
        "Before a snapshot of an application is taken."
    ),
    row!(
        "snapshot.post",
        "After a snapshot of an application was taken."
    ),
    row!("backup.pre", "Before a backup of an application is made."),
    row!("backup.post", "After a backup of an application was made."),
    row!("restore.post", "After an application was restored."),
    row!(
        "failover.post",
        "After a replicated application failed over."
    ),
];
