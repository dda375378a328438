# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is needed to start a guest on the kernel that kernel_use has chosen: its first file system, the accelerator.
# Sourced after kernel.sh.
# shellcheck disable=SC2154 # cache, lab_dir, kernel_dir, release: common.sh and kernel.sh
# shellcheck disable=SC2034 # accel, cpu, machine and serial are for others

# What the guest needs before it can see the host's files: a wire to them, ports for output, a root to write on.
readonly guest_modules='virtio_pci virtio_console 9pnet_virtio 9p overlay'

# A guest of this machine's architecture sees the host's root as its own. One of another gets a root made of that one's packages:
# a busybox, the C library, and those that gupwalk is linked with; programs for it are built against them too.
readonly guest_packages='busybox-static libc6 libjson-c-dev libsmartcols-dev'

# guest_root_build: sets guest_root and busybox
guest_root_build() {
	guest_root=
	if [[ $arch == "$(uname -m)" ]]; then
		busybox=$(command -v busybox) || die "making the guest's first file system" "busybox" "not installed" "run lab/install-deps lab"
		return
	fi
	guest_root=$cache/root/$arch-$(printf '%s' "$(host_suite) $guest_packages" | hash_of)
	busybox=$guest_root/bin/busybox
	[[ -e $guest_root ]] || with_lock "root-$arch" guest_root_make
}

guest_root_make() {
	[[ ! -e $guest_root ]] || return 0
	local new=$cache/root/.new-$arch list d
	step_begin "making a root for guests of $arch"
	rm -rf "$new"
	mkdir -p "$new/debs" "$new/root/usr"
	at_exit+=("rm -rf '$new'")
	for d in bin sbin lib; do
		mkdir "$new/root/usr/$d"
		ln -s "usr/$d" "$new/root/$d"
	done
	apt_for "$(host_suite)" "$arch"
	if lists_old; then lists_fetch; fi
	mapfile -t list < <(guest_packages_all)
	apt_download "$new/debs" "${list[@]}" ||
		die "making a root for guests" "$arch" "apt-get download failed, see above" "is the network there?" "$exit_unavailable"
	unpack_debs "$new/debs" "$new/root"
	mv "$new/root" "$guest_root"
	step_end
}

# guest_packages_all: these, and of what they depend on the library that is for exactly this version of its headers
guest_packages_all() {
	local name
	for name in $guest_packages; do
		echo "$name"
		package_field "$name" Depends | tr ',' '\n' | sed -nE 's/^ *([a-z0-9.+-]+) \(= .*/\1/p'
	done
}

# initramfs_build: sets initramfs. Made anew when one of the files that go in has changed.
initramfs_build() {
	local key
	guest_root_build
	key=$({ cat "$busybox" "$lab_dir/guest/init" "$lab_dir/guest/session"; echo "$kernel_dir $guest_modules"; } | hash_of)
	initramfs=$cache/initramfs/$release-$key.cpio
	[[ -e $initramfs ]] || with_lock initramfs initramfs_make
}

initramfs_make() {
	[[ ! -e $initramfs ]] || return 0
	local new=$cache/initramfs/.new
	step_begin "making the guest's first file system"
	rm -rf "$new"
	mkdir -p "$new/bin" "$new/modules"
	at_exit+=("rm -rf '$new'")
	cp "$busybox" "$new/bin/busybox"
	cp "$lab_dir/guest/init" "$lab_dir/guest/session" "$new"
	chmod 755 "$new/init"
	copy_modules "$new/modules"
	rm -f "$cache/initramfs/$release"-*.cpio
	(cd "$new" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) >"$new.cpio"
	mv "$new.cpio" "$initramfs"
	step_end
}

# copy_modules DIRECTORY: unpacked, with a file `order` that names them so that each comes after what it needs
copy_modules() {
	local path file
	: >"$1/order"
	while IFS= read -r path; do
		file=${path##*/}
		file=${file%.ko*}.ko
		case $path in
		*.xz) xz -dc "$kernel_dir/modules/$path" ;;
		*.zst) zstd -dcq "$kernel_dir/modules/$path" ;;
		*.gz) gzip -dc "$kernel_dir/modules/$path" ;;
		*) cat "$kernel_dir/modules/$path" ;;
		esac >"$1/$file"
		echo "$file" >>"$1/order"
	done < <(module_order)
}

# modules.dep names what a module needs in the order of removal. A module that is built in is not there.
module_order() {
	local name line
	for name in $guest_modules; do
		line=$(grep -E "^[^:]*/${name//_/[_-]}\.ko[^:]*:" "$kernel_dir/modules/modules.dep" || :)
		awk '{ sub(":", ""); for (i = NF; i > 0; i--) print $i }' <<<"$line"
	done | awk 'NF && !seen[$0]++'
}

# --- the machine ---------------------------------------------------------------------------------------------------------

qemu_program() { echo "qemu-system-$arch"; }

qemu_version() { "$(qemu_program)" --version | sed -nE '1s/.*version ([0-9.]+).*/\1/p'; }

qemu_at_least() {
	[[ $(printf '%s\n' "$1" "$(qemu_version)" | sort -V | sed -n '1p') == "$1" ]]
}

# accel_choose: sets accel and cpu. That /dev/kvm is there says little: in a VM without nested virtualisation that works, a kernel
# dies in it. So the kernel itself is booted under KVM, once after each boot of the host, and has to reach its first program.
accel_choose() {
	local file
	file=$cache/accelerator-$arch-$(tr -d - </proc/sys/kernel/random/boot_id)-$(qemu_version)
	if [[ ! -e $file ]]; then with_lock accel accel_probe "$file"; fi
	accel=$(<"$file")
	cpu=host
	if [[ $accel == tcg* ]]; then cpu_choose; fi
}

# cpu_choose: all that can be emulated, but for what an emulator does slowly and a processor fast
cpu_choose() {
	case $arch in
	# with these Linux clears and copies memory by string instructions on bytes, which are emulated byte by byte: 4 times as slow
	x86_64) cpu=max,-erms,-fsrm ;;
	# signing pointers costs an emulated processor most of its time, and long vectors some of it
	aarch64) cpu=max,pauth=off,sve=off,sme=off ;;
	esac
}

accel_probe() {
	[[ ! -e $1 ]] || return 0
	step_begin "trying KVM"
	rm -f "$cache"/accelerator-"$arch"-*
	if kvm_works; then
		echo kvm >"$1.new"
	elif qemu_at_least 8.1; then
		echo tcg,thread=multi >"$1.new"
	else
		# before 8.1 two processors in two threads break Linux guests: it patches its own code while they run
		echo tcg,thread=single >"$1.new"
	fi
	mv "$1.new" "$1"
	step_end
}

kvm_works() {
	local console machine
	[[ $arch == "$(uname -m)" && -r /dev/kvm && -w /dev/kvm ]] || return 1
	machine_of
	console=$(timeout -k 2 10 "$(qemu_program)" -accel kvm -cpu host -m 512M -machine "$machine" -nodefaults -no-user-config \
		-display none -no-reboot -serial stdio -kernel "$kernel_dir/vmlinux" -initrd "$initramfs" \
		-append "console=$serial quiet panic=-1 lab.probe" </dev/null 2>/dev/null) || :
	[[ $console == *'lab: init reached'* ]]
}

# machine_of: sets machine and serial: what QEMU shall be, and what Linux calls its first serial port
machine_of() {
	case $arch in
	x86_64) machine=pc serial=ttyS0 ;;
	aarch64) machine=virt serial=ttyAMA0 ;;
	esac
}

# What kernels say with the same words on a machine like this one, and what is no fault of anybody's.
readonly harmless='workqueue cpumask: online intersect|This is not a bug'

# Where a page is missing that a userfaultfd watches, get_user_pages() without a way to drop the mmap lock (any driver's, and
# ours) gives -EFAULT; a kernel with CONFIG_DEBUG_VM tells of it with a stack, in handle_userfault(). Only the heading of that
# stack, which comes within a few lines, is no complaint: all that others say in between is.
readonly of_userfaultfd='/FAULT_FLAG_ALLOW_RETRY missing/ { left = 10 } left-- > 0 && /Call [Tt]race:/ { left = 0; next } 1'

# complaints LOG: the lines of a console log in which the kernel complains; fails where there is none
complaints() {
	awk "$of_userfaultfd" "$1" | grep -avE "$harmless" | grep -aE 'WARNING:|BUG:|kernel BUG|Oops|Call [Tt]race|Kernel panic|INFO: task|general protection|self-detected stall|detected stalls|UBSAN|KASAN|KCSAN|lab: COMPLAINT'
}
