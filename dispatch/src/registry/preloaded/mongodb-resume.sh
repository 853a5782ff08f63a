#!/bin/sh
# Lets MongoDB take writes again after mongodb-quiesce.
#
# Arguments: port (default: 27017).
# It reaches no container itself: carry out what it prints in the one that it names.
set -eu

port=$(printf '%q' "${1:-27017}")

echo "# container ${HOOK_PARAM_CONTAINER_NAME:-?} of pod ${HOOK_PARAM_POD_NAME:-?}, namespace ${HOOK_PARAM_NAMESPACE_NAME:-?}"
echo "mongosh --port $port --quiet --eval 'db.fsyncUnlock()'"
