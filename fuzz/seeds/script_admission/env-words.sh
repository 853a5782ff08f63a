#!/usr/bin/env -S LC_ALL=C dash -e
:
