/*
 * What follows from a set's entries and their routes, and what callers ask about it: widths, filters and slots by level
 * of bytes, classes. Sets are built in scan_build.c; the scan is in scan_run.c.
 */
#include "match/scan.h"

#include "base/error.h"
#include "match/scan_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
	ENDING_BYTES = 5,  /* of which the filter keeps all */
	ENDINGS_MOST = 64, /* of SCAN_FILTER_SAMPLE_BYTES places: pages have some 12, and are dearer list by list */
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
	static atomic_uint_fast64_t serial;
	struct scan_set *set = calloc(1, sizeof(*set));
	if (set == NULL)
		return -ENOMEM;
	set->serial = atomic_fetch_add(&serial, 1) + 1;
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
	scan_filter_free(set->endings);
	scan_seek_free(set);
	for (size_t i = 0; i < set->automaton_count; i++) {
		automaton_free(set->automata[i].together);
		for (size_t k = 0; k < set->automata[i].count; k++)
			automaton_free(set->automata[i].alone[k]);
	}
	free(set->automata);
	for (size_t i = 0; i < BYTE_LEVELS; i++) {
		scan_filter_free(set->filters[i]);
		scan_grams_free(set->grams[i]);
		free(set->asked[i]);
	}
	markers_free(set->markers);
	free(set->gated);
	free(set->factors.items);
	free(set->seconds.items);
	free(set->gates);
	free(set->in_database);
	free(set->widths);
	free(set->first_factor);
	free(set->routes);
	free(set->always);
	free(set->classes);
	free(set);
}

static enum scan_class class_of(enum scan_route route)
{
	return route == SCAN_ROUTE_NONE ? SCAN_NONE : route == SCAN_ROUTE_PREFILTER ? SCAN_PREFILTER : SCAN_EXACT;
}

static bool in_database(const struct scan_set *set, size_t entry)
{
	return set->routes[entry] == SCAN_ROUTE_DATABASE || set->routes[entry] == SCAN_ROUTE_PREFILTER;
}

static uint32_t width_of(const struct scan_entry *entry, enum scan_route route)
{
	uint32_t width = 0;
	if (entry->kind == SCAN_ENTRY_LITERAL)
		return (uint32_t)entry->text.len;
	return scan_route_parses(entry, scan_route_flags(entry, route), &width) ? width : 0;
}

/* Whether a value of a level may hold it. */
static bool is_of_level(const struct scan_entry *entry, enum byte_level level)
{
	return entry->kind != SCAN_ENTRY_LITERAL || (byte_kinds(entry->text) & ~byte_level_kinds(level)) == 0;
}

static void lessen(uint32_t *width, uint32_t other)
{
	*width = other < *width ? other : *width;
}

/* 0 or -ENOMEM. */
static int find_widths(const struct scan_builder *b, struct scan_set *set)
{
	uint32_t least = UINT32_MAX;
	set->widths = malloc((set->words * 64 + 1) * sizeof(*set->widths));
	if (set->widths == NULL)
		return -ENOMEM;
	memset(set->widths, 0xff, (set->words * 64 + 1) * sizeof(*set->widths));
	for (size_t i = 0; i < b->count; i++) {
		if (!in_database(set, i))
			continue;
		uint32_t width = width_of(&b->entries[i], (enum scan_route)set->routes[i]);
		lessen(&least, width);
		for (unsigned level = 0; level < BYTE_LEVELS; level++)
			if (is_of_level(&b->entries[i], (enum byte_level)level))
				lessen(&set->widths[b->entries[i].id][level], width);
	}
	for (size_t i = 0; i < set->factors.count; i++)
		lessen(&least, set->factors.items[i].literal.len);
	set->database_min_width = least;
	for (size_t i = 0; i < set->automaton_count; i++) {
		const struct scan_automaton *a = &set->automata[i];
		lessen(&least, a->min_width);
		for (size_t k = 0; k < a->count; k++)
			for (unsigned level = 0; level < BYTE_LEVELS; level++)
				lessen(&set->widths[a->ids[k]][level], a->widths[k][level]);
	}
	set->min_width = least;
	return 0;
}

/* Only where the database holds nothing but literals that are long enough; factors are. */
static bool can_be_filtered(const struct scan_builder *b, const struct scan_set *set)
{
	for (size_t i = 0; i < b->count; i++)
		if (in_database(set, i) &&
		    (b->entries[i].kind != SCAN_ENTRY_LITERAL || b->entries[i].text.len < SCAN_FILTER_BYTES))
			return false;
	return true;
}

/* Whether the pattern of a slot may match a value of a level. */
static bool slot_is_of_level(const struct scan_set *set, uint32_t slot, enum byte_level level)
{
	for (size_t i = 0; i < set->automaton_count; i++) {
		const struct scan_automaton *a = &set->automata[i];
		if (slot - a->first_slot < a->count)
			return a->widths[slot - a->first_slot][level] != UINT32_MAX;
	}
	return true;
}

static bool factor_is_of_level(const struct scan_set *set, const struct scan_factor *factor, enum byte_level level)
{
	return (byte_kinds(scan_factor_text(factor)) & ~byte_level_kinds(level)) == 0 &&
	       slot_is_of_level(set, factor->slot, level);
}

static int make_filter(const struct scan_builder *b, const struct scan_set *set, enum byte_level level,
		       struct scan_filter **ret_filter)
{
	size_t count = 0;
	for (size_t i = 0; i < b->count; i++)
		count += in_database(set, i) && is_of_level(&b->entries[i], level);
	for (size_t i = 0; i < set->factors.count; i++)
		count += factor_is_of_level(set, &set->factors.items[i], level);
	int r = scan_filter_create(count, ret_filter);
	for (size_t i = 0; r == 0 && i < b->count; i++)
		if (in_database(set, i) && is_of_level(&b->entries[i], level))
			scan_filter_add(*ret_filter, b->entries[i].text);
	for (size_t i = 0; r == 0 && i < set->factors.count; i++)
		if (factor_is_of_level(set, &set->factors.items[i], level))
			scan_filter_add(*ret_filter, scan_factor_text(&set->factors.items[i]));
	return r;
}

static int make_filters(const struct scan_builder *b, struct scan_set *set)
{
	int r = 0;
	for (unsigned level = 0; level < BYTE_LEVELS && r == 0 && can_be_filtered(b, set); level++)
		r = make_filter(b, set, (enum byte_level)level, &set->filters[level]);
	return r;
}

/* Hyperscan looks for the last bytes of a literal first (FDR; Wang et al., "Hyperscan", NSDI 2019). */
static struct slice ending_of(struct slice literal)
{
	return literal.len <= ENDING_BYTES ? literal : slice_after(literal, literal.len - ENDING_BYTES);
}

/* 0 or -ENOMEM. */
static int find_endings(const struct scan_builder *b, struct scan_set *set)
{
	int r = scan_filter_create(b->count + set->factors.count, &set->endings);
	for (size_t i = 0; r == 0 && i < b->count; i++)
		if (in_database(set, i) && b->entries[i].kind == SCAN_ENTRY_LITERAL &&
		    b->entries[i].text.len >= SCAN_FILTER_BYTES)
			scan_filter_add(set->endings, ending_of(b->entries[i].text));
	for (size_t i = 0; r == 0 && i < set->factors.count; i++)
		scan_filter_add(set->endings, ending_of(scan_factor_text(&set->factors.items[i])));
	return r;
}

/* 0 or -ENOMEM. */
static int find_ids_in_database(const struct scan_builder *b, struct scan_set *set)
{
	set->in_database = calloc(set->words + 1, sizeof(*set->in_database));
	if (set->in_database == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < b->count; i++)
		if (in_database(set, i))
			set->in_database[b->entries[i].id / 64] |= (uint64_t)1 << (b->entries[i].id % 64);
	return 0;
}

static bool has_regexes(const struct scan_builder *b, const struct scan_set *set)
{
	for (size_t i = 0; i < b->count; i++)
		if (in_database(set, i) && b->entries[i].kind != SCAN_ENTRY_LITERAL)
			return true;
	return false;
}

/* For each group the bytes of which a value must have one. */
static void find_needs(struct scan_set *set)
{
	for (size_t i = 0; i < set->automaton_count; i++) {
		struct scan_automaton *group = &set->automata[i];
		for (unsigned c = 0; c < 256; c++) {
			if ((set->byte_keys[c] & group->keys) != 0)
				byte_set_add(&group->needs[0], (uint8_t)c);
			if ((set->byte_keys[byte_lower((uint8_t)c)] & group->keys) != 0)
				byte_set_add(&group->needs[1], (uint8_t)c);
		}
	}
}

/* They were added in the order of slots. 0 or -ENOMEM. */
static int find_first_factors(struct scan_set *set)
{
	set->first_factor = calloc(set->slot_count + 1, sizeof(*set->first_factor));
	if (set->first_factor == NULL)
		return -ENOMEM;
	uint32_t at = 0;
	for (uint32_t slot = 0; slot <= set->slot_count; slot++) {
		while (at < set->factors.count && set->factors.items[at].slot < slot)
			at++;
		set->first_factor[slot] = at;
	}
	return 0;
}

static void classify(const struct scan_builder *builder, struct scan_set *set)
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
	if (set->database != NULL)
		hs_database_size(set->database, &facts->database_bytes);
}

/* 0 or -ENOMEM. */
static int find_gated(struct scan_set *set)
{
	set->gated = calloc(set->slot_count / 64 + 1, sizeof(*set->gated));
	if (set->gated == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < set->automaton_count; i++)
		for (uint32_t k = 0; set->automata[i].gated && k < set->automata[i].count; k++) {
			uint32_t slot = set->automata[i].first_slot + k;
			set->gated[slot / 64] |= (uint64_t)1 << slot % 64;
		}
	for (uint32_t slot = set->slot_count; slot <= (set->slot_count | 63); slot++)
		set->gated[slot / 64] |= (uint64_t)1 << slot % 64;
	return 0;
}

static bool level_has_entries(const struct scan_builder *b, const struct scan_set *set, enum byte_level level)
{
	for (size_t i = 0; i < b->count; i++)
		if (in_database(set, i) && is_of_level(&b->entries[i], level))
			return true;
	return false;
}

/* Nothing in the database opens the gate of a pattern that cannot match. 0 or -ENOMEM. */
static int find_asked(const struct scan_builder *b, struct scan_set *set, enum byte_level level)
{
	uint64_t *asked = calloc(set->slot_count / 64 + 1, sizeof(*asked));
	set->asked[level] = asked;
	if (asked == NULL)
		return -ENOMEM;
	for (uint32_t slot = 0; slot < set->slot_count; slot++)
		if (slot_is_of_level(set, slot, level))
			asked[slot / 64] |= set->gated[slot / 64] & (uint64_t)1 << slot % 64;
	if (level_has_entries(b, set, level))
		asked[set->slot_count / 64] |= (uint64_t)1 << set->slot_count % 64;
	return 0;
}

int scan_set_finish(const struct scan_builder *builder, struct scan_set *set)
{
	if (find_ids_in_database(builder, set) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < set->words; i++)
		set->database_findable += (uint32_t)__builtin_popcountll(set->in_database[i]);
	set->has_regexes = has_regexes(builder, set);
	find_needs(set);
	if (find_first_factors(set) != 0 || find_gated(set) != 0)
		return -ENOMEM;
	if (find_widths(builder, set) != 0)
		return -ENOMEM;
	for (unsigned level = 0; level < BYTE_LEVELS; level++)
		if (find_asked(builder, set, (enum byte_level)level) != 0)
			return -ENOMEM;
	classify(builder, set);
	int r = make_filters(builder, set);
	if (r == 0)
		r = find_endings(builder, set);
	return r != 0 ? r : scan_seek_prepare(builder, set);
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

size_t scan_set_slot_words(const struct scan_set *set)
{
	return set->slot_count / 64 + 1;
}

void scan_set_want(const struct scan_set *set, uint32_t id, uint64_t *slots)
{
	uint32_t slot = 0;
	for (size_t i = 0; i < set->automaton_count; i++)
		for (size_t k = 0; k < set->automata[i].count; k++, slot++)
			if (set->automata[i].ids[k] == id)
				slots[slot / 64] |= (uint64_t)1 << (slot % 64);
	if ((set->in_database[id / 64] >> (id % 64) & 1) != 0)
		slots[slot / 64] |= (uint64_t)1 << (slot % 64);
}

size_t scan_set_database_slot(const struct scan_set *set)
{
	return set->slot_count;
}

bool scan_set_is_dear(const struct scan_set *set, struct slice value)
{
	return value.len >= SCAN_FILTER_SAMPLE_BYTES && scan_filter_is_dense(set->endings, value, ENDINGS_MOST);
}

bool scan_set_lowers(const struct scan_set *set, const uint64_t *slots)
{
	return !set->has_regexes || (slots[set->slot_count / 64] >> set->slot_count % 64 & 1) == 0;
}

size_t scan_set_width(const struct scan_set *set, uint32_t id, enum byte_level level)
{
	return scan_set_class(set, id) == SCAN_NONE ? 0 : set->widths[id][level];
}

size_t scan_set_min_width(const struct scan_set *set)
{
	return set->facts.none > 0 ? 0 : set->min_width;
}

struct scan_set_facts scan_set_facts(const struct scan_set *set)
{
	return set->facts;
}
