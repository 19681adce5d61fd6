/*
 * libmicrohttpd's callbacks. The head of a request makes a visit, its body is kept up to a bound, and it is answered
 * once it is whole, or at once where it announces too much.
 */
#include "screen/server.h"

#include "base/error.h"
#include "screen/send.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	IDLE_SECONDS = 15,    /* without a byte from or to a connection */
	MEMORY_BYTES = 32768, /* of a connection: its head must fit */
	READ_BYTES = 2048,
	BODY_READ_MAX = 65536,
};

/* ---- connections ---- */

static int socket_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static struct guest *guest_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void notice(void *context, struct MHD_Connection *connection, void **guest,
		   enum MHD_ConnectionNotificationCode what)
{
	struct server *server = context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		*guest = guests_come(&server->guests, socket_of(connection), server->routes.sight.now_ms);
	else if (*guest != NULL)
		guests_go(&server->guests, *guest);
}

/* ---- requests ---- */

static struct visit *visit_make(struct MHD_Connection *connection, const char *path, const char *method)
{
	struct visit *visit = calloc(1, sizeof(*visit));
	if (visit == NULL)
		return NULL;
	*visit = (struct visit){.connection = connection,
				.guest = guest_of(connection),
				.method = method,
				.path = path,
				.body = buffer_make(NULL)};
	return visit;
}

static void done(void *context, struct MHD_Connection *connection, void **visit, enum MHD_RequestTerminationCode how)
{
	struct server *server = context;
	struct visit *over = *visit;
	(void)connection, (void)how;
	if (over == NULL)
		return;
	if (over->guest != NULL)
		over->guest->waits_ms = server->routes.sight.now_ms;
	buffer_free(&over->body);
	free(over);
	*visit = NULL;
}

static enum MHD_Result answer(struct server *server, struct visit *visit)
{
	struct wish wish = {0};
	struct reply reply;
	struct MHD_Response *stream = NULL;
	routes_answer(&server->routes, visit, &reply, &wish);
	visit->guest->waits_ms = 0;
	if (reply.goes_on) {
		stream = streams_open(&server->streams, visit->connection, visit->guest, wish.session, wish.incident,
				      wish.language, wish.chosen);
		reply.status = stream != NULL ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
	}
	enum MHD_Result result = reply.body.error == 0 ? send_reply(visit, &reply, stream) : MHD_NO;
	buffer_free(&reply.body);
	return result;
}

/* What is too large is read on for a while, for the sake of who has yet to read our answer. */
static enum MHD_Result take_body(struct visit *visit, const char *data, size_t len)
{
	visit->body_len += len;
	visit->too_large = visit->too_large || visit->body_len > VISIT_BODY_MAX;
	if (!visit->too_large)
		buffer_add(&visit->body, slice_make(data, len));
	return visit->body_len <= BODY_READ_MAX ? MHD_YES : MHD_NO;
}

/* It says itself that it will be: it is answered before it comes. */
static bool is_announced_too_large(const struct visit *visit)
{
	const char *length = visit_header(visit, "Content-Length");
	return length != NULL && strtoull(length, NULL, 10) > VISIT_BODY_MAX;
}

static enum MHD_Result request(void *context, struct MHD_Connection *connection, const char *path, const char *method,
			       const char *version, const char *data, size_t *data_len, void **known)
{
	struct visit *visit = *known;
	(void)version;
	if (visit == NULL) {
		visit = *known = visit_make(connection, path, method);
		if (visit == NULL || visit->guest == NULL)
			return MHD_NO;
		visit->too_large = is_announced_too_large(visit);
		return visit->too_large ? answer(context, visit) : MHD_YES;
	}
	if (*data_len == 0)
		return answer(context, visit);
	size_t len = *data_len;
	*data_len = 0;
	return take_body(visit, data, len);
}

/* ---- the server ---- */

int server_begin(struct server *server, int fd)
{
	guests_begin(&server->guests);
	server->streams.guests = &server->guests;
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, request, server,
					  MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
					  (unsigned)GUESTS_ROOM, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
					  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES,
					  MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)READ_BYTES,
					  MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, notice, server,
					  MHD_OPTION_NOTIFY_COMPLETED, done, server, MHD_OPTION_END);
	if (server->daemon != NULL)
		return 0;
	close(fd);
	return -ENOMEM;
}

void server_end(struct server *server)
{
	if (server->daemon == NULL)
		return;
	streams_end(&server->streams);
	(void)MHD_run(server->daemon);
	MHD_stop_daemon(server->daemon);
}

int server_waits(const struct server *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int server_wait_ms(const struct server *server, int most_ms)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;
	return MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES && wait_ms < (unsigned)most_ms ? (int)wait_ms
												   : most_ms;
}

void server_step(struct server *server)
{
	const struct sight *sight = &server->routes.sight;
	streams_step(&server->streams, sight);
	(void)MHD_run(server->daemon);
	guests_step(&server->guests, sight->now_ms);
}
