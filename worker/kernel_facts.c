// SPDX-License-Identifier: Apache-2.0
// What machine this is: kernel, processors, memory, network speed, product name.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/str.h"
#include "worker/accel.h"
#include "worker/kernel.h"

/* Links without a device behind them (lo, bridges, tunnels) have no speed of their own.
 */
static uint64_t link_mbit_per_s(const char *name)
{
	cleanup_free char *device = xasprintf("/sys/class/net/%s/device", name);
	cleanup_free char *path = xasprintf("/sys/class/net/%s/speed", name);
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[32];
	uint64_t mbit;
	ssize_t n;

	if (fd < 0 || access(device, F_OK) < 0)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	/* "-1" means unknown and does not parse */
	return parse_u64(buf, &mbit, NULL) < 0 ? 0 : mbit;
}

static uint64_t nic_bytes_per_s(void)
{
	DIR *dir = opendir("/sys/class/net");
	uint64_t best = 0;
	struct dirent *de;

	if (!dir)
		return 0;
	while ((de = readdir(dir))) {
		uint64_t mbit = de->d_name[0] == '.' ? 0 : link_mbit_per_s(de->d_name);

		if (mbit > best)
			best = mbit;
	}
	closedir(dir);
	return best * 1000000 / 8;
}

static void read_product(char *out, size_t cap)
{
	cleanup_close int fd =
		open("/sys/class/dmi/id/product_name", O_RDONLY | O_CLOEXEC);
	char buf[64];
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, buf, sizeof(buf) - 1);
	if (n <= 0)
		return;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	if (str_is_utf8(buf, strlen(buf)))
		str_copy(out, cap, buf);
}

void kernel_facts(struct provenance *prov)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES);
	long page_bytes = sysconf(_SC_PAGESIZE);
	struct utsname u;

	if (uname(&u) == 0)
		str_copy(prov->kernel, sizeof(prov->kernel), u.release);
	if (cpus > 0)
		prov->cpus = (unsigned)cpus;
	if (pages > 0 && page_bytes > 0)
		prov->mem_bytes = (uint64_t)pages * (uint64_t)page_bytes;
	prov->nic_bytes_per_s = nic_bytes_per_s();
	accel_read(prov->accel);
	if (!prov->machine_type[0])
		read_product(prov->machine_type, sizeof(prov->machine_type));
}
