#!/bin/sh
# Makes Redis hold writes back and write its data set to disk for a snapshot.
#
# Arguments: seconds that writes are held back at most (default: 60), port (default: 6379).
# It reaches no container itself: carry out what it prints in the one that it names.
set -eu

seconds=${1:-60}
case $seconds in
  '' | *[!0-9]*)
    echo "seconds must be a number, not $seconds" >&2
    exit 2
    ;;
esac
port=$(printf '%q' "${2:-6379}")

echo "# container ${HOOK_PARAM_CONTAINER_NAME:-?} of pod ${HOOK_PARAM_POD_NAME:-?}, namespace ${HOOK_PARAM_NAMESPACE_NAME:-?}"
echo "redis-cli -p $port CLIENT PAUSE $((seconds * 1000)) WRITE"
echo "redis-cli -p $port SAVE"
