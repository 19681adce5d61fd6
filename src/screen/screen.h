/*
 * The screen: pages for the duty officer, served on a loopback address of its own by a process of its own, which knows
 * only what the watch answers and what is on record. Nothing of the gate's passes through it, and the gate does not
 * know of it.
 */
#ifndef GUIA_SCREEN_SCREEN_H
#define GUIA_SCREEN_SCREEN_H

#include "base/slice.h"

#include <stddef.h>

#define SCREEN_LISTEN "127.0.0.1:9180"

enum {
	SCREEN_BUSY = 1, /* another screen serves this run directory */
};

struct screen_options {
	const char *listen;  /* as screen_listen_valid() has it; NULL: the usual port, or any that is free */
	const char *control; /* the watch's socket, as the user that is become may reach it */
	const char *own;     /* our socket: `guia screen --address` asks here */
	const char *user;    /* whom to become once sockets are made; NULL: nobody else */
};

/* What a listening address should be; NULL: it is that: "127.0.0.1:9180", "[::1]:9180"; port 0: any. */
const char *screen_listen_valid(struct slice text);

/* Until SIGTERM or SIGINT. Prints the address to open on stderr. 0, SCREEN_BUSY, or -errno with *ret_what. */
int screen_run(const struct screen_options *options, const char **ret_what);

#endif
