#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A pin is given back with put_page() instead of unpin_user_page(). What is left?
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run put-page
