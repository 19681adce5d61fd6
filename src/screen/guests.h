/*
 * Connections, as many as there is room for. Whoever has shown a session's cookie keeps his place; of the others the
 * one that came first makes room for one that comes, then of his those that are idle, so that no number of them keeps
 * the operator out. A connection that has not brought a whole request in time, or has been there for too long, is cut:
 * its socket is shut down, and whoever serves it sees its end.
 */
#ifndef GUIA_SCREEN_GUESTS_H
#define GUIA_SCREEN_GUESTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	GUESTS_MAX = 256,
	GUESTS_ROOM = 384,       /* with those that are cut and not yet gone: no more may come */
	GUEST_REQUEST_MS = 5000, /* from its beginning, or the end of its last request, to a whole request */
	GUEST_LIFE_MS = 120000,  /* of one that is no stream */
};

struct guest {
	int fd; /* -1: free */
	uint64_t came_ms;
	uint64_t waits_ms; /* for a request, since then; 0: it is being answered */
	bool known;        /* it has shown a session's cookie */
	bool stream;
	bool cut;
	bool has_user;
	uid_t user;
};

struct guests {
	struct guest guests[GUESTS_ROOM];
	unsigned count; /* without those that are cut */
	unsigned streams;
};

void guests_begin(struct guests *guests);

/* One comes. NULL: there is no room. */
struct guest *guests_come(struct guests *guests, int fd, uint64_t now_ms);
void guests_go(struct guests *guests, struct guest *guest);

/* Cuts those whose time is over. */
void guests_step(struct guests *guests, uint64_t now_ms);

/* The user at the other end. False: it cannot be told. */
bool guest_user(struct guest *guest, uid_t *ret_user);

#endif
