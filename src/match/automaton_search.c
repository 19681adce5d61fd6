/*
 * Where the matches of one pattern begin and end. States tell fast where a match ends first; they do not tell where it
 * began, nor whether another began before it that ends later. So the stretch before that place is gone over once more
 * without states, with each instruction's earliest beginning beside it. A short stretch does mostly: what was under way
 * where it begins is known from the state there, and if none of it is left in the end, it did not matter. What goes on
 * for long is followed by states again, which tell whether it leads to a match.
 */
#include "base/error.h"
#include "match/automaton_internal.h"

#include <stdlib.h>

enum {
	POOL_CACHES = 48,                  /* of each shelf */
	POOL_INSTRUCTIONS = 40 * 1000 + 1, /* more than any pattern has */
	AHEAD_BYTES = 256,                 /* behind which a match is sought in several places at once */
	BACK_BYTES = 128,                  /* gone back over from where a match has ended, at first, ... */
	BACK_TIMES = 8,                    /* ... then so many times as far, ... */
	BACK_BYTES_MOST = 1024,
	NEARBY_BYTES = 320,        /* from where a stretch begins, in which a match mostly does */
	PATIENCE_BYTES = 64,       /* gone over before states are asked whether it leads on, at first, ... */
	PATIENCE_TIMES = 4,        /* ... then so many times as many */
	PATIENCE_AFTER_MATCH = 16, /* the same, when a match was found */
	STEPS_LEAST = 256,         /* in which the leftmost match is sought place by place */
	STEPS_EACH = 4,            /* of a byte */
	OLD = 0,                   /* a beginning before all that is gone over: nothing else begins there then */
};

/* Instructions in the order of their beginnings, the earliest first. */
struct threads {
	struct sparse set;
	size_t *begins; /* by place in set.dense */
};

/* Caches, and when each was last asked for. */
struct shelf {
	struct automaton_cache *caches[POOL_CACHES];
	uint64_t used[POOL_CACHES];
	uint64_t clock;
};

struct automaton_pool {
	struct shelf sets;
	struct shelf sequences; /* ordered */
	struct threads now, settled, next;
	uint32_t *stack;
};

static int threads_make(struct threads *t)
{
	t->begins = malloc(POOL_INSTRUCTIONS * sizeof(*t->begins));
	return t->begins == NULL ? -ENOMEM : sparse_make(&t->set, POOL_INSTRUCTIONS);
}

static void threads_free(struct threads *t)
{
	free(t->begins);
	sparse_free(&t->set);
}

static int shelf_fill(struct shelf *shelf, bool ordered)
{
	int r = 0;
	for (size_t i = 0; i < POOL_CACHES && r == 0; i++)
		r = automaton_cache_create_empty(ordered, shelf->caches[0], &shelf->caches[i]);
	return r;
}

static int fill(struct automaton_pool *pool)
{
	int r = shelf_fill(&pool->sets, false);
	r = r != 0 ? r : shelf_fill(&pool->sequences, true);
	pool->stack = malloc(2 * POOL_INSTRUCTIONS * sizeof(*pool->stack));
	if (r == 0 && (pool->stack == NULL || threads_make(&pool->now) != 0 || threads_make(&pool->settled) != 0 ||
		       threads_make(&pool->next) != 0))
		r = -ENOMEM;
	return r;
}

int automaton_pool_create(struct automaton_pool **ret_pool)
{
	struct automaton_pool *pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return -ENOMEM;
	int r = fill(pool);
	if (r != 0) {
		automaton_pool_free(pool);
		return r;
	}
	*ret_pool = pool;
	return 0;
}

void automaton_pool_free(struct automaton_pool *pool)
{
	if (pool == NULL)
		return;
	for (size_t i = 0; i < POOL_CACHES; i++) {
		automaton_cache_free(pool->sets.caches[i]);
		automaton_cache_free(pool->sequences.caches[i]);
	}
	threads_free(&pool->now);
	threads_free(&pool->settled);
	threads_free(&pool->next);
	free(pool->stack);
	free(pool);
}

static struct automaton_cache *take(struct shelf *shelf, const struct automaton *automaton)
{
	size_t oldest = 0;
	for (size_t i = 0; i < POOL_CACHES; i++) {
		if (shelf->used[i] != 0 && automaton_cache_is_of(shelf->caches[i], automaton)) {
			shelf->used[i] = ++shelf->clock;
			return shelf->caches[i];
		}
		oldest = shelf->used[i] < shelf->used[oldest] ? i : oldest;
	}
	automaton_cache_take(shelf->caches[oldest], automaton);
	shelf->used[oldest] = ++shelf->clock;
	return shelf->caches[oldest];
}

/* Goes from a row up to byte `to`. Returns the row there, or UNKNOWN for want of credit. */
static uint32_t go(const struct automaton *a, struct automaton_cache *c, uint32_t row, struct slice value, size_t from,
		   size_t to)
{
	for (size_t at = from; at < to; at++) {
		uint32_t class = class_at(a, value, at);
		uint32_t next = c->rows[row + class];
		if (next == UNKNOWN && c->credit_bytes <= 0)
			return UNKNOWN;
		row = next != UNKNOWN ? next : automaton_make_transition(a, c, row, class);
	}
	return row;
}

/* Where to seek. */
struct stretch {
	size_t begin; /* no match is under way here */
	size_t end;   /* a match has ended before here */
};

/* The rows behind the next blocks, at least one; returns how many. 0: there is no credit. From `far` on it looks ahead.
 */
static size_t find_rows(const struct automaton *a, struct automaton_cache *c, uint32_t row, struct slice value,
			size_t at, size_t *far, uint32_t *ret_rows)
{
	size_t count = at >= *far ? automaton_go_ahead(a, c, value, at, row, ret_rows) : 0;
	if (count > 0)
		return count;
	*far = at >= *far ? at + AHEAD_BYTES : *far;
	size_t end = value.len + 1 - at < AUTOMATON_BLOCK_BYTES ? value.len + 1 : at + AUTOMATON_BLOCK_BYTES;
	ret_rows[0] = go(a, c, row, value, at, end);
	return ret_rows[0] != UNKNOWN;
}

/* 1: there is a match, 0: there is none, -1: not known for want of credit, but none up to ret_stretch->begin. */
static int find_stretch(const struct automaton *a, struct automaton_cache *c, struct slice value, size_t from,
			struct stretch *ret_stretch)
{
	uint32_t row = automaton_start_row(a, c, before_at(a, value, from));
	uint32_t rows[AUTOMATON_AHEAD_BLOCKS];
	size_t far = from + AHEAD_BYTES;
	*ret_stretch = (struct stretch){from, value.len + 1};
	for (size_t at = from; at <= value.len;) {
		size_t count = find_rows(a, c, row, value, at, &far, rows);
		if (count == 0)
			return -1;
		for (size_t i = 0; i < count; i++) {
			const struct state *s = automaton_state(a, c, rows[i]);
			at = value.len + 1 - at < AUTOMATON_BLOCK_BYTES ? value.len + 1 : at + AUTOMATON_BLOCK_BYTES;
			ret_stretch->end = at;
			if (s->matched != 0)
				return 1;
			if (s->count == 0 && at <= value.len)
				ret_stretch->begin = at;
		}
		row = rows[count - 1];
	}
	return 0;
}

static void threads_add(struct threads *t, uint32_t at, size_t begin)
{
	t->begins[t->set.count] = begin;
	sparse_add(&t->set, at);
}

/* Adds `from` and what it leads to without a byte, where it is not yet. */
static void threads_close(const struct automaton *a, struct automaton_pool *pool, struct threads *t, uint32_t from,
			  size_t begin)
{
	uint32_t before = t->set.count;
	automaton_close(a, &t->set, from, pool->stack);
	for (uint32_t i = before; i < t->set.count; i++)
		t->begins[i] = begin;
}

static bool asserts(const struct automaton *a, const struct threads *t)
{
	for (uint32_t i = 0; i < t->set.count; i++)
		if (a->instructions[t->set.dense[i]].kind == INSTRUCTION_ASSERT)
			return true;
	return false;
}

static void exchange(struct threads *a, struct threads *b)
{
	struct threads kept = *a;
	*a = *b;
	*b = kept;
}

/* From pool->now to pool->settled: what assertions lead to comes before what began later. */
static void settle(const struct automaton *a, struct automaton_pool *pool, enum before before, uint32_t class)
{
	struct threads *settled = &pool->settled;
	if (!asserts(a, &pool->now)) {
		exchange(&pool->now, settled);
		return;
	}
	settled->set.count = 0;
	for (uint32_t i = 0; i < pool->now.set.count; i++) {
		uint32_t done = settled->set.count;
		threads_close(a, pool, settled, pool->now.set.dense[i], pool->now.begins[i]);
		for (; done < settled->set.count; done++) {
			const struct instruction *in = &a->instructions[settled->set.dense[done]];
			if (in->kind == INSTRUCTION_ASSERT && automaton_holds(a, in->operand, before, class))
				threads_close(a, pool, settled, in->next, pool->now.begins[i]);
		}
	}
}

/* What is sought and what was found. */
struct search {
	size_t begin; /* the earliest beginning of a match so far; SIZE_MAX */
	size_t end;   /* the last end of one that begins there */
};

/* From pool->settled, at place `at`, by a class to pool->next; what began after a match is left out. */
static void follow(const struct automaton *a, struct automaton_pool *pool, size_t at, uint32_t class,
		   struct search *search)
{
	struct threads *settled = &pool->settled;
	pool->next.set.count = 0;
	for (uint32_t i = 0; i < settled->set.count && settled->begins[i] <= search->begin; i++) {
		const struct instruction *in = &a->instructions[settled->set.dense[i]];
		if (in->kind == INSTRUCTION_MATCH)
			*search = (struct search){settled->begins[i], at};
		else if (in->kind == INSTRUCTION_SET && class != a->class_count - 1 &&
			 pattern_set_has(&a->class_sets[in->operand], (uint8_t) class))
			threads_close(a, pool, &pool->next, in->next, settled->begins[i]);
	}
}

/* What begins at `at` comes last, by what was worked out before any value. */
static void begin(const struct automaton *a, struct automaton_pool *pool, size_t at, size_t context,
		  struct search *search)
{
	for (uint32_t i = a->from[context]; i < a->from[context + 1]; i++)
		if (!sparse_has(&pool->next.set, a->places[i]))
			threads_add(&pool->next, a->places[i], at);
	if (a->start_matches[context] != 0)
		*search = (struct search){at, at};
}

/* How many of pool->now, from the front, began before `limit`. */
static uint32_t older_than(const struct automaton_pool *pool, size_t limit)
{
	uint32_t count = 0;
	while (count < pool->now.set.count && pool->now.begins[count] < limit)
		count++;
	return count;
}

/* The earliest beginning of what is in pool->now, at `at`, that leads to a match and is before `limit`; SIZE_MAX. */
static size_t earliest_that_leads(const struct automaton *a, struct automaton_pool *pool, struct slice value, size_t at,
				  size_t limit)
{
	struct automaton_cache *c = take(&pool->sequences, a);
	const uint32_t *threads = pool->now.set.dense;
	const size_t *begins = pool->now.begins;
	uint32_t none = 0, some = older_than(pool, limit);
	if (some == 0 || !automaton_leads_on(a, c, value, at, threads, some))
		return SIZE_MAX;
	/* Of the first `some` threads one leads to a match, of the first `none` none does. */
	while (begins[none] != begins[some - 1]) {
		uint32_t middle = older_than(pool, begins[none + (some - none) / 2]);
		if (middle <= none)
			middle = older_than(pool, begins[none] + 1);
		if (automaton_leads_on(a, c, value, at, threads, middle))
			some = middle;
		else
			none = middle;
	}
	return begins[none];
}

/* Nothing is left that could change what was found. */
static bool is_done(const struct automaton_pool *pool, const struct search *search, bool anchored)
{
	if (!anchored && search->begin == SIZE_MAX)
		return false;
	return pool->now.set.count == 0 || (!anchored && pool->now.begins[0] >= search->begin);
}

/*
 * Goes over the value from `from` on, with what is in pool->now. `anchored`: nothing begins later than there. From
 * `give_up` on it ends where nothing that is under way leads to a match.
 */
static struct search simulate(const struct automaton *a, struct automaton_pool *pool, struct slice value, size_t from,
			      bool anchored, size_t old_until, size_t give_up)
{
	struct search search = {SIZE_MAX, SIZE_MAX};
	enum before before = before_at(a, value, from);
	size_t patience = PATIENCE_BYTES, until = from + patience;
	for (size_t at = from; at <= value.len; at++) {
		uint32_t class = class_at(a, value, at);
		bool found = search.begin != SIZE_MAX;
		settle(a, pool, before, class);
		follow(a, pool, at, class, &search);
		if (search.begin == SIZE_MAX && (!anchored || at == from))
			begin(a, pool, at, (size_t)before * a->class_count + class, &search);
		exchange(&pool->now, &pool->next);
		before = automaton_before_after(a, class);
		if (is_done(pool, &search, anchored))
			break;
		if (at >= old_until && pool->now.set.count > 0 && pool->now.begins[0] == OLD)
			return (struct search){OLD, SIZE_MAX};
		if (!found && search.begin != SIZE_MAX && until > at + PATIENCE_AFTER_MATCH)
			until = at + PATIENCE_AFTER_MATCH;
		if (anchored || at < until)
			continue;
		size_t earliest = earliest_that_leads(a, pool, value, at + 1, search.begin);
		if (earliest != SIZE_MAX)
			return (struct search){earliest, SIZE_MAX};
		if (search.begin != SIZE_MAX || at >= give_up)
			break;
		pool->now.set.count = 0;
		patience *= PATIENCE_TIMES;
		until = at + patience;
	}
	return search;
}

static struct search simulate_afresh(const struct automaton *a, struct automaton_pool *pool, struct slice value,
				     size_t from, bool anchored)
{
	pool->now.set.count = 0;
	return simulate(a, pool, value, from, anchored, SIZE_MAX, SIZE_MAX);
}

/* From where the stretch begins, mostly shortly before a match that goes on for long. SIZE_MAX: there is none nearby.
 */
static size_t leftmost_nearby(const struct automaton *a, struct automaton_pool *pool, struct slice value,
			      const struct stretch *stretch)
{
	pool->now.set.count = 0;
	return simulate(a, pool, value, stretch->begin, false, SIZE_MAX, stretch->begin + NEARBY_BYTES).begin;
}

/* The same from within the stretch. OLD if what was under way there may matter. */
static size_t leftmost_from(const struct automaton *a, struct automaton_pool *pool, struct automaton_cache *c,
			    struct slice value, const struct stretch *stretch, size_t from)
{
	uint32_t row = automaton_start_row(a, c, before_at(a, value, stretch->begin));
	row = go(a, c, row, value, stretch->begin, from);
	if (row == UNKNOWN)
		return OLD;
	const struct state *s = automaton_state(a, c, row);
	pool->now.set.count = 0;
	for (uint32_t i = 0; i < s->count; i++)
		threads_add(&pool->now, c->members[s->members + i], OLD);
	return simulate(a, pool, value, from, false, stretch->end, SIZE_MAX).begin;
}

size_t automaton_leftmost(const struct automaton *automaton, struct automaton_pool *pool, struct slice value,
			  size_t from)
{
	struct automaton_cache *cache = take(&pool->sets, automaton);
	struct stretch stretch;
	automaton_earn(cache, value.len - from);
	int r = find_stretch(automaton, cache, value, from, &stretch);
	if (r == 0)
		return SIZE_MAX;
	if (r == 1 && automaton->ordered) {
		size_t steps = STEPS_LEAST + STEPS_EACH * (stretch.end - stretch.begin);
		size_t leftmost = automaton_ordered_begin(automaton, take(&pool->sequences, automaton), value,
							  stretch.begin, stretch.end - 1, steps);
		if (leftmost != SIZE_MAX)
			return leftmost;
	}
	if (r == 1 && stretch.end - stretch.begin > BACK_BYTES) {
		size_t leftmost = leftmost_nearby(automaton, pool, value, &stretch);
		if (leftmost != SIZE_MAX)
			return leftmost;
	}
	for (size_t back = BACK_BYTES; r == 1 && back <= BACK_BYTES_MOST && stretch.end - stretch.begin > back;
	     back *= BACK_TIMES) {
		size_t leftmost = leftmost_from(automaton, pool, cache, value, &stretch, stretch.end - back);
		if (leftmost != OLD)
			return leftmost;
	}
	return simulate_afresh(automaton, pool, value, stretch.begin, false).begin;
}

size_t automaton_longest(const struct automaton *automaton, struct automaton_pool *pool, struct slice value,
			 size_t from)
{
	return simulate_afresh(automaton, pool, value, from, true).end;
}

bool automaton_tells_first_end(const struct automaton *automaton)
{
	return automaton->ordered;
}

bool automaton_first_end(const struct automaton *automaton, struct automaton_pool *pool, struct slice value,
			 size_t from, size_t *ret_end)
{
	if (!automaton->ordered)
		return false;
	*ret_end = automaton_ordered_end(automaton, take(&pool->sequences, automaton), value, from);
	return true;
}
