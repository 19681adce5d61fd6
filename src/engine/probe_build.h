/*
 * How probes are built: looks are gathered from the courses' steps (probe_look.c); those at values of one name become a
 * set (probe_set.c); sets of one variable become a family (probe_build.c). What of all this depends on the variable
 * alone is in probe_shape.c.
 */
#ifndef GUIA_ENGINE_PROBE_BUILD_H
#define GUIA_ENGINE_PROBE_BUILD_H

#include "engine/probe.h"

/* How the values of a variable may be asked ahead of the phase's rules. */
enum probe_shape { PROBE_SHAPE_CHANGES, PROBE_SHAPE_SCALAR, PROBE_SHAPE_COLLECTION, PROBE_SHAPE_XML };

enum probe_shape probe_shape_of(enum variable variable);

/* Arguments are in two or three collections; they are asked once, as members of the widest. */
struct probe_home {
	enum variable variable;
	uint8_t parts; /* a bit for each enum probe_part */
};

struct probe_home probe_home_of(enum variable variable);

/* Whether it is the request line, or a part of it as the line alone gives it. */
bool probe_is_of_line(enum variable variable);

/* Before which phases a scalar may have got another value: a bit for each. */
uint8_t probe_phases_of(enum variable variable);

/* One link's look at one target. */
struct probe_look {
	struct probe_home home;
	const struct rule *rule;
	struct slice argument; /* of its operator; ptr NULL: not known */
	const struct target *target;
	uint16_t step; /* of a head; or a condition of a chain */
};

/* What grows here is on the heap and the builder's; what is in the plan's arena stays. */
struct probe_builder {
	struct plan *plan;
	struct probe_look *looks;
	size_t look_count;
	size_t look_capacity;
	struct probe_count *counts;
	size_t count_count;
	size_t count_capacity;
	uint64_t *always; /* in the arena */
	size_t bit_count; /* of steps and conditions */
	bool captures_are_fresh;
	struct probes *probes; /* in the arena */
};

/* Fills looks, counts, always, and the steps' conditions. 0 or -ENOMEM. */
int probe_looks_gather(struct probe_builder *b);

/* Whether the operator of a look can be asked ahead, its argument being known. */
bool probe_look_can_be_asked(const struct probe_look *look);

/*
 * The set of a part's values: of one name, beyond what is asked of all, or (name NULL) of all. `base` itself if nobody
 * looks. 0, -ENOMEM or -E2BIG.
 */
int probe_set_make(struct probe_builder *b, enum variable variable, unsigned part, const struct probe_look *name,
		   const struct probe_set *base, const struct probe_set **ret_set);

/* A copy in the arena; of nothing, too. NULL if there is no memory. */
void *probe_keep(struct arena *arena, const void *items, size_t bytes);

#endif
