// SPDX-License-Identifier: Apache-2.0
// Waits for the ACPI power button (a stop or a preemption of the VM) and asks PID 1 to
// power off. In the image's place of logind and dbus, which do nothing else there.
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* systemd(1), SIGRTMIN+4: start poweroff.target */
enum { POWER_OFF_SIGNAL = 4, DEVICES_MAX = 32 };

static int open_devices(struct pollfd *fds)
{
	int n = 0;

	for (int i = 0; i < DEVICES_MAX; i++) {
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/input/event%d", i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return n;
}

/* A device that went away is not looked at again. */
static bool is_pressed(struct pollfd *p)
{
	struct input_event e;

	if (!p->revents)
		return false;
	if (read(p->fd, &e, sizeof(e)) == (ssize_t)sizeof(e))
		return e.type == EV_KEY && e.code == KEY_POWER && e.value == 1;
	if (errno != EINTR && errno != EAGAIN)
		p->fd = -1;
	return false;
}

int main(void)
{
	struct pollfd fds[DEVICES_MAX];
	int n = open_devices(fds);

	/* the unit starts us again: the button's driver may still be on its way */
	if (n == 0) {
		fputs("power-button: no input device yet\n", stderr);
		return 1;
	}
	for (;;) {
		if (poll(fds, (nfds_t)n, -1) < 0)
			continue;
		for (int i = 0; i < n; i++)
			if (is_pressed(&fds[i]))
				return kill(1, SIGRTMIN + POWER_OFF_SIGNAL) < 0;
	}
}
