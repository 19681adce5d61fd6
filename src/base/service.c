#include "base/service.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TWICE_US_A_MS = 2000 };

void service_notify(const char *what)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
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

int64_t service_watchdog_ms(void)
{
	const char *allowed = getenv("WATCHDOG_USEC"), *whose = getenv("WATCHDOG_PID");
	if (allowed == NULL || (whose != NULL && strtol(whose, NULL, 10) != (long)getpid()))
		return 0;
	int64_t us = strtoll(allowed, NULL, 10);
	return us >= TWICE_US_A_MS ? us / TWICE_US_A_MS : 0;
}
