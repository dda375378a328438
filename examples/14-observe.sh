#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What drivers do to memory, and what they forget: in lab/vm --module tests/leaky
set -u
run() { printf '\n$ %s\n' "$*"; "$@" 2>/tmp/errors || cat /tmp/errors; }

run gupwalk observe -- dd if=/dev/zero of=/dev/leaky bs=16k count=1
run gupwalk observe -- dd if=/dev/zero of=/mnt/disk/direct bs=64k count=2 oflag=direct
run gupwalk observe -- gupwalk-callers io-uring

printf '\n$ gupwalk observe --module leaky -o observed -- sh -c "dd if=/dev/zero of=/dev/leaky bs=4k count=2; sleep 6" &\n'
gupwalk observe --module leaky -o /tmp/observed -- sh -c 'dd if=/dev/zero of=/dev/leaky bs=4k count=2; sleep 6' 2>/dev/null &
sleep 2
run gupwalk pins
wait
cd /tmp || exit
run cat observed
