/* Blocking, by plain HTTP over IPv4, with a time limit on the socket; of the answer only the beginning is read. */
#include "drill/probe.h"

#include "drill/connection.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static bool ask(int fd, const char *host)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
	char text[256], answer[64];
	inet_pton(AF_INET, GATE_V4, &to.sin_addr);
	int len = snprintf(text, sizeof(text),
			   "GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: guia-drill\r\nAccept: */*\r\n\r\n", host);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 || send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		return false;
	ssize_t n = recv(fd, answer, sizeof(answer), MSG_WAITALL);
	return n > 0 && slice_starts_with(slice_make(answer, (size_t)n), SLICE("HTTP/1.1 200 "));
}

bool probe_gate(const char *host, int wait_ms)
{
	struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool good = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
		    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 && ask(fd, host);
	close(fd);
	return good;
}
