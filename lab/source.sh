# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels of our own: built from a package with Debian's sources, as small as serves, configured by the fragments of lab/kconfig that
# the row names. What is built is kept packed, under a name made from all that went in. Sourced by kernel.sh.
# shellcheck disable=SC2154 # cache, lab_dir, the row, prefix: common.sh and kernel.sh

# own_fragments: the files
own_fragments() {
	local name
	for name in ${headers//,/ }; do echo "$lab_dir/kconfig/$name.config"; done
}

own_compiler() {
	local prefix
	cross_prefix
	echo "${prefix}gcc"
}

# own_key: sources, configuration and compiler
own_key() {
	local compiler fragments
	compiler=$(own_compiler)
	mapfile -t fragments < <(own_fragments)
	echo "${release}_$(tr ':~' '__' <<<"$version")_$({ cat "${fragments[@]}"; "$compiler" -dumpfullversion; "$compiler" -dumpmachine; } | hash_of)"
}

# own_is_kept: was it built before
own_is_kept() {
	kernel_place
	[[ -e $kernel_dir/ready || -e $cache/own/$(own_key).tar.zst ]]
}

# own_make DIRECTORY: as debian_make, from what was kept or else from the sources
own_make() {
	local kept
	kept=$cache/own/$(own_key).tar.zst
	if [[ ! -e $kept ]]; then with_lock own-kernel own_build "$kept"; fi
	step_begin "unpacking Linux $release"
	tar -x --zstd -C "$1" --no-same-owner -f "$kept"
	mkdir -p "$1/root"
	touch -c "$kept"
}

# own_build KEPT: one at a time, as each takes all processors
own_build() {
	[[ ! -e $1 ]] || return 0
	local dir=$cache/own/.new
	rm -rf "$dir"
	mkdir -p "$dir/debs" "$dir/out/build" "$dir/out/modules"
	at_exit+=("rm -rf '$dir'")
	own_make_flags "$dir"
	own_sources "$dir"
	own_configure "$dir"
	step_begin "building Linux $release (some minutes)"
	quietly nice make "${flags[@]}" "${targets[@]}" || own_failed "the compiler's messages are above"
	own_collect "$dir"
	# only the newest of a row is worth its place
	rm -f "$cache/own/$release"_*.tar.zst "$cache/own/"*"-${kernel_name#*-}"_*.tar.zst
	tar -c --zstd -C "$dir/out" -f "$1.new" .
	mv "$1.new" "$1"
	step_end
}

own_failed() { die "building a kernel" "Linux $release" "$1" "lab/install-deps kernel installs what it needs"; }

# own_make_flags DIRECTORY: sets flags and targets
own_make_flags() {
	local prefix
	cross_prefix
	flags=(-s "-j$(nproc)" --no-print-directory -C "$1/source" "CC=${prefix}gcc" "LOCALVERSION=-${kernel_name#*-}"
		KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab)
	if [[ -n $prefix ]]; then flags+=("CROSS_COMPILE=$prefix"); fi
	case $arch in
	x86_64) targets=(vmlinux bzImage modules) image_file=arch/x86/boot/bzImage ;;
	aarch64) flags+=(ARCH=arm64) targets=(Image modules) image_file=arch/arm64/boot/Image ;;
	esac
}

own_sources() {
	download "$1/debs"
	step_begin "unpacking the sources of Linux $release"
	unpack_debs "$1/debs" "$1/deb"
	mkdir "$1/source"
	tar -x -C "$1/source" --strip-components=1 --no-same-owner -f "$(find "$1/deb/usr/src" -name 'linux-source-*.tar.*')"
	rm -rf "$1/deb"
}

# own_configure DIRECTORY: the smallest configuration, with the fragments on top. A fragment is a wish: what depends on something
# else that is off would be dropped without a word, so each line is looked for in the result.
own_configure() {
	local line fragments lost=
	mapfile -t fragments < <(own_fragments)
	quietly make "${flags[@]}" tinyconfig || own_failed "configuring it failed, see above"
	cat "${fragments[@]}" | grep '^CONFIG_' >>"$1/source/.config"
	quietly make "${flags[@]}" olddefconfig || own_failed "configuring it failed, see above"
	while IFS= read -r line; do
		case $line in
		*=n) ! grep -q "^${line%=n}=" "$1/source/.config" || lost+=" $line" ;;
		*) grep -qxF "$line" "$1/source/.config" || lost+=" $line" ;;
		esac
	done < <(cat "${fragments[@]}" | grep '^CONFIG_')
	[[ -z $lost ]] || die "configuring a kernel" "Linux $release" "it does not take$lost" "correct lab/kconfig"
}

# own_collect DIRECTORY: what a row needs of all that was built
own_collect() {
	local out=$1/out program
	cp "$1/source/$image_file" "$out/bzimage"
	cp "$1/source/$image_file" "$out/vmlinux"
	if [[ $arch == x86_64 ]]; then cp "$1/source/vmlinux" "$out/vmlinux"; else rm "$out/bzimage"; fi
	# its last step for another architecture is to make the programs anew, for there, and may fail; ours have to run here
	make "${flags[@]}" run-command "KBUILD_RUN_COMMAND=\$(srctree)/scripts/package/install-extmod-build $out/build" \
		>/dev/null 2>&1 </dev/null || [[ $arch != "$(uname -m)" ]] || own_failed "its build tree could not be made"
	(cd "$out/build" && find . -type f -perm -100) | while IFS= read -r program; do
		if [[ -e $1/source/$program ]]; then cp "$1/source/$program" "$out/build/$program"; fi
	done
	[[ -e $out/build/Module.symvers && -x $out/build/scripts/mod/modpost ]] || own_failed "its build tree could not be made"
	depmod_nothing "$out/modules"
	sed -nE 's/^CONFIG_CC_VERSION_TEXT="([^ ]*) .*/\1/p' "$1/source/.config" | sed -E 's/^[a-z0-9_]*-linux-gnu-//' >"$out/cc"
}

# depmod_nothing DIRECTORY: all is built in
depmod_nothing() { touch "$1/modules.dep" "$1/modules.alias" "$1/modules.builtin"; }
