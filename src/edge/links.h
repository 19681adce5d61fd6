/* The program's links to interfaces, each pinned by the interface's name in the folder of pins. */
#ifndef GUIA_EDGE_LINKS_H
#define GUIA_EDGE_LINKS_H

#include "edge/loader.h"

enum { LINKS_MOST = 64 };

/* By which interfaces were attached, their names as they were then. */
struct links {
	char of[LINKS_MOST][16];
	size_t count;
};

struct links links_pinned(const char *directory);

/*
 * Attaches all interfaces that the options name, and are not attached by this folder's links already, or none. They
 * last as long as the descriptors, which links_pin() takes. Lines of how each went, or why not, are added to `told`. 0
 * or an outcome of loader.h.
 */
struct links_made {
	int fds[LINKS_MOST]; /* of the interface of that place; -1: it was attached already */
	size_t count;
};
int links_make(const struct edge_options *options, int program, struct links_made *ret_made, struct buffer *told);
/* Pins those made, so that they stay, and closes the descriptors. 0 or -errno: then none is left. */
int links_pin(const struct edge_options *options, struct links_made *made);
/* Closes them, and so detaches them. */
void links_close(struct links_made *made);

/* Detaches at once, whoever else has a descriptor of it, and removes the pin. */
void link_drop(const char *directory, const char *name);

#endif
