#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# get_user_pages_locked with FOLL_LONGTERM gave -22. Why, and which call takes it?
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run gup-locked
