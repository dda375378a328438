# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Asking apt about the packages of any suite and architecture, and getting them, without root. Sourced after common.sh.
# shellcheck disable=SC2154 # cache: common.sh

readonly debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

deb_arch() {
	case $1 in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) die "asking apt" "architecture $1" "not known to the lab" "teach deb_arch of lab/apt.sh" ;;
	esac
}

# what this machine runs, as bookworm
host_suite() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

# is_host SUITES ARCH: are they what the machine's own apt has? `host` is, whatever its name may be; backports are one's choice.
is_host() {
	[[ $2 == "$(uname -m)" && $1 != *-backports && ( $1 == host || ${1%%,*} == "$(host_suite)" ) ]]
}

# apt_for SUITES ARCH: sets apt_options, apt_lists and apt_own (empty, if the lists are the machine's) for these. `own` as a third
# word: lists of the lab's own even for the machine's suite, which it may fetch without root. Downloading is unprivileged too: the
# sandbox user could not write to the cache. What apt makes of the lists is always kept in a place of our own: as a user, and in
# images for containers, it would read them anew for each question.
apt_for() {
	local dir=$cache/apt/$1-$2
	apt_own=${3-}
	is_host "$1" "$2" || apt_own=own
	mkdir -p "$dir/cache/archives/partial" "$dir/lists/partial"
	apt_options=(-q -o "APT::Architecture=$(deb_arch "$2")" -o APT::Sandbox::User=root -o "Dir::Cache=$dir/cache"
		-o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin
		-o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30)
	apt_lists=$dir/lists
	if [[ -z $apt_own ]]; then
		apt_lists=$(apt-config shell dir Dir::State::lists/d | sed "s/^dir='\(.*\)'$/\1/")
	elif is_host "$1" "$2"; then
		apt_options+=(-o "Dir::State::Lists=$apt_lists")
	else
		apt_elsewhere "$1" "$2" "$dir"
	fi
}

# apt_elsewhere SUITES ARCH DIRECTORY: from the mirror of the machine's own sources. Programs that run here, as those of a build
# tree for another architecture, are of the machine's architecture.
apt_elsewhere() {
	local suites=$1 other here new=$3/sources.list.$BASHPID
	other=$(deb_arch "$2")
	here=$(dpkg --print-architecture)
	write_sources "$suites" "$other,$here" >"$new"
	if cmp -s "$new" "$3/sources.list"; then
		rm "$new"
	else
		find "$3/lists" -type f -delete
		mv "$new" "$3/sources.list"
	fi
	[[ -e $3/status ]] || : >"$3/status"
	# suites that are no longer served anew have lists that say they are too old
	apt_options+=(-o "APT::Architectures::=$other" -o "APT::Architectures::=$here" -o "Dir::State::Lists=$apt_lists"
		-o "Dir::State::status=$3/status" -o "Dir::Etc::sourcelist=$3/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none)
	# apt takes nothing from there by itself
	if [[ $suites == *-backports ]]; then apt_options+=(-o "APT::Default-Release=${suites##*,}"); fi
}

# machine_sources: release and address of each of the machine's own. apt takes a second to say, so it is asked again only when what it
# is configured with has changed.
machine_sources() {
	local file new
	file=$cache/apt/sources-$({ find -L /etc/apt ${APT_CONFIG:+"$APT_CONFIG"} -printf '%p %s %T@\n' 2>/dev/null | LC_ALL=C sort; } | hash_of)
	if [[ ! -s $file ]]; then
		find "$cache/apt" -maxdepth 1 -name 'sources-*' -mmin +1440 -delete
		new=$file.$BASHPID
		# shellcheck disable=SC2016 # apt's own variables
		apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Identifier: Packages' 'Component: main' >"$new" && mv "$new" "$file" ||
			return
	fi
	cat "$file"
}

# write_sources SUITES ARCHITECTURES
write_sources() {
	local suite signed='' sources
	sources=$(machine_sources)
	if [[ -r $debian_keyring ]]; then signed=" signed-by=$debian_keyring"; fi
	for suite in ${1//,/ }; do
		echo "deb [arch=$2$signed] $(mirror_of "$suite") $suite main"
	done
}

# mirror_of SUITE: the machine's, for its own release and for its security updates; `sources` has what its apt knows
mirror_of() {
	local main security
	main=$(awk -v host="$(host_suite)" '$1 ~ "^(" host "|sid|unstable|testing|stable)$" { print $2; exit }' <<<"$sources")
	[[ -n $main ]] ||
		die "asking apt" "suite $1" "no source of this machine's apt has the suite $(host_suite)" "add one to apt's sources"
	security=$(awk '$1 ~ /-security$/ { print $2; exit }' <<<"$sources")
	if [[ $1 == *-security ]]; then echo "${security:-${main%/}-security/}"; else echo "$main"; fi
}

# lists_state: changes when the package lists do
lists_state() {
	find "$apt_lists" -maxdepth 1 -name '*_Packages*' -printf '%f %s %T@\n' 2>/dev/null | sort | hash_of
}

# lists_old: are lists of our own due? Once a day; where there are none, not again at once.
lists_old() {
	local minutes=5
	[[ -n $apt_own ]] || return 1
	if compgen -G "$apt_lists/*_Packages*" >/dev/null; then minutes=1440; fi
	[[ -z $(find "$apt_lists" -maxdepth 1 -name fetched -mmin "-$minutes") ]]
}

# lists_fetch: what counts is whether the packages are known afterwards: apt complains of hooks of other packages too, that need root
lists_fetch() {
	step_begin "fetching package lists"
	quietly apt-get "${apt_options[@]}" update || :
	touch "$apt_lists/fetched"
	step_end
}

# package_field PACKAGE FIELD: of the version that apt would install
package_field() {
	apt-cache "${apt_options[@]}" show --no-all-versions "$1" 2>/dev/null |
		sed -n "s/^$2: //p" | sed -n '1p'
}

# apt_download DIRECTORY PACKAGE...: in one go, as apt reads all its lists each time
apt_download() {
	local dir=$1
	shift
	(cd "$dir" && quietly apt-get "${apt_options[@]}" download "$@")
}

# unpack_debs DIRECTORY ROOT
unpack_debs() {
	local deb
	mkdir -p "$2"
	for deb in "$1"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$2" --no-same-owner --keep-directory-symlink
	done
	rm -rf "$1"
}
