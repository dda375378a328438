#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What do the calls do to each kind of memory? Every scenario and recipe, a line each.
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run --all
