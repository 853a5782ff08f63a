#!/bin/sh
# Forbids {{event}} when {{member}} is on the list PROTECTED.
#
# What the event tells is in HOOK_PARAM_… variables; the whole event is the file
# /event.json, and its data the standard input. The answer goes to /verdict.json.
set -eu

value=${{{variable}}}

case " ${PROTECTED:-} " in
*" $value "*)
    jq -n --arg reason "{{member}} $value is protected" \
        '{allow: false, reason: $reason}' > /verdict.json
    ;;
*)
    echo '{"allow": true}' > /verdict.json
    ;;
esac
