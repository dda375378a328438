# SPDX-License-Identifier: GPL-2.0-only
#
# The kernels that the facts in compat.h were proven on, as version * 1000 + patch level. Building for another one stops here, with
# a sentence, and not somewhere in the middle with a page of errors. GUPWALK_ANY_KERNEL=1 tries it all the same.
gupwalk-oldest := 5010
gupwalk-newest := 7003
gupwalk-this := $(shell expr $(VERSION) \* 1000 + $(PATCHLEVEL))

ifneq ($(GUPWALK_ANY_KERNEL),1)
ifneq ($(shell test $(gupwalk-this) -ge $(gupwalk-oldest) && echo y),y)
$(error gupwalk needs Linux 5.10 or newer, and this is $(VERSION).$(PATCHLEVEL))
endif
ifneq ($(filter 5016 5017,$(gupwalk-this)),)
$(error gupwalk does not know Linux 5.16 and 5.17, where folios were half made: 5.15 and 5.18 are next to them)
endif
ifneq ($(shell test $(gupwalk-this) -le $(gupwalk-newest) && echo y),y)
$(error gupwalk is proven up to Linux 7.3, and this is $(VERSION).$(PATCHLEVEL): GUPWALK_ANY_KERNEL=1 tries it)
endif
endif
