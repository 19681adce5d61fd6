/*
 * The origin that the five sites share: 50 slots, each busy for 50 ms with a request, so 1,000 requests a second and no
 * more. What finds no slot waits its turn. A request whose client has left still takes its time, as it does where a
 * process serves it.
 */
#ifndef GUIA_DRILL_ORIGIN_H
#define GUIA_DRILL_ORIGIN_H

#include "base/hash.h"
#include "drill/people.h"
#include "drill/record.h"

enum {
	ORIGIN_PORT = 8080,
	ORIGIN_SLOTS = 50,
	ORIGIN_BUSY_MS = 50,
};

/* A socket that listens at loopback. 0 or -errno. */
int origin_listen(int *ret_fd);

/* Serves until the process is ended. Returns -errno if it cannot. */
int origin_run(int listener, const struct hash_key *key, const struct people *people, struct record *record);

#endif
