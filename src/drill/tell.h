/*
 * What gives the attackers' tool away in this run: one or two of these, drawn from the seed. None is a mark: residents
 * with older browsers lack headers too, and people's queries have many shapes.
 */
#ifndef GUIA_DRILL_TELL_H
#define GUIA_DRILL_TELL_H

#include "base/buffer.h"
#include "drill/shape.h"

enum tell {
	TELL_ORDER = 1,  /* the order of headers is no browser's */
	TELL_ABSENT = 2, /* a header that nearly every browser sends is not there */
	TELL_QUERY = 4,  /* one more argument, always of the same shape */
	TELL_TIMING = 8, /* pauses within a burst are all alike */
};

struct tells {
	unsigned set;
	uint32_t order;  /* which permutation */
	unsigned absent; /* which of tell_absent_name */
	char argument[12];
	unsigned argument_digits;
};

enum {
	TELL_ABSENT_KINDS = 4,
};

/* Of the attack of a run; residents have none. */
struct tells tells_draw(const struct run_plan *plan);

/* "Accept-Language", ... */
extern const char *const tell_absent_name[TELL_ABSENT_KINDS];

/* "header order; no Accept-Language" */
void tells_describe(const struct tells *tells, struct buffer *out);

#endif
