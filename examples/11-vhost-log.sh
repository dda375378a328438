#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# How does a kernel thread set a bit in a log that the program has mapped?
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run vhost-log
