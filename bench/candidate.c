/* Each try is one whole exchange in process, by CPU time; one that was preempted is tried again, the least counts. */
#include "candidate.h"

#include "measure.h"

#include "base/buffer.h"

#include <math.h>
#include <sys/resource.h>

enum { ARENA_BYTES = 256 << 20, ARENA_RETAINED_BYTES = 8 << 20, EMPTY_RUNS = 200, SERIAL_BYTES = 8, TRIES = 4 };

static struct slice value_make(struct gauge *g, const struct candidate *c, size_t bytes)
{
	struct buffer out = buffer_make(&g->values);
	buffer_reserve(&out, bytes + c->unit.len + SERIAL_BYTES);
	buffer_add(&out, slice_sub(c->prefix, 0, bytes / 2));
	while (out.len < bytes)
		buffer_add(&out, c->unit);
	out.len = bytes < out.len ? bytes : out.len;
	if (out.len > SERIAL_BYTES) {
		out.len -= SERIAL_BYTES;
		buffer_printf(&out, "%08x", g->serial++);
	}
	return buffer_slice(&out);
}

static double exchange_ns(struct gauge *g, size_t place, struct slice value)
{
	struct sample sample;
	place_make(&places[place], value, &g->values, &sample);
	double start = cpu_ns();
	ours_run(g->ours, &sample, NULL);
	return cpu_ns() - start;
}

static long interruptions(void)
{
	struct rusage usage;
	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

/*
 * Where another process was let in the caches are another's afterwards: a value of 1 KB takes ten times as long then,
 * and so do the next few. Such a run is tried again, a few times.
 */
static double calm_exchange_ns(struct gauge *g, const struct candidate *c, size_t bytes)
{
	double least = INFINITY;
	bool calm = false;
	for (unsigned tries = 0; tries < TRIES && !calm; tries++) {
		long before = interruptions();
		arena_reset(&g->values);
		least = fmin(least, exchange_ns(g, c->place, value_make(g, c, bytes)));
		calm = interruptions() == before;
	}
	return least;
}

double candidate_cost(struct gauge *g, const struct candidate *c, size_t bytes, unsigned runs)
{
	double least = INFINITY;
	for (unsigned i = 0; i < runs; i++)
		least = fmin(least, calm_exchange_ns(g, c, bytes));
	return (least - g->empty_ns[c->place]) / (double)bytes;
}

void gauge_init(struct gauge *g, struct ours *ours)
{
	double samples[EMPTY_RUNS];
	*g = (struct gauge){.ours = ours};
	arena_init(&g->values, ARENA_BYTES, ARENA_RETAINED_BYTES);
	for (size_t place = 0; place < PLACES; place++) {
		for (size_t i = 0; i < EMPTY_RUNS; i++) {
			arena_reset(&g->values);
			samples[i] = exchange_ns(g, place, SLICE(""));
		}
		g->empty_ns[place] = spread_of(samples, EMPTY_RUNS).low;
	}
}

void gauge_destroy(struct gauge *g)
{
	arena_destroy(&g->values);
}
