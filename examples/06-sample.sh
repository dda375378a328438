#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What does the driver of the notes get, of memory that was touched and of memory that was not?
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run sample
