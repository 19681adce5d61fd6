/*
 * One thread and an epoll set. The queue is a ring whose first `busy` are in slots; all take the same time, so they are
 * done in the order in which they came.
 */
#include "drill/origin.h"

#include "base/buffer.h"
#include "base/error.h"
#include "drill/page.h"
#include "http/request.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BACKLOG = 511,
	QUEUE = 1 << 15, /* more than the gate has connections */
	EVENTS = 256,
	READ_BYTES = 16 << 10,
	PARSE_ARENA_BYTES = 1 << 20,
};

/* A connection of the gate's. It has one request at a time: the gate does not pipeline. */
struct visitor {
	int fd; /* -1: gone, but its request is not done */
	bool waiting;
	bool kept;
	uint64_t asked;
	int64_t done_ns; /* in a slot: when it is done */
	struct buffer in;
};

/* First in, first out: those in a slot are the first `busy` from `first` on, the others wait. */
struct origin {
	const struct hash_key *key;
	const struct people *people;
	struct record *record;
	struct visitor **queue;
	size_t first;
	size_t count;
	size_t busy;
	int poll;
	int listener;
	struct arena arena;
};

int origin_listen(int *ret_fd)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(ORIGIN_PORT)};
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, BACKLOG) != 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

static struct visitor **queue_at(struct origin *o, size_t index)
{
	return &o->queue[(o->first + index) % QUEUE];
}

static struct origin_second *second_now(struct origin *o, int64_t now_ns)
{
	int64_t start_ns = atomic_load(&o->record->start_ns);
	return start_ns == 0 || now_ns < start_ns ? NULL : &o->record->origin[record_second(now_ns - start_ns)];
}

static void visitor_free(struct visitor *v)
{
	if (v->fd >= 0)
		close(v->fd);
	buffer_free(&v->in);
	free(v);
}

/* Whoever waits in the queue is freed when its request is done. */
static void leave(struct visitor *v)
{
	if (!v->waiting) {
		visitor_free(v);
		return;
	}
	close(v->fd);
	v->fd = -1;
}

static void fill_slots(struct origin *o, int64_t now_ns)
{
	for (; o->busy < o->count && o->busy < ORIGIN_SLOTS; o->busy++)
		(*queue_at(o, o->busy))->done_ns = now_ns + (int64_t)ORIGIN_BUSY_MS * 1000000;
	struct origin_second *second = second_now(o, now_ns);
	if (second == NULL)
		return;
	if (second->busiest < o->busy)
		second->busiest = (uint32_t)o->busy;
	if (second->longest < o->count - o->busy)
		second->longest = (uint32_t)(o->count - o->busy);
}

static void answer(struct origin *o, struct visitor *v, int64_t now_ns)
{
	char out[PAGE_BYTES + 256];
	int head = snprintf(out, 256,
			    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n%s\r\n",
			    PAGE_BYTES, v->kept ? "" : "Cache-Control: private, no-store\r\n");
	page_write(o->key, v->asked, now_ns, out + head);
	size_t len = (size_t)head + PAGE_BYTES;
	/* A page fits what the kernel holds for a connection with nothing under way. */
	if (send(v->fd, out, len, MSG_NOSIGNAL) != (ssize_t)len)
		leave(v);
}

static void finish(struct origin *o, int64_t now_ns)
{
	while (o->busy > 0 && (*queue_at(o, 0))->done_ns <= now_ns) {
		struct visitor *v = *queue_at(o, 0);
		o->first = (o->first + 1) % QUEUE;
		o->count--;
		o->busy--;
		v->waiting = false;
		if (v->fd < 0)
			visitor_free(v);
		else
			answer(o, v, now_ns);
	}
	fill_slots(o, now_ns);
}

static void count(struct origin *o, const struct request *request, int64_t now_ns)
{
	char address[64];
	const struct field *field = field_list_find(&request->headers, SLICE("X-Real-IP"));
	struct origin_second *second = second_now(o, now_ns);
	if (field == NULL || second == NULL)
		return;
	snprintf(address, sizeof(address), "%.*s", SLICE_ARG(field->value));
	if (people_attacks(o->people, address))
		second->attackers++;
	else
		second->residents++;
}

static bool is_private(const struct request *request)
{
	static const struct slice own[] = {SLICE_INIT("/account"), SLICE_INIT("/search"), SLICE_INIT("/login")};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (slice_starts_with(request->uri, own[i]))
			return true;
	return false;
}

static const char *text_of(struct arena *arena, struct slice s)
{
	const char *text = arena_string(arena, s);
	return text != NULL ? text : "";
}

static void take(struct origin *o, struct visitor *v, const struct request *request, int64_t now_ns)
{
	v->asked = page_asked(o->key, text_of(&o->arena, request->method), text_of(&o->arena, request->host),
			      text_of(&o->arena, request->unparsed_uri), text_of(&o->arena, request->body));
	v->kept = !is_private(request);
	v->waiting = true;
	v->in.len = 0;
	count(o, request, now_ns);
	*queue_at(o, o->count) = v;
	o->count++;
	fill_slots(o, now_ns);
}

/* What the gate sent so far; a request that is whole is taken. False if it is none. */
static bool look(struct origin *o, struct visitor *v)
{
	struct request_parser_options options = request_parser_defaults();
	struct request request;
	struct slice bytes = buffer_slice(&v->in);
	if (v->waiting || slice_find(bytes, SLICE("\r\n\r\n"), 0) == bytes.len)
		return true;
	arena_reset(&o->arena);
	int r = request_parse(bytes, &options, &o->arena, &request);
	if (r == 0 && o->count < QUEUE) {
		take(o, v, &request, clock_now_ns());
		return true;
	}
	return r == REQUEST_REFUSED && request.truncated;
}

static void hear(struct origin *o, struct visitor *v, bool ends)
{
	while (buffer_reserve(&v->in, READ_BYTES) == 0) {
		ssize_t n = recv(v->fd, v->in.ptr + v->in.len, READ_BYTES, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			break;
		v->in.len += (size_t)n;
		if (!look(o, v))
			break;
		if (n < READ_BYTES && !ends)
			return;
	}
	leave(v);
}

static void greet(struct origin *o)
{
	for (int fd; (fd = accept4(o->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
		struct visitor *v = calloc(1, sizeof(*v));
		struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = v};
		if (v == NULL || epoll_ctl(o->poll, EPOLL_CTL_ADD, fd, &event) != 0) {
			free(v);
			close(fd);
			return;
		}
		v->fd = fd;
	}
}

static int wait_events(struct origin *o, struct epoll_event events[EVENTS])
{
	if (o->busy == 0)
		return epoll_wait(o->poll, events, EVENTS, -1);
	int64_t left_ns = (*queue_at(o, 0))->done_ns - clock_now_ns();
	struct timespec wait = {.tv_nsec = left_ns > 0 ? left_ns : 0};
	return epoll_pwait2(o->poll, events, EVENTS, &wait, NULL);
}

int origin_run(int listener, const struct hash_key *key, const struct people *people, struct record *record)
{
	struct origin o = {.key = key, .people = people, .record = record, .listener = listener};
	struct epoll_event events[EVENTS], own = {.events = EPOLLIN, .data.ptr = NULL};
	arena_init(&o.arena, PARSE_ARENA_BYTES, 64 << 10);
	o.queue = calloc(QUEUE, sizeof(struct visitor *));
	o.poll = epoll_create1(EPOLL_CLOEXEC);
	if (o.queue == NULL || o.poll < 0 || epoll_ctl(o.poll, EPOLL_CTL_ADD, listener, &own) != 0)
		return -errno;
	while (true) {
		int ready = wait_events(&o, events);
		if (ready < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < ready; i++) {
			struct visitor *v = events[i].data.ptr;
			if (v == NULL)
				greet(&o);
			else
				hear(&o, v, (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
		}
		finish(&o, clock_now_ns());
	}
}
