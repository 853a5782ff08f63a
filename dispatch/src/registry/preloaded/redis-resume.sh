#!/bin/sh
# Lets Redis take writes again after redis-quiesce.
#
# Arguments: port (default: 6379).
# It reaches no container itself: carry out what it prints in the one that it names.
set -eu

port=$(printf '%q' "${1:-6379}")

echo "# container ${HOOK_PARAM_CONTAINER_NAME:-?} of pod ${HOOK_PARAM_POD_NAME:-?}, namespace ${HOOK_PARAM_NAMESPACE_NAME:-?}"
echo "redis-cli -p $port CLIENT UNPAUSE"
