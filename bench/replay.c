/*
 * A load generator: replays requests of a file (see traffic.c) against a port on loopback, over a few connections that
 * are kept, one request at a time on each (closed loop, no pipelining). Prints one line of JSON.
 *
 *   replay PORT FILE FIRST COUNT CONNECTIONS       requests FIRST to FIRST + COUNT - 1, from the beginning again at the
 * end
 */
#include "measure.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/vector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, STATUS_MAX = 600, HEAD_MAX = 16384, PATIENCE_MS = 30000 };

struct connection {
	int fd;
	size_t head_len;  /* of what has come of the answer's head */
	size_t body_left; /* once the head is whole */
	bool in_body;
	bool closes; /* the answer says that it is the connection's last */
	char head[HEAD_MAX];
};

struct load {
	uint16_t port;
	struct buffer file;
	struct slice *requests;
	size_t request_count;
	size_t request_capacity;
	size_t next;
	size_t to_send;
	size_t to_come;
	size_t statuses[STATUS_MAX];
	int epoll;
	struct connection *connections;
};

static int fault(const char *what)
{
	fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
	return -1;
}

static int load_requests(struct load *load, const char *path)
{
	int r = file_read(path, 1 << 30, &load->file);
	struct slice rest = buffer_slice(&load->file);
	errno = -r;
	if (r != 0)
		return fault(path);
	while (rest.len > 4) {
		uint32_t length;
		memcpy(&length, rest.ptr, 4);
		if (vector_grow((void **)&load->requests, &load->request_capacity, load->request_count,
				sizeof(*load->requests)) != 0)
			return fault("memory");
		load->requests[load->request_count++] = slice_sub(rest, 4, 4 + length);
		rest = slice_after(rest, 4 + length);
	}
	errno = EINVAL;
	return load->request_count > 0 ? 0 : fault(path);
}

static int connection_open(struct load *load, struct connection *c)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(load->port)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	int one = 1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return fault("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0 ? 0 : fault("epoll");
}

/* The kernel's buffer holds a whole request of this benchmark; a short write is an error. */
static int send_next(struct load *load, struct connection *c)
{
	if (load->to_send == 0)
		return 0;
	struct slice request = load->requests[load->next++ % load->request_count];
	load->to_send--;
	c->head_len = 0;
	c->in_body = false;
	errno = 0;
	return send(c->fd, request.ptr, request.len, MSG_NOSIGNAL) == (ssize_t)request.len ? 0 : fault("send");
}

/* The value of a header in an answer's head, as a number; -1 if there is none. */
static long head_number(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);
	return at == NULL ? -1 : strtol(at + strlen(name), NULL, 10);
}

static int read_head(struct load *load, struct connection *c, const char *end)
{
	size_t head_bytes = (size_t)(end - c->head) + 4;
	long length = head_number(c->head, "\r\nContent-Length:");
	long status = strtol(c->head + 9, NULL, 10);
	errno = EPROTO;
	if (status < 100 || status >= STATUS_MAX || (length < 0 && status != 304))
		return fault("an answer without a length");
	load->statuses[status]++;
	c->closes = strcasestr(c->head, "\r\nConnection: close") != NULL;
	c->in_body = true;
	c->body_left = length < 0 ? 0 : (size_t)length;
	c->body_left -= c->head_len - head_bytes < c->body_left ? c->head_len - head_bytes : c->body_left;
	return 0;
}

static int answer_ended(struct load *load, struct connection *c)
{
	load->to_come--;
	if (c->closes && load->to_send > 0) {
		close(c->fd);
		if (connection_open(load, c) != 0)
			return -1;
	}
	return send_next(load, c);
}

static int on_readable(struct load *load, struct connection *c)
{
	static char ignored[65536];
	char *into = c->in_body ? ignored : c->head + c->head_len;
	size_t room = c->in_body ? sizeof(ignored) : HEAD_MAX - 1 - c->head_len;
	ssize_t got = recv(c->fd, into, room, 0);
	if (got <= 0)
		return fault("the connection ended");
	if (c->in_body) {
		c->body_left -= (size_t)got < c->body_left ? (size_t)got : c->body_left;
	} else {
		c->head_len += (size_t)got;
		c->head[c->head_len] = '\0';
		const char *end = strstr(c->head, "\r\n\r\n");
		errno = EPROTO;
		if (end == NULL)
			return c->head_len < HEAD_MAX - 1 ? 0 : fault("a long head");
		if (read_head(load, c, end) != 0)
			return -1;
	}
	return c->body_left == 0 ? answer_ended(load, c) : 0;
}

/* Asks without sleeping: the worker would pay for each waking of whoever waits on the same machine. */
static int wait_for_events(const struct load *load, struct epoll_event *events)
{
	double start = wall_ns();
	int count;
	do
		count = epoll_wait(load->epoll, events, CONNECTIONS_MAX, 0);
	while (count == 0 && wall_ns() - start < PATIENCE_MS * 1e6);
	return count;
}

static int run(struct load *load, size_t connections)
{
	struct epoll_event events[CONNECTIONS_MAX];
	for (size_t i = 0; i < connections; i++)
		if (connection_open(load, &load->connections[i]) != 0 || send_next(load, &load->connections[i]) != 0)
			return -1;
	while (load->to_come > 0) {
		int count = wait_for_events(load, events);
		if (count <= 0)
			return fault("no answer");
		for (int i = 0; i < count; i++)
			if (on_readable(load, events[i].data.ptr) != 0)
				return -1;
	}
	return 0;
}

static void print(const struct load *load, size_t count, double seconds)
{
	const char *between = "";
	printf("{\"requests\":%zu,\"seconds\":%.6f,\"status\":{", count, seconds);
	for (size_t i = 0; i < STATUS_MAX; i++) {
		if (load->statuses[i] == 0)
			continue;
		printf("%s\"%zu\":%zu", between, i, load->statuses[i]);
		between = ",";
	}
	printf("}}\n");
}

int main(int argc, char **argv)
{
	static struct load load;
	if (argc != 6) {
		fprintf(stderr, "usage: replay PORT FILE FIRST COUNT CONNECTIONS\n");
		return 2;
	}
	size_t count = strtoul(argv[4], NULL, 10);
	size_t connections = strtoul(argv[5], NULL, 10);
	load.port = (uint16_t)strtoul(argv[1], NULL, 10);
	load.next = strtoul(argv[3], NULL, 10);
	load.to_send = load.to_come = count;
	load.epoll = epoll_create1(0);
	load.connections = calloc(CONNECTIONS_MAX, sizeof(*load.connections));
	if (connections < 1 || connections > CONNECTIONS_MAX || load.connections == NULL ||
	    load_requests(&load, argv[2]) != 0)
		return 2;
	double start = wall_ns();
	if (run(&load, connections < count ? connections : count) != 0)
		return 1;
	print(&load, count, (wall_ns() - start) / 1e9);
	free(load.connections);
	free(load.requests);
	buffer_free(&load.file);
	return 0;
}
