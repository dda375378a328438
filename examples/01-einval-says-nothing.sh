#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# follow_pfn failed with -EINVAL. So there is no page?
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run prefault
run gupwalk compare no-prefault prefault
