/*
 * Heads of packets that the edge passed and dropped, a few of each a second. Anybody may have forged them: they tell
 * what a flood of packets looks like, never whom to ban.
 */
#ifndef GUIA_EDGE_SAMPLE_RING_H
#define GUIA_EDGE_SAMPLE_RING_H

#include "edge/edge.h"

struct sample_ring;

/* 0, -ENOMEM or -errno. */
int sample_ring_open(const struct edge *edge, struct sample_ring **ret_ring);
/* NULL is allowed. */
void sample_ring_close(struct sample_ring *ring);

/* To be polled for reading. */
int sample_ring_fd(const struct sample_ring *ring);

/* Gives what has come, without waiting; `each` returns whether to go on. 0 or -errno. */
int sample_ring_drain(struct sample_ring *ring, bool (*each)(void *context, const struct edge_sample *sample),
		      void *context);

#endif
