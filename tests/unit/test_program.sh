#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command as a whole: what it does on saved files, on a command line that is wrong, and whether
# its manual page knows all that it takes. Needs neither root nor the module. Prints TAP.
set -u

program=${GUPWALK:?}
manual=../../userspace/gupwalk.8
saved=data/saved
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0

result() { # ok-or-not name
	number=$((number + 1))
	echo "$1 $number - $2"
}

skip() { # name reason
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# Runs the command and compares its status. Its output is in $work/out and $work/err afterwards.
expect() { # status name words...
	local status=$1 name=$2 got
	shift 2
	"$program" "$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	if ((got == status)); then
		result ok "$name"
	else
		sed 's/^/# /' "$work/err"
		echo "# status $got, not $status: gupwalk $*"
		result "not ok" "$name"
	fi
}

holds() { # name file pattern
	if grep -q -e "$3" "$2"; then
		result ok "$1"
	else
		sed 's/^/# /' "$2" | head -5
		result "not ok" "$1"
	fi
}

# trouble: status 2, nothing on stdout, and on stderr what was done, and advice in a line of its own
trouble() { # name words...
	local name=$1
	shift
	expect 2 "$name" "$@"
	if [[ ! -s $work/out && $(head -1 "$work/err") == gupwalk:* &&
		$(sed -n 2p "$work/err") == "  "* ]]; then
		result ok "$name: says what to do"
	else
		sed 's/^/# /' "$work/out" "$work/err"
		result "not ok" "$name: says what to do"
	fi
}

expect 0 "help" --help
holds "help names a command" "$work/out" "compare A B"
expect 0 "version" --version
trouble "no command"
trouble "unknown command" frobnicate
trouble "unknown option" run --frobnicate prefault
trouble "missing scenario" run
trouble "unknown scenario" run frobnicate
trouble "too many words" run prefault prefault
trouble "no pages" run --pages 0 prefault
trouble "pages that are no number" run --pages x prefault
trouble "too many pages" run --pages 65537 prefault
holds "and it says how many may be" "$work/err" "from 1 to 65536"
trouble "walk without a process" walk
trouble "walk of no process" walk -p 0
trouble "translate without a process" translate 1000
trouble "walk of a process by name" walk -p self
trouble "walk with forms that exclude each other" walk -p 1 --summary --levels
expect 0 "help of walk" walk -h
holds "walk -h has the process among what is required" "$work/out" "walk \[OPTION…\] -p PID"
holds "walk -h names the units" "$work/out" "K, M, G or T"
if grep -q "saved copy" "$work/out"; then result "not ok" "walk -h offers no saved copy"; else result ok "walk -h offers no saved copy"; fi
trouble "a directory that is not there" info --debugfs "$work/none"
trouble "a file that is not there" compare "$work/none" "$work/none"
trouble "no records" compare /dev/null /dev/null
trouble "standard input twice" compare - -
trouble "run on a saved copy" run prefault --debugfs "$saved"
trouble "walk on a saved copy" walk -p 1 --debugfs "$saved"
trouble "walk of a range that is none" walk -p 1 2000-1000 --debugfs "$saved"
echo '{"format":1}' >"$work/bad.jsonl"
trouble "a file that has no records" compare "$work/bad.jsonl" data/thp.1.jsonl
trouble "output that cannot be written" \
	compare -o "$work/none/out" data/thp.1.jsonl data/thp.2.jsonl
expect 2 "output to a full device" compare -o /dev/full data/thp.1.jsonl data/prefault.1.jsonl

expect 0 "info on a saved copy" info --debugfs "$saved"
expect 0 "list on a saved copy" list --debugfs "$saved"
holds "list has the ops" "$work/out" "pin_user_pages"
expect 0 "pins on a saved copy" pins --debugfs "$saved"
holds "a pin that outlived its owner" "$work/out" "^leaky holds 4 of 4 pages: pin_user_pages_fast(write,longterm)"
holds "its owner is gone" "$work/out" "outlived its owner"
holds "where the pages were" "$work/out" "^   address  0x[0-9a-f]*-0x[0-9a-f]*$"

# seven calls that differ in their addresses and ages, two of which touch each other; and one of another driver
cp -r "$saved" "$work/saved"
grep '"what":"pin"' "$saved/pins.jsonl" >"$work/pin"
for at in 5 1 3 6 2 4; do sed "s/\"addr\":\"[^\"]*\"/\"addr\":\"0x${at}0000\"/; s/\"age_ns\":[0-9]*/\"age_ns\":${at}000000000/" "$work/pin"; done >"$work/saved/pins.jsonl"
sed 's/"addr":"[^"]*"/"addr":"0x14000"/; s/"age_ns":[0-9]*/"age_ns":90000000000/' "$work/pin" >>"$work/saved/pins.jsonl"
sed 's/"driver":"[^"]*"/"driver":"other"/' "$work/pin" >>"$work/saved/pins.jsonl"
expect 0 "pins of several calls" pins --debugfs "$work/saved"
holds "are said together" "$work/out" "^leaky holds 28 of 28 pages of 7 calls: pin_user_pages_fast(write,longterm) by dd\[[0-9]*\],$"
holds "with the oldest and the newest" "$work/out" "^  1.5 min to 1.0 s ago$"
holds "and the first of their addresses" "$work/out" "^   address  0x10000-0x18000, 0x20000-0x24000, 0x30000-0x34000, 0x40000-0x44000, and 2 more$"
holds "and not with another driver's" "$work/out" "^other holds 4 of 4 pages: "
expect 0 "pins as JSON" pins --json --debugfs "$saved"
trouble "observe on a saved copy" observe --debugfs "$saved" -- true
trouble "observe a process and a command" observe -p 1 --debugfs "$saved" -- true
trouble "observe nothing" observe --
trouble "observe an empty command" observe ''
trouble "observe for half a microsecond" observe --min-time 0.5
holds "and it says what it takes" "$work/err" "--min-time takes microseconds"
trouble "observe fewer pages than none" observe --min-pages -1
trouble "observe all without children" observe --alone
expect 0 "two runs are the same" compare data/prefault.1.jsonl data/prefault.2.jsonl
holds "and it says so" "$work/out" "are the same"
expect 1 "two scenarios differ" compare data/no-prefault.1.jsonl data/prefault.1.jsonl
holds "a verdict comes first" <(head -1 "$work/out") "prefault.1.jsonl differ in 2 of 3 steps"
if awk 'length($0) > 100 { exit 1 }' "$work/out"; then
	result ok "no line is longer than 100"
else
	result "not ok" "no line is longer than 100"
fi
expect 1 "kernels differ" compare data/kernels/5.10.jsonl data/kernels/7.3.jsonl
holds "long columns too are compared" "$work/out" "fork 2. pin_user_pages"
# names of bits, all of which have to be whole
if tr ' ' '\n' <"$work/out" | grep -E '^[A-Z_]{2,}$' | grep -qvxE \
	'PRESENT|RW|USER|ACCESSED|DIRTY|PSE|NX|SPECIAL|SOFT_DIRTY|SWP_(EXCLUSIVE|SOFT_DIRTY)|VM_FAULT_[A-Z_]*[A-Z]|E[A-Z]*|PROTNONE|GLOBAL'; then
	result "not ok" "no word is broken"
else
	result ok "no word is broken"
fi
expect 0 "what makes no request lists without the module" list
holds "and lists the scenarios" "$work/out" "no-prefault"
expect 1 "scenarios of a saved copy" compare --debugfs "$saved" no-prefault prefault
expect 0 "a saved run is the same as a file" compare --debugfs "$saved" pfnmap data/pfnmap.1.jsonl
trouble "a scenario that was not run there" compare --debugfs "$saved" pfnmap thp
expect 1 "a directory stands for its records" compare "$saved" data/thp.1.jsonl
expect 0 "what both have run is compared" compare "$saved" data/prefault.1.jsonl
holds "and what only one has is named" "$work/out" "not compared, as only"
if "$program" compare - data/thp.2.jsonl <data/thp.1.jsonl >/dev/null 2>&1; then
	result ok "records from standard input"
else
	result "not ok" "records from standard input"
fi
expect 1 "output to a file" compare -o "$work/file" data/no-prefault.1.jsonl data/prefault.1.jsonl
holds "the file has it" "$work/file" "anon-allocated"

if command -v jq >/dev/null; then
	for words in "info" "list" "compare data/no-prefault.1.jsonl data/prefault.1.jsonl"; do
		# shellcheck disable=SC2086
		"$program" $words --json --debugfs "$saved" >"$work/out" 2>"$work/err"
		if jq -e . "$work/out" >/dev/null && [[ ! -s $work/err ]]; then
			result ok "JSON of ${words%% *}"
		else
			result "not ok" "JSON of ${words%% *}"
		fi
	done
else
	skip "JSON is JSON" "jq is not installed"
fi

# the manual page, and all that the program's tables have
"$program" --words >"$work/words"
sed 's/\\-/-/g' "$manual" >"$work/manual"
while read -r kind name rest; do
	[[ $kind == command ]] || continue
	missing=
	grep -q "^\.SS $name\>" "$work/manual" || missing=" $name"
	for option in $rest; do
		grep -q -e "${option%=}\>" "$work/manual" || missing+=" $option"
	done
	if [[ -z $missing ]]; then
		result ok "manual page: $name"
	else
		result "not ok" "manual page: $name:$missing"
	fi
done <"$work/words"
while read -r option; do
	grep -q -e "$option" "$work/words" || result "not ok" "manual page: $option is no option"
done < <(grep -oE -e '--[a-z]+' "$work/manual" | sort -u | grep -vx -e --version)
echo "1..$number"
