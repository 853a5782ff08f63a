//! The names of Nova's external events, about one instance each.

use super::{HookPoint, point};

pub(super) const POINTS: &[HookPoint] = &[
    point!(Nova "network-changed" Each, "The network information of an instance changed.",
        "tag": "id of the port, if only one changed"),
    point!(Nova "network-vif-plugged" Each, "A virtual interface of an instance was plugged in.",
        "tag": "id of the port"),
    point!(Nova "network-vif-unplugged" Each, "A virtual interface of an instance was unplugged.",
        "tag": "id of the port"),
    point!(Nova "network-vif-deleted" Each, "A virtual interface of an instance was deleted.",
        "tag": "id of the port"),
    point!(Nova "volume-extended" Each, "A volume of an instance was extended.",
        "tag": "id of the volume"),
    point!(Nova "power-update" Each, "The power of an instance was switched from outside.",
        "tag": "POWER_ON or POWER_OFF"),
    point!(Nova "accelerator-request-bound" Each, "An accelerator was bound for an instance.",
        "tag": "UUID of the accelerator request"),
    point!(Nova "volume-reimaged" Each, "The image of an instance's volume was written anew.",
        "tag": "id of the volume"),
];
