/* A query to an authority: HTTP/1.1 over a socket (RFC 3161, section 3.4). What protects the reply is its signature. */
#include "evidence/timestamp.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/reader.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_BYTES = 256, HEAD_BYTES_MOST = 16 * 1024 };

struct address_of {
	char host[HOST_BYTES];
	char port[6];
	struct slice path;
};

static bool read_url(const char *url, struct address_of *ret_address)
{
	struct reader r = reader_make(slice_from_string(url));
	if (!reader_accept(&r, SLICE("http://")))
		return false;
	struct slice rest = reader_rest(&r), port = SLICE("80");
	size_t slash = slice_find_byte(rest, '/', 0);
	struct slice host = slice_sub(rest, 0, slash);
	ret_address->path = slash < rest.len ? slice_after(rest, slash) : SLICE("/");
	size_t colon = slice_find_byte(host, ':', 0);
	if (host.len > 0 && host.ptr[0] == '[') {
		size_t end = slice_find_byte(host, ']', 0);
		colon = end + 1 < host.len && host.ptr[end + 1] == ':' ? end + 1 : host.len;
	}
	if (colon < host.len) {
		port = slice_after(host, colon + 1);
		host = slice_sub(host, 0, colon);
	}
	if (host.len > 2 && host.ptr[0] == '[')
		host = slice_sub(host, 1, host.len - 1);
	for (size_t i = 0; i < rest.len; i++)
		if (rest.ptr[i] <= ' ' || rest.ptr[i] >= 0x7f)
			return false;
	if (host.len == 0 || host.len >= HOST_BYTES || port.len == 0 || port.len >= sizeof(ret_address->port))
		return false;
	snprintf(ret_address->host, sizeof(ret_address->host), "%.*s", SLICE_ARG(host));
	snprintf(ret_address->port, sizeof(ret_address->port), "%.*s", SLICE_ARG(port));
	return true;
}

/* An authority that sends a byte now and then holds nobody: all of it has one end. */
static int wait_for(int fd, short what, uint64_t due_ms)
{
	struct pollfd poll_fd = {fd, what, 0};
	uint64_t now_ms = clock_monotonic_ms();
	int ready = now_ms < due_ms ? poll(&poll_fd, 1, (int)(due_ms - now_ms)) : 0;
	return ready > 0 || (ready < 0 && errno == EINTR) ? 0 : ready == 0 ? -ETIMEDOUT : -errno;
}

static int connect_one(const struct addrinfo *info, uint64_t due_ms)
{
	int fault = 0,
	    fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, info->ai_protocol);
	socklen_t len = sizeof(fault);
	if (fd < 0)
		return -errno;
	int r = connect(fd, info->ai_addr, info->ai_addrlen) == 0 ? 0 : -errno;
	if (r == -EINPROGRESS) {
		r = wait_for(fd, POLLOUT, due_ms);
		if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &len) == 0)
			r = -fault;
	}
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int connect_to(const struct address_of *address, uint64_t due_ms)
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	int fd = -EHOSTUNREACH;
	if (getaddrinfo(address->host, address->port, &wanted, &found) != 0)
		return -EHOSTUNREACH;
	for (const struct addrinfo *info = found; info != NULL && fd < 0; info = info->ai_next)
		fd = connect_one(info, due_ms);
	freeaddrinfo(found);
	return fd;
}

static int send_all(int fd, struct slice bytes, uint64_t due_ms)
{
	while (bytes.len > 0) {
		ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (sent > 0) {
			bytes = slice_after(bytes, (size_t)sent);
			continue;
		}
		int r = errno == EAGAIN ? wait_for(fd, POLLOUT, due_ms) : errno == EINTR ? 0 : -errno;
		if (r != 0)
			return r;
	}
	return 0;
}

/* Until the other end closes. */
static int receive_all(int fd, uint64_t due_ms, struct buffer *out)
{
	enum { STEP_BYTES = 4096 };
	for (;;) {
		if (buffer_reserve(out, STEP_BYTES) != 0)
			return -ENOMEM;
		int r = wait_for(fd, POLLIN, due_ms);
		if (r != 0)
			return r;
		ssize_t got = recv(fd, out->ptr + out->len, STEP_BYTES, 0);
		if (got == 0)
			return 0;
		if (got > 0) {
			out->len += (size_t)got;
			if (out->len > HEAD_BYTES_MOST + TIMESTAMP_REPLY_BYTES_MOST)
				return -EPROTO;
		} else if (errno != EAGAIN && errno != EINTR) {
			return -errno;
		}
	}
}

/* The body of a whole answer of status 200: the connection closes behind it, and it is not chunked to HTTP/1.0. */
static int take_body(struct slice answer, struct buffer *reply)
{
	size_t head = slice_find(answer, SLICE("\r\n\r\n"), 0);
	bool good =
		slice_starts_with(answer, SLICE("HTTP/1.")) && slice_equal(slice_sub(answer, 8, 13), SLICE(" 200 "));
	if (!good || head == answer.len || head > HEAD_BYTES_MOST)
		return -EPROTO;
	buffer_add(reply, slice_after(answer, head + 4));
	return reply->error;
}

int timestamp_ask(const char *url, struct slice query, struct buffer *reply)
{
	struct address_of address;
	struct buffer bytes = buffer_make(NULL), answer = buffer_make(NULL);
	if (!read_url(url, &address))
		return -EINVAL;
	uint64_t due_ms = clock_monotonic_ms() + TIMESTAMP_WAIT_MS;
	int fd = connect_to(&address, due_ms);
	if (fd < 0)
		return fd;
	buffer_printf(&bytes,
		      "POST %.*s HTTP/1.0\r\nHost: %s:%s\r\nContent-Type: application/timestamp-query\r\n"
		      "Content-Length: %zu\r\n\r\n",
		      SLICE_ARG(address.path), address.host, address.port, query.len);
	buffer_add(&bytes, query);
	int r = bytes.error != 0 ? bytes.error : send_all(fd, buffer_slice(&bytes), due_ms);
	if (r == 0)
		r = receive_all(fd, due_ms, &answer);
	if (r == 0)
		r = take_body(buffer_slice(&answer), reply);
	close(fd);
	buffer_free(&bytes);
	buffer_free(&answer);
	return r;
}
