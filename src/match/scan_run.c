/* A worker's scratch, and the scan itself. */
#include "base/error.h"
#include "base/vector.h"
#include "match/scan_internal.h"

#include <stdlib.h>

/* States made for automata of one name: sets with the same patterns share them. */
struct fitted {
	struct automaton_name name;
	struct automaton_cache *cache;
};

/* A set's caches: for each of its automata that of all together, then those of each alone. */
struct view {
	uint64_t serial; /* of the set; 0: an empty place */
	struct automaton_cache **caches;
};

struct scan_scratch {
	hs_scratch_t *hyperscan; /* NULL until a set with a database was fitted */
	uint64_t *open;          /* a bit for each slot of the set that is being run: its gate is open */
	size_t open_words;
	struct fitted *fitted;
	size_t fitted_count;
	size_t fitted_capacity;
	struct view *views; /* a hash table with open addressing, at most half full */
	size_t view_count;
	size_t view_room; /* 0 or a power of 2 */
};

int scan_scratch_create(struct scan_scratch **ret_scratch)
{
	struct scan_scratch *scratch = calloc(1, sizeof(*scratch));
	if (scratch == NULL)
		return -ENOMEM;
	*ret_scratch = scratch;
	return 0;
}

void scan_scratch_free(struct scan_scratch *scratch)
{
	if (scratch == NULL)
		return;
	hs_free_scratch(scratch->hyperscan);
	for (size_t i = 0; i < scratch->fitted_count; i++)
		automaton_cache_free(scratch->fitted[i].cache);
	for (size_t i = 0; i < scratch->view_room; i++)
		free(scratch->views[i].caches);
	free(scratch->open);
	free(scratch->fitted);
	free(scratch->views);
	free(scratch);
}

/* ---- fitting ---- */

static int fit_automaton(struct scan_scratch *s, const struct automaton *automaton, struct automaton_cache **ret_cache)
{
	const struct automaton_name *name = automaton_name(automaton);
	for (size_t i = 0; i < s->fitted_count; i++) {
		if (memcmp(&s->fitted[i].name, name, sizeof(*name)) == 0) {
			*ret_cache = s->fitted[i].cache;
			return 0;
		}
	}
	if (vector_grow((void **)&s->fitted, &s->fitted_capacity, s->fitted_count, sizeof(*s->fitted)) != 0)
		return -ENOMEM;
	struct fitted *fitted = &s->fitted[s->fitted_count];
	fitted->name = *name;
	int r = automaton_cache_create(automaton, &fitted->cache);
	if (r != 0)
		return r;
	s->fitted_count++;
	*ret_cache = fitted->cache;
	return 0;
}

/* How many caches an automaton of a set has. */
static size_t caches_of(const struct scan_automaton *a)
{
	return a->count > 1 ? 1 + a->count : 1;
}

static int fit_automata(struct scan_scratch *scratch, const struct scan_set *set, struct automaton_cache **caches)
{
	int r = 0;
	for (size_t i = 0; i < set->automaton_count && r == 0; i++) {
		const struct scan_automaton *a = &set->automata[i];
		r = fit_automaton(scratch, a->together, caches++);
		for (size_t k = 0; k + 1 < caches_of(a) && r == 0; k++)
			r = fit_automaton(scratch, a->alone[k], caches++);
	}
	return r;
}

/* Serials are given one after another, so that they are their own hash. */
static struct view *view_place(struct view *views, size_t room, uint64_t serial)
{
	size_t at = serial & (room - 1);
	while (views[at].serial != serial && views[at].serial != 0)
		at = (at + 1) & (room - 1);
	return &views[at];
}

static int views_grow(struct scan_scratch *s)
{
	if (2 * (s->view_count + 1) <= s->view_room)
		return 0;
	size_t room = s->view_room == 0 ? 64 : 2 * s->view_room;
	struct view *views = calloc(room, sizeof(*views));
	if (views == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->view_room; i++)
		if (s->views[i].serial != 0)
			*view_place(views, room, s->views[i].serial) = s->views[i];
	free(s->views);
	s->views = views;
	s->view_room = room;
	return 0;
}

static int add_view(struct scan_scratch *scratch, const struct scan_set *set)
{
	size_t count = 0;
	for (size_t i = 0; i < set->automaton_count; i++)
		count += caches_of(&set->automata[i]);
	struct automaton_cache **caches = calloc(count + 1, sizeof(struct automaton_cache *));
	if (caches == NULL)
		return -ENOMEM;
	int r = fit_automata(scratch, set, caches);
	if (r != 0) {
		free(caches);
		return r;
	}
	*view_place(scratch->views, scratch->view_room, set->serial) = (struct view){set->serial, caches};
	scratch->view_count++;
	return 0;
}

static int make_room_for_gates(struct scan_scratch *scratch, size_t slots)
{
	size_t words = slots / 64 + 1;
	uint64_t *open = words > scratch->open_words ? realloc(scratch->open, words * sizeof(*open)) : scratch->open;
	if (open == NULL)
		return -ENOMEM;
	scratch->open = open;
	scratch->open_words = words > scratch->open_words ? words : scratch->open_words;
	return 0;
}

int scan_scratch_fit(struct scan_scratch *scratch, const struct scan_set *set)
{
	if (views_grow(scratch) != 0 || make_room_for_gates(scratch, set->slot_count) != 0)
		return -ENOMEM;
	if (set->database != NULL && hs_alloc_scratch(set->database, &scratch->hyperscan) != HS_SUCCESS)
		return -ENOMEM;
	if (view_place(scratch->views, scratch->view_room, set->serial)->serial != 0)
		return 0;
	return add_view(scratch, set);
}

/* ---- running ---- */

struct findings {
	uint64_t *bits;
	uint32_t found;
	uint32_t findable;
	uint64_t *open;
	uint32_t open_count;
	uint32_t gate_count;
	uint32_t first_gate_id;
};

static void set_bit(struct findings *f, uint32_t id)
{
	uint64_t *word = &f->bits[id / 64];
	uint64_t bit = (uint64_t)1 << (id % 64);
	f->found += (*word & bit) == 0;
	*word |= bit;
}

static void open_gate(struct findings *f, uint32_t slot)
{
	uint64_t *word = &f->open[slot / 64];
	uint64_t bit = (uint64_t)1 << (slot % 64);
	f->open_count += (*word & bit) == 0;
	*word |= bit;
}

/* Called by Hyperscan for a hit; anything but 0 ends the scan. */
static int on_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	(void)from;
	(void)to;
	(void)flags;
	struct findings *f = context;
	if (id >= f->first_gate_id)
		open_gate(f, id - f->first_gate_id);
	else
		set_bit(f, id);
	return f->found == f->findable && f->open_count == f->gate_count;
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

/* Whether the database is of use for what is wanted: it holds some of it, or opens the gate of some. */
static bool wants_database(const struct scan_set *set, const uint64_t *slots)
{
	if (slots == NULL || (slots[set->slot_count / 64] >> (set->slot_count % 64) & 1) != 0)
		return true;
	for (size_t i = 0; i < set->automaton_count; i++)
		if (set->automata[i].gated && slots_of(slots, &set->automata[i]) != 0)
			return true;
	return false;
}

static int run_database(const struct scan_set *set, struct scan_scratch *scratch, struct slice value,
			const uint64_t *slots, struct findings *f)
{
	const char *bytes = value.len > 0 ? (const char *)value.ptr : "";
	if (set->database == NULL || !wants_database(set, slots) || value.len < set->database_min_width ||
	    (set->filter != NULL && !scan_filter_may_hold(set->filter, value)))
		return 0;
	hs_error_t r = hs_scan(set->database, bytes, (unsigned)value.len, 0, scratch->hyperscan, on_hit, f);
	if (r == HS_SUCCESS || r == HS_SCAN_TERMINATED)
		return 0;
	return r == HS_NOMEM ? -ENOMEM : -EINVAL;
}

/* The keys in a value, of those that are asked for anywhere. */
static uint64_t keys_in(const struct scan_set *set, struct slice value)
{
	enum { STEP = 64 };
	uint64_t keys = SCAN_KEY_ANY;
	for (size_t at = 0; at < value.len && (~keys & set->all_keys) != 0; at += STEP) {
		size_t end = value.len - at < STEP ? value.len : at + STEP;
		for (size_t i = at; i < end; i++)
			keys |= set->byte_keys[value.ptr[i]];
	}
	return keys;
}

enum { RUNS = 16, ALONE_MOST = 2, WHOLE = AUTOMATON_PATTERNS_MAX };

/* Some automata of a set, on their way. */
struct batch {
	struct automaton_run runs[RUNS];
	const struct scan_automaton *of[RUNS];
	struct automaton_cache **caches[RUNS]; /* all of the group's */
	uint8_t numbers[RUNS];                 /* of the pattern that is run alone, or WHOLE */
	size_t count;
};

/* Each pattern by itself. If even that needs ever new states, without states. */
static void run_each(const struct scan_automaton *a, struct automaton_cache **caches, struct slice value,
		     struct findings *f)
{
	struct automaton_run runs[AUTOMATON_PATTERNS_MAX];
	for (size_t k = 0; k < a->count; k++)
		runs[k] = (struct automaton_run){.automaton = a->alone[k], .cache = caches[1 + k]};
	automaton_run(runs, a->count, value);
	for (size_t k = 0; k < a->count; k++) {
		if (runs[k].busy && runs[k].found == 0)
			runs[k].found = automaton_simulate(runs[k].automaton, runs[k].cache, value);
		if (runs[k].found != 0)
			set_bit(f, a->ids[k]);
	}
}

static void take_found(struct batch *batch, size_t i, struct slice value, struct findings *f)
{
	struct automaton_run *run = &batch->runs[i];
	const struct scan_automaton *a = batch->of[i];
	bool one = a->count == 1 || batch->numbers[i] != WHOLE;
	if (run->busy && !one)
		run_each(a, batch->caches[i], value, f);
	else if (run->busy && run->found == 0)
		run->found = automaton_simulate(run->automaton, run->cache, value);
	if (one && run->found != 0)
		set_bit(f, a->ids[a->count == 1 ? 0 : batch->numbers[i]]);
	for (uint64_t found = one ? 0 : run->found; found != 0; found &= found - 1)
		set_bit(f, a->ids[__builtin_ctzll(found)]);
}

static void run_batch(struct batch *batch, struct slice value, struct findings *f)
{
	automaton_run(batch->runs, batch->count, value);
	for (size_t i = 0; i < batch->count; i++)
		take_found(batch, i, value, f);
	batch->count = 0;
}

static void add_run(struct batch *batch, const struct scan_automaton *a, struct automaton_cache **caches,
		    unsigned number, struct slice value, struct findings *f)
{
	size_t i = batch->count++;
	batch->runs[i].automaton = number == WHOLE ? a->together : a->alone[number];
	batch->runs[i].cache = number == WHOLE ? caches[0] : caches[1 + number];
	batch->of[i] = a;
	batch->caches[i] = caches;
	batch->numbers[i] = (uint8_t)number;
	if (batch->count == RUNS)
		run_batch(batch, value, f);
}

/* The patterns of a group that are to be run. */
static uint64_t patterns_to_run(const struct scan_automaton *a, const uint64_t *slots, const struct findings *f)
{
	uint64_t patterns = slots == NULL ? UINT64_MAX : slots_of(slots, a);
	if (a->gated)
		patterns &= f->open_count == 0 ? 0 : slots_of(f->open, a);
	return patterns;
}

static void run_automata(const struct scan_set *set, const struct view *view, struct slice value, const uint64_t *slots,
			 struct findings *f)
{
	struct automaton_cache **caches = view->caches;
	struct batch batch;
	batch.count = 0;
	uint64_t keys = keys_in(set, value);
	for (size_t i = 0; i < set->automaton_count; caches += caches_of(&set->automata[i++])) {
		const struct scan_automaton *a = &set->automata[i];
		if ((a->keys & keys) == 0 || value.len < a->min_width)
			continue;
		uint64_t patterns = patterns_to_run(a, slots, f);
		if (patterns == 0)
			continue;
		if (a->count == 1 || __builtin_popcountll(patterns) > ALONE_MOST)
			add_run(&batch, a, caches, WHOLE, value, f);
		else
			for (; patterns != 0; patterns &= patterns - 1)
				add_run(&batch, a, caches, (unsigned)__builtin_ctzll(patterns), value, f);
	}
	if (batch.count > 0)
		run_batch(&batch, value, f);
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

int scan_run(const struct scan_set *set, struct scan_scratch *scratch, struct slice value, const uint64_t *slots,
	     uint64_t *ret_bits)
{
	struct findings f = {
		.bits = ret_bits,
		.findable = set->database_findable,
		.open = scratch->open,
		.gate_count = set->gate_count,
		.first_gate_id = scan_gate_id(set, 0),
	};
	if (value.len > UINT32_MAX)
		return -EFBIG;
	if (value.len >= set->min_width) {
		const struct view *view =
			scratch->view_room == 0 ? NULL : view_place(scratch->views, scratch->view_room, set->serial);
		if (view == NULL || view->serial == 0)
			return -EINVAL;
		memset(f.open, 0, (set->slot_count / 64 + 1) * sizeof(*f.open));
		int r = run_database(set, scratch, value, slots, &f);
		if (r != 0)
			return r;
		run_automata(set, view, value, slots, &f);
	}
	return (int)(f.found + set_always(set, ret_bits));
}
