#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# No command, just a shell, cat and jq: what does get_user_pages_remote do to the shell's own stack?
set -u
# at the same addresses each time, so that the output can be compared
[ $# = 1 ] || exec setarch -R sh "$0" again
dir=/sys/kernel/debug/gupwalk
stack=0x$(sed -n 's/^\([0-9a-f]*\)-.*\[stack\]$/\1/p' "/proc/$$/maps")
run() { printf '\n$ %s\n' "$1"; eval "$1"; }

run "echo > $dir/clear"
run "echo op=get_user_pages_remote pid=$$ addr=$stack flags=write run=stack > $dir/run"
run "cat $dir/records"
run "echo op=walk pid=$$ addr=$stack nr_pages=4 > $dir/run"
run "tail -n 1 $dir/records.jsonl | jq -c '.pages[] | [.addr, .before.state, .before.size, .before.pa]'"
run "exec 3<>$dir/run; echo op=follow_pfn pid=$$ addr=$stack >&3; jq -c '[.ret, .errno, .reason]' <&3"
run "/bin/echo op=follow_pfn pid=$$ addr=$stack flags=wriet >&3; cat <&3"
