/* The scan itself. */
#include "base/error.h"
#include "base/vector.h"
#include "match/scan_internal.h"

#include <stdlib.h>

enum {
	FACTORS_SOUGHT_MOST = 3,  /* by themselves; more are left to the database */
	SOUGHT_BYTES_LEAST = 512, /* in shorter values words are not worth making tables for */
};

struct findings {
	struct scan_view views[SCAN_VIEWS]; /* ret_bits NULL: not asked for */
	uint32_t found;                     /* by the first view that is asked for */
	uint32_t findable;
	uint64_t *open;
	uint32_t open_count;
	const struct scan_set *set;
	enum byte_level level; /* of the value */
	uint32_t first_factor_id;
	const uint64_t *wanted; /* slots, of any view; of a long value */
	struct scan_hits *hits; /* of a long value; else NULL */
	struct scan_found_signs signs;
};

static void set_bit(struct findings *f, unsigned view, uint32_t id)
{
	uint64_t *word = &f->views[view].ret_bits[id / 64];
	uint64_t bit = (uint64_t)1 << (id % 64);
	f->found += (view == 0 || f->views[0].ret_bits == NULL) && (*word & bit) == 0;
	*word |= bit;
}

static void open_gate(struct findings *f, uint32_t slot)
{
	uint64_t *word = &f->open[slot / 64];
	uint64_t bit = (uint64_t)1 << (slot % 64);
	f->open_count += (*word & bit) == 0;
	*word |= bit;
}

/* The hits of a slot that is wanted of a long value; NULL: it is not, or they are not told. */
static struct scan_slot_hits *hits_of_slot(struct findings *f, uint32_t slot)
{
	if (f->hits == NULL || (f->wanted[slot / 64] >> slot % 64 & 1) == 0)
		return NULL;
	return scan_hits_of_slot(f->hits, slot);
}

static void find_factor(struct findings *f, size_t factor)
{
	uint32_t slot = f->set->factors.items[factor].slot;
	struct scan_slot_hits *of = hits_of_slot(f, slot);
	open_gate(f, slot);
	if (of != NULL)
		scan_hits_add(f->hits, of, f->set, factor);
}

/* Called by Hyperscan for a hit; anything but 0 ends the scan. */
static int on_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	(void)from;
	(void)to;
	(void)flags;
	struct findings *f = context;
	if (id >= f->first_factor_id)
		find_factor(f, id - f->first_factor_id);
	else
		for (unsigned view = 0; view < SCAN_VIEWS; view++)
			if (f->views[view].ret_bits != NULL)
				set_bit(f, view, id);
	/* Of a long value all factors are wanted, not only one of each gate. */
	return f->found == f->findable && f->open_count == f->set->gate_count && f->hits == NULL;
}

/* The bits of a group's patterns, among those of all slots. */
static uint64_t slots_of(const uint64_t *slots, const struct scan_automaton *a)
{
	size_t word = a->first_slot / 64, shift = a->first_slot % 64;
	uint64_t bits = slots[word] >> shift;
	if (shift + a->count > 64)
		bits |= slots[word + 1] << (64 - shift);
	return a->count == 64 ? bits : bits & (((uint64_t)1 << a->count) - 1);
}

static bool wants_entries(const struct scan_set *set, const struct scan_view *view)
{
	const uint64_t *slots = view->slots;
	return view->ret_bits != NULL &&
	       (slots == NULL || (slots[set->slot_count / 64] >> (set->slot_count % 64) & 1) != 0);
}

static size_t factors_of(const struct scan_set *set, uint32_t slot)
{
	return set->first_factor[slot + 1] - set->first_factor[slot];
}

/* How many factors open the gates of what a view wants. */
static size_t wanted_factors(const struct scan_set *set, const struct scan_view *view)
{
	size_t count = 0;
	for (size_t i = 0; view->ret_bits != NULL && i < set->automaton_count; i++) {
		const struct scan_automaton *a = &set->automata[i];
		for (uint64_t left = a->gated ? slots_of(view->slots, a) : 0; left != 0; left &= left - 1)
			count += factors_of(set, a->first_slot + (uint32_t)__builtin_ctzll(left));
	}
	return count;
}

/* Opens gates without the database: each factor is sought by itself. */
static void seek_factors(const struct scan_set *set, const struct scan_view *view, struct slice value,
			 struct findings *f)
{
	for (size_t i = 0; view->ret_bits != NULL && i < set->automaton_count; i++) {
		const struct scan_automaton *a = &set->automata[i];
		for (uint64_t left = a->gated ? slots_of(view->slots, a) : 0; left != 0; left &= left - 1) {
			uint32_t slot = a->first_slot + (uint32_t)__builtin_ctzll(left);
			for (uint32_t k = set->first_factor[slot]; k < set->first_factor[slot + 1]; k++)
				if (slice_find_nocase(value, scan_factor_text(&set->factors.items[k]), 0) < value.len)
					open_gate(f, slot);
		}
	}
}

/* Of words that are all wanted. */
static bool on_word(void *context, const struct seek_word *word, size_t at)
{
	struct findings *f = context;
	bool second = (word->mark & SCAN_SECOND) != 0;
	if (!second)
		on_hit(word->mark, 0, 0, 0, f);
	if (word->mark < f->first_factor_id)
		return false;
	const struct scan_factor *factor = second ? &f->set->seconds.items[word->mark & ~SCAN_SECOND]
						  : &f->set->factors.items[word->mark - f->first_factor_id];
	struct scan_slot_hits *of = hits_of_slot(f, factor->slot);
	if (of != NULL && second)
		of->second_ways |= word->ways;
	else if (of != NULL)
		scan_hits_place(of, word->mark - f->first_factor_id, at);
	return false; /* all places are wanted */
}

static void unite_wanted(const struct scan_set *set, const struct findings *f, uint64_t *wanted)
{
	for (size_t i = 0; i <= set->slot_count / 64; i++) {
		wanted[i] = 0;
		for (unsigned view = 0; view < SCAN_VIEWS; view++)
			if (f->views[view].ret_bits != NULL)
				wanted[i] |= f->views[view].slots == NULL ? UINT64_MAX : f->views[view].slots[i];
	}
}

/* Whether all that is wanted of a long value was sought without the database. */
static bool run_words(const struct scan_set *set, struct scan_scratch *scratch, struct slice value, struct findings *f)
{
	const struct seeker *seeker = f->hits == NULL ? NULL : scan_seek_find(set, scratch, f->wanted);
	if (seeker == NULL)
		return false;
	f->hits->placed = seeker_run(seeker, value, on_word, f);
	for (size_t i = 0; i < f->hits->count && !f->hits->placed; i++)
		f->hits->slots[i].count = 0;
	return f->hits->placed;
}

/* What is not known yet of the patterns whose gates were opened: where factors are, and whether second ones are there.
 */
static void find_hits(const struct scan_set *set, struct slice value, struct findings *f)
{
	struct seeker seeker;
	if (f->hits == NULL || f->hits->count == 0 || !scan_seek_hits(set, f->hits, &seeker))
		return;
	f->hits->seconds = seeker_run(&seeker, value, on_word, f);
	f->hits->placed |= f->hits->seconds;
}

/* Whether the database has anything to tell of what is wanted of the value. */
static bool wants_database(const struct scan_set *set, const struct findings *f)
{
	const uint64_t *asked = set->asked[f->level];
	uint64_t any = 0;
	for (unsigned view = 0; view < SCAN_VIEWS; view++)
		for (size_t i = 0; f->views[view].ret_bits != NULL && i <= set->slot_count / 64; i++)
			any |= asked[i] & (f->views[view].slots == NULL ? UINT64_MAX : f->views[view].slots[i]);
	return any != 0;
}

/* Looks for what is wanted of the database, and opens gates. 0, -ENOMEM or -EINVAL. */
static int run_database(const struct scan_set *set, struct scan_scratch *scratch, struct slice value,
			struct findings *f)
{
	const struct scan_filter *filter = set->filters[f->level];
	if (set->database == NULL || value.len < set->database_min_width || !wants_database(set, f))
		return 0;
	if (f->signs.known ? !f->signs.has_literals : filter != NULL && !scan_filter_may_hold(filter, value))
		return 0;
	if (run_words(set, scratch, value, f))
		return 0;
	if (!wants_entries(set, &f->views[0]) && !wants_entries(set, &f->views[1])) {
		size_t factors = wanted_factors(set, &f->views[0]) + wanted_factors(set, &f->views[1]);
		if (factors <= FACTORS_SOUGHT_MOST) {
			seek_factors(set, &f->views[0], value, f);
			seek_factors(set, &f->views[1], value, f);
			return 0;
		}
	}
	const char *bytes = value.len > 0 ? (const char *)value.ptr : "";
	hs_error_t r = hs_scan(set->database, bytes, (unsigned)value.len, 0, scratch->hyperscan, on_hit, f);
	if (r == HS_SUCCESS || r == HS_SCAN_TERMINATED)
		return 0;
	return r == HS_NOMEM ? -ENOMEM : -EINVAL;
}

enum {
	RUNS = 16,
	ALONE_MOST = 2,
	LARGE_ALONE_MOST = 5,
	WHOLE = AUTOMATON_PATTERNS_MAX,
};

/* Some automata of a set, on their way. */
struct batch {
	struct automaton_run runs[RUNS];
	const struct scan_automaton *of[RUNS];
	struct automaton_cache **caches[RUNS]; /* all of the group's */
	uint8_t numbers[RUNS];                 /* of the pattern that is run alone, or WHOLE */
	uint8_t views[RUNS];
	size_t count;
};

/* Each pattern by itself. If even that needs ever new states, without states. */
static void run_each(const struct scan_automaton *a, struct automaton_cache **caches, unsigned view, struct slice value,
		     struct findings *f)
{
	struct automaton_run runs[AUTOMATON_PATTERNS_MAX];
	for (size_t k = 0; k < a->count; k++)
		runs[k] = (struct automaton_run){.automaton = a->alone[k], .cache = caches[1 + k], .lowered = view > 0};
	automaton_run(runs, a->count, value);
	for (size_t k = 0; k < a->count; k++) {
		if (runs[k].busy && runs[k].found == 0)
			runs[k].found = automaton_simulate(runs[k].automaton, runs[k].cache, value, view > 0);
		if (runs[k].found != 0)
			set_bit(f, view, a->ids[k]);
	}
}

static void take_found(struct batch *batch, size_t i, struct slice value, struct findings *f)
{
	struct automaton_run *run = &batch->runs[i];
	const struct scan_automaton *a = batch->of[i];
	bool one = a->count == 1 || batch->numbers[i] != WHOLE;
	if (run->busy && !one)
		run_each(a, batch->caches[i], batch->views[i], value, f);
	else if (run->busy && run->found == 0)
		run->found = automaton_simulate(run->automaton, run->cache, value, run->lowered);
	if (one && run->found != 0)
		set_bit(f, batch->views[i], a->ids[a->count == 1 ? 0 : batch->numbers[i]]);
	for (uint64_t found = one ? 0 : run->found; found != 0; found &= found - 1)
		set_bit(f, batch->views[i], a->ids[__builtin_ctzll(found)]);
}

static void run_batch(struct batch *batch, struct slice value, struct findings *f)
{
	automaton_run(batch->runs, batch->count, value);
	for (size_t i = 0; i < batch->count; i++)
		take_found(batch, i, value, f);
	batch->count = 0;
}

static void add_run(struct batch *batch, const struct scan_automaton *a, struct automaton_cache **caches,
		    unsigned number, unsigned view, struct slice value, struct findings *f)
{
	size_t i = batch->count++;
	batch->runs[i].automaton = number == WHOLE ? a->together : a->alone[number];
	batch->runs[i].cache = number == WHOLE ? caches[0] : caches[1 + number];
	batch->of[i] = a;
	batch->caches[i] = caches;
	batch->runs[i].lowered = view > 0;
	batch->numbers[i] = (uint8_t)number;
	batch->views[i] = (uint8_t)view;
	if (batch->count == RUNS)
		run_batch(batch, value, f);
}

static bool has_bits(const uint64_t *words, size_t count)
{
	uint64_t any = 0;
	for (size_t i = 0; i < count; i++)
		any |= words[i];
	return any != 0;
}

/* The slots of patterns that a value may match, as far as gates and grams tell, of those that a view wants. */
static void find_runnable(const struct scan_set *set, unsigned view, struct slice value, const struct findings *f,
			  uint64_t *runnable)
{
	const uint64_t *wanted = f->views[view].slots;
	size_t words = set->slot_count / 64 + 1;
	for (size_t i = 0; i < words; i++)
		runnable[i] = (wanted == NULL ? UINT64_MAX : wanted[i]) & (~set->gated[i] | f->open[i]);
	const struct scan_grams *grams = set->grams[f->level];
	if (grams == NULL || value.len > SCAN_GRAM_VALUE_BYTES || !has_bits(runnable, words))
		return;
	uint64_t found = f->signs.known ? f->signs.grams[view] : scan_grams_find(grams, value, view > 0, UINT64_MAX);
	scan_grams_narrow(grams, found, runnable);
}

/* Runs a pattern near factors only, if that can be. */
static bool run_near_factors(const struct scan_set *set, const struct scan_automaton *a,
			     struct automaton_cache **caches, unsigned k, unsigned view, struct slice value,
			     struct findings *f)
{
	struct automaton_run run = {.automaton = a->count == 1 ? a->together : a->alone[k],
				    .cache = caches[a->count == 1 ? 0 : 1 + k],
				    .lowered = view > 0};
	if (!scan_run_windows(set, f->hits, a->first_slot + k, value, &run))
		return false;
	if (run.found != 0)
		set_bit(f, view, a->ids[k]);
	return true;
}

/* Runs those with gates that have matches, if any, near factors only; leaves the others. */
static void run_windows(const struct scan_set *set, struct automaton_cache **caches, unsigned view, struct slice value,
			uint64_t *runnable, struct findings *f)
{
	for (size_t i = 0; i < set->automaton_count; caches += scan_caches_of(&set->automata[i++])) {
		const struct scan_automaton *a = &set->automata[i];
		for (uint64_t left = a->gated ? slots_of(runnable, a) : 0; left != 0; left &= left - 1) {
			unsigned k = (unsigned)__builtin_ctzll(left);
			size_t slot = a->first_slot + k;
			if (run_near_factors(set, a, caches, k, view, value, f))
				runnable[slot / 64] &= ~((uint64_t)1 << slot % 64);
		}
	}
}

/* Whether a long value has a byte of those that a group's patterns need one of. */
static bool has_needs(const struct scan_automaton *a, unsigned view, struct slice value)
{
	return value.len <= SCAN_GRAM_VALUE_BYTES || (a->keys & SCAN_KEY_ANY) != 0 ||
	       byte_set_find(&a->needs[view], value.ptr, value.len) < value.len;
}

/* Several patterns need the product of their states: in a long value few that need many are faster each by itself. */
static bool is_better_together(const struct automaton_cache *cache, struct slice value, uint64_t patterns)
{
	int count = __builtin_popcountll(patterns);
	bool few = count <= ALONE_MOST ||
		   (value.len > SCAN_GRAM_VALUE_BYTES && count <= LARGE_ALONE_MOST && automaton_cache_is_large(cache));
	return !few;
}

static void add_runs(const struct scan_set *set, struct automaton_cache **caches, unsigned view, struct slice value,
		     const uint64_t *runnable, struct batch *batch, struct findings *f)
{
	for (size_t i = 0; i < set->automaton_count; caches += scan_caches_of(&set->automata[i++])) {
		const struct scan_automaton *a = &set->automata[i];
		uint64_t patterns = value.len < a->min_width ? 0 : slots_of(runnable, a);
		if (patterns == 0 || !has_needs(a, view, value))
			continue;
		if (a->count == 1 || is_better_together(caches[0], value, patterns))
			add_run(batch, a, caches, WHOLE, view, value, f);
		else
			for (; patterns != 0; patterns &= patterns - 1)
				add_run(batch, a, caches, (unsigned)__builtin_ctzll(patterns), view, value, f);
	}
}

/* A set's caches; NULL: the scratch was not fitted to it. */
static struct automaton_cache **caches_of(const struct scan_set *set, const struct scan_scratch *scratch)
{
	if (scratch->fitting_room == 0)
		return NULL;
	const struct scan_fitting *fitting = scan_fitting_of(scratch->fittings, scratch->fitting_room, set->serial);
	return fitting->serial == 0 ? NULL : fitting->caches;
}

static int run_view(const struct scan_set *set, struct scan_scratch *scratch, unsigned view, struct slice value,
		    struct batch *batch, struct findings *f)
{
	uint64_t *runnable = scratch->wanted;
	size_t words = set->slot_count / 64 + 1;
	find_runnable(set, view, value, f, runnable);
	if (!has_bits(runnable, words))
		return 0;
	struct automaton_cache **caches = caches_of(set, scratch);
	if (caches == NULL)
		return -EINVAL;
	if (f->hits != NULL)
		run_windows(set, caches, view, value, runnable, f);
	if (set->markers != NULL && value.len > SCAN_GRAM_VALUE_BYTES && has_bits(runnable, words))
		markers_narrow(set->markers, scratch->markers, value, view > 0, runnable);
	add_runs(set, caches, view, value, runnable, batch, f);
	return 0;
}

static int run_automata(const struct scan_set *set, struct scan_scratch *scratch, struct slice value,
			struct findings *f)
{
	struct batch batch;
	int r = 0;
	batch.count = 0;
	for (unsigned i = 0; i < SCAN_VIEWS && r == 0; i++)
		if (f->views[i].ret_bits != NULL)
			r = run_view(set, scratch, i, value, &batch, f);
	if (batch.count > 0)
		run_batch(&batch, value, f);
	return r;
}

static uint32_t set_always(const struct scan_set *set, uint64_t *bits)
{
	uint32_t newly = 0;
	for (size_t i = 0; set->facts.none > 0 && i < set->words; i++) {
		newly += (uint32_t)__builtin_popcountll(set->always[i] & ~bits[i]);
		bits[i] |= set->always[i];
	}
	return newly;
}

static void begin_hits(const struct scan_set *set, struct scan_scratch *scratch, struct findings *f)
{
	struct scan_hits *hits = &scratch->hits;
	hits->count = 0;
	hits->placed = hits->seconds = false;
	memset(hits->factors, 0, sizeof(hits->factors));
	unite_wanted(set, f, scratch->wanted);
	f->wanted = scratch->wanted;
	f->hits = hits;
}

/* f->views say what is asked for. 0 or an error. */
static int run(const struct scan_set *set, struct scan_scratch *scratch, struct slice value, struct findings *f)
{
	if (value.len > UINT32_MAX)
		return -EFBIG;
	f->findable = set->database_findable;
	f->open = scratch->open;
	f->set = set;
	f->first_factor_id = scan_factor_id(set, 0);
	if (value.len >= set->min_width) {
		if (scratch->open_words <= set->slot_count / 64)
			return -EINVAL;
		memset(f->open, 0, (set->slot_count / 64 + 1) * sizeof(*f->open));
		if (value.len >= SOUGHT_BYTES_LEAST)
			begin_hits(set, scratch, f);
		int r = run_database(set, scratch, value, f);
		if (r != 0)
			return r;
		find_hits(set, value, f);
		r = run_automata(set, scratch, value, f);
		if (r != 0)
			return r;
	}
	for (unsigned i = SCAN_VIEWS; i-- > 0;)
		if (f->views[i].ret_bits != NULL)
			f->found += set_always(set, f->views[i].ret_bits);
	return 0;
}

int scan_run(const struct scan_set *set, struct scan_scratch *scratch, struct slice value, const uint64_t *slots,
	     uint64_t *ret_bits)
{
	struct findings f = {.views = {{.slots = slots, .ret_bits = ret_bits}}, .level = BYTE_LEVEL_ANY};
	int r = run(set, scratch, value, &f);
	return r != 0 ? r : (int)f.found;
}

int scan_run_views(const struct scan_set *set, struct scan_scratch *scratch, struct slice value, enum byte_level level,
		   const struct scan_view views[static SCAN_VIEWS])
{
	struct scan_found_signs signs;
	if (!scan_signs_find(set, value, level, views, &signs))
		return 0;
	struct findings f = {.views = {views[0], views[1]}, .level = level, .signs = signs};
	for (unsigned i = 0; i < SCAN_VIEWS; i++)
		if (views[i].ret_bits != NULL)
			memset(views[i].ret_bits, 0, set->words * sizeof(*views[i].ret_bits));
	int r = run(set, scratch, value, &f);
	return r != 0 ? r : 1;
}
