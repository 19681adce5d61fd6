/*
 * A value that rules look at, and what is remembered about it: its bytes after each pipeline of transformations, and
 * what the scans of those bytes said. Everything lies in the transaction's arena. A value never changes; a variable
 * that changes gets a new one.
 */
#ifndef GUIA_ENGINE_VALUE_H
#define GUIA_ENGINE_VALUE_H

#include "base/arena.h"
#include "ruleset/ruleset.h"

#include <errno.h>

/* The bits of one scan. */
struct scan_result {
	const struct scan_group *group;
	struct scan_result *next;
	bool failed;
	uint64_t words[];
};

/* A value after a pipeline. */
struct result {
	struct slice bytes;
	struct result *same; /* the result of a shorter pipeline that has these very bytes; itself if there is none */
	struct scan_result *scans; /* of ->same only */
};

enum { VALUE_STEPS = 8 };

struct value {
	struct slice key;   /* within its collection; empty for a scalar */
	struct slice bytes; /* as the client sent it, or as its parser decoded it */
	size_t offset;      /* where it stood in the request, for the log's [ref]; */
	size_t sent_len;    /* its length there */
	enum variable part; /* of an argument: the narrower collection that holds it too, or ARGS, ARGS_NAMES */
	/* The steps of the courses that may match this value, as far as they are known: candidate.h. */
	uint16_t steps[VALUE_STEPS];
	uint8_t step_count;
	bool knows_steps;
	const uint64_t *all_steps; /* a bit for each, where there are more than fit above; else NULL */
	struct result **by_node; /* by node of the plan's tree of pipelines; NULL until a transformation is asked for */
};

/* Whether a step of the courses whose values are asked ahead, 0 or more, may match this one. */
static inline bool value_may_match(const struct value *value, int32_t step)
{
	if (value->all_steps != NULL)
		return (value->all_steps[step / 64] >> step % 64 & 1) != 0;
	for (uint8_t i = 0; i < value->step_count; i++)
		if (value->steps[i] == step)
			return true;
	return !value->knows_steps;
}

/* A match of a variable: what MATCHED_VAR, MATCHED_VARS and the logs tell of. */
struct matched {
	enum variable variable;
	bool counted;       /* &NAME */
	struct slice key;   /* within the collection; for a count, the target's selector */
	struct slice value; /* after transformations */
	struct slice name;  /* the whole name, where it is known already: variable_full_name() */
};

/* Values in order of arrival. Zero-initialise. */
struct value_set {
	struct value **items;
	uint32_t count;
	uint32_t capacity;
	uint32_t ordered_count;       /* of those that were in ->ordered when it was made */
	struct value *const *ordered; /* the same in ModSecurity's order: see order.h */
};

/* A new value of the set; NULL when the arena is exhausted, the set unchanged. */
struct value *value_set_add(struct value_set *set, struct arena *arena, struct slice key, struct slice bytes);

/* Room for one more. 0 or -ENOMEM. */
int value_set_grow(struct value_set *set, struct arena *arena);

/* Adds a value that another set holds too. 0 or -ENOMEM. */
static inline int value_set_share(struct value_set *set, struct arena *arena, struct value *value)
{
	if (set->count == set->capacity && value_set_grow(set, arena) != 0)
		return -ENOMEM;
	set->items[set->count++] = value;
	return 0;
}

/*
 * A name of `names` and what it names, of `values`, where they came: 0, or -ENOMEM with the sets as they were or longer
 * by the name.
 */
int value_sets_add(struct value_set *names, struct value_set *values, struct arena *arena, struct slice name,
		   size_t name_offset, struct slice bytes, size_t offset);

/* The one value of a set that has no other. 0, or -ENOMEM with the set empty. */
int value_set_only(struct value_set *set, struct arena *arena, struct slice bytes);

/* A value of no set, or NULL. */
struct value *value_new(struct arena *arena, struct slice key, struct slice bytes);

#endif
