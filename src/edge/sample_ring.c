/*
 * libbpf's ring buffer over the map. It takes its callback once, so `each` is kept in the ring for as long as a drain
 * lasts.
 */
#include "edge/sample_ring.h"

#include "base/error.h"

#include <bpf/libbpf.h>
#include <stdlib.h>

struct sample_ring {
	struct ring_buffer *ring;
	bool (*each)(void *context, const struct edge_sample *sample);
	void *context;
};

/* A record of another size is none of ours; lengths inside are the kernel's, and yet bounded. */
static int take(void *context, void *record, size_t bytes)
{
	struct sample_ring *ring = context;
	struct edge_sample sample;
	if (bytes < sizeof(sample))
		return 0;
	memcpy(&sample, record, sizeof(sample));
	if (sample.head_bytes > EDGE_SAMPLE_BYTES || sample.reason >= EDGE_REASONS)
		return 0;
	return ring->each(ring->context, &sample) ? 0 : -ECANCELED;
}

int sample_ring_open(const struct edge *edge, struct sample_ring **ret_ring)
{
	struct sample_ring *ring = calloc(1, sizeof(*ring));
	if (ring == NULL)
		return -ENOMEM;
	ring->ring = ring_buffer__new(edge->fds[EDGE_MAP_samples], take, ring, NULL);
	if (ring->ring == NULL) {
		int error = -errno;
		free(ring);
		return error;
	}
	*ret_ring = ring;
	return 0;
}

void sample_ring_close(struct sample_ring *ring)
{
	if (ring == NULL)
		return;
	ring_buffer__free(ring->ring);
	free(ring);
}

int sample_ring_fd(const struct sample_ring *ring)
{
	return ring_buffer__epoll_fd(ring->ring);
}

int sample_ring_drain(struct sample_ring *ring, bool (*each)(void *context, const struct edge_sample *sample),
		      void *context)
{
	ring->each = each;
	ring->context = context;
	int taken = ring_buffer__consume(ring->ring);
	return taken < 0 && taken != -ECANCELED ? taken : 0;
}
