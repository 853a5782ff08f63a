#!/usr/bin/env bash
cat <<EOF
$HOME
EOF
