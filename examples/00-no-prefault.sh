#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What does a fault do to memory that was never touched?
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run no-prefault
