/*
 * Attaches the edge's program to interfaces and pins all there is of it, or takes it all away; a command's work, as
 * root, over in a moment. What stays is the kernel's, and whoever is named may use the maps.
 */
#ifndef GUIA_EDGE_LOADER_H
#define GUIA_EDGE_LOADER_H

#include "base/buffer.h"
#include "edge/edge.h"

enum {
	EDGE_BANS = 1000000,
	EDGE_BANS_MOST = 16000000,

	EDGE_NOT_BUILT = 10, /* outcomes; a message always says more */
	EDGE_USER = 11,      /* what was asked cannot be: no such interface, another program there */
	EDGE_MACHINE = 12,   /* the machine does not do it: no rights, no memory, no XDP */
};

enum edge_mode {
	EDGE_ANY, /* native, else generic */
	EDGE_NATIVE,
	EDGE_GENERIC,
};

struct edge_limits {
	uint32_t per_s, burst;
};

struct edge_options {
	const char *directory;
	const char *const *interfaces;
	size_t interface_count;
	enum edge_mode mode;
	uint32_t bans;
	uint32_t samples_per_s;    /* of each kind, on each processor */
	unsigned uid, gid;         /* who may use the maps */
	bool user_said, rest_said; /* whether a person named that user, and any of what only new maps are given */
	struct edge_limits limits[EDGE_BUDGETS];
};

extern const struct edge_limits edge_usual_limits[EDGE_BUDGETS];

enum { EDGE_COOKIES_ALWAYS = 2 };

/* net.ipv4.tcp_syncookies: 0 never, 1 when a listener's queue is full, 2 always; negative: not known. */
int edge_syn_cookies(void);

/*
 * Whether the kernel tracks this network's connections: 1, 0; negative: not known. Where something asks it to, a packet
 * filter or NAT, there is always one, and else never.
 */
int edge_tracked(void);

/* Whether this build has the program. */
bool edge_is_built(void);

/*
 * All or nothing, also where the process is killed. Where an edge is attached already, its program is attached to those
 * interfaces that lack it, and then its maps are given to the user if one was named, one by one; of the rest it is said
 * that it stays. Lines of what was done, or why not, are added to `told`. 0 or an outcome of those above.
 */
int edge_attach(const struct edge_options *options, struct buffer *told);

/* Leaves no link, no pin, no map, whatever state it is in. 0 or an outcome; EDGE_USER where nothing was attached. */
int edge_detach(const char *directory, struct buffer *told);

/* Calls for each interface that a link is pinned for; `mode` is "native", "generic", or "gone" with the interface. */
void edge_interfaces(const char *directory, void (*each)(void *context, const char *name, const char *mode),
		     void *context);

#endif
