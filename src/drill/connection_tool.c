/*
 * Between the socket and tool_tls.h: bytes are gathered in `sealed` until a record is whole, what was in it goes to
 * `in`, and what the handshake has to say is sent at once.
 */
#include "drill/connection_tool.h"

#include "base/error.h"

#include <stdlib.h>
#include <sys/socket.h>

enum {
	READ_BYTES = 8192,
	TEXT_BYTES = 2048, /* more than a request has */
};

/*
 * All at once or not at all: it is short, and nothing else is under way. What the kernel has no room for is as good as
 * broken off.
 */
static int send_whole(const struct connection *c, const uint8_t *bytes, size_t len)
{
	return send(c->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -EIO;
}

static int begin(struct dial *dial, struct connection *c)
{
	uint8_t flight[TOOL_FLIGHT_BYTES];
	c->greets = true;
	c->tool = malloc(sizeof(*c->tool));
	if (c->tool == NULL)
		return -EIO;
	size_t len =
		tool_tls_begin(c->tool, &dial->ciphers, &dial->tool_sessions[c->who], c->host, &dial->random, flight);
	return send_whole(c, flight, len);
}

/* What was read of records that are whole goes to `in`; the rest stays. 0, 1 if no more will come, or -EIO. */
static int open_records(struct connection *c, uint8_t *bytes, size_t len)
{
	struct tool_answer answer;
	size_t at = 0;
	int r = 0;
	for (ssize_t n; r == 0 && (n = tool_record_len(slice_make(bytes + at, len - at))) != 0; at += (size_t)n) {
		r = n < 0 ? -EIO : tool_tls_take(c->tool, bytes + at, (size_t)n, &answer);
		if (r == 0 && answer.flight_len > 0)
			r = send_whole(c, answer.flight, answer.flight_len);
		if (r == 0)
			buffer_add(&c->in, answer.plain);
		if (r < 0)
			return r;
	}
	memmove(c->sealed.ptr, bytes + at, len - at);
	c->sealed.len = len - at;
	return r != 0 || c->in.error == 0 ? r : -EIO;
}

/* One piece. How many bytes of the application came with it is in `in`; 1 if it was one, 0 at the end. */
static ssize_t hear(struct connection *c)
{
	if (buffer_reserve(&c->sealed, READ_BYTES) != 0)
		return -EIO;
	ssize_t n = recv(c->fd, c->sealed.ptr + c->sealed.len, READ_BYTES, 0);
	if (n <= 0)
		return n == 0 ? 0 : errno == EAGAIN || errno == EINTR ? -EAGAIN : -EIO;
	int r = open_records(c, c->sealed.ptr, c->sealed.len + (size_t)n);
	return r < 0 ? r : !r;
}

int connection_tool_greet(struct dial *dial, struct connection *c)
{
	if (c->tool == NULL) {
		int r = begin(dial, c);
		return r != 0 ? r : -EAGAIN;
	}
	while (c->tool->awaits != TOOL_AWAITS_NOTHING) {
		ssize_t n = hear(c);
		if (n <= 0)
			return n == 0 ? -EIO : (int)n;
	}
	return 0;
}

ssize_t connection_tool_write(struct connection *c, struct slice bytes)
{
	uint8_t record[TEXT_BYTES + TOOL_SEALED_MORE];
	struct slice part = slice_sub(bytes, 0, TEXT_BYTES);
	int r = tool_tls_say(c->tool, part, record);
	r = r != 0 ? r : send_whole(c, record, part.len + TOOL_SEALED_MORE);
	return r != 0 ? r : (ssize_t)part.len;
}

ssize_t connection_tool_read(struct connection *c)
{
	size_t had = c->in.len;
	ssize_t n = 1;
	while (n > 0 && c->in.len == had)
		n = hear(c);
	return n < 0 || c->in.len == had ? n : (ssize_t)(c->in.len - had);
}

void connection_tool_end(struct connection *c)
{
	free(c->tool);
	c->tool = NULL;
	buffer_free(&c->sealed);
}
