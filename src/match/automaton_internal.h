/* What the files of the automaton share. */
#ifndef GUIA_MATCH_AUTOMATON_INTERNAL_H
#define GUIA_MATCH_AUTOMATON_INTERNAL_H

#include "base/byte_set.h"
#include "codec/byte_kind.h"
#include "match/automaton.h"
#include "match/pattern.h"

enum before {
	BEFORE_OTHER,
	BEFORE_START,
	BEFORE_WORD,
	BEFORE_NEWLINE,
	BEFORE_COUNT,
};

#define NO_CLOSURE UINT32_MAX

enum instruction_kind {
	INSTRUCTION_SET,    /* takes a byte of a set, goes to next */
	INSTRUCTION_SPLIT,  /* goes to next and to other */
	INSTRUCTION_ASSERT, /* goes to next where the assertion holds */
	INSTRUCTION_MATCH,  /* its pattern has matched */
};

struct instruction {
	uint8_t kind;
	uint8_t pattern;  /* whose it is */
	uint32_t operand; /* set or assertion; from PATTERN_OTHER_NEXT on that, of the set of the number above it */
	uint32_t next;
	uint32_t other;
};

/* Bytes that no pattern tells apart are one class; the end of the value is the last class. */
struct automaton {
	struct automaton_name name;
	unsigned owners;
	bool for_places; /* a match under way is told from a beginning: what loops back to one stays in states */
	bool ordered;    /* of the two ways on from a split, PCRE2 would take `next` first */
	struct instruction *instructions;
	uint32_t instruction_count;
	uint32_t *starts; /* by pattern */
	uint32_t pattern_count;

	/*
	 * A match can begin anywhere, so what waits at the beginning of a pattern waits in every state. It is left out
	 * of states; what comes of it is worked out here for each class, after each kind of byte: places[from[i],
	 * from[i + 1]) with i = before * class_count + class. One of AUTOMATON_ENDS begins at one place: nothing of
	 * this.
	 */
	bool *at_start;     /* by instruction: waits at a beginning; false for places */
	bool starts_assert; /* an assertion does */
	bool asks_words;    /* some assertion asks whether a byte belongs to a word */
	bool asks_lines;    /* or begins a line */
	bool starts_late;   /* a match can begin elsewhere than where the value does */
	/*
	 * Bytes with which a match can begin, or before which one ends that has no byte; where the value or a line
	 * begins there may be others, so that newlines are among these where it matters. The second: the same of
	 * values taken as lower case.
	 */
	struct byte_set beginners[2];
	bool skips[2];    /* few bytes of plain text are in beginners */
	uint32_t *places; /* instructions reached by the class, not those at_start */
	size_t place_count;
	uint32_t *from;
	uint32_t *needs; /* by instruction: kinds of bytes that all ways from it to a match take */
	/* What a split leads to without a byte, splits aside: a count and as many instructions, at
	 * closures[closure_of[i]]; NO_CLOSURE where that was not worked out. */
	uint32_t *closures;
	size_t closure_words;
	uint32_t *closure_of;
	uint64_t *start_matches;        /* patterns that match without a byte there */
	struct pattern_set *class_sets; /* by set: the classes in it, in place of bytes */
	size_t set_count;
	uint32_t class_count; /* the end included: at most 257 */
	uint16_t class_of[256];
	uint16_t lowered_class_of[256]; /* of the byte in lower case */
	bool class_is_word[257];
	bool class_is_newline[257];
};

/* A set of instructions with constant-time insert and membership. */
struct sparse {
	uint32_t *dense;
	uint32_t *place;
	uint32_t count;
};

int sparse_make(struct sparse *s, size_t count);
void sparse_free(struct sparse *s);

static inline bool sparse_has(const struct sparse *s, uint32_t item)
{
	return s->place[item] < s->count && s->dense[s->place[item]] == item;
}

static inline void sparse_add(struct sparse *s, uint32_t item)
{
	s->place[item] = s->count;
	s->dense[s->count++] = item;
}

/*
 * Adds `from` and what it leads to without a byte, through splits, which may be left out; `stack` has room for twice
 * the instructions.
 */
void automaton_close(const struct automaton *a, struct sparse *set, uint32_t from, uint32_t *stack);

/* Whether an assertion holds between what came before and the class that comes. */
bool automaton_holds(const struct automaton *a, uint32_t assertion, enum before before, uint32_t class);

/* Adds what lies behind those assertions of the set that hold between what came before and the class that comes. */
void automaton_settle(const struct automaton *a, struct sparse *set, enum before before, uint32_t class,
		      uint32_t *stack);

/* Works out what is said of beginnings above. 0 or -ENOMEM. */
int automaton_prepare(struct automaton *a);

enum { UNKNOWN = 0 /* a transition not yet made; state 0 is never used */ };

struct state {
	uint64_t matched; /* patterns, on the way here */
	uint64_t hash;
	uint32_t members; /* place in cache->members */
	uint32_t count;
	uint32_t chain; /* next state of the same bucket */
	uint32_t needs; /* kinds of bytes of which all ways from here to a match take some */
	enum before before;
};

struct automaton_cache {
	struct automaton_name name;
	bool borrows;   /* stack, now, next and settled are another's */
	bool ordered;   /* states are sequences, the preferred instruction first, and not sets */
	uint32_t *rows; /* by state, then class: where the next state's row begins; last the state's number */
	uint32_t *members;
	struct state *states;
	uint32_t *buckets;
	uint32_t *stack;
	struct sparse now, next;
	struct sparse settled; /* where ordered */
	size_t row_words;      /* room in rows */
	uint32_t stride;
	uint32_t state_room; /* in states */
	uint32_t row_limit;  /* states that fit */
	uint32_t member_limit;
	uint32_t bucket_mask;
	uint32_t state_count;
	uint32_t member_count;
	uint32_t starts[BEFORE_COUNT]; /* rows; UNKNOWN: not made yet */
	int64_t credit_bytes;
	int64_t credit_most_bytes;
	uint32_t state_cost_bytes;
	struct automaton_cache_facts facts;
};

/*
 * For automaton_cache_take(), for any automaton of one pattern. What a step works in may be that of another such cache,
 * as ordered, without which it is of no use; NULL: its own. 0 or -ENOMEM.
 */
int automaton_cache_create_empty(bool ordered, const struct automaton_cache *lender,
				 struct automaton_cache **ret_cache);
bool automaton_cache_is_of(const struct automaton_cache *cache, const struct automaton *automaton);

/* The cache is for this automaton from now on; what it knew is forgotten. */
void automaton_cache_take(struct automaton_cache *cache, const struct automaton *automaton);

static inline const struct state *automaton_state(const struct automaton *a, const struct automaton_cache *c,
						  uint32_t row)
{
	return &c->states[c->rows[row + a->class_count]];
}

/* Makes the transition from a row by a class; returns the row it leads to. */
uint32_t automaton_make_transition(const struct automaton *a, struct automaton_cache *c, uint32_t row, uint32_t class);

/* The row of the state at a beginning, after what came before. */
uint32_t automaton_start_row(const struct automaton *a, struct automaton_cache *c, enum before before);

/* The row of the state of what is in c->next, made if it is new. Emptying the cache on the way is told by facts. */
uint32_t automaton_row_of(const struct automaton *a, struct automaton_cache *c, enum before before, uint64_t matched);

enum before automaton_before_after(const struct automaton *a, uint32_t class);

/* What came before a place of a value, and the class that comes there. */
static inline enum before before_at(const struct automaton *a, struct slice value, size_t at)
{
	return at == 0 ? BEFORE_START : automaton_before_after(a, a->class_of[value.ptr[at - 1]]);
}

static inline uint32_t class_at(const struct automaton *a, struct slice value, size_t at)
{
	return at < value.len ? a->class_of[value.ptr[at]] : a->class_count - 1;
}

/*
 * One step over sets: from c->now, after `before`, by a class, to c->next, which is not reduced yet. Returns the
 * patterns of which a match ends before the class's byte; those in `matched` are left out.
 */
uint64_t automaton_advance(const struct automaton *a, struct automaton_cache *c, enum before before, uint32_t class,
			   uint64_t matched);

/* A run over so many bytes may make so many states more. */
void automaton_earn(struct automaton_cache *c, size_t bytes);

/* Leaves in c->next what waits for a byte, beginnings aside. True if it asks what came before. */
bool automaton_reduce(const struct automaton *a, struct automaton_cache *c);

enum { AUTOMATON_BLOCK_BYTES = 64, AUTOMATON_AHEAD_BLOCKS = 64 };

/*
 * From a row at `at`, the rows behind the blocks that follow, as far as their transitions are known: returns how many
 * blocks, AUTOMATON_AHEAD_BLOCKS at most. 0: it is not known, or the value ends too soon for this to be worth it.
 */
size_t automaton_go_ahead(const struct automaton *a, const struct automaton_cache *c, struct slice value, size_t at,
			  uint32_t row, uint32_t *ret_rows);

/* automaton_first_end() with an ordered cache. */
size_t automaton_ordered_end(const struct automaton *a, struct automaton_cache *c, struct slice value, size_t from);

/*
 * The first place in `from` to `to` at which a match begins, tried place by place; SIZE_MAX: it was not found in so
 * many steps. An ordered cache.
 */
size_t automaton_ordered_begin(const struct automaton *a, struct automaton_cache *c, struct slice value, size_t from,
			       size_t to, size_t steps);

/* Whether a match ends at `at` or later by way of one of these instructions, which wait there. An ordered cache. */
bool automaton_leads_on(const struct automaton *a, struct automaton_cache *c, struct slice value, size_t at,
			const uint32_t *instructions, uint32_t count);

#endif
