/*
 * No name is ever looked up: an address is one of inet_pton(3), and refused unless it is 127.0.0.1 or ::1. What port it
 * came to is asked of the socket.
 */
#include "screen/listen.h"

#include "base/error.h"
#include "codec/question.h"
#include "screen/screen.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static bool is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	if (address->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) == INADDR_LOOPBACK;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
}

/* The host without its brackets, and the digits behind the last colon. */
static bool split(struct slice text, char host[64], uint64_t *ret_port)
{
	size_t colon = text.len;
	while (colon > 0 && text.ptr[colon - 1] != ':')
		colon--;
	if (colon < 2 || !slice_number(slice_after(text, colon), 65535, ret_port))
		return false;
	struct slice name = slice_sub(text, 0, colon - 1);
	if (slice_starts_with(name, SLICE("[")) && slice_ends_with(name, SLICE("]")))
		name = slice_sub(name, 1, name.len - 1);
	return snprintf(host, 64, "%.*s", SLICE_ARG(name)) < 64;
}

bool listen_parse(struct slice text, struct sockaddr_storage *ret_address, socklen_t *ret_len)
{
	char host[64];
	uint64_t port;
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	if (!split(text, host, &port))
		return false;
	v4.sin_port = v6.sin6_port = htons((uint16_t)port);
	*ret_address = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		memcpy(ret_address, &v4, sizeof(v4));
		*ret_len = sizeof(v4);
	} else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
		memcpy(ret_address, &v6, sizeof(v6));
		*ret_len = sizeof(v6);
	} else {
		return false;
	}
	return is_loopback(ret_address);
}

const char *screen_listen_valid(struct slice text)
{
	struct sockaddr_storage address;
	socklen_t len;
	return listen_parse(text, &address, &len) ? NULL : "an address of this machine alone, such as 127.0.0.1:9180";
}

static void name_of(int fd, char name[64])
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	(void)getsockname(fd, (struct sockaddr *)&address, &len);
	if (address.ss_family == AF_INET6)
		snprintf(name, 64, "[::1]:%u", ntohs(((struct sockaddr_in6 *)&address)->sin6_port));
	else
		snprintf(name, 64, "127.0.0.1:%u", ntohs(((struct sockaddr_in *)&address)->sin_port));
}

int listen_open(const struct sockaddr_storage *address, socklen_t len, int *ret_fd, char name[64])
{
	int on = 1, r = 0;
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (const struct sockaddr *)address, len) != 0 || listen(fd, BACKLOG) != 0)
		r = -errno;
	if (r != 0) {
		close(fd);
		return r;
	}
	name_of(fd, name);
	*ret_fd = fd;
	return 0;
}
