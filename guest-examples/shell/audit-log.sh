#!/bin/sh
# Prints one line for each entry of the audit log, as log collectors like it.
#
# Event:      OnAudit
# Parameters: id, time, category, operation, username, ip, method, status,
#             endpoint; the whole entry is read from standard input.
# Leaves:     status 0, always: an audit entry has already happened.

jq -r '
    def quoted: tostring | if test("[ =\"]") or . == "" then @json else . end;
    [ "time", "id", "username", "ip", "method", "endpoint", "status", "operation" ] as $names
    | . as $entry
    | [ $names[] | "\(.)=\($entry[.] // "-" | quoted)" ]
    | join(" ")'
