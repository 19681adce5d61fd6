#include "match/scan.h"

#include "base/error.h"
#include "base/vector.h"
#include "match/scan_internal.h"

#include <stdlib.h>

/* States made for automata of one name: sets with the same patterns share them. */
struct fitted {
	struct automaton_name name;
	struct automaton_cache *cache;
};

struct scan_scratch {
	hs_scratch_t *hyperscan; /* NULL until a set with a database was fitted */
	struct fitted *fitted;
	size_t fitted_count;
	size_t fitted_capacity;
};

static size_t words_needed(const struct scan_builder *b)
{
	size_t words = 0;
	for (size_t i = 0; i < b->count; i++)
		if (b->entries[i].id / 64 + 1 > words)
			words = b->entries[i].id / 64 + 1;
	return words;
}

int scan_set_make(const struct scan_builder *builder, struct scan_set **ret_set)
{
	struct scan_set *set = calloc(1, sizeof(*set));
	if (set == NULL)
		return -ENOMEM;
	set->words = words_needed(builder);
	set->route_count = builder->count;
	set->routes = malloc(builder->count + 1);
	set->always = calloc(set->words + 1, sizeof(*set->always));
	set->classes = malloc(set->words * 64 + 1);
	if (set->routes == NULL || set->always == NULL || set->classes == NULL) {
		scan_set_free(set);
		return -ENOMEM;
	}
	memset(set->routes, SCAN_ROUTE_NONE, builder->count + 1);
	memset(set->classes, SCAN_CLASS_UNUSED, set->words * 64 + 1);
	*ret_set = set;
	return 0;
}

void scan_set_free(struct scan_set *set)
{
	if (set == NULL)
		return;
	hs_free_database(set->database);
	hs_free_database(set->backup);
	for (size_t i = 0; i < set->automaton_count; i++)
		automaton_free(set->automata[i].automaton);
	free(set->routes);
	free(set->always);
	free(set->classes);
	free(set);
}

static enum scan_class class_of(enum scan_route route)
{
	return route == SCAN_ROUTE_NONE ? SCAN_NONE : route == SCAN_ROUTE_PREFILTER ? SCAN_PREFILTER : SCAN_EXACT;
}

static size_t bytes_of(const hs_database_t *database)
{
	size_t bytes = 0;
	if (database != NULL)
		hs_database_size(database, &bytes);
	return bytes;
}

void scan_set_finish(const struct scan_builder *builder, struct scan_set *set)
{
	struct scan_set_facts *facts = &set->facts;
	for (size_t i = 0; i < builder->count; i++) {
		enum scan_class class = class_of((enum scan_route)set->routes[i]);
		set->classes[builder->entries[i].id] = (uint8_t) class;
		facts->pieces += class != SCAN_NONE;
	}
	for (size_t id = 0; id < set->words * 64; id++) {
		facts->exact += set->classes[id] == SCAN_EXACT;
		facts->prefilter += set->classes[id] == SCAN_PREFILTER;
		facts->none += set->classes[id] == SCAN_NONE;
		if (set->classes[id] == SCAN_NONE)
			set->always[id / 64] |= (uint64_t)1 << (id % 64);
	}
	facts->patterns = facts->exact + facts->prefilter + facts->none;
	facts->database_bytes = bytes_of(set->database) + bytes_of(set->backup);
	set->findable = (uint32_t)(facts->exact + facts->prefilter);
}

size_t scan_set_words(const struct scan_set *set)
{
	return set->words;
}

enum scan_class scan_set_class(const struct scan_set *set, uint32_t id)
{
	if (id >= set->words * 64 || set->classes[id] == SCAN_CLASS_UNUSED)
		return SCAN_NONE;
	return (enum scan_class)set->classes[id];
}

size_t scan_set_min_width(const struct scan_set *set)
{
	return set->facts.none > 0 ? 0 : set->min_width;
}

struct scan_set_facts scan_set_facts(const struct scan_set *set)
{
	return set->facts;
}

int scan_scratch_create(struct scan_scratch **ret_scratch)
{
	struct scan_scratch *scratch = calloc(1, sizeof(*scratch));
	if (scratch == NULL)
		return -ENOMEM;
	*ret_scratch = scratch;
	return 0;
}

static struct automaton_cache *find_cache(const struct scan_scratch *scratch, const struct automaton *automaton)
{
	const struct automaton_name *name = automaton_name(automaton);
	for (size_t i = 0; i < scratch->fitted_count; i++)
		if (memcmp(&scratch->fitted[i].name, name, sizeof(*name)) == 0)
			return scratch->fitted[i].cache;
	return NULL;
}

static int fit_automaton(struct scan_scratch *s, const struct automaton *automaton)
{
	if (find_cache(s, automaton) != NULL)
		return 0;
	if (vector_grow((void **)&s->fitted, &s->fitted_capacity, s->fitted_count, sizeof(*s->fitted)) != 0)
		return -ENOMEM;
	struct fitted *fitted = &s->fitted[s->fitted_count];
	fitted->name = *automaton_name(automaton);
	int r = automaton_cache_create(automaton, &fitted->cache);
	s->fitted_count += r == 0;
	return r;
}

int scan_scratch_fit(struct scan_scratch *scratch, const struct scan_set *set)
{
	for (size_t i = 0; i < set->automaton_count; i++) {
		int r = fit_automaton(scratch, set->automata[i].automaton);
		if (r != 0)
			return r;
	}
	const hs_database_t *databases[] = {set->database, set->backup};
	for (size_t i = 0; i < 2; i++)
		if (databases[i] != NULL && hs_alloc_scratch(databases[i], &scratch->hyperscan) != HS_SUCCESS)
			return -ENOMEM;
	return 0;
}

void scan_scratch_free(struct scan_scratch *scratch)
{
	if (scratch == NULL)
		return;
	hs_free_scratch(scratch->hyperscan);
	for (size_t i = 0; i < scratch->fitted_count; i++)
		automaton_cache_free(scratch->fitted[i].cache);
	free(scratch->fitted);
	free(scratch);
}

struct findings {
	uint64_t *bits;
	uint32_t found;
	uint32_t findable;
};

static void set_bit(struct findings *f, uint32_t id)
{
	uint64_t *word = &f->bits[id / 64];
	uint64_t bit = (uint64_t)1 << (id % 64);
	f->found += (*word & bit) == 0;
	*word |= bit;
}

/* Called by Hyperscan for a hit; anything but 0 ends the scan. */
static int on_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	(void)from;
	(void)to;
	(void)flags;
	struct findings *f = context;
	set_bit(f, id);
	return f->found == f->findable;
}

static int run_database(const hs_database_t *database, struct scan_scratch *scratch, struct slice value,
			struct findings *f)
{
	const char *bytes = value.len > 0 ? (const char *)value.ptr : "";
	if (database == NULL)
		return 0;
	hs_error_t r = hs_scan(database, bytes, (unsigned)value.len, 0, scratch->hyperscan, on_hit, f);
	if (r == HS_SUCCESS || r == HS_SCAN_TERMINATED)
		return 0;
	return r == HS_NOMEM ? -ENOMEM : -EINVAL;
}

/* 1 if one was busy, 0, or -EINVAL. */
static int run_automata(const struct scan_set *set, struct scan_scratch *scratch, struct slice value,
			struct findings *f)
{
	struct automaton_run runs[SCAN_AUTOMATA_MAX];
	for (size_t i = 0; i < set->automaton_count; i++) {
		const struct scan_automaton *a = &set->automata[i];
		runs[i] = (struct automaton_run){
			.automaton = a->automaton, .cache = find_cache(scratch, a->automaton), .bounded = a->backed};
		if (runs[i].cache == NULL)
			return -EINVAL;
	}
	automaton_run(runs, set->automaton_count, value);
	int busy = 0;
	for (size_t i = 0; i < set->automaton_count; i++) {
		for (uint64_t found = runs[i].found; found != 0; found &= found - 1)
			set_bit(f, set->automata[i].ids[__builtin_ctzll(found)]);
		busy |= runs[i].busy;
	}
	return busy;
}

static int find_all(const struct scan_set *set, struct scan_scratch *scratch, struct slice value, struct findings *f)
{
	int r = run_database(set->database, scratch, value, f);
	if (r == 0)
		r = run_automata(set, scratch, value, f);
	return r == 1 ? run_database(set->backup, scratch, value, f) : r;
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

int scan_run(const struct scan_set *set, struct scan_scratch *scratch, struct slice value, uint64_t *ret_bits)
{
	if (value.len > UINT32_MAX)
		return -EFBIG;
	struct findings f = {ret_bits, 0, set->findable};
	int r = value.len >= set->min_width ? find_all(set, scratch, value, &f) : 0;
	return r != 0 ? r : (int)(f.found + set_always(set, ret_bits));
}
