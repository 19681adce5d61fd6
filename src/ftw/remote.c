/*
 * A connection for each request. An answer is read until its Content-Length is there, to its end, or until nothing
 * comes for a while. The log is one open file that is read on from where
 * it ends at the beginning, so that each line is seen once.
 */
#include "ftw/remote.h"

#include "base/error.h"
#include "base/hash.h"
#include "ftw/wire.h"

#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	READ_TIMEOUT_MS = 3000,     /* for the next bytes of an answer */
	ANSWER_MAX_BYTES = 8 << 20, /* of an answer no more is read */
	MARKER_TRIES = 90, /* to find a marker in the log: 20 s in all, for a busy machine writes late; the n-th waits n
			      times ... */
	MARKER_WAIT_MS = 5, /* ... so long */
};

struct ftw_remote {
	char address[256];
	char port[16];
	int log;
	uint64_t word; /* of the next marker */
};

static bool read_url(const char *url, struct ftw_remote *remote)
{
	const char *rest = strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
	size_t host = rest != NULL ? strcspn(rest, ":/") : 0;
	if (host == 0 || host >= sizeof(remote->address))
		return false;
	memcpy(remote->address, rest, host);
	const char *port = rest[host] == ':' ? rest + host + 1 : "80";
	size_t digits = strspn(port, "0123456789");
	if (digits == 0 || digits > 5 || (port[digits] != '\0' && port[digits] != '/'))
		return false;
	memcpy(remote->port, port, digits);
	return true;
}

int ftw_remote_open(const char *url, const char *log_path, struct ftw_remote **ret_remote)
{
	struct ftw_remote *remote = calloc(1, sizeof(*remote));
	if (remote == NULL)
		return -ENOMEM;
	int r = read_url(url, remote) ? 0 : FTW_INVALID;
	if (r == 0 && (remote->log = open(log_path, O_RDONLY | O_CLOEXEC)) < 0)
		r = -errno;
	if (r != 0) {
		free(remote);
		return r;
	}
	(void)lseek(remote->log, 0, SEEK_END); /* what is there is no stage's; of a pipe all is read */
	remote->word = hash_key_random().k0;
	*ret_remote = remote;
	return 0;
}

void ftw_remote_close(struct ftw_remote *remote)
{
	close(remote->log);
	free(remote);
}

static int dial(const struct ftw_remote *remote)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	if (getaddrinfo(remote->address, remote->port, &hints, &found) != 0)
		return -EADDRNOTAVAIL;
	int fd = -1, error = -EADDRNOTAVAIL;
	for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			error = -errno;
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd >= 0 ? fd : error;
}

/* How many bytes of an answer are its whole: SIZE_MAX while that is not known, so that the end tells. */
static size_t answer_bytes(struct slice answer)
{
	size_t head = slice_find(answer, SLICE("\r\n\r\n"), 0);
	if (head == answer.len)
		return SIZE_MAX;
	const struct slice name = SLICE("\r\nContent-Length:");
	struct slice fields = slice_sub(answer, 0, head + 2);
	size_t at = slice_find_nocase(fields, name, 0);
	struct slice value;
	uint64_t length;
	slice_cut(slice_after(fields, at + name.len), '\r', &value);
	if (at == fields.len || !slice_number(slice_trim(value), ANSWER_MAX_BYTES, &length))
		return SIZE_MAX;
	return head + 4 + (size_t)length;
}

/* Sends what can be sent while reading what comes: a server may answer before it has read all. */
static int talk(int fd, struct slice wire, bool head_only, struct buffer *answer)
{
	size_t sent = 0;
	uint8_t piece[16384];
	while (answer->len < ANSWER_MAX_BYTES) {
		struct pollfd p = {.fd = fd, .events = (short)(POLLIN | (sent < wire.len ? POLLOUT : 0))};
		int ready = poll(&p, 1, READ_TIMEOUT_MS);
		if (ready == 0)
			break;
		if (ready < 0)
			return -errno;
		if ((p.revents & POLLOUT) != 0 && sent < wire.len) {
			ssize_t n = send(fd, wire.ptr + sent, wire.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n > 0)
				sent += (size_t)n;
			else if (errno != EAGAIN)
				sent = wire.len;
		}
		if ((p.revents & (POLLIN | POLLHUP | POLLERR)) == 0)
			continue;
		ssize_t n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (n > 0)
			buffer_add(answer, slice_make(piece, (size_t)n));
		struct slice so_far = buffer_slice(answer);
		bool head_done = slice_find(so_far, SLICE("\r\n\r\n"), 0) < so_far.len;
		if ((head_only && head_done) || answer->len >= answer_bytes(so_far))
			break;
	}
	return answer->error;
}

static int ask(const struct ftw_remote *remote, struct slice wire, struct arena *arena, struct slice *ret_answer)
{
	int fd = dial(remote);
	if (fd < 0)
		return fd;
	struct buffer answer = buffer_make(arena);
	int r = talk(fd, wire, slice_starts_with(wire, SLICE("HEAD ")), &answer);
	close(fd);
	*ret_answer = buffer_slice(&answer);
	return r;
}

static int read_log(int log, struct buffer *text)
{
	uint8_t piece[65536];
	for (ssize_t n; (n = read(log, piece, sizeof(piece))) != 0;) {
		if (n < 0)
			return -errno;
		buffer_add(text, slice_make(piece, (size_t)n));
	}
	return text->error;
}

/* Sends a marker and reads the log up to it: what was written before it is the stage's. */
static int mark(struct ftw_remote *remote, struct arena *arena, struct slice *ret_before)
{
	char word[32], wire[256];
	snprintf(word, sizeof(word), "guia-ftw-%016" PRIx64, remote->word++);
	int len = snprintf(wire, sizeof(wire),
			   "GET /status/200 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: guia test\r\nAccept: */*\r\n"
			   "X-CRS-Test: %s\r\nConnection: close\r\n\r\n",
			   word);
	struct slice answer;
	struct buffer text = buffer_make(arena);
	int r = ask(remote, slice_make(wire, (size_t)len), arena, &answer);
	for (int i = 0; r == 0 && i < MARKER_TRIES; i++) {
		r = read_log(remote->log, &text);
		struct slice seen = buffer_slice(&text);
		size_t at = slice_find(seen, slice_from_string(word), 0);
		if (r == 0 && at < seen.len) {
			while (at > 0 && seen.ptr[at - 1] != '\n')
				at--;
			*ret_before = slice_sub(seen, 0, at);
			return 0;
		}
		nanosleep(&(struct timespec){.tv_nsec = (i + 1) * MARKER_WAIT_MS * 1000000L}, NULL);
	}
	return r != 0 ? r : -ENODATA;
}

enum { STATUS_AT = 9 /* behind "HTTP/1.1 " */ };

static unsigned status_of(struct slice answer)
{
	unsigned status = 0;
	if (answer.len < STATUS_AT + 3 || !slice_starts_with(answer, SLICE("HTTP/")))
		return 0;
	for (size_t i = STATUS_AT; i < STATUS_AT + 3 && byte_is_digit(answer.ptr[i]); i++)
		status = status * 10 + (unsigned)(answer.ptr[i] - '0');
	return status;
}

/* "NAME=VALUE" of the first cookie that is set. */
static struct slice cookie_of(struct slice answer)
{
	const struct slice name = SLICE("\r\nSet-Cookie:");
	size_t at = slice_find_nocase(answer, name, 0);
	struct slice rest = slice_after(answer, at + name.len), cookie;
	slice_cut(slice_sub(rest, 0, slice_find_byte(rest, '\r', 0)), ';', &cookie);
	return slice_trim(cookie);
}

int ftw_stage_remote(void *context, const struct ftw_stage *stage, struct slice *cookie, struct arena *arena,
		     struct ftw_seen *ret_seen)
{
	struct ftw_remote *remote = context;
	struct ftw_seen seen = {0};
	struct slice wire, ignored;
	int r = ftw_wire_request(&stage->input, *cookie, arena, &wire);
	if (r != 0)
		return r > 0 ? -EINVAL : r;
	r = mark(remote, arena, &ignored);
	r = r != 0 ? r : ask(remote, wire, arena, &seen.response);
	r = r != 0 ? r : mark(remote, arena, &seen.log);
	if (r != 0)
		return r;
	seen.status = status_of(seen.response);
	seen.error = seen.status == 0;
	struct slice set = stage->input.save_cookie ? cookie_of(seen.response) : SLICE("");
	if (set.len > 0)
		*cookie = set;
	*ret_seen = seen;
	return 0;
}
