#!/usr/bin/env bash
# The whole way of an event: a server on an empty data folder, a script and a
# module bound to one hook point, one event, both outcomes with their bills.
#
# `make demo` builds what this needs. Needs curl.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

tenterhook=target/debug/tenterhook
script=guest-examples/shell/pre-format-disk.sh
module=target/guests/wasm32-wasip1/guest/volume-guard.wasm
disk=guest-examples/data/PreFormatDisk.json

command -v curl > /dev/null || { echo "the demo needs curl" >&2; exit 1; }

data=$(mktemp -d)
log=$data.log
: > "$log"
server=
cleanup() {
    [ -z "$server" ] || { kill "$server" 2> /dev/null && wait "$server"; } || true
    rm -rf "$data" "$log"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || step() { printf '\n%s\n' "$*"; }

step "1. Start a server on an empty data folder"
"$tenterhook" serve --data-dir "$data" --listen 127.0.0.1:0 2> "$log" &
server=$!
url=
until [ -n "$url" ]; do
    kill -0 "$server" 2> /dev/null || { cat "$log" >&2; exit 1; }
    url=$(sed -n 's/^listening on //p' "$log")
    [ -n "$url" ] || sleep 0.05
done
token=$(< "$data/owner.token")
echo "$url"

# Posts a file (or text) to a path; prints the answer, or fails with it.
post() { # PATH TYPE BODY
    local answer
    answer=$(curl --silent --show-error --fail-with-body --max-time 60 \
        --header "Authorization: Bearer $token" --header "Content-Type: $2" \
        --data-binary "$3" "$url$1") || { printf '%s\n' "$answer" >&2; return 1; }
    printf '%s\n' "$answer"
}

# Reads one member of a JSON answer, with the jq that is inside the sandbox.
member() { "$tenterhook" run --env "FILTER=$1" tests/demo/member.sh; }

step "2. Upload a shell script and a module"
script_id=$(post "/api/v1/sources?name=pre-format-disk" text/x-shellscript "@$script" | member .id)
echo "$script -> $script_id"
module_id=$(post "/api/v1/sources?name=volume-guard&wait=120" application/wasm "@$module" | member .id)
echo "$module -> $module_id"

step "3. Bind both to the hook point PreFormatDisk"
bind() { # BODY
    echo "hook $(post /api/v1/hooks application/json "$1" | member .number)"
}
bind "{\"source\": \"$script_id\", \"event\": \"PreFormatDisk\", \"env\": {\"RELEASED\": \"WD-WCC7K4AB\"}}"
bind "{\"source\": \"$module_id\", \"event\": \"PreFormatDisk\"}"

step "4. Fire an event and wait for what the hooks make of it"
event="{
  \"specversion\": \"1.0\", \"id\": \"demo-1\", \"source\": \"/demo\", \"type\": \"PreFormatDisk\",
  \"data\": $(< "$disk")
}"
echo "$event"
answer=$(post "/api/v1/events?wait=30" application/cloudevents+json "$event")

step "5. Both outcomes and their bills"
"$tenterhook" run tests/demo/bill.sh <<< "$answer"
