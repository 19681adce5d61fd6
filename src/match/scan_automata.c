/*
 * Which patterns of a set go where. Hyperscan is at its best with many literals: 60 ns for a short value and 0.4 ns a
 * byte for the 2,661 phrases of CRS 4.28.0 on ARGS. Regexes are another matter: each that has no good literal costs it
 * some 50 ns a value, so the 87 on ARGS cost 400 to 700 ns for a short value and 10 ns a byte; three automata of them
 * cost 50 ns and 8 ns a byte. Those that repeat in very many places, like those that allow quotes between any two
 * letters of a command, are too large for Hyperscan, or cost it 60 ns a byte.
 */
#include "base/error.h"
#include "match/pattern.h"
#include "match/regex.h"
#include "match/scan_internal.h"

#include <stdlib.h>

enum {
	LOOPS_MANY = 100,         /* of the Core Rule Set's, those too large have 122 to 526; others have up to 86 */
	INSTRUCTIONS_MANY = 3000, /* long lists of words are better left to Hyperscan, which is at home with literals */
	BACKED_TOGETHER = 32,
	ALONE_TOGETHER = 8,
};

unsigned scan_route_flags(const struct scan_entry *entry, enum scan_route route)
{
	unsigned flags = SCAN_FLAGS;
	if ((entry->flags & REGEX_CASELESS) != 0)
		flags |= HS_FLAG_CASELESS;
	return route == SCAN_ROUTE_PREFILTER ? flags | HS_FLAG_PREFILTER : flags;
}

bool scan_route_parses(const struct scan_entry *entry, unsigned flags, uint32_t *ret_width)
{
	hs_expr_info_t *info = NULL;
	hs_compile_error_t *error = NULL;
	if (memchr(entry->text.ptr, 0, entry->text.len) != NULL) /* it takes C strings */
		return false;
	if (hs_expression_info((const char *)entry->text.ptr, flags, &info, &error) != HS_SUCCESS) {
		hs_free_compile_error(error);
		return false;
	}
	*ret_width = info->min_width;
	free(info);
	return true;
}

/* How many instructions it takes in an automaton; 0 if it does not fit into one. */
static size_t instructions_of(const struct scan_entry *entry)
{
	struct automaton_builder *trial;
	if (automaton_builder_create(&trial) != 0)
		return 0;
	size_t count = automaton_builder_add(trial, entry->text, entry->flags) == 0 ? automaton_builder_size(trial) : 0;
	automaton_builder_free(trial);
	return count;
}

static size_t loops_of(const struct scan_entry *entry)
{
	struct pattern pattern;
	size_t loops = 0;
	if (pattern_parse(entry->text, entry->flags, &pattern) != 0)
		return 0;
	for (size_t i = 0; i < pattern.count; i++)
		loops += pattern.nodes[i].kind == PATTERN_REPEAT && pattern.nodes[i].max == PATTERN_ENDLESS;
	pattern_free(&pattern);
	return loops;
}

enum scan_route scan_route_choose(const struct scan_entry *entry)
{
	uint32_t width;
	if (entry->kind == SCAN_ENTRY_LITERAL)
		return SCAN_ROUTE_DATABASE;
	size_t instructions = instructions_of(entry);
	bool exact = scan_route_parses(entry, scan_route_flags(entry, SCAN_ROUTE_DATABASE), &width);
	if (instructions > 0 && (!exact || loops_of(entry) >= LOOPS_MANY))
		return SCAN_ROUTE_AUTOMATON;
	if (exact)
		return instructions > 0 && instructions < INSTRUCTIONS_MANY ? SCAN_ROUTE_BOTH : SCAN_ROUTE_DATABASE;
	bool prefilter = scan_route_parses(entry, scan_route_flags(entry, SCAN_ROUTE_PREFILTER), &width);
	return prefilter ? SCAN_ROUTE_PREFILTER : SCAN_ROUTE_NONE;
}

/* The automaton being filled. */
struct filling {
	struct scan_set *set;
	struct automaton_builder *builder;
	size_t count;
	bool backed;
};

static int finish(struct filling *f)
{
	struct scan_set *set = f->set;
	int r = 0;
	if (f->count > 0) {
		set->automata[set->automaton_count].backed = f->backed;
		r = automaton_build(f->builder, &set->automata[set->automaton_count].automaton);
		set->automaton_count += r == 0;
	}
	automaton_builder_free(f->builder);
	f->builder = NULL;
	f->count = 0;
	return r;
}

/* 0, AUTOMATON_UNFIT, or -ENOMEM. */
static int add(struct filling *f, const struct scan_entry *entry)
{
	int r = f->count == (f->backed ? BACKED_TOGETHER : ALONE_TOGETHER) ? finish(f) : 0;
	if (r != 0)
		return r;
	if (f->set->automaton_count == SCAN_AUTOMATA_MAX)
		return AUTOMATON_UNFIT;
	if (f->builder == NULL && automaton_builder_create(&f->builder) != 0)
		return -ENOMEM;
	r = automaton_builder_add(f->builder, entry->text, entry->flags);
	if (r == 0)
		f->set->automata[f->set->automaton_count].ids[f->count++] = entry->id;
	return r;
}

static int build_routed(const struct scan_builder *builder, struct scan_set *set, enum scan_route route)
{
	struct filling f = {.set = set, .backed = route == SCAN_ROUTE_BOTH};
	int r = 0;
	for (size_t i = 0; r >= 0 && i < builder->count; i++) {
		if (set->routes[i] != route)
			continue;
		r = add(&f, &builder->entries[i]);
		if (r == AUTOMATON_UNFIT)
			set->routes[i] = f.backed ? SCAN_ROUTE_DATABASE : SCAN_ROUTE_PREFILTER;
	}
	if (r >= 0)
		r = finish(&f);
	automaton_builder_free(f.builder);
	return r < 0 ? r : 0;
}

int scan_automata_build(const struct scan_builder *builder, struct scan_set *set)
{
	int r = build_routed(builder, set, SCAN_ROUTE_AUTOMATON);
	return r != 0 ? r : build_routed(builder, set, SCAN_ROUTE_BOTH);
}
