#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Would a call work on a process that runs, and what would it do? A debugger's breakpoint, and a pin for good on its stack.
set -u
run() { printf '\n$ %s\n' "$*"; "$@"; }
# without the page tables below
short() { printf '\n$ %s\n' "$*"; "$@" | sed '/^$/,$d'; }

sleep 100 &
pid=$!
sleep 0.2
address() { sed -n "/$1/{s/-.*//p;q}" /proc/$pid/maps; }

short gupwalk explain -p $pid "$(address ' r-xp ')" --op get_user_pages_remote --flags write
short gupwalk explain -p $pid "$(address ' r-xp ')" --op get_user_pages_remote --flags write,force
run gupwalk explain -p $pid "$(address stack)" --op pin_user_pages_remote --flags write,longterm
kill $pid
