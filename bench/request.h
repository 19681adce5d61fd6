/*
 * The benchmark's requests: one row a kind, made from a seed. In life, people come back: visitors, pages and words are
 * drawn from pools, with repetition. When new, every header value, argument, name of an argument, cookie and part of a
 * body differs from all before, in the same shape, so that nothing remembered can help.
 */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include "sample.h"

#include "base/arena.h"

struct request_maker;

/* NULL when the data cannot be read. The maker outlives what it makes. */
struct request_maker *request_maker_new(const char *data_folder, uint64_t seed);
void request_maker_free(struct request_maker *maker);

struct request_row {
	const char *name;
	const char *title;
	bool attack; /* both engines must refuse it; else they may, for rules have false alarms */
	void (*fill)(struct request_maker *maker, struct sample *sample);
};

enum { REQUEST_ROWS = 9 };

enum request_kind {
	REQUEST_LIFE,
	REQUEST_NEW,
	REQUEST_NEW_ATTACK, /* what attacks differs from all before, in a request as in life */
};

extern const struct request_row request_rows[REQUEST_ROWS];

/* NULL if there is none of that name. */
const struct request_row *request_row_find(const char *name);

/* Everything that *ret_sample points to lies in `arena` or in the maker. 0 or -ENOMEM. */
int request_make(struct request_maker *maker, const struct request_row *row, enum request_kind kind,
		 struct arena *arena, struct sample *ret_sample);

#endif
