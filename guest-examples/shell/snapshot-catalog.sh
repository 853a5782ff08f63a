#!/bin/sh
# Writes a catalogue line for a finished snapshot: what it is and when it may go.
#
# Event:      OnRbdSnapshotComplete
# Parameters: pool, namespace, image, snapshot; the snapshot's name begins with
#             hourly-, daily- or weekly-.
# Leaves:     a verdict with the line as JSON; status 2 for a name of another kind.
set -eu

case $HOOK_PARAM_SNAPSHOT in
hourly-*) days=2 ;;
daily-*) days=14 ;;
weekly-*) days=90 ;;
*)
    echo "no rule for snapshots such as $HOOK_PARAM_SNAPSHOT" >&2
    exit 2
    ;;
esac

path=$HOOK_PARAM_POOL/${HOOK_PARAM_NAMESPACE:+$HOOK_PARAM_NAMESPACE/}$HOOK_PARAM_IMAGE
expires=$(date -u -d "+$days days" +%Y-%m-%d)
jq -n --arg snapshot "$path@$HOOK_PARAM_SNAPSHOT" --arg expires "$expires" \
    '{snapshot: $snapshot, expires: $expires}' > /verdict.json
echo "$path@$HOOK_PARAM_SNAPSHOT expires on $expires"
