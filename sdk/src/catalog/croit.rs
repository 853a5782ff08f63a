//! The hook points of croit, with the parameters that we define for them.
//!
//! The first parameter of a hook point is its scripts' first argument.

use serde_json::Value;

use super::points;

points! { Croit
    PreNetworkConfig "PreNetworkConfig" Each,
        "Before the network settings of a server are changed." {
            hostname: String = "hostname" "name of the server whose network is about to change" "node-3";
            interfaces: Value = "interfaces" "JSON list of the interfaces that are about to be configured" [{"name":"eth0","mtu":9000}];
        }
    PostNetworkConfig "PostNetworkConfig" Each,
        "After a change of network settings was applied on a server." {
            hostname: String = "hostname" "name of the server whose network has changed" "node-3";
            interfaces: Value = "interfaces" "JSON list of the interfaces that were configured" [{"name":"eth0","mtu":9000}];
        }
    PreDaemonStart "PreDaemonStart" Each,
        "Before a server's daemon does its first configuration; the place for drivers and packages." {
            hostname: String = "hostname" "name of the server that is starting" "node-3";
            version: String = "version" "version of the daemon" "2511.0";
        }
    PostDaemonStart "PostDaemonStart" Each,
        "After a server's daemon has finished starting." {
            hostname: String = "hostname" "name of the server that has started" "node-3";
            version: String = "version" "version of the daemon" "2511.0";
        }
    PreFormatDisk "PreFormatDisk" Each,
        "Before a disk of a server is formatted; a failing hook forbids it." {
            hostname: String = "hostname" "name of the server that holds the disk" "node-3";
            device: String = "device" "path of the disk, such as /dev/sdc" "/dev/sdc";
            serial: String = "serial" "serial number of the disk" "WD-WCC7K4AB";
            size_bytes: u64 = "sizeBytes" "size of the disk in bytes" 4000787030016;
            role: String = "role" "what the disk is formatted for, such as osd, mon or journal" "osd";
        }
    PostFormatDisk "PostFormatDisk" Each,
        "After a disk of a server was formatted." {
            hostname: String = "hostname" "name of the server that holds the disk" "node-3";
            device: String = "device" "path of the disk, such as /dev/sdc" "/dev/sdc";
            serial: String = "serial" "serial number of the disk" "WD-WCC7K4AB";
            size_bytes: u64 = "sizeBytes" "size of the disk in bytes" 4000787030016;
            role: String = "role" "what the disk was formatted for, such as osd, mon or journal" "osd";
            success: bool = "success" "true if it was formatted, false if that failed" true;
        }
    PostCephDaemonStart "PostCephDaemonStart" Each,
        "After the server's daemon started a Ceph daemon. Daemons that udev starts at boot or at a hot swap do not fire it." {
            hostname: String = "hostname" "name of the server that the daemon runs on" "node-3";
            daemon_type: String = "daemonType" "osd, mon, mgr, mds or rgw" "osd";
            daemon_id: String = "daemonId" "id of the daemon, such as 12" "12";
        }
    OnHealthDegrade "OnHealthDegrade" None,
        "When a health warning appears or grows (a count above 5 does not grow further), or the overall status becomes worse." {
            old_status: String = "oldStatus" "overall status before, such as HEALTH_OK" "HEALTH_OK";
            new_status: String = "newStatus" "overall status now, such as HEALTH_WARN" "HEALTH_WARN";
            checks: Value = "checks" "JSON list of the checks that became worse" [{"name":"OSD_DOWN","severity":"HEALTH_WARN","count":2}];
        }
    OnHealthImprove "OnHealthImprove" None,
        "When a health warning disappears or shrinks (a count above 5 does not count)." {
            old_status: String = "oldStatus" "overall status before, such as HEALTH_ERR" "HEALTH_ERR";
            new_status: String = "newStatus" "overall status now, such as HEALTH_WARN" "HEALTH_WARN";
            checks: Value = "checks" "JSON list of the checks that became better" [{"name":"OSD_DOWN","severity":"HEALTH_WARN","count":2}];
        }
    OnHealthRecover "OnHealthRecover" None,
        "When the overall status returns to HEALTH_OK." {
            old_status: String = "oldStatus" "overall status before, such as HEALTH_WARN" "HEALTH_WARN";
            new_status: String = "newStatus" "overall status now, always HEALTH_OK" "HEALTH_OK";
            duration_seconds: u64 = "durationSeconds" "how long the cluster was not healthy, in seconds" 184;
        }
    PreCrushMapChange "PreCrushMapChange" None,
        "Before the CRUSH map is changed; a failing hook forbids it." {
            epoch: u64 = "epoch" "epoch of the map that is in use" 71;
            change: Value = "change" "JSON description of what is about to change" {"operation":"move","item":"osd.12","to":"rack-2"};
        }
    PostCrushMapChange "PostCrushMapChange" None,
        "After the CRUSH map was changed." {
            epoch: u64 = "epoch" "epoch of the new map" 71;
            change: Value = "change" "JSON description of what has changed" {"operation":"move","item":"osd.12","to":"rack-2"};
        }
    PostConfigChanged "PostConfigChanged" Each,
        "After any configuration of a server was changed; also after a change of servers, hooks or scripts here." {
            object: String = "object" "what sort of thing changed, such as server, hook or source" "hook";
            object_id: u64 = "objectId" "number of the thing that changed" 7;
            object_name: String = "objectName" "name of the thing that changed" "volume-guard";
            operation: String = "operation" "created, changed or deleted" "created";
        }
    OnDhcpLeaseUpdate "OnDhcpLeaseUpdate" None,
        "When a DHCP lease was given, renewed or released." {
            operation: String = "operation" "add, old or del" "add";
            mac: String = "mac" "hardware address of the client" "52:54:00:12:ab:07";
            ip: String = "ip" "address of the lease" "192.0.2.17";
            hostname: Option<String> = "hostname" "name that the client gave, if any" "printer";
        }
    OnPersistentAvailable "OnPersistentAvailable" Each,
        "After a server's own persistent storage was mounted." {
            hostname: String = "hostname" "name of the server" "node-3";
            path: String = "path" "where it is mounted, such as /persistent" "/persistent";
        }
    OnCephFsSnapshotComplete "OnCephFsSnapshotComplete" Lot,
        "After a CephFS snapshot was taken. Of several chosen servers, one drawn by lot runs the script." {
            filesystem: String = "filesystem" "name of the file system" "home";
            path: String = "path" "folder that the snapshot was taken of" "/projects";
            snapshot: String = "snapshot" "name of the snapshot" "daily-2026-03-10";
        }
    OnRbdSnapshotComplete "OnRbdSnapshotComplete" Lot,
        "After an RBD snapshot was taken. Of several chosen servers, one drawn by lot runs the script." {
            pool: String = "pool" "name of the pool" "vm";
            namespace: Option<String> = "namespace" "namespace within the pool, empty for the default one" "";
            image: String = "image" "name of the image" "billing-db";
            snapshot: String = "snapshot" "name of the snapshot" "daily-2026-03-10";
        }
    OnAudit "OnAudit" None,
        "When an entry was written to the audit log." {
            id: u64 = "id" "id of the entry" 1207;
            time: String = "time" "when, as an RFC 3339 timestamp" "2026-03-10T16:15:50Z";
            category: String = "category" "area of the interface, such as events or servers" "events";
            operation: String = "operation" "what was done, such as create_hook" "create_hook";
            username: String = "username" "who did it" "ada";
            ip: String = "ip" "address that the request came from" "192.0.2.17";
            method: String = "method" "HTTP method" "POST";
            status: u64 = "status" "HTTP status of the answer" 201;
            endpoint: String = "endpoint" "path of the request" "/api/events/hooks";
            query_params: Value = "queryParams" "JSON object of the request's query parameters" {};
            body: String = "body" "the request's body, shortened and without secrets" "{}";
        }
    OnCroitStartup "OnCroitStartup" None,
        "When the management service starts; it waits for the hook." {
            version: String = "version" "version of the management service" "2511.0";
        }
    OnCroitAsyncStartup "OnCroitAsyncStartup" None,
        "When the management service starts; it does not wait for the hook." {
            version: String = "version" "version of the management service" "2511.0";
        }
}
