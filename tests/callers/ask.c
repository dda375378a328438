// SPDX-License-Identifier: GPL-2.0-only
#include "ask.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices"
#define EDU_VENDOR 0x1234
#define EDU_DEVICE 0x11e8

/* ---- io_uring ---- */

int ask_uring_register(void *addr, size_t size)
{
	struct iovec vec = { addr, size };
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 4, &params);

	if (ring < 0 || !syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &vec, 1))
		return ring;
	close(ring);
	return -1;
}

int ask_uring_unregister(int ring)
{
	return syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
}

/* ---- vfio ---- */

static void path_of(char path[512], const char *device, const char *file)
{
	snprintf(path, 512, DEVICES "/%s/%s", device, file);
}

static unsigned int read_id(const char *device, const char *name)
{
	unsigned int id = 0;
	char path[512];
	FILE *file;

	path_of(path, device, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%x", &id) != 1)
		id = 0;
	fclose(file);
	return id;
}

static bool find_device(char device[32])
{
	DIR *dir = opendir(DEVICES);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		found = read_id(entry->d_name, "vendor") == EDU_VENDOR &&
			read_id(entry->d_name, "device") == EDU_DEVICE;
		if (found)
			snprintf(device, 32, "%.31s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* The group that the device is in, once vfio-pci has it. */
static int open_group(const char *device)
{
	char path[512], link[256];
	ssize_t n;

	path_of(path, device, "driver_override");
	if (!write_text(path, "vfio-pci"))
		return -1;
	/* it may have it already */
	write_text("/sys/bus/pci/drivers_probe", device);
	path_of(path, device, "iommu_group");
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -1;
	link[n] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);
	return open(path, O_RDWR | O_CLOEXEC);
}

const char *ask_vfio_open(struct ask_vfio *vfio)
{
	if (!find_device(vfio->device))
		return "no PCI device to be given to a program (lab/vm --iommu)";
	vfio->group = open_group(vfio->device);
	if (vfio->group < 0)
		return "vfio-pci does not take the device (modprobe vfio-pci vfio_iommu_type1)";
	vfio->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (vfio->container < 0)
		return "/dev/vfio/vfio cannot be opened";
	if (ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container) ||
	    ioctl(vfio->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return "vfio does not take the IOMMU (modprobe vfio_iommu_type1)";
	return NULL;
}

int ask_vfio_map(const struct ask_vfio *vfio, void *addr, size_t size, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map dma = {
		.argsz = sizeof(dma), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)addr, .iova = iova, .size = size,
	};

	return ioctl(vfio->container, VFIO_IOMMU_MAP_DMA, &dma);
}

int ask_vfio_unmap(const struct ask_vfio *vfio, size_t size, uint64_t iova)
{
	struct vfio_iommu_type1_dma_unmap dma = {
		.argsz = sizeof(dma), .iova = iova, .size = size,
	};

	return ioctl(vfio->container, VFIO_IOMMU_UNMAP_DMA, &dma);
}

void *ask_vfio_registers(const struct ask_vfio *vfio, size_t size)
{
	struct vfio_region_info region = {
		.argsz = sizeof(region), .index = VFIO_PCI_BAR0_REGION_INDEX,
	};
	int registers = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, vfio->device);

	if (registers < 0 || ioctl(registers, VFIO_DEVICE_GET_REGION_INFO, &region))
		return MAP_FAILED;
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, registers, region.offset);
}

/* ---- memory of others ---- */

int ask_mem(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return open(path, O_RDWR | O_CLOEXEC);
}
