/* The kernel's part in an attack of packets: volley.bpf.c, loaded. In builds without the edge there is none. */
#ifndef GUIA_DRILL_VOLLEY_PROGRAM_H
#define GUIA_DRILL_VOLLEY_PROGRAM_H

#include "drill/volley_frame.h"

#include <stdbool.h>

struct volley_program;

/* Whether this kernel takes the program, and lets it send: Linux 5.18 is the first that does. */
bool volley_program_may_be(void);

/* What comes back by the link out, of which what is for nobody ends there. */
enum volley_answers {
	VOLLEY_ANSWERS_BEHIND,  /* a router, which sees to them */
	VOLLEY_ANSWERS_PACKETS, /* a kernel's */
	VOLLEY_ANSWERS_FRAMES,  /* an edge's, which go only to who takes frames */
};

/* By their names in the network that the caller is in. */
struct volley_links {
	const char *out;      /* by which packets go */
	const char *home;     /* another one, by which nothing goes, whose other end takes frames */
	const char *visitors; /* by which visitors' packets come, who take their turns; NULL: they need not */
	enum volley_answers answers;
};

/* Attached until it is unloaded. 0 or -errno. */
int volley_program_load(const struct volley_links *links, struct volley_program **ret_program);

/* VOLLEY_FRAMES of them, to be filled before any is sent. */
struct volley_frame *volley_program_frames(struct volley_program *program);

/*
 * Sends the next ones, none of which may have more than `most_bytes`. Visitors' packets are evenly among them, from one
 * that `place` decides on, any number. Returns how many were sent.
 */
uint32_t volley_program_send(struct volley_program *program, uint32_t count, uint32_t place, uint32_t most_bytes);

/* No visitor's packet waits any more, nor any that still comes. */
void volley_program_end(struct volley_program *program);

void volley_program_unload(struct volley_program *program);

#endif
