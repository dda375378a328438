# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Building modules for the kernel that kernel_use has chosen, and the command for this machine. Sourced after kernel.sh.
# shellcheck disable=SC2154 # cache, top_dir, kernel_dir, release: common.sh and kernel.sh
# shellcheck disable=SC2034 # module_ko, command_path and program are for others

# module_build SOURCES [NAME]: sets module_ko to the NAME.ko that the directory SOURCES gives for the kernel; without NAME it is
# called like the directory, and gupwalk if it is gupwalk's own.
# kbuild writes beside the sources, so it works on a copy. What comes out is kept under a name made from all that went in: it is
# built once, never changes, and a VM that has it open is not disturbed by the next build.
# GUPWALK_WERROR=1: a warning is an error. GUPWALK_KCFLAGS: more flags, as -DGW_HAVE_GUP_VMAS=0 to set a fact of module/compat.h.
module_build() {
	local sources name key keep
	sources=$(cd "$1" && pwd -P)
	name=${sources##*/}
	if [[ $sources -ef $top_dir/module ]]; then name=gupwalk; fi
	name=${2:-$name}
	module_flags
	key=$({ module_inputs "$sources"; printf '%s\n' "$kernel_dir" "$kcflags" "${flags[@]}"; "$compiler" --version; } | hash_of)
	keep=$cache/modules/$release/$name-$key
	module_ko=$keep/$name.ko
	if [[ -e $module_ko ]]; then
		touch -c "$keep"
		return
	fi
	with_lock "module-$release-$name" module_make "$sources" "$name" "$keep"
}

# What kbuild itself makes is not a source.
module_files() {
	(cd "$1" && find . -type f ! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' ! -name '.*' \
		! -name Module.symvers ! -name modules.order | LC_ALL=C sort)
}

module_inputs() {
	local file
	module_files "$1" | while IFS= read -r file; do sha256sum "$1/$file"; done
}

# The compiler that built the kernel, or else the machine's own with what the kernel expects of the other turned off.
module_flags() {
	local prefix
	cross_prefix
	compiler=$prefix$(<"$kernel_dir/cc")
	kcflags=-Wno-attributes${GUPWALK_WERROR:+ -Werror}${GUPWALK_KCFLAGS:+ $GUPWALK_KCFLAGS}
	flags=(CONFIG_DEBUG_INFO_BTF_MODULES=)
	if ! command -v "$compiler" >/dev/null; then
		compiler=${prefix}gcc
		flags+=(CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=)
	fi
	if [[ $arch == aarch64 ]]; then flags+=(ARCH=arm64); fi
	if [[ -n $prefix ]]; then flags+=("CROSS_COMPILE=$prefix"); fi
	flags+=("CC=$compiler")
}

# kbuild COPY SOURCES: in its messages, and in the kernel's about the module, the files have the names that one can open
kbuild() {
	local prefix=${2#"$top_dir"/}
	make -j"$(nproc)" --no-print-directory -C "$kernel_dir/build" "M=$1" W=1 "${flags[@]}" \
		"KCFLAGS=$kcflags -ffile-prefix-map=$1/=$prefix/" modules 2>&1 | sed "s|$1/|$prefix/|g"
}

module_make() {
	local sources=$1 name=$2 keep=$3 new
	[[ ! -e $module_ko ]] || return 0
	new=${keep%/*}/.new-$name
	rm -rf "$new"
	mkdir -p "$new"
	at_exit+=("rm -rf '$new'")
	module_files "$sources" | tar -c -C "$sources" -T - | tar -x -C "$new" --no-same-owner
	step_begin "building $name.ko for Linux $release"
	quietly kbuild "$new" "$sources" ||
		die "building $name.ko" "Linux $release" "the compiler's messages are above" "correct ${sources#"$top_dir"/}"
	[[ -e $new/$name.ko ]] ||
		die "building $name.ko" "Linux $release" "the sources gave no $name.ko" "see ${sources#"$top_dir"/}/Kbuild"
	step_end
	rm -rf "$keep"
	mv "$new" "$keep"
	module_prune "${keep%/*}"
}

# Of what was built for a kernel the sixteen used last stay.
module_prune() {
	# shellcheck disable=SC2012 # names of our own making
	(cd "$1" && ls -dt -- */ | tail -n +17 | xargs -r rm -rf)
}

# userspace_build: sets command_path. For this machine in the source tree, where its developers expect it.
userspace_build() {
	command_path=$top_dir/userspace/gupwalk
	if [[ $arch != "$(uname -m)" ]]; then
		program_build userspace gupwalk
		command_path=$program
		return
	fi
	with_lock "userspace-$(printf '%s' "$top_dir" | hash_of)" userspace_make
}

userspace_make() {
	step_begin "building userspace/gupwalk"
	quietly make -j"$(nproc)" --no-print-directory -C "$top_dir/userspace" ${GUPWALK_WERROR:+CPPFLAGS=-Werror} ||
		die "building the command" userspace "the messages are above" "lab/install-deps build installs what it needs"
	step_end
}

# program_build DIRECTORY NAME: sets program to the NAME that the Makefile of gupwalk's DIRECTORY makes for the kernel's architecture
program_build() {
	local dir
	dir=$cache/programs/$arch-$(printf '%s' "$top_dir" | hash_of)/$1
	program=$dir/$2
	with_lock "program-$arch-$(printf '%s' "$top_dir/$1" | hash_of)" program_make "$1" "$dir"
}

program_make() {
	local flags=()
	mkdir -p "$2"
	program_flags
	step_begin "building $1 for $arch"
	quietly make -s -j"$(nproc)" --no-print-directory -C "$top_dir/$1" "O=$2" "${flags[@]}" ${GUPWALK_WERROR:+CPPFLAGS=-Werror} ||
		die "building for $arch" "$1" "the messages are above" "lab/install-deps build arm64 installs what it needs"
	step_end
}

# program_flags: sets flags, for a make that builds programs. Another architecture's libraries are those of its guests.
program_flags() {
	local prefix libraries
	cross_prefix
	[[ -n $prefix ]] || return 0
	guest_root_build
	libraries=$guest_root/usr/lib/$arch-linux-gnu
	flags=("CC=${prefix}gcc" "LDFLAGS=-L$libraries"
		"PKG_CONFIG=env PKG_CONFIG_SYSROOT_DIR=$guest_root PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$guest_root/usr/share/pkgconfig pkg-config")
}
