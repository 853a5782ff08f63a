#!/bin/sh
# Prints one member of the JSON on standard input.
jq -r "$FILTER"
