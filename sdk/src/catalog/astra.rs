//! The actions and stages of Astra's execution hooks, as `action.stage`.
//!
//! Their events name an application in `subject`, and their hooks run once for
//! each container of it that they match. What a container's hook gets to know of it
//! comes from the application, not from the event's `data`.

use serde_json::Value;

use super::points;

/// Declares the rows of the table: all of them pass their hooks the same parameters.
macro_rules! rows {
    ($($name:ident $text:literal $description:literal;)*) => {
        points! { Astra $(
            $name $text None, $description {
                app_id: String = "appId" "id of the application" "7d8f3c1e-52a9-4b06-9f0e-3a1c6b2d4e5f";
                app_name: String = "appName" "name of the application" "billing";
                pod_name: String = "podName" "name of the container's pod" "billing-db-0";
                container_name: String = "containerName" "name of the container" "postgres";
                container_image: String = "containerImage" "image of the container" "postgres:17";
                namespace_name: String = "namespaceName" "namespace of the container's pod" "billing";
                pod_labels: Value = "podLabels" "JSON object of the labels of the container's pod" {"tier": "db"};
            }
        )* }
    };
}

rows! {
    SnapshotPre "snapshot.pre" "Before a snapshot of an application is taken.";
    SnapshotPost "snapshot.post" "After a snapshot of an application was taken.";
    BackupPre "backup.pre" "Before a backup of an application is made.";
    BackupPost "backup.post" "After a backup of an application was made.";
    RestorePost "restore.post" "After an application was restored.";
    FailoverPost "failover.post" "After a replicated application failed over.";
}
