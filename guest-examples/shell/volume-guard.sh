#!/bin/sh
# Forbids the formatting of a disk that still holds data. The module in
# ../volume-guard does the same in Rust.
#
# Event:  PreFormatDisk
# Data:   device; usedBytes, a number. Without usedBytes nobody has looked, and
#         the answer is no.
# Leaves: a verdict, and status 0: a hook that says no has done its work.
set -eu

device=$(jq -r .device)
[ "$device" != null ] || device=$(jq -r '.subject // "the disk"' /event.json)
used=$(jq -r .data.usedBytes /event.json)

case $used in
0) allow=true reason="$device is empty" ;;
null) allow=false reason="the event does not say what is on $device" ;;
*) allow=false reason="$device still holds $used bytes" ;;
esac

jq -n --argjson allow "$allow" --arg reason "$reason" '{allow: $allow, reason: $reason}' > /verdict.json
echo "$reason"
