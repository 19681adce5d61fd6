/*
 * A function for each state, and a loop for as long as that changes; TLS and plain sockets differ where bytes move. Of
 * an answer its beginning is kept and its last bytes: enough for status, length and the end of a chunked body.
 */
#include "watch/probe.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ANSWER_MAX_BYTES = 8 << 20 };

static const uint64_t pause_ns = 1000000000, patience_ns = 2000000000;

/* ---- whom to ask ---- */

static const char *target_look_up(struct slice text, bool tls, struct probe_target *target)
{
	char host[256], port[8];
	struct slice name = text, number = slice_make(tls ? "443" : "80", tls ? 3 : 2);
	size_t bracket = slice_find_byte(text, ']', 0);
	size_t colon = slice_find_byte(text, ':', bracket < text.len ? bracket : 0);
	if (colon < text.len) {
		name = slice_sub(text, 0, colon);
		number = slice_after(text, colon + 1);
	}
	if (name.len > 2 && name.ptr[0] == '[')
		name = slice_sub(name, 1, name.len - 1);
	if (name.len == 0 || name.len >= sizeof(host) || number.len == 0 || number.len >= sizeof(port))
		return "an address such as 127.0.0.1:80 behind http://";
	snprintf(host, sizeof(host), "%.*s", SLICE_ARG(name));
	snprintf(port, sizeof(port), "%.*s", SLICE_ARG(number));
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return "an address or a name that can be looked up behind http://";
	memcpy(&target->address, found->ai_addr, found->ai_addrlen);
	target->address_len = found->ai_addrlen;
	freeaddrinfo(found);
	return NULL;
}

static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	return text.len > 0;
}

const char *probe_target_parse(struct slice text, struct probe_target *ret_target)
{
	struct probe_target target = {.path = "/"};
	struct slice host, rest = slice_cut(text, '=', &host);
	if (!is_plain(text) || host.len >= sizeof(target.host) || host.len == 0)
		return "HOST=http://ADDRESS:PORT";
	target.tls = slice_starts_with(rest, SLICE("https://"));
	if (!target.tls && !slice_starts_with(rest, SLICE("http://")))
		return "http:// or https:// behind HOST=";
	rest = slice_after(rest, target.tls ? 8 : 7);
	size_t slash = slice_find_byte(rest, '/', 0);
	struct slice path = slice_after(rest, slash);
	if (path.len >= sizeof(target.path))
		return "a shorter path";
	if (path.len > 0)
		snprintf(target.path, sizeof(target.path), "%.*s", SLICE_ARG(path));
	snprintf(target.host, sizeof(target.host), "%.*s", SLICE_ARG(host));
	const char *fault = target_look_up(slice_sub(rest, 0, slash), target.tls, &target);
	if (fault == NULL)
		*ret_target = target;
	return fault;
}

struct address probe_target_address(const struct probe_target *target)
{
	const struct sockaddr_storage *address = &target->address;
	if (address->ss_family == AF_INET6)
		return address_from_v6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
	return address_from_v4((const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr);
}

/* ---- one fetch ---- */

void probe_init(struct probe *probe, const struct probe_target *target)
{
	*probe = (struct probe){.target = *target, .fd = -1};
}

static void probe_close(struct probe *probe)
{
	SSL_free(probe->tls);
	probe->tls = NULL;
	if (probe->fd >= 0)
		close(probe->fd);
	probe->fd = -1;
	probe->state = PROBE_RESTING;
}

void probe_release(struct probe *probe)
{
	probe_close(probe);
}

static void probe_end(struct probe *probe, uint64_t now_ns, const char *fault)
{
	probe_close(probe);
	probe->ms = (double)(now_ns - probe->began_ns) / 1e6;
	probe->fault = fault;
	probe->good = fault != NULL ? 0 : probe->good < PROBE_GOOD ? probe->good + 1 : PROBE_GOOD;
	probe->answered += fault == NULL;
	bool up = probe->good == PROBE_GOOD;
	if (up != probe->up)
		probe->changed_ns = now_ns;
	probe->up = up;
	uint64_t next_ns = probe->began_ns + pause_ns;
	probe->next_ns = next_ns > now_ns ? next_ns : now_ns;
}

/*
 * With what browsers send, in an order that nobody else has. What a signature names of an attack's requests is mostly
 * what tools leave out: asked as a tool asks, a site would seem down where all visitors are served, and as long as we
 * are one of few visitors, who asks as we do could not be told from us.
 */
#define PROBE_REQUEST                                                                                                  \
	"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: guia-watch\r\nAccept: text/html, */*;q=0.5\r\n"                    \
	"Accept-Encoding: identity\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n"                    \
	"Accept-Language: pt, zh, en\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nConnection: close\r\n\r\n"

static void probe_begin(struct probe *probe, uint64_t now_ns)
{
	const struct probe_target *target = &probe->target;
	probe->began_ns = now_ns;
	probe->asked++;
	probe->status = 0;
	probe->received = probe->sent = 0;
	memset(probe->tail, 0, sizeof(probe->tail));
	probe->len = (size_t)snprintf(probe->bytes, sizeof(probe->bytes), PROBE_REQUEST, target->path, target->host);
	probe->fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->fd < 0) {
		probe_end(probe, now_ns, "no socket");
		return;
	}
	probe->state = PROBE_CONNECTING;
	probe->wants = POLLOUT;
	if (connect(probe->fd, (const struct sockaddr *)&target->address, target->address_len) != 0 &&
	    errno != EINPROGRESS)
		probe_end(probe, now_ns, "refused");
}

static const char *connected(struct probe *probe, void *context)
{
	int error = 0;
	socklen_t len = sizeof(error);
	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
		return error == ECONNREFUSED ? "refused" : "unreachable";
	probe->state = PROBE_SENDING;
	if (!probe->target.tls)
		return NULL;
	probe->state = PROBE_HANDSHAKE;
	probe->tls = context != NULL ? SSL_new(context) : NULL;
	if (probe->tls == NULL || SSL_set_fd(probe->tls, probe->fd) != 1 ||
	    SSL_set_tlsext_host_name(probe->tls, probe->target.host) != 1)
		return "no TLS";
	return NULL;
}

/* Bytes moved; 0: not now; -1: failed or ended. */
static ssize_t waits_or_fails(struct probe *probe, ssize_t n)
{
	if (n > 0)
		return n;
	if (probe->tls == NULL) {
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		return -1;
	}
	switch (SSL_get_error(probe->tls, (int)n)) {
	case SSL_ERROR_WANT_READ:
		probe->wants = POLLIN;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		probe->wants = POLLOUT;
		return 0;
	default:
		return -1;
	}
}

/* SSL_get_error() takes what it finds in the thread's queue of errors for this call's, and all probes share that. */

static ssize_t tls_handshake(struct probe *probe)
{
	ERR_clear_error();
	return SSL_connect(probe->tls);
}

static ssize_t write_bytes(struct probe *probe, const char *bytes, size_t len)
{
	if (probe->tls == NULL)
		return send(probe->fd, bytes, len, MSG_NOSIGNAL);
	ERR_clear_error();
	return SSL_write(probe->tls, bytes, (int)len);
}

static ssize_t read_bytes(struct probe *probe, char *bytes, size_t room)
{
	if (probe->tls == NULL)
		return recv(probe->fd, bytes, room, 0);
	ERR_clear_error();
	return SSL_read(probe->tls, bytes, (int)room);
}

static const char *send_some(struct probe *probe)
{
	ssize_t n = write_bytes(probe, probe->bytes + probe->sent, probe->len - probe->sent);
	n = waits_or_fails(probe, n);
	if (n < 0)
		return "closed";
	probe->sent += (size_t)n;
	if (probe->sent == probe->len) {
		probe->state = PROBE_READING;
		probe->wants = POLLIN;
		probe->len = 0;
	}
	return NULL;
}

/* What has been read of the answer; its beginning is kept, and its very end. */
static void keep(struct probe *probe, const char *bytes, size_t len)
{
	size_t room = sizeof(probe->bytes) - probe->len, kept = len < room ? len : room;
	memcpy(probe->bytes + probe->len, bytes, kept);
	probe->len += kept;
	probe->received += len;
	size_t last = len < sizeof(probe->tail) ? len : sizeof(probe->tail);
	memmove(probe->tail, probe->tail + last, sizeof(probe->tail) - last);
	memcpy(probe->tail + sizeof(probe->tail) - last, bytes + len - last, last);
}

/* The value of a header, which begins its line; empty if there is none. */
static struct slice header_value(struct slice head, struct slice name)
{
	size_t at = slice_find_nocase(head, name, 0);
	if (at == head.len)
		return SLICE("");
	size_t end = slice_find_byte(head, '\r', at + name.len);
	return slice_trim(slice_sub(head, at + name.len, end));
}

/* At the end of what came. */
static const char *judge(struct probe *probe)
{
	struct slice all = slice_make(probe->bytes, probe->len);
	size_t end = slice_find(all, SLICE("\r\n\r\n"), 0);
	if (end == all.len || !slice_starts_with(all, SLICE("HTTP/1.")) || all.len < 12)
		return "no answer";
	struct slice head = slice_sub(all, 0, end + 2);
	probe->status = (int)strtol(probe->bytes + 9, NULL, 10);
	struct slice length = header_value(head, SLICE("\r\ncontent-length:"));
	if (length.len > 0 && strtoull((const char *)length.ptr, NULL, 10) != probe->received - (end + 4))
		return "cut short";
	if (header_value(head, SLICE("\r\ntransfer-encoding:")).len > 0 &&
	    memcmp(probe->tail + sizeof(probe->tail) - 5, "0\r\n\r\n", 5) != 0)
		return "cut short";
	return probe->status >= 200 && probe->status < 400 ? NULL : "status";
}

/* *ret_ended when nothing more will come. */
static const char *read_some(struct probe *probe, bool *ret_ended)
{
	char bytes[16384];
	for (int i = 0; i < 16; i++) {
		ssize_t n = waits_or_fails(probe, read_bytes(probe, bytes, sizeof(bytes)));
		if (n == 0)
			return NULL;
		if (n < 0) {
			*ret_ended = true;
			return judge(probe);
		}
		keep(probe, bytes, (size_t)n);
		if (probe->received > ANSWER_MAX_BYTES)
			return "too long";
	}
	return NULL;
}

const struct probe *probe_find(const struct probe *probes, size_t count, const char *site)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(probes[i].target.host, site) == 0)
			return &probes[i];
	return NULL;
}

struct pollfd probe_waits(const struct probe *probe)
{
	return (struct pollfd){.fd = probe->state == PROBE_RESTING ? -1 : probe->fd, .events = probe->wants};
}

static const char *step(struct probe *probe, void *context, bool *ret_ended)
{
	switch (probe->state) {
	case PROBE_CONNECTING:
		return connected(probe, context);
	case PROBE_HANDSHAKE: {
		ssize_t n = tls_handshake(probe);
		if (n == 1)
			probe->state = PROBE_SENDING;
		else if (waits_or_fails(probe, n) < 0)
			return "no TLS";
		return NULL;
	}
	case PROBE_SENDING:
		return send_some(probe);
	case PROBE_READING:
		return read_some(probe, ret_ended);
	case PROBE_RESTING:
		break;
	}
	return NULL;
}

void probe_step(struct probe *probe, void *context, uint64_t now_ns)
{
	bool ended = false;
	if (probe->state == PROBE_RESTING) {
		if (now_ns >= probe->next_ns)
			probe_begin(probe, now_ns);
		return;
	}
	if (now_ns - probe->began_ns > patience_ns) {
		probe_end(probe, now_ns, "too slow");
		return;
	}
	struct pollfd ready = probe_waits(probe);
	if (poll(&ready, 1, 0) <= 0)
		return;
	/* One state may lead to the next without waiting. */
	for (enum probe_state before = PROBE_RESTING; before != probe->state;) {
		before = probe->state;
		const char *fault = step(probe, context, &ended);
		if (fault != NULL || ended) {
			probe_end(probe, now_ns, fault);
			return;
		}
	}
}
