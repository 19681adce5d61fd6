/*
 * Patterns as one automaton whose states are made as values need them (a lazy DFA, as in Cox, "Regular Expression
 * Matching in the Wild", 2010). A byte whose state is known costs a look into a table; a new state costs a microsecond
 * or so, once. Exact, and linear in the value.
 *
 * The automaton is immutable and shared; the states live in a cache, one per worker, of a fixed size: when it is full
 * it is emptied and begins anew. What a value may cost in states is bounded by credit; automaton_simulate() does
 * without states.
 */
#ifndef GUIA_MATCH_AUTOMATON_H
#define GUIA_MATCH_AUTOMATON_H

#include "base/buffer.h"
#include "base/reader.h"

struct automaton;
struct automaton_cache;
struct pattern; /* match/pattern.h */

enum {
	AUTOMATON_UNFIT = 1, /* outcome of adding a pattern */
	AUTOMATON_PATTERNS_MAX = 64,
};

struct automaton_builder; /* collects patterns */

/* `for_places`: for automaton_leftmost() and automaton_longest(). 0 or -ENOMEM. */
int automaton_builder_create(bool for_places, struct automaton_builder **ret_builder);
void automaton_builder_free(struct automaton_builder *builder);

/*
 * A pattern as for regex_compile(); the n-th to be added sets bit n of a run's result. 0; AUTOMATON_UNFIT, and nothing
 * was added, when it is not regular, too large, or one too many; -ENOMEM.
 */
int automaton_builder_add(struct automaton_builder *builder, struct slice pattern, unsigned flags);
int automaton_builder_add_parsed(struct automaton_builder *builder, const struct pattern *pattern);

/* Instructions so far: what the automaton's speed in making states depends on. */
size_t automaton_builder_size(const struct automaton_builder *builder);

/* 0 or -ENOMEM. The builder may be freed afterwards. */
int automaton_build(const struct automaton_builder *builder, struct automaton **ret_automaton);
void automaton_free(struct automaton *automaton);
/* The same for one owner more, each of which frees it; all of one thread. */
struct automaton *automaton_share(struct automaton *automaton);

/* Says what the automaton is: equal for automata of the same patterns, and for no others. */
struct automaton_name {
	uint8_t sha256[32];
};
const struct automaton_name *automaton_name(const struct automaton *automaton);

/* As bytes for a process of the same build, and back (match/image.h): 0, -ENOMEM, or -EBADMSG. */
void automaton_write(const struct automaton *automaton, struct buffer *out);
int automaton_read(struct reader *in, struct automaton **ret_automaton);

/*
 * One per worker. The cache does not refer to the automaton; it serves all of the same name. It is address space that
 * becomes memory as states are made: up to 10 MB for many patterns, some 500 bytes an instruction for one. 0 or
 * -ENOMEM.
 */
int automaton_cache_create(const struct automaton *automaton, struct automaton_cache **ret_cache);
void automaton_cache_free(struct automaton_cache *cache);

/* One automaton's part in a run over a value. */
struct automaton_run {
	const struct automaton *automaton; /* in */
	struct automaton_cache *cache;     /* in */
	bool lowered;                      /* in: the value is taken as if its ASCII letters were all lower case */
	bool busy;                         /* out: no more credit; `found` is what was found so far */
	uint64_t found;                    /* out: a bit for each pattern that matches */
	uint32_t row;                      /* private, as what follows */
	uint64_t emptied;                  /* how often its cache had been when the row was made */
};

/*
 * Takes several automata over one value together: each byte costs each of them a look into memory, and these go on side
 * by side. Allocates nothing. Making a state costs as much as some hundred bytes that meet known states, so a run
 * spends credit for each, which the bytes of all runs with the cache earn: where values keep needing new states it ends
 * as busy.
 */
void automaton_run(struct automaton_run *runs, size_t count, struct slice value);

/* Places where matches may begin: from `from` to `to`, that included. */
struct automaton_window {
	size_t from;
	size_t to;
};

/*
 * What automaton_run() finds with one automaton in a value where matches begin only within windows, which come in
 * order. False: it was busy, or a window led on too far, and automaton_run() is to be asked.
 */
bool automaton_run_windows(struct automaton_run *run, struct slice value, const struct automaton_window *windows,
			   size_t count);

/* What automaton_run() finds, without making states: slower, by the instructions that wait at a time, but never busy.
 */
uint64_t automaton_simulate(const struct automaton *automaton, struct automaton_cache *cache, struct slice value,
			    bool lowered);

/*
 * What finding the places of matches needs: caches for some automata at a time, of which that longest not asked for
 * makes room. One per worker. 0 or -ENOMEM.
 */
struct automaton_pool;
int automaton_pool_create(struct automaton_pool **ret_pool);
void automaton_pool_free(struct automaton_pool *pool);

/*
 * Where the leftmost match that begins at `from` or later begins; SIZE_MAX: nowhere. The automaton is of one pattern,
 * and built for places. Linear in the value, as all here.
 */
size_t automaton_leftmost(const struct automaton *automaton, struct automaton_pool *pool, struct slice value,
			  size_t from);

/* Where the longest match that begins at `from` ends; SIZE_MAX: none does. */
size_t automaton_longest(const struct automaton *automaton, struct automaton_pool *pool, struct slice value,
			 size_t from);

/*
 * Where the match that begins at `from` ends for a backtracking matcher as PCRE2 is, which takes the first way that
 * leads to one; SIZE_MAX: none does. False, and nothing told, of a pattern where a repeat may take an empty turn.
 */
bool automaton_first_end(const struct automaton *automaton, struct automaton_pool *pool, struct slice value,
			 size_t from, size_t *ret_end);

/* Whether automaton_first_end() tells it. */
bool automaton_tells_first_end(const struct automaton *automaton);

/* Whether its states take so much memory that caches of the processor no longer hold them. */
bool automaton_cache_is_large(const struct automaton_cache *cache);

struct automaton_cache_facts {
	uint64_t states_made;
	uint64_t emptied;
	uint64_t refused; /* runs that ended as busy */
	uint64_t bytes;   /* in the states and tables made so far */
	uint32_t instructions;
	uint32_t classes;
};
struct automaton_cache_facts automaton_cache_facts(const struct automaton_cache *cache);

#endif
