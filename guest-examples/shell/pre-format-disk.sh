#!/bin/sh
# Forbids the formatting of a disk that nobody has released for it.
#
# Event:      PreFormatDisk
# Parameters: hostname, device, serial, sizeBytes, role
# Settings:   RELEASED, in the hook's own environment: serial numbers that may
#             be formatted, with spaces between; MAX_BYTES, the largest disk.
# Leaves:     a verdict with the reason, and status 0: a hook that says no has done
#             its work.
set -eu

max=${MAX_BYTES:-20000000000000}

answer() {
    jq -n --argjson allow "$1" --arg reason "$2" \
        --arg disk "$HOOK_PARAM_HOSTNAME:$HOOK_PARAM_DEVICE" \
        '{allow: $allow, reason: $reason, disk: $disk}' > /verdict.json
    echo "$2"
}

case " ${RELEASED:-} " in
*" $HOOK_PARAM_SERIAL "*) ;;
*)
    answer false "disk $HOOK_PARAM_SERIAL was not released"
    exit 0
    ;;
esac

if [ "$HOOK_PARAM_SIZE_BYTES" -gt "$max" ]; then
    answer false "disk $HOOK_PARAM_SERIAL has $HOOK_PARAM_SIZE_BYTES bytes, more than $max"
    exit 0
fi

answer true "disk $HOOK_PARAM_SERIAL may become ${HOOK_PARAM_ROLE:-anything}"
