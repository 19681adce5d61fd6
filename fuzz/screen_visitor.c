/* One server for all inputs: each input is a connection of its own, and steps and the clock are moved by hand. */
#include "screen_visitor.h"

#include "screen/server.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEPS = 12, STEP_MS = 250, PIECE_BYTES = 65536, REST_MS = 1000 };

static struct server server;
static struct sockaddr_in place = {.sin_family = AF_INET};
static struct session *person;

static void begin(void)
{
	socklen_t len = sizeof(place);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct routes *routes = &server.routes;
	place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	routes->control = "/nowhere/control";
	routes->cookie = "guia-fuzz";
	sight_begin(&routes->sight, routes->control);
	routes->sight.now_ms = routes->sight.wall_ms = 1000000;
	person = sessions_enter(&routes->sessions, sessions_ticket(&routes->sessions, 1000000), getuid(), 1000000);
	if (person == NULL || bind(listener, (struct sockaddr *)&place, len) != 0 ||
	    getsockname(listener, (struct sockaddr *)&place, &len) != 0 || listen(listener, 8) != 0 ||
	    server_begin(&server, listener) != 0)
		abort();
}

static void spell(const uint8_t *data, size_t size, struct buffer *out)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] == VISITOR_COOKIE)
			buffer_printf(out, "guia-fuzz=%s", person->cookie);
		else if (data[i] == VISITOR_FORM)
			buffer_text(out, person->csrf);
		else if (data[i] == VISITOR_TICKET)
			buffer_text(out, sessions_ticket(&server.routes.sessions, server.routes.sight.now_ms));
		else
			buffer_byte(out, data[i]);
}

static void take(int fd, struct buffer *answer)
{
	ssize_t n;
	while (buffer_reserve(answer, PIECE_BYTES) == 0 &&
	       (n = recv(fd, answer->ptr + answer->len, PIECE_BYTES, MSG_DONTWAIT)) > 0)
		answer->len += (size_t)n;
}

static void step(uint64_t ms)
{
	server.routes.sight.now_ms += ms;
	server.routes.sight.wall_ms += ms;
	person->used_ms = server.routes.sight.now_ms;
	server_step(&server);
}

const struct session *visitor_ask(const uint8_t *data, size_t size, struct buffer *answer)
{
	struct buffer request = buffer_make(NULL);
	if (person == NULL)
		begin();
	person->news[0] = '\0';
	spell(data, size, &request);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&place, sizeof(place)) != 0)
		abort();
	(void)send(fd, request.ptr, request.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
	for (unsigned i = 0; i < STEPS; i++) {
		step(STEP_MS);
		take(fd, answer);
	}
	close(fd);
	step(REST_MS);
	buffer_free(&request);
	return person;
}
