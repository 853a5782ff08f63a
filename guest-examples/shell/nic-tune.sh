#!/bin/bash
# Answers with the settings that a server's interfaces should have by their speed.
# It changes nothing by itself: what it answers is the task's result, for whatever
# applies it.
#
# Event:      PostNetworkConfig
# Parameters: hostname; interfaces, a list of {"name", "speedMbit"}
# Leaves:     a verdict {"allow": true, "settings": {"eth1": {…}}}, status 0.
set -euo pipefail

declare -A ring=([1000]=512 [10000]=2048 [25000]=4096 [100000]=8192)
settings='{}'

while IFS=$'\t' read -r name speed; do
    mtu=1500
    ((speed >= 10000)) && mtu=9000
    settings=$(jq -c --arg name "$name" --argjson mtu "$mtu" --argjson ring "${ring[$speed]:-1024}" \
        '.[$name] = {mtu: $mtu, rxRing: $ring}' <<< "$settings")
    echo "$HOOK_PARAM_HOSTNAME $name: ${speed} Mbit/s, mtu $mtu, rx ring ${ring[$speed]:-1024}"
done < <(jq -r '.[] | "\(.name)\t\(.speedMbit)"' <<< "$HOOK_PARAM_INTERFACES")

printf '{"allow":true,"settings":%s}\n' "$settings" > /verdict.json
