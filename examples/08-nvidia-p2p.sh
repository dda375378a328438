#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# How does a driver of a GPU get at memory that may not be writable, and how does it give it back?
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run nvidia-p2p
