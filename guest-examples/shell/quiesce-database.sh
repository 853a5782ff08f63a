#!/bin/sh
# Says how to bring a database to rest before a snapshot, and how to let it go on.
#
# Event:      snapshot.pre, or backup.pre
# Parameters: appName, namespaceName, podName, containerName, containerImage;
#             podLabels, an object
# Settings:   HOLD_SECONDS, in the hook's own environment: after how many seconds at
#             the latest the database must go on (default: 60).
# Leaves:     a verdict {"allow": true, "plan": {"before": […], "after": […]}} for the
#             platform's agent, which can reach the container; a hook cannot. It says
#             no to a database that it knows no way to bring to rest.
set -eu

hold=${HOLD_SECONDS:-60}
case $hold in
'' | *[!0-9]* | 0?* | ??????*)
    echo "HOLD_SECONDS is no number of seconds up to 99999: $hold" >&2
    exit 2
    ;;
esac

# The image's own name: without the registry before it, and the tag behind it.
image=${HOOK_PARAM_CONTAINER_IMAGE:-}
image=${image##*/}
image=${image%%[:@]*}

case $image in
*postgres*)
    before='psql -U postgres -v ON_ERROR_STOP=1 -c CHECKPOINT'
    after=''
    ;;
*mariadb* | *mysql* | *percona*)
    case $image in *mariadb*) client=mariadb ;; *) client=mysql ;; esac
    before="$client -u root -e 'SET GLOBAL read_only = ON; FLUSH TABLES'"
    after="$client -u root -e 'SET GLOBAL read_only = OFF'"
    ;;
*redis* | *valkey*)
    before="redis-cli CLIENT PAUSE $((hold * 1000)) WRITE
redis-cli SAVE"
    after='redis-cli CLIENT UNPAUSE'
    ;;
*mongo*)
    before="mongosh --quiet --eval 'db.fsyncLock()'"
    after="mongosh --quiet --eval 'db.fsyncUnlock()'"
    ;;
*)
    # What is not a database has nothing to bring to rest.
    if printf '%s' "${HOOK_PARAM_POD_LABELS:-{}}" | jq -e 'type == "object" and .tier == "db"' > /dev/null; then
        jq -n --arg image "$image" \
            '{allow: false, reason: "no way is known to bring \($image) to rest"}' > /verdict.json
        exit 0
    fi
    before='' after=''
    ;;
esac

jq -n --arg before "$before" --arg after "$after" --argjson hold "$hold" \
    --arg place "${HOOK_PARAM_NAMESPACE_NAME:-?}/${HOOK_PARAM_POD_NAME:-?}/${HOOK_PARAM_CONTAINER_NAME:-?}" '
    def commands: split("\n") | map(select(. != ""));
    {allow: true, plan: {place: $place, holdSeconds: $hold,
                         before: ($before | commands), after: ($after | commands)}}' > /verdict.json
jq -r --arg image "$image" \
    '"\($image): \(.plan.before | length) to do before, \(.plan.after | length) after"' /verdict.json
