/* Where a hostile value can stand in an exchange: one row a place. */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include "sample.h"

#include "base/buffer.h"

struct place {
	const char *name;
	bool many; /* the bytes are a whole query, body or Cookie header, of as many values as they make */
	void (*put)(struct slice value, struct arena *arena, struct sample *sample);
};

enum { PLACES = 20 };
extern const struct place places[PLACES];

/* An exchange that holds `value` at the place and is otherwise ordinary. */
void place_make(const struct place *place, struct slice value, struct arena *arena, struct sample *ret_sample);

#endif
