#!/bin/sh
# Lets PostgreSQL take writes again after postgresql-quiesce.
#
# Arguments: user (default: postgres), port (default: 5432).
# It reaches no container itself: carry out what it prints in the one that it names.
set -eu

user=$(printf '%q' "${1:-postgres}")
port=$(printf '%q' "${2:-5432}")

echo "# container ${HOOK_PARAM_CONTAINER_NAME:-?} of pod ${HOOK_PARAM_POD_NAME:-?}, namespace ${HOOK_PARAM_NAMESPACE_NAME:-?}"
echo "psql -U $user -p $port -v ON_ERROR_STOP=1 -c 'ALTER SYSTEM RESET default_transaction_read_only'"
echo "psql -U $user -p $port -v ON_ERROR_STOP=1 -c 'SELECT pg_reload_conf()'"
