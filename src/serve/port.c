#include "serve/port.h"

#include "base/error.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_once(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found = NULL;
	hints.ai_family = host == NULL ? AF_INET : AF_UNSPEC;
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return -EADDRNOTAVAIL;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1, r = 0;
	if (fd < 0)
		r = -errno;
	else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
		 (found->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0) ||
		 bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1) != 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	freeaddrinfo(found);
	return r;
}

int port_try(struct slice listen)
{
	char text[128];
	snprintf(text, sizeof(text), "%.*s", SLICE_ARG(listen));
	char *colon = strrchr(text, ':');
	char *host = colon != NULL ? text : NULL;
	const char *port = colon != NULL ? colon + 1 : text;
	if (colon != NULL)
		*colon = '\0';
	if (host != NULL && host[0] == '[') {
		host[strlen(host) - 1] = '\0';
		host++;
	}
	return bind_once(host, port);
}
