#!/bin/sh
# Sums up what became worse in the cluster, worst first.
#
# Event:      OnHealthDegrade
# Parameters: oldStatus, newStatus; checks, a list of
#             {"name", "severity", "count", "summary"}
# Leaves:     status 0 while the cluster only warns, 1 when it is in error, so that
#             the task can be found among many.
set -eu

echo "$HOOK_PARAM_OLD_STATUS -> $HOOK_PARAM_NEW_STATUS"

# jq reads what is JSON and leaves lines of four fields; awk sorts out the rest.
printf '%s\n' "$HOOK_PARAM_CHECKS" | jq -r '
    arrays | map(objects)
    | sort_by([(.severity != "HEALTH_ERR"), -(.count | numbers // 1)])
    | .[] | [.severity // "?", .count // 1, .name // "?", .summary // ""] | @tsv' |
    awk -F '\t' '
        {
            checks++
            affected[$1] += $2
            printf "%-12s %4d  %-20s %s\n", $1, $2, $3, $4
        }
        END {
            printf "%d checks: %d in error, %d in warning\n",
                checks, affected["HEALTH_ERR"], affected["HEALTH_WARN"]
        }'

[ "$HOOK_PARAM_NEW_STATUS" != HEALTH_ERR ]
