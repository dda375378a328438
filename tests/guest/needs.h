/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_TESTS_NEEDS_H
#define GUPWALK_TESTS_NEEDS_H

/* Where the ext4 file system is mounted that NEED_EXT4 makes. */
const char *ext4_directory(void);

/* Where one says whether folios of contiguous_size(4) may be had. */
const char *thp_cont_file(void);

#endif /* GUPWALK_TESTS_NEEDS_H */
