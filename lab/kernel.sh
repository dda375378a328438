# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernels of kernels.txt: which packages a row means today, and the directory of the cache that has them unpacked.
# Sourced after common.sh.
#
# After kernel_use NAME [ARCH]:
#   kernel_name arch suite image headers row_levels row_page   the row
#   release version                                       what apt found for it, e.g. 6.1.0-56-amd64 and 6.1.192-2
#   kernel_dir                                            in the cache:
#      root/       the packages, unpacked                 build -> the headers to build modules against
#      cc          the compiler's name, as gcc-12         modules -> lib/modules/RELEASE
#      vmlinux     what boots fastest: x86_64 4 levels    bzimage    x86_64: boots with 4 or 5 levels
# shellcheck disable=SC2154 # cache, lab_dir: common.sh
# shellcheck disable=SC2034 # what is described above is for others

# shellcheck source-path=SCRIPTDIR source=apt.sh
source "$lab_dir/apt.sh"
# shellcheck source-path=SCRIPTDIR source=source.sh
source "$lab_dir/source.sh"

# --- rows ----------------------------------------------------------------------------------------------------------------

rows() { sed 's/#.*//; /^[[:space:]]*$/d' "$lab_dir/kernels.txt"; }

# row_list: name and architecture of each row, once: `host` only if this machine runs a suite that has no row
row_list() {
	local name row_arch
	while read -r name row_arch _; do
		[[ $name == host && -n $(host_row "$row_arch") ]] || echo "$name $row_arch"
	done < <(rows)
}

# host_row ARCH: the name of the row of the suite that this machine runs
host_row() {
	rows | awk -v suite="$(host_suite)" -v arch="$1" '
		$3 ~ "^" suite "(,|$)" && $3 !~ /-backports/ && $2 == arch && $1 !~ /-/ { print $1; exit }'
}

# arch_name TEXT: as uname -m says it
arch_name() {
	case $1 in
	amd64) echo x86_64 ;;
	arm64) echo aarch64 ;;
	*) echo "$1" ;;
	esac
}

# row_read NAME [ARCH]: sets the row's variables; fails if there is no such row. Without ARCH the first one of that name.
row_read() {
	local name=$1 line
	if [[ $name == host ]]; then
		name=$(host_row "${2:-$(uname -m)}")
		name=${name:-host}
	fi
	line=$(rows | awk -v name="$name" -v arch="${2-}" '$1 == name && (arch == "" || $2 == arch) { print; exit }')
	[[ -n $line ]] || return 1
	read -r kernel_name arch suite image headers row_levels row_page <<<"$line"
}

# row_find WANTED [ARCH]: a row by its name, or by the version that it turns out to have: 6.1 for 6.1.0-56-amd64
row_find() {
	local wanted=$1 name row_arch
	row_read "$wanted" "${2-}" && return
	while read -r name row_arch _; do
		[[ ( -z ${2-} || $row_arch == "$2" ) && ( $name == host || $wanted == "${name%%-*}"[.-]* ) ]] || continue
		row_read "$name" "$row_arch"
		resolve
		[[ $release == "$wanted" || $release == "$wanted"[.+-]* ]] && return
	done < <(rows)
	rows | awk '{ printf "%-12s %s\n", $1, $2 }' >&2
	die "choosing a kernel" "$wanted${2:+ for $2}" "no row of lab/kernels.txt has that name or version" "take one of the above" "$exit_usage"
}

list_rows() {
	local name row_arch
	printf '%-12s %-8s %-28s %-6s %s\n' KERNEL ARCH RELEASE LEVELS PAGE
	while read -r name row_arch; do
		row_read "$name" "$row_arch"
		# one that cannot be had says so, and the others go on
		(
			resolve
			printf '%-12s %-8s %-28s %-6s %sK\n' "$name" "$arch" "$release" "$row_levels" "$row_page"
		) || :
	done < <(row_list)
}

# cross_prefix: sets prefix to what the compiler's name for the kernel's architecture begins with; nothing for this machine's own
cross_prefix() {
	prefix=
	[[ $arch != "$(uname -m)" ]] || return 0
	prefix=$arch-linux-gnu-
	command -v "${prefix}gcc" >/dev/null ||
		die "building for $arch" "${prefix}gcc" "not installed" "run lab/install-deps arm64"
}

# A kernel of our own is built from a package with its sources.
is_own() { [[ $image == linux-source-* ]]; }

# row_wanted NAME ONLY...: is it one of these, by its whole name or the beginning before a dash; without any, all are
row_wanted() {
	local name=$1 only
	shift
	(($#)) || return 0
	for only in "$@"; do
		[[ $name == "$only" || $name == "$only"-* ]] && return
	done
	return 1
}

# unavailable REASON TODO: the row cannot be had here and now; whoever runs all rows goes on with the next
unavailable() { die "getting the $kernel_name kernel for $arch" "suite $suite" "$1" "$2" "$exit_unavailable"; }

# --- which packages ------------------------------------------------------------------------------------------------------

# kernel_packages NAME...: these, and all they need of the same kernel, each with its version. Only packages with a version in
# their name: the others are for installing a kernel, not for looking into it. The programs of a build tree have to run here.
kernel_packages() {
	local queue=("$@") seen=' ' name package_version here
	here=$(dpkg --print-architecture)
	while ((${#queue[@]})); do
		name=${queue[0]}
		queue=("${queue[@]:1}")
		[[ $name != linux-kbuild-* ]] || name=$name:$here
		[[ $seen != *" $name "* ]] || continue
		seen+="$name "
		package_version=$(package_field "$name" Version)
		[[ -n $package_version ]] || return 1
		echo "$name=$package_version"
		mapfile -t -O "${#queue[@]}" queue < <(package_field "$name" Depends | sed 's+[|,]+\n+g' |
			sed -nE 's/^ *(linux-(image|headers|kbuild|binary|modules|base)-[0-9][^ ]*).*/\1/p')
	done
}

# resolve: sets release, version and packages for the row that was read. Asked again only when the package lists have changed;
# what was found before is good enough where there are no lists at all (a machine without network).
resolve() {
	local state
	apt_for "$suite" "$arch"
	if lists_old; then with_lock "lists-$suite-$arch" lists_fetch_once; fi
	state=$(lists_state)
	resolved "$state" && return
	with_lock "lists-$suite-$arch" resolve_once "$state"
	resolved "$state"
}

lists_fetch_once() { if lists_old; then lists_fetch; fi; }

# resolved STATE: what is known from earlier, if it is for the lists as they are
resolved() {
	local file=$cache/resolved/$kernel_name-$arch
	resolved_state=
	# shellcheck disable=SC1090
	[[ -e $file ]] && source "$file" && [[ $resolved_state == "$1" ]]
}

resolve_once() { resolved "$1" || resolve_now "$1"; }

# resolve_now STATE
resolve_now() {
	local found wanted=("$image")
	is_own || wanted+=("$headers")
	step_begin "asking apt for the $kernel_name kernel"
	if ! found=$(kernel_packages "${wanted[@]}"); then
		apt_for "$suite" "$arch" own
		lists_fetch
		found=$(kernel_packages "${wanted[@]}") ||
			unavailable "apt knows no ${wanted[*]} there: out of reach, or not in it" "is the network there, and a Debian source in apt's sources?"
	fi
	write_resolved "$1" "$found"
	step_end
}

# The release is what the image is called: the one package with the whole of it in its name.
write_resolved() {
	local state=$1 found=$2 file=$cache/resolved/$kernel_name-$arch line found_release
	line=$(grep -E '^linux-(image|source)-[0-9]' <<<"$found" | sed -n '1p')
	found_release=$(sed 's/^linux-image-//; s/=.*//; s/-unsigned$//' <<<"$line")
	if is_own; then found_release=$(sed -E 's/^[^=]*=([0-9.]+).*/\1/' <<<"$line")-${kernel_name#*-}; fi
	[[ $kernel_name == host || $found_release == "${kernel_name%%-*}"[.-]* ]] ||
		unavailable "it has Linux $found_release now" "name the row of lab/kernels.txt after it"
	mkdir -p "${file%/*}"
	{
		printf 'resolved_state=%q\nrelease=%q\n' "$state" "$found_release"
		printf 'version=%q\npackages=%q\nresolved_own=%q\n' "${line#*=}" "$(tr '\n' ' ' <<<"$found")" "$apt_own"
	} >"$file.new"
	mv "$file.new" "$file"
}

# --- fetching ------------------------------------------------------------------------------------------------------------

# kernel_use WANTED [ARCH]: see the top
kernel_use() {
	row_find "$1" "$(arch_name "${2-}")"
	resolve
	kernel_place
	if [[ ! -e $kernel_dir/ready ]]; then with_lock "kernel-$release-$arch" kernel_make; fi
	# a newer one may have been found on the way
	resolve
	kernel_place
	touch "$kernel_dir/ready"
}

# Half a gigabyte each: what no run has used for a month goes when something new comes.
kernel_prune() {
	local ready
	while IFS= read -r ready; do
		rm -rf "${ready%/ready}"
	done < <(find "$cache/kernels" -mindepth 2 -maxdepth 2 -name ready -mtime +30)
	find "$cache/log" -name '*.log' -mtime +30 -delete
}

# A build tree knows where it is: one that was moved with its cache is made anew.
kernel_place() {
	kernel_dir=$cache/kernels/$(tr ':~' '__' <<<"${release}_$version")
	if is_own; then kernel_dir=$cache/kernels/$(own_key); fi
	if [[ -e $kernel_dir/ready && $(<"$kernel_dir/ready") != "$kernel_dir" ]]; then rm "$kernel_dir/ready"; fi
}

kernel_make() {
	kernel_place
	[[ ! -e $kernel_dir/ready ]] || return 0
	local new=$cache/kernels/.new-$kernel_name-$arch
	rm -rf "$new"
	mkdir -p "$new/debs" "$new/root"
	at_exit+=("rm -rf '$new'")
	if is_own; then own_make "$new"; else debian_make "$new"; fi
	echo "$kernel_dir" >"$new/ready"
	rm -rf "$kernel_dir"
	mv "$new" "$kernel_dir"
	kernel_prune
	step_end
}

# debian_make DIRECTORY
debian_make() {
	download "$1/debs"
	kernel_place
	step_begin "unpacking Linux $release"
	unpack_debs "$1/debs" "$1/root"
	[[ -e $1/root/lib || ! -d $1/root/usr/lib ]] || ln -s usr/lib "$1/root/lib"
	fix_paths "$1/root" "$kernel_dir/root"
	fix_tools "$1" "$kernel_dir"
	describe "$1"
	depmod -b "$1/root" "$release" 2>/dev/null
}

# download DIRECTORY: a package that the lists name may be gone from the mirror; then the lists are fetched anew.
download() {
	local log=$1/log
	apt_for "$suite" "$arch" "$resolved_own"
	step_begin "downloading Linux $release"
	if ! download_now "$1" >"$log" 2>&1; then
		apt_for "$suite" "$arch" own
		lists_fetch
		resolve_now "$resolved_state"
		resolved "$resolved_state"
		step_begin "downloading Linux $release"
		download_now "$1" >"$log" 2>&1 || download_failed "$log"
	fi
	rm -f "$log"
	step_end
}

# shellcheck disable=SC2086 # packages: names without blanks
download_now() {
	local p list=()
	for p in $packages; do
		# shellcheck disable=SC2254 # a pattern on purpose
		case $p in linux-source-*) ;; $image=* | $headers=*) continue ;; esac
		list+=("$p")
	done
	apt_download "$1" "${list[@]}"
}

# download_failed LOG
download_failed() {
	local why
	step_end
	cat "$1" >&2
	why=$(sed -nE 's/^ +([0-9]{3} +[A-Za-z ]+[a-z]).*/\1/p' "$1" | tr -s ' ' | sed -n '1p')
	unavailable "the mirror does not give Linux $release${why:+: $why}" "is the network there, and the package on the mirror?"
}

# fix_paths ROOT FINAL: the headers say where they are installed; they will be in FINAL instead
fix_paths() {
	local makefile link
	for makefile in "$1"/usr/src/linux-headers-*/Makefile; do
		sed -i "s|/usr/src/|$2/usr/src/|g" "$makefile"
	done
	while IFS= read -r link; do
		ln -sfn "$2$(readlink "$link")" "$link"
	done < <(find "$1/usr/src" "$1/lib/modules/$release" -type l -lname '/usr/*')
}

# fix_tools DIRECTORY FINAL: the programs of a newer suite's build tree may need a newer C library than this machine's. They get
# it, with what else they miss, in a directory beside them: each becomes a line of shell that starts it with those libraries.
fix_tools() {
	local tool name loader need=()
	mapfile -t need < <(tools_lacking "$1/root")
	((${#need[@]})) || return 0
	mkdir -p "$1/debs"
	apt_download "$1/debs" "$(known_package libelf1t64 libelf1)" "$(known_package libc6)" "$(known_package zlib1g)" \
		"$(known_package libzstd1)"
	unpack_debs "$1/debs" "$1/libraries"
	loader=$(find "$1/libraries" -name 'ld-linux-*' | sed -n '1p')
	for tool in "${need[@]}"; do
		name=${tool##*/}
		mv "$tool" "${tool%/*}/.$name.real"
		{
			echo '#!/bin/sh'
			# shellcheck disable=SC2016 # for the shell that runs it
			printf 'exec %q --library-path %q --argv0 "$0" "${0%%/*}/%s" "$@"\n' "$2${loader#"$1"}" \
				"$(find "$1/libraries" -name 'libc.so.*' -printf '%h\n' | sed -n "s|^$1|$2|p")" ".$name.real"
		} >"$tool"
		chmod 755 "$tool"
	done
}

# tools_lacking ROOT: those that this machine cannot start. What only signs is not needed.
tools_lacking() {
	local tool
	find "$1"/usr/lib/linux-kbuild-* -type f -perm -100 ! -name sign-file ! -name extract-cert | while IFS= read -r tool; do
		if [[ $(head -c 4 "$tool" | tail -c 3) == ELF ]] && ldd "$tool" 2>&1 | grep 'not found' >/dev/null; then echo "$tool"; fi
	done
}

# known_package NAME...: the first one that apt knows, of this machine's architecture
known_package() {
	local name
	for name; do
		name=$name:$(dpkg --print-architecture)
		if [[ -n $(package_field "$name" Version) ]]; then
			echo "$name"
			return
		fi
	done
	unavailable "apt knows no $* there" "name in fix_tools of lab/kernel.sh what this suite calls it"
}

# describe DIRECTORY: the names under which the rest of the lab finds things
describe() {
	local packed
	packed=$(find "$1/root/boot/vmlinuz-$release" "$1/root/lib/modules/$release/vmlinuz" 2>/dev/null | sed -n '1p' || :)
	ln -s "root/usr/src/linux-headers-$release" "$1/build"
	ln -s "root/lib/modules/$release" "$1/modules"
	sed -nE 's/^CONFIG_CC_VERSION_TEXT="?([^ ]*) .*/\1/p' "$1/build/include/config/auto.conf" |
		sed 's/^[a-z0-9_]*-linux-gnu-//' >"$1/cc"
	if [[ $arch == x86_64 ]]; then ln -sr "$packed" "$1/bzimage"; fi
	cut_vmlinux "$packed" "$1/vmlinux"
}

# --- the kernel proper -----------------------------------------------------------------------------------------------------

# is_vmlinux FILE: can it be booted as it is: on x86_64 an ELF file, on aarch64 what its loaders call Image
is_vmlinux() {
	case $arch in
	x86_64) [[ $(bytes 1 3 "$1") == ELF ]] ;;
	*) [[ $(bytes 56 3 "$1") == ARM ]] ;;
	esac
}

# bytes FROM COUNT FILE
bytes() { tail -c "+$(($1 + 1))" "$3" | head -c "$2" | tr -d '\0'; }

# cut_vmlinux FILE VMLINUX: the kernel proper is in there, packed, after the code that unpacks it. The magic number may occur
# by chance too, so each place is tried.
cut_vmlinux() {
	local magic unpacker offset
	if is_vmlinux "$1"; then
		ln -sr "$1" "$2"
		return
	fi
	while read -r magic unpacker; do
		while read -r offset; do
			tail -c "+$((offset + 1))" "$1" | $unpacker >"$2.new" 2>/dev/null || :
			if is_vmlinux "$2.new"; then
				mv "$2.new" "$2"
				return
			fi
		done < <(LC_ALL=C grep -abo -P "$magic" "$1" | LC_ALL=C cut -d: -f1)
	done <<-'E'
		\xfd7zXZ\x00 xz -dc
		\x28\xb5\x2f\xfd zstd -dcq
		\x1f\x8b\x08 gzip -dc
	E
	rm -f "$2.new"
	die "unpacking the kernel" "$1" "packed in a way that the lab does not know" "teach cut_vmlinux of lab/kernel.sh"
}
