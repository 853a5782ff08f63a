#!/bin/sh
# Lists what became worse in the cluster, worst first.
#
# Event:      OnHealthDegrade
# Parameters: oldStatus, newStatus; checks, a list of
#             {"name", "severity", "count", "summary"}
# Leaves:     status 0 while the cluster only warns, 1 when it is in error, so
#             that the task can be found among many.
set -eu

echo "$HOOK_PARAM_OLD_STATUS -> $HOOK_PARAM_NEW_STATUS"
printf '%s\n' "$HOOK_PARAM_CHECKS" |
    jq -r 'sort_by(.severity) | .[] | "\(.severity)\t\(.count)\t\(.name)\t\(.summary)"' |
    while IFS='	' read -r severity count name summary; do
        printf '%-12s %4d  %-20s %s\n' "$severity" "$count" "$name" "$summary"
    done

[ "$HOOK_PARAM_NEW_STATUS" != HEALTH_ERR ]
