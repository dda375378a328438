#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Three ways to a physical address, and only two are right. Which does one take when?
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run omap-vout
