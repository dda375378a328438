# SPDX-License-Identifier: GPL-2.0-only
#
# Only forwards: the module is built by module/Kbuild, the command by userspace/Makefile, virtual machines by lab/.
# `make help` lists what there is.

PREFIX  ?= /usr/local
DESTDIR ?=
# The kernel to build the module for: the running one if its headers are installed.
KDIR    ?= $(wildcard /lib/modules/$(shell uname -r)/build)

# A make called from here is quiet about directories: what `make vm` prints is the command's output and nothing else.
MAKEFLAGS += --no-print-directory
# These go on as they were written: make would take a $ in them for variables of its own, a shell their quotes.
export GUPWALK_CMD := $(value CMD)
export GUPWALK_APPEND := $(value APPEND)
export GUPWALK_SHARE := $(value SHARE)
unexport CMD APPEND SHARE

.DELETE_ON_ERROR:
.PHONY: all module userspace demo check check-all atlas vm style install modules_install load unload clean help

all: module userspace

# KDIR: the headers of the kernel to build for.
ifneq ($(KDIR),)
module:
	@echo "gupwalk: building the module for $(KDIR)" >&2
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)/module" modules

modules_install: module
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)/module" $(if $(DESTDIR),INSTALL_MOD_PATH="$(DESTDIR)") modules_install
	$(if $(DESTDIR),,depmod -a)
else
module:
	@echo "gupwalk: no headers for the running kernel: building the module for the lab's" >&2
	@lab/module $(if $(KERNEL),--kernel "$(KERNEL)") $(if $(ARCH),--arch "$(ARCH)")

modules_install:
	@echo "gupwalk: installing the module: $$(uname -r): its headers are not here" >&2
	@echo "  install linux-headers-$$(uname -r), or name a build tree with KDIR=" >&2
	@exit 2
endif

userspace:
	$(MAKE) -C userspace

install: userspace
	$(MAKE) -C userspace install PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)"

load: module
	insmod module/gupwalk.ko

unload:
	rmmod gupwalk

demo:
	@lab/demo

# make exits with 2 when a recipe fails. When it is only asked whether there is anything to do (-q), it runs what is marked with +
# all the same, and a status of 1 is its own answer: so `make vm` exits with 1 where `gupwalk compare` says that two runs differ.
MAKEFLAGS += $(if $(filter-out vm,$(MAKECMDGOALS)),,$(if $(MAKECMDGOALS),-q))
vm:
	+@lab/vm $(if $(KERNEL),--kernel "$(KERNEL)") $(if $(ARCH),--arch "$(ARCH)") $(if $(LEVELS),--levels "$(LEVELS)") \
		$(if $(MEM),--mem "$(MEM)") $(if $(SMP),--smp "$(SMP)") $(if $(GUPWALK_APPEND),--append "$$GUPWALK_APPEND") \
		$(if $(GUPWALK_SHARE),--share "$$GUPWALK_SHARE") $(if $(filter 0,$(LOAD)),--no-load) $(if $(filter 1,$(ALL)),--with-all) $(if $(filter 1,$(IOMMU)),--iommu) \
		$(if $(MODULE),--module "$(MODULE)") \
		$(if $(VMTIMEOUT),--timeout "$(VMTIMEOUT)") $(if $(VMLOG),--log "$(VMLOG)") -- "$$GUPWALK_CMD"

# A warning of the compiler is an error here, and only here: a newer compiler than ours must not keep anybody from building.
check:
	@lab/install-deps build lab test
	@GUPWALK_WERROR=1 tests/run $(if $(KERNEL),--kernel "$(KERNEL)")

comma := ,

check-all:
	@lab/install-deps build lab test arm64 kernel
	@lab/check-all $(if $(MINUTES),--minutes "$(MINUTES)") $(subst $(comma), ,$(ONLY))

atlas:
	@lab/install-deps build lab test arm64 kernel
	@lab/atlas $(subst $(comma), ,$(ONLY))

style:
	@tests/run style

clean:
	$(MAKE) -C userspace clean
	$(if $(KDIR),$(MAKE) -C "$(KDIR)" M="$(CURDIR)/module" clean)

help:
	@sed 's/^	//' lab/help
