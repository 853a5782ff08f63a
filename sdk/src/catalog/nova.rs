//! The names of Nova's external events, about one instance each.

use super::points;

points! { Nova
    NetworkChanged "network-changed" Each,
        "The network information of an instance changed." {
            tag: Option<String> = "tag" "id of the port, if only one changed" "6e2f6f52-3f0c-4f5c-8d6e-0f2b7a9c1d34";
        }
    NetworkVifPlugged "network-vif-plugged" Each,
        "A virtual interface of an instance was plugged in." {
            tag: String = "tag" "id of the port" "6e2f6f52-3f0c-4f5c-8d6e-0f2b7a9c1d34";
        }
    NetworkVifUnplugged "network-vif-unplugged" Each,
        "A virtual interface of an instance was unplugged." {
            tag: String = "tag" "id of the port" "6e2f6f52-3f0c-4f5c-8d6e-0f2b7a9c1d34";
        }
    NetworkVifDeleted "network-vif-deleted" Each,
        "A virtual interface of an instance was deleted." {
            tag: String = "tag" "id of the port" "6e2f6f52-3f0c-4f5c-8d6e-0f2b7a9c1d34";
        }
    VolumeExtended "volume-extended" Each,
        "A volume of an instance was extended." {
            tag: String = "tag" "id of the volume" "6e2f6f52-3f0c-4f5c-8d6e-0f2b7a9c1d34";
        }
    PowerUpdate "power-update" Each,
        "The power of an instance was switched from outside." {
            tag: String = "tag" "POWER_ON or POWER_OFF" "POWER_OFF";
        }
    AcceleratorRequestBound "accelerator-request-bound" Each,
        "An accelerator was bound for an instance." {
            tag: String = "tag" "UUID of the accelerator request" "6e2f6f52-3f0c-4f5c-8d6e-0f2b7a9c1d34";
        }
    VolumeReimaged "volume-reimaged" Each,
        "The image of an instance's volume was rewritten." {
            tag: String = "tag" "id of the volume" "6e2f6f52-3f0c-4f5c-8d6e-0f2b7a9c1d34";
        }
}
