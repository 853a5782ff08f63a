#!/bin/sh
# Prints what became of an event: each execution's outcome, output and bill.
jq -r '
  .task | "allow: \(.allow)",
  (.executions[] |
    "",
    "\(.name)",
    "  outcome   \(.outcome.kind) \(.outcome.status // .outcome.limit // .outcome.reason // "")",
    "  verdict   \(.verdict // "none")",
    "  fuel      \(.usage.fuel)",
    "  memory    \(.usage.memory_peak_bytes / 1024 | floor) KiB at the peak",
    "  time      \(.usage.wall_us / 1000) ms by the clock, \(.usage.cpu_us / 1000) ms of a core",
    "  calls     \(.usage.host_calls) into the host, \(.usage.output_bytes) bytes printed",
    (.stdout | split("\n")[] | select(. != "") | "  stdout    \(.)"),
    (.stderr | split("\n")[] | select(. != "") | "  stderr    \(.)"))'
