#!/bin/sh
# Makes MySQL or MariaDB refuse writes and flush its tables for a snapshot.
#
# Arguments: user (default: root).
# It reaches no container itself: carry out what it prints in the one that it names.
set -eu

user=$(printf '%q' "${1:-root}")
case ${HOOK_PARAM_CONTAINER_IMAGE:-} in
  *mariadb*) client=mariadb ;;
  *) client=mysql ;;
esac

echo "# container ${HOOK_PARAM_CONTAINER_NAME:-?} of pod ${HOOK_PARAM_POD_NAME:-?}, namespace ${HOOK_PARAM_NAMESPACE_NAME:-?}"
echo "$client -u $user -e 'SET GLOBAL read_only = ON'"
echo "$client -u $user -e 'FLUSH TABLES'"
