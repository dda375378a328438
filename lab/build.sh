# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Building modules for the kernel that kernel_use has chosen, and the command for this machine. Sourced after kernel.sh.
# shellcheck disable=SC2154 # cache, top_dir, kernel_dir, release: common.sh and kernel.sh
# shellcheck disable=SC2034 # module_ko and command_path are for others

# module_build SOURCES [NAME]: sets module_ko to the NAME.ko that the directory SOURCES gives for the kernel; without NAME it is
# called like the directory, and gupwalk if it is gupwalk's own.
# kbuild writes beside the sources, so it works on a copy. What comes out is kept under a name made from all that went in: it is
# built once, never changes, and a VM that has it open is not disturbed by the next build.
# GUPWALK_WERROR=1: a warning is an error.
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
	compiler=$(<"$kernel_dir/cc")
	kcflags=-Wno-attributes${GUPWALK_WERROR:+ -Werror}
	flags=(CONFIG_DEBUG_INFO_BTF_MODULES=)
	if ! command -v "$compiler" >/dev/null; then
		compiler=gcc
		flags+=(CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=)
	fi
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

# userspace_build: sets command_path. In the source tree, where its developers expect it.
userspace_build() {
	command_path=$top_dir/userspace/gupwalk
	with_lock "userspace-$(printf '%s' "$top_dir" | hash_of)" userspace_make
}

userspace_make() {
	step_begin "building userspace/gupwalk"
	quietly make -j"$(nproc)" --no-print-directory -C "$top_dir/userspace" ${GUPWALK_WERROR:+CPPFLAGS=-Werror} ||
		die "building the command" userspace "the messages are above" "lab/install-deps build installs what it needs"
	step_end
}
