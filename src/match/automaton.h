/*
 * Patterns that Hyperscan finds too large, as one automaton whose states are made as values need them (a lazy DFA, as
 * in Cox, "Regular Expression Matching in the Wild", 2010). A byte whose state is known costs a look into a table; a
 * new state costs some microseconds, once. Exact, and linear in the value.
 *
 * The automaton is immutable and shared; the states live in a cache, one per worker, of a fixed size: when it is full
 * it is emptied and begins anew.
 */
#ifndef GUIA_MATCH_AUTOMATON_H
#define GUIA_MATCH_AUTOMATON_H

#include "base/slice.h"

struct automaton;
struct automaton_cache;

enum {
	AUTOMATON_UNFIT = 1, /* outcome of adding a pattern */
	AUTOMATON_PATTERNS_MAX = 64,
};

struct automaton_builder; /* collects patterns */

/* 0 or -ENOMEM. */
int automaton_builder_create(struct automaton_builder **ret_builder);
void automaton_builder_free(struct automaton_builder *builder);

/*
 * A pattern as for regex_compile(); the n-th to be added sets bit n of a run's result. 0; AUTOMATON_UNFIT, and nothing
 * was added, when it is not regular, too large, or one too many; -ENOMEM.
 */
int automaton_builder_add(struct automaton_builder *builder, struct slice pattern, unsigned flags);

/* Instructions so far: what the automaton's speed in making states depends on. */
size_t automaton_builder_size(const struct automaton_builder *builder);

/* 0 or -ENOMEM. The builder may be freed afterwards. */
int automaton_build(const struct automaton_builder *builder, struct automaton **ret_automaton);
void automaton_free(struct automaton *automaton);

/* Says what the automaton is: equal for automata of the same patterns, and for no others. */
struct automaton_name {
	uint8_t sha256[32];
};
const struct automaton_name *automaton_name(const struct automaton *automaton);

/* One per worker. The cache does not refer to the automaton; it serves all of the same name. 0 or -ENOMEM. */
int automaton_cache_create(const struct automaton *automaton, struct automaton_cache **ret_cache);
void automaton_cache_free(struct automaton_cache *cache);

/* One automaton's part in a run over a value. */
struct automaton_run {
	const struct automaton *automaton; /* in */
	struct automaton_cache *cache;     /* in */
	bool bounded;                      /* in */
	bool busy;                         /* out: a bounded run had no more credit; `found` is what it found so far */
	uint64_t found;                    /* out: a bit for each pattern that matches */
	uint32_t row;                      /* private */
};

enum { AUTOMATON_RUNS_MAX = 16 };

/*
 * Takes several automata over one value together: each byte costs each of them a look into memory, and these go on side
 * by side. Allocates nothing. Making a state costs as much as some hundred bytes that meet known states, so a bounded
 * run spends credit for each, which the bytes of all its runs earn: where values keep needing new states it ends as
 * busy, and the caller asks another engine.
 */
void automaton_run(struct automaton_run *runs, size_t count, struct slice value);

struct automaton_cache_facts {
	uint64_t states_made;
	uint64_t emptied;
	uint64_t refused; /* runs that ended as busy */
	uint32_t instructions;
	uint32_t classes;
};
struct automaton_cache_facts automaton_cache_facts(const struct automaton_cache *cache);

#endif
