/*
 * Without libsystemd: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read anew with each call, and a socket is made
 * for each word.
 */
#include "base/service.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TWICE_US_A_MS = 2000 };

void service_notify(const char *what)
{
	const char *path = getenv("NOTIFY_SOCKET"), *open_one = getenv(SERVICE_FD);
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (open_one != NULL)
		(void)!send(atoi(open_one), what, strlen(what), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to.sun_path))
		return;
	size_t len = strlen(path);
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	/* Whether it arrived is the manager's to notice. */
	(void)!sendto(fd, what, strlen(what), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

/* 0: nobody waits. */
static int64_t watchdog_us(void)
{
	const char *allowed = getenv("WATCHDOG_USEC"), *whose = getenv("WATCHDOG_PID");
	if (allowed == NULL || (whose != NULL && strtol(whose, NULL, 10) != (long)getpid()))
		return 0;
	int64_t us = strtoll(allowed, NULL, 10);
	return us > 0 ? us : 0;
}

int64_t service_watchdog_ms(void)
{
	return watchdog_us() / TWICE_US_A_MS;
}

/* sd_notify(3): it begins anew with that time. */
static void watchdog_set(int64_t us)
{
	char text[48];
	snprintf(text, sizeof(text), "WATCHDOG_USEC=%" PRId64, us);
	service_notify(text);
}

void service_watchdog_wait_long(void)
{
	const int64_t long_us = (int64_t)SERVICE_LONG_SECONDS * 1000000, us = watchdog_us();
	if (us > 0)
		watchdog_set(us > long_us ? us : long_us);
}

void service_watchdog_wait_as_before(void)
{
	if (watchdog_us() > 0)
		watchdog_set(watchdog_us());
}
