#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A driver was given an address in the middle of a page. Where in the page it gets are the program's bytes?
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run unaligned
