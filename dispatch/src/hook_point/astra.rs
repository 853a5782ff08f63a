//! The actions and stages of Astra's execution hooks, as `action.stage`.

use super::{HookPoint, point};

pub(super) const POINTS: &[HookPoint] = &[
    point!(Astra "snapshot.pre" None, "Before a snapshot of an application is taken."),
    point!(Astra "snapshot.post" None, "After a snapshot of an application was taken."),
    point!(Astra "backup.pre" None, "Before a backup of an application is made."),
    point!(Astra "backup.post" None, "After a backup of an application was made."),
    point!(Astra "restore.post" None, "After an application was restored."),
    point!(Astra "failover.post" None, "After a replicated application failed over."),
];
