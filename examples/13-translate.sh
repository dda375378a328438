#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Where is this byte in physical memory, and who is right? In a driver's mapping, on a stack, and where nothing was touched.
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; echo "status $?"; }
address() { sed -n "/$1/{s/ .*//p;q}" /proc/$pid/maps; }

# mmap() of two pages of the device, shared; 9 is its number on x86
perl -e 'open T, "+<", "/dev/gupwalk_target"; syscall 9, 0, 8192, 3, 1, fileno T, 0; sleep 100' &
pid=$!
sleep 1
target=$(address gupwalk_target)
stack=$(address '\[stack\]')
run gupwalk translate -p $pid "$(printf '%x' $((0x${target%-*} + 4242)))"
run gupwalk translate -p $pid "$(printf '%x' $((0x${stack#*-} - 4000)))"
run gupwalk translate -p $pid "${stack%-*}"
kill $pid
