# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernels of kernels.txt: which packages a row means today, and the directory of the cache that has them unpacked.
# Sourced after common.sh.
#
# After kernel_use NAME [ARCH]:
#   kernel_name arch suite image headers row_levels row_page   the row
#   release version                                       what apt found for it, e.g. 6.1.0-56-amd64 and 6.1.192-2
#   kernel_dir                                            in the cache:
#      root/       the packages, unpacked                 build -> the headers to build modules against
#      bzimage     boots with 4 or 5 levels               vmlinux    4 levels, boots twice as fast
#      cc          the compiler's name, as gcc-12         modules -> lib/modules/RELEASE
# shellcheck disable=SC2154 # cache, lab_dir: common.sh
# shellcheck disable=SC2034 # what is described above is for others

# --- rows ----------------------------------------------------------------------------------------------------------------

rows() { sed 's/#.*//; /^[[:space:]]*$/d' "$lab_dir/kernels.txt"; }

row_names() { rows | awk '{ print $1 }'; }

# row_read NAME [ARCH]: sets the row's variables; fails if there is no such row
row_read() {
	local line
	line=$(rows | awk -v name="$1" -v arch="${2-}" '$1 == name && (arch == "" || $2 == arch)')
	[[ -n $line ]] || return 1
	read -r kernel_name arch suite image headers row_levels row_page <<<"$line"
}

# row_find WANTED [ARCH]: a row by its name, or by the version that it turns out to have: 6.1 for 6.1.0-56-amd64
row_find() {
	local wanted=$1 name
	row_read "$wanted" "${2-}" && return
	for name in $(row_names); do
		row_read "$name" "${2-}" || continue
		resolve
		[[ $release == "$wanted" || $release == "$wanted".* || $release == "$wanted"-* ]] && return
	done
	list_rows >&2
	die "choosing a kernel" "$wanted${2:+ for $2}" "no row of lab/kernels.txt has that name or version" "take one of the above" "$exit_usage"
}

list_rows() {
	local name
	printf '%-12s %-8s %-28s %s\n' KERNEL ARCH RELEASE LEVELS
	for name in $(row_names); do
		row_read "$name"
		resolve
		printf '%-12s %-8s %-28s %s\n' "$name" "$arch" "$release" "$row_levels"
	done
}

# --- asking apt ----------------------------------------------------------------------------------------------------------

# apt_for SUITE ARCH: sets apt_options and apt_lists for that suite; `own` as a third word: lists of the lab's own, which it may
# fetch without root. Downloading is unprivileged too: the sandbox user could not write to the cache. What apt makes of the lists
# is always kept in a place of our own: as a user, and in images for containers, it would read them anew for each question.
apt_for() {
	local own=$cache/apt/$1
	mkdir -p "$own/cache/archives/partial" "$own/lists/partial"
	apt_options=(-q -o "APT::Architecture=$(deb_arch "$2")" -o APT::Sandbox::User=root -o "Dir::Cache=$own/cache"
		-o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin)
	case $1 in
	host) apt_lists=$(apt-config shell dir Dir::State::lists/d | sed "s/^dir='\(.*\)'$/\1/") ;;
	*) die "asking apt" "suite $1" "not known to the lab" "teach apt_for of lab/kernel.sh" ;;
	esac
	if [[ ${3-} == own ]]; then
		apt_lists=$own/lists
		apt_options+=(-o "Dir::State::Lists=$apt_lists")
	fi
}

deb_arch() {
	case $1 in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) die "asking apt" "architecture $1" "not known to the lab" "teach deb_arch of lab/kernel.sh" ;;
	esac
}

# lists_state: changes when the package lists do
lists_state() {
	find "$apt_lists" -maxdepth 1 -name '*_Packages*' -printf '%f %s %T@\n' 2>/dev/null | sort | hash_of
}

# package_field PACKAGE FIELD: of the version that apt would install
package_field() {
	apt-cache "${apt_options[@]}" show --no-all-versions "$1" 2>/dev/null |
		sed -n "s/^$2: //p" | sed -n '1p'
}

# kernel_packages NAME...: these, and all they need of the same kernel, each with its version. Only packages with a version in
# their name: the others are for installing a kernel, not for looking into it.
kernel_packages() {
	local queue=("$@") seen=' ' name
	while ((${#queue[@]})); do
		name=${queue[0]}
		queue=("${queue[@]:1}")
		[[ $seen != *" $name "* ]] || continue
		seen+="$name "
		local package_version
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
	state=$(lists_state)
	resolved "$state" && return
	with_lock "resolve-$suite" resolve_once "$state"
	resolved "$state"
}

# resolved STATE: what is known from earlier, if it is for the lists as they are
resolved() {
	resolved_state=
	# shellcheck disable=SC1090
	[[ -e $cache/resolved/$kernel_name ]] && source "$cache/resolved/$kernel_name" && [[ $resolved_state == "$1" ]]
}

resolve_once() { resolved "$1" || resolve_now "$1"; }

resolve_now() {
	local found
	step_begin "asking apt for the $kernel_name kernel"
	if ! found=$(kernel_packages "$image" "$headers"); then
		apt_for "$suite" "$arch" own
		apt_update
		found=$(kernel_packages "$image" "$headers") ||
			die "asking apt" "$image, $headers" "it knows no such packages" "is there a Debian source in apt's sources?"
	fi
	write_resolved "$1" "$found"
	step_end
}

# The release is what the image is called: the one package with the whole of it in its name.
write_resolved() {
	local state=$1 found=$2 file=$cache/resolved/$kernel_name line
	line=$(grep -E '^linux-image-[0-9]' <<<"$found" | sed -n '1p')
	mkdir -p "${file%/*}"
	{
		printf 'resolved_state=%q\nrelease=%q\n' "$state" "$(sed 's/^linux-image-//; s/=.*//; s/-unsigned$//' <<<"$line")"
		printf 'version=%q\npackages=%q\nresolved_own=%q\n' "${line#*=}" "$(tr '\n' ' ' <<<"$found")" \
			"$([[ $apt_lists == "$cache"/* ]] && echo own)"
	} >"$file.new"
	mv "$file.new" "$file"
}

apt_update() {
	step_begin "fetching package lists"
	# hooks that other packages have set may fail without root: what counts is whether the packages are known afterwards
	quietly apt-get "${apt_options[@]}" update || :
	step_end
}

# --- fetching ------------------------------------------------------------------------------------------------------------

# kernel_use WANTED [ARCH]: see the top
kernel_use() {
	row_find "$1" "${2-}"
	resolve
	kernel_place
	if [[ ! -e $kernel_dir/ready ]]; then with_lock "kernel-$kernel_name" kernel_make; fi
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
	if [[ -e $kernel_dir/ready && $(<"$kernel_dir/ready") != "$kernel_dir" ]]; then rm "$kernel_dir/ready"; fi
}

kernel_make() {
	[[ ! -e $kernel_dir/ready ]] || return 0
	local new
	mkdir -p "$cache/kernels"
	rm -rf "$cache/kernels/.new-$kernel_name"
	new=$cache/kernels/.new-$kernel_name
	mkdir -p "$new/debs" "$new/root"
	at_exit+=("rm -rf '$new'")
	download "$new/debs"
	kernel_place
	step_begin "unpacking Linux $release"
	unpack "$new"
	fix_paths "$new/root" "$kernel_dir/root"
	describe "$new"
	cut_vmlinux "$new/bzimage" "$new/vmlinux"
	depmod -b "$new/root" "$release" 2>/dev/null
	echo "$kernel_dir" >"$new/ready"
	rm -rf "$kernel_dir"
	mv "$new" "$kernel_dir"
	kernel_prune
	step_end
}

# download DIRECTORY: a package that the lists name may be gone from the mirror; then the lists are fetched anew.
download() {
	apt_for "$suite" "$arch" "$resolved_own"
	step_begin "downloading Linux $release"
	if ! download_now "$1" 2>/dev/null; then
		apt_for "$suite" "$arch" own
		apt_update
		resolve_now "$resolved_state"
		resolved "$resolved_state"
		step_begin "downloading Linux $release"
		download_now "$1" || die "downloading" "Linux $release" "apt-get download failed, see above" "is the network there?"
	fi
	step_end
}

# shellcheck disable=SC2086 # packages: names without blanks
download_now() {
	local p list=()
	for p in $packages; do
		# shellcheck disable=SC2254 # a pattern on purpose
		case $p in $image=* | $headers=*) ;; *) list+=("$p") ;; esac
	done
	(cd "$1" && quietly apt-get "${apt_options[@]}" download "${list[@]}")
}

unpack() {
	local deb
	for deb in "$1"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$1/root" --no-same-owner --keep-directory-symlink
	done
	rm -rf "$1/debs"
	[[ -e $1/root/lib || ! -d $1/root/usr/lib ]] || ln -s usr/lib "$1/root/lib"
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

describe() {
	ln -s "root/usr/src/linux-headers-$release" "$1/build"
	ln -s "root/lib/modules/$release" "$1/modules"
	ln -s "root/boot/vmlinuz-$release" "$1/bzimage"
	sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\) .*/\1/p' "$1/build/.config" "$1/root/boot/config-$release" 2>/dev/null |
		sed 's/^[a-z0-9_]*-linux-gnu-//' | sed -n '1p' >"$1/cc"
}

# cut_vmlinux BZIMAGE VMLINUX: the kernel proper is in there, packed, after the code that unpacks it. The magic number may occur
# by chance too, so each place is tried.
cut_vmlinux() {
	local magic unpacker offset
	while read -r magic unpacker; do
		while read -r offset; do
			tail -c "+$((offset + 1))" "$1" | $unpacker >"$2.new" 2>/dev/null || :
			if [[ $(head -c 4 "$2.new" | tail -c 3) == ELF ]]; then
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
