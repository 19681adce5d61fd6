/* HTTP by libmicrohttpd, in the caller's loop: one thread, nothing waits. */
#ifndef GUIA_SCREEN_SERVER_H
#define GUIA_SCREEN_SERVER_H

#include "screen/routes.h"
#include "screen/stream.h"

struct server {
	struct MHD_Daemon *daemon;
	struct guests guests;
	struct streams streams;
	struct routes routes;
};

/* Takes the listening socket. 0 or -errno. */
int server_begin(struct server *server, int fd);
void server_end(struct server *server);

/* What to wait for, and how long at most. */
int server_waits(const struct server *server);
int server_wait_ms(const struct server *server, int most_ms);

void server_step(struct server *server);

#endif
