// SPDX-License-Identifier: Apache-2.0
// The whole initial RAM disk of the image: loads the modules listed in /modules, waits
// for the partition named "root", mounts it and hands over to /sbin/init. One disk so
// boots from NVMe, virtio-scsi and virtio-blk; no shell, no udev.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char root_name[] = "root"; /* of the GPT partition: image/assemble.sh */
enum { LOOK_MS = 10, DISK_S = 60 };

/* PID 1 must not end: the kernel would panic and the message be lost in its trace. */
static _Noreturn void die(const char *what)
{
	dprintf(2, "image: %s: %s\n", what, strerror(errno));
	for (;;)
		pause();
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* One path a line, in the order of their dependencies (image/initrd.py). */
static void load_modules(void)
{
	FILE *list = fopen("/modules", "re");
	char line[256];

	while (list && fgets(line, sizeof(line), list)) {
		int fd;

		line[strcspn(line, "\n")] = '\0';
		fd = open(line, O_RDONLY | O_CLOEXEC);
		if (fd < 0 ||
		    (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
			dprintf(2, "image: %s: %s\n", line, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	if (list)
		fclose(list);
}

/* "KEY=value" of a uevent file; @ret is left alone when the key is not there. */
static void read_key(const char *text, const char *key, char *ret, size_t cap)
{
	const char *at = strstr(text, key);
	size_t n;

	if (!at)
		return;
	at += strlen(key);
	n = strcspn(at, "\n");
	if (n < cap) {
		memcpy(ret, at, n);
		ret[n] = '\0';
	}
}

/* Is block device @name the partition? Then its node's path is put into @dev. */
static bool is_root(const char *name, char *dev, size_t cap)
{
	char path[320], text[512] = "", node[200] = "", part[200] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/block/%s/uevent", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	read_key(text, "DEVNAME=", node, sizeof(node));
	read_key(text, "PARTNAME=", part, sizeof(part));
	if (!node[0] || strcmp(part, root_name) != 0)
		return false;
	snprintf(dev, cap, "/dev/%s", node);
	return true;
}

static bool find_root(char *dev, size_t cap)
{
	DIR *dir = opendir("/sys/class/block");
	struct dirent *de;
	bool is_found = false;

	while (dir && !is_found && (de = readdir(dir)))
		is_found = is_root(de->d_name, dev, cap);
	if (dir)
		closedir(dir);
	return is_found;
}

static void mount_kernel_folders(void)
{
	int fd;

	mkdir("/proc", 0555);
	mkdir("/sys", 0555);
	mkdir("/new", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	fd = open("/dev/console", O_RDWR);
	for (int i = 0; fd >= 0 && i < 3; i++)
		dup2(fd, i);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
}

/* terraform/local/accel.sh asks whether this kernel runs here at all: say so, and go. */
static void answer_probe(void)
{
	char words[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, words, sizeof(words) - 1) > 0 && strstr(words, " muster.probe")) {
		dprintf(1, "image: booted\n");
		reboot(RB_POWER_OFF);
	}
	close(fd);
}

/* The disk may have been found before its partition can be opened. */
static void mount_root(const char *dev)
{
	for (int ms = 0; mount(dev, "/new", "ext4", 0, NULL) < 0; ms += LOOK_MS) {
		if (ms >= DISK_S * 1000)
			die(dev);
		pause_ms(LOOK_MS);
	}
}

static void hand_over(void)
{
	static const char *const moved[] = {"/dev", "/proc", "/sys"};
	char target[16];

	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		snprintf(target, sizeof(target), "/new%s", moved[i]);
		if (mount(moved[i], target, NULL, MS_MOVE, NULL) < 0)
			die(target);
	}
	/* what is left of the RAM disk would stay in memory for ever */
	unlink("/init");
	if (chdir("/new") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		die("switch to the disk");
	execl("/sbin/init", "/sbin/init", (char *)NULL);
	die("/sbin/init");
}

int main(void)
{
	char dev[256];

	mount_kernel_folders();
	answer_probe();
	load_modules();
	for (int ms = 0; !find_root(dev, sizeof(dev)); ms += LOOK_MS) {
		if (ms >= DISK_S * 1000) {
			errno = ENODEV;
			die("no partition named root");
		}
		pause_ms(LOOK_MS);
	}
	mount_root(dev);
	hand_over();
}
