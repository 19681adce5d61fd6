/* The kernel's part in an attack of packets: volley.bpf.c, loaded. In builds without the edge there is none. */
#ifndef GUIA_DRILL_VOLLEY_PROGRAM_H
#define GUIA_DRILL_VOLLEY_PROGRAM_H

#include "drill/volley_frame.h"

#include <stdbool.h>

struct volley_program;

/* Whether this kernel takes the program, and lets it send: Linux 5.18 is the first that does. */
bool volley_program_may_be(void);

/*
 * Attached for as long as the process is there to the link by which packets go, of the network that the caller is in,
 * and to the one by which visitors' come, who take their turns; NULL: they need not. 0 or -errno.
 */
int volley_program_load(const char *link, const char *home_link, const char *visitors_link, struct volley_program **ret_program);

/* VOLLEY_FRAMES of them, to be filled before any is sent. */
struct volley_frame *volley_program_frames(struct volley_program *program);

/*
 * Sends the next ones, none of which may have more than `most_bytes`. Visitors' packets are evenly among them, from one
 * that `place` decides on, any number. Returns how many were sent.
 */
uint32_t volley_program_send(struct volley_program *program, uint32_t count, uint32_t place, uint32_t most_bytes);

/* No visitor's packet waits any more, nor any that still comes. */
void volley_program_end(struct volley_program *program);

#endif
