/*
 * Which patterns of a set go to automata. Hyperscan finds a pattern too large, or scans slowly for it (20 to 60 ns a
 * byte), when it repeats in very many places, like those that allow quotes between any two letters of a command. Such
 * patterns cost an automaton 2 to 4 ns a byte, and eight of them no more than one.
 */
#include "base/error.h"
#include "match/pattern.h"
#include "match/scan_internal.h"

#include <stdlib.h>

enum {
	LOOPS_MIN = 100, /* of the Core Rule Set's, those too large have 122 to 526; others have up to 86 */
	TEXT_MIN = 500,  /* shorter ones have not so many, and need not be parsed */
	TOGETHER_MAX = 8,
};

static bool repeats_often(const struct scan_entry *entry)
{
	struct pattern pattern;
	size_t loops = 0;
	if (entry->kind != SCAN_ENTRY_REGEX || entry->text.len < TEXT_MIN ||
	    pattern_parse(entry->text, entry->flags, &pattern) != 0)
		return false;
	for (size_t i = 0; i < pattern.count; i++)
		loops += pattern.nodes[i].kind == PATTERN_REPEAT && pattern.nodes[i].max == PATTERN_ENDLESS;
	pattern_free(&pattern);
	return loops >= LOOPS_MIN;
}

/* The automaton being filled. */
struct filling {
	struct automaton_builder *builder;
	size_t count;
};

static int finish(struct scan_set *set, struct filling *f)
{
	int r = f->count == 0 ? 0 : automaton_build(f->builder, &set->automata[set->automaton_count].automaton);
	if (r == 0 && f->count > 0)
		set->automaton_count++;
	automaton_builder_free(f->builder);
	*f = (struct filling){0};
	return r;
}

/* 0, AUTOMATON_UNFIT, or -ENOMEM. */
static int add(struct scan_set *set, struct filling *f, const struct scan_entry *entry)
{
	int r = f->count == TOGETHER_MAX ? finish(set, f) : 0;
	if (r != 0)
		return r;
	if (set->automaton_count == SCAN_AUTOMATA_MAX)
		return AUTOMATON_UNFIT;
	if (f->builder == NULL && automaton_builder_create(&f->builder) != 0)
		return -ENOMEM;
	r = automaton_builder_add(f->builder, entry->text, entry->flags);
	if (r == 0)
		set->automata[set->automaton_count].ids[f->count++] = entry->id;
	return r;
}

int scan_automata_build(const struct scan_builder *builder, struct scan_set *set, bool **ret_taken)
{
	struct filling filling = {0};
	bool *taken = calloc(builder->count + 1, sizeof(*taken));
	int r = taken == NULL ? -ENOMEM : 0;
	for (size_t i = 0; r >= 0 && i < builder->count; i++) {
		if (!repeats_often(&builder->entries[i]))
			continue;
		r = add(set, &filling, &builder->entries[i]);
		taken[i] = r == 0;
	}
	if (r >= 0)
		r = finish(set, &filling);
	if (r < 0) {
		automaton_builder_free(filling.builder);
		free(taken);
		return r;
	}
	*ret_taken = taken;
	return 0;
}
