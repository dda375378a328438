# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts of the lab share: messages, progress, the cache, locks. Sourced, never run.
set -euo pipefail
# depmod is where an ordinary user's PATH does not look
PATH=$PATH:/usr/sbin:/sbin

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # the scripts that source this use it
top_dir=${lab_dir%/*}
cache=${GUPWALK_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/gupwalk}

# What the lab itself exits with: told apart from what a command in the VM may exit with.
# shellcheck disable=SC2034
readonly exit_usage=2 exit_guest_died=120 exit_unavailable=121 exit_timed_out=124 exit_lab=125

# Of a make that called us: its variables are not meant for the makes that the lab calls.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES ARCH CROSS_COMPILE KERNEL
export LC_ALL=C.UTF-8

say() { printf 'gupwalk: %s\n' "$*" >&2; }

# help_if_asked ARGUMENT...: -h or --help prints what stands at the head of the script that was called, and ends it
help_if_asked() {
	[[ ${1-} == -h || ${1-} == --help ]] || return 0
	awk 'NR > 3 { if (!/^#/ || /^# shellcheck/) exit; sub(/^# ?/, ""); print }' "$0"
	exit 0
}

# die DOING ON REASON TODO [STATUS]
die() {
	step_end
	printf 'gupwalk: %s: %s: %s\n  %s\n' "$1" "$2" "$3" "$4" >&2
	exit "${5:-$exit_lab}"
}

# --- what to undo when a script ends, whatever ends it -------------------------------------------------------------------

at_exit=()

run_at_exit() {
	local i
	step_end
	for ((i = ${#at_exit[@]} - 1; i >= 0; i--)); do eval "${at_exit[i]}"; done
}
trap run_at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- progress ------------------------------------------------------------------------------------------------------------

step_pid=

# step_begin TEXT: says TEXT on stderr if it takes longer than two seconds: on a terminal as one line that counts up, else once.
# The line goes away by itself once the file UNTIL exists: then somebody else writes to the terminal.
step_begin() {
	step_end
	step_ticker "$1" "${2-}" >/dev/null </dev/null &
	step_pid=$!
}

step_ticker() {
	local text=$1 until=$2 tenths=0
	trap - EXIT INT TERM HUP
	while [[ -z $until || ! -e $until ]]; do
		# stderr closed: a pause that outlives us must not keep a pipe of the caller open
		sleep 0.1 2>/dev/null
		tenths=$((tenths + 1))
		if ((tenths == 20)) && [[ ! -t 2 ]]; then say "$text"; fi
		if ((tenths >= 20 && tenths % 10 == 0)) && [[ -t 2 ]]; then
			printf '\rgupwalk: %s (%d s)\033[K\r' "$text" $((tenths / 10)) >&2
		fi
	done
	if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
}

step_end() {
	[[ -n $step_pid ]] || return 0
	kill "$step_pid" 2>/dev/null || :
	wait "$step_pid" 2>/dev/null || :
	step_pid=
	if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
}

# quietly COMMAND...: its output is only shown if it fails.
quietly() {
	local log status=0
	log=$(mktemp)
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if ((status)); then
		step_end
		cat "$log" >&2
	fi
	rm -f "$log"
	return "$status"
}

# --- the cache -----------------------------------------------------------------------------------------------------------

# make, and so kbuild, cannot work in such a directory.
case $cache in
*[[:space:]:]*) die "using the cache" "$cache" "blanks and colons do not work there" "set GUPWALK_CACHE to another directory" ;;
esac
mkdir -p "$cache/lock" "$cache/log" 2>/dev/null ||
	die "using the cache" "$cache" "cannot be written" "set GUPWALK_CACHE to a directory of yours"

# with_lock NAME COMMAND...: two runs at the same time do not do the same work twice, nor see each other's half of it.
with_lock() {
	local name=$1
	shift
	(
		# what is to be undone when the caller ends is not over when this is
		at_exit=()
		trap run_at_exit EXIT
		if ! flock -n 9; then
			step_begin "waiting for another run that prepares the same"
			flock 9
			step_end
		fi
		# programs that are started do not inherit the lock: one that stays behind must not hold it
		"$@" 9>&-
	) 9>"$cache/lock/$name"
}

# hash_of: a short name for what is on stdin
hash_of() { sha256sum | cut -c1-16; }

# kill_tree PID: it and all that it has started
kill_tree() {
	local child
	for child in $(pgrep -P "$1"); do kill_tree "$child"; done
	kill "$1" 2>/dev/null || :
}
