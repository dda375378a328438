#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# How does vfio pin memory, and what does it do where there are no pages to pin?
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }

run gupwalk run vfio
