/*
 * Requests kept of very many, in memory of a fixed size: of quiet days, and of the last seconds. Whoever sees a request
 * asks for a place and fills it in if there is one, so that a request that is not kept costs nearly nothing.
 *
 * Pure; one thread. Chance comes from a generator of the sample's own.
 */
#ifndef GUIA_TRAFFIC_SAMPLE_H
#define GUIA_TRAFFIC_SAMPLE_H

#include "traffic/signature.h"

/* What a signature may ask of a request, without what is made of the rest. */
struct sampled {
	uint64_t field[SIGNATURE_GIVEN];
	uint32_t present;
	uint32_t at_s; /* wall time */
	struct address source;
};

/* The whole of it; `regular` is the caller's to know. */
struct signature_request sampled_request(const struct sampled *sampled);

enum {
	SAMPLE_LIFE_HOURS = 7 * 24, /* so old is a quiet request in the mean, where there are many */
	SAMPLE_YOUNG_S = 600,       /* what an episode shows to have been none of quiet days' */
};

/*
 * Of all requests of quiet days each is as likely as any (Vitter's algorithm R, 1985), save that older ones fade away
 * by the week.
 */
struct quiet_sample {
	struct sampled *items;
	size_t count;
	size_t room;
	size_t most; /* 0: nothing is kept */
	double seen; /* requests, older ones counting less */
	uint64_t faded_hour;
	uint64_t random;
};

/* A place for this request, or NULL: for most, or where there is no memory. */
struct sampled *quiet_sample_place(struct quiet_sample *sample, uint64_t wall_s);

/* An episode is over: what came in the ten minutes before it is no quiet request. */
void quiet_sample_forget(struct quiet_sample *sample, uint64_t from_s, uint64_t to_s);
void quiet_sample_release(struct quiet_sample *sample);

enum { RECENT_WINDOW_MS = 250, RECENT_WINDOWS = 16 };

/* Of the last four seconds, in windows of which each keeps as many. */
struct recent_sample {
	struct sampled *items; /* NULL: nothing is kept */
	uint32_t each;
	uint64_t random;
	struct recent_window {
		uint64_t number; /* of windows since the clock began */
		uint64_t seen;
		uint32_t count;
	} windows[RECENT_WINDOWS];
};

/* Room for so many of each window. 0 or -ENOMEM. */
int recent_sample_init(struct recent_sample *sample, uint32_t each, uint64_t seed);
void recent_sample_release(struct recent_sample *sample);

struct sampled *recent_sample_place(struct recent_sample *sample, uint64_t now_ms);

/*
 * Those of whole windows from `from_ms` on, each request of that time as likely as any: pointers, good until the next
 * place is asked for. At most each * RECENT_WINDOWS. *ret_seen: how many came then; *ret_ms: how long that was.
 */
size_t recent_sample_gather(struct recent_sample *sample, uint64_t from_ms, uint64_t now_ms,
			    const struct sampled **places, uint64_t *ret_seen, uint64_t *ret_ms);

/*
 * Walks all that are kept of whole windows from `from_ms` on, from *cursor == 0, however likely each was; NULL at the
 * end.
 */
const struct sampled *recent_sample_next(const struct recent_sample *sample, uint64_t from_ms, uint64_t now_ms,
					 size_t *cursor);

#endif
