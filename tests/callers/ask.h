/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks drivers to take hold of memory: what tests and the program gupwalk-callers have in common.
 */
#ifndef GUPWALK_TESTS_ASK_H
#define GUPWALK_TESTS_ASK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct ask_vfio - a PCI device that vfio gives to this program
 * @device: its name
 * @container: descriptor of the IOMMU's address space
 * @group: descriptor of what is in it
 */
struct ask_vfio {
	char device[32];
	int container;
	int group;
};

/**
 * ask_uring_register() - register a buffer with io_uring
 * @addr: the buffer
 * @size: bytes
 *
 * Return: descriptor of a new ring, or -1 with errno.
 */
int ask_uring_register(void *addr, size_t size);

/**
 * ask_uring_unregister() - unregister the buffers of a ring
 * @ring: the ring
 *
 * Return: 0, or -1 with errno.
 */
int ask_uring_unregister(int ring);

/**
 * ask_vfio_open() - give the lab's PCI device (QEMU's edu) to vfio-pci, and open it
 * @vfio: filled in
 *
 * Return: NULL, or what is missing.
 */
const char *ask_vfio_open(struct ask_vfio *vfio);

/**
 * ask_vfio_map() - let the device reach memory
 * @vfio: the device
 * @addr: the memory
 * @size: bytes
 * @iova: where the device sees it
 *
 * Return: 0, or -1 with errno.
 */
int ask_vfio_map(const struct ask_vfio *vfio, void *addr, size_t size, uint64_t iova);

/**
 * ask_vfio_unmap() - and no longer
 * @vfio: the device
 * @size: bytes
 * @iova: where the device sees it
 *
 * Return: 0, or -1 with errno.
 */
int ask_vfio_unmap(const struct ask_vfio *vfio, size_t size, uint64_t iova);

/**
 * ask_vfio_registers() - map registers of the device
 * @vfio: the device
 * @size: bytes
 *
 * Return: the address, or MAP_FAILED.
 */
void *ask_vfio_registers(const struct ask_vfio *vfio, size_t size);

/**
 * ask_mem() - open the memory of a process
 * @pid: the process
 *
 * Return: a descriptor, or -1 with errno.
 */
int ask_mem(pid_t pid);

#endif /* GUPWALK_TESTS_ASK_H */
