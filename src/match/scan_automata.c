/*
 * Which patterns of a set go where. Hyperscan is at its best with many literals: 60 ns for a short value and 0.4 ns a
 * byte for the 2,661 phrases of CRS 4.28.0 on ARGS. Regexes are another matter: each that has no good literal costs it
 * some 50 ns a value, and those that allow quotes between any two letters of a command are too large for it. As an
 * automaton each of the Core Rule Set's needs a few dozen states, the largest two thousand. Together they need fewer
 * steps, but on odd text the product of their states; so that they stand together for speed, and alone for odd text.
 */
#include "base/error.h"
#include "base/vector.h"
#include "match/pattern_width.h"
#include "match/regex.h"
#include "match/scan_internal.h"

#include <stdlib.h>

enum {
	TOGETHER = 16,
	ODD_TOGETHER = 32, /* of the highest level: what these look for is rare in plain text */
	LOOPING_TOGETHER = 5,
	LEVEL_LEAST = 4,           /* fewer patterns of a level join the level below */
	INSTRUCTIONS_MANY = 10000, /* longer lists of words are better left to Hyperscan, if it takes them */
	SHORT_LITERALS_MOST = 8,
	GATES_LEAST = 4,  /* for fewer a database is not worth its memory */
	MARKER_OPS = 100, /* with more, markers take longer than a pattern's automaton; or its part of several's */
	LOOPING_MARKER_OPS = 60,
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

/* An entry that goes to automata. */
struct member {
	size_t entry;
	struct scan_study *study;
	unsigned level; /* as in the study, or lower */
	bool gated;
};

struct members {
	struct scan_studies *studies;
	struct scan_notes *notes; /* of the set: each function that says so is a step */
	struct member *items;
	size_t count;
	size_t capacity;
};

/* What is looked for in automata, as a regex. 0 or -ENOMEM. */
static int expression_of(const struct scan_entry *entry, struct slice *ret_text)
{
	if (entry->kind == SCAN_ENTRY_LITERAL) {
		char *text = scan_escape_literal(entry->text);
		*ret_text = text == NULL ? (struct slice){NULL, 0} : slice_from_string(text);
		return text == NULL ? -ENOMEM : 0;
	}
	uint8_t *copy = malloc(entry->text.len + 1);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, entry->text.ptr, entry->text.len);
	*ret_text = slice_make(copy, entry->text.len);
	return 0;
}

/* 0, AUTOMATON_UNFIT, or an error. `many`: patterns with more instructions are unfit. A step. */
static int try_automaton(const struct scan_builder *builder, size_t at, size_t many, struct members *members)
{
	struct slice text;
	struct scan_study *study;
	if (vector_grow((void **)&members->items, &members->capacity, members->count, sizeof(*members->items)) != 0 ||
	    expression_of(&builder->entries[at], &text) != 0)
		return -ENOMEM;
	int r = scan_study_get(members->studies, members->notes, text, builder->entries[at].flags, many, &study);
	if (r != 0 || study->is_unfit)
		return r != 0 ? r : AUTOMATON_UNFIT;
	members->items[members->count++] = (struct member){at, study, study->level, study->factors.items != NULL};
	return 0;
}

/* Literals too short for the filter are few, as a rule; then they are not in its way. */
static bool short_literals_are_few(const struct scan_builder *builder)
{
	size_t count = 0;
	for (size_t i = 0; i < builder->count; i++)
		count += builder->entries[i].kind == SCAN_ENTRY_LITERAL &&
			 builder->entries[i].text.len < SCAN_FILTER_BYTES;
	return count <= SHORT_LITERALS_MOST;
}

/* Where an entry goes; if to an automaton, it is added to the members. 0 or an error. */
static int choose(const struct scan_builder *builder, size_t at, bool short_literals, struct members *members,
		  uint8_t *ret_route)
{
	const struct scan_entry *entry = &builder->entries[at];
	uint32_t width;
	*ret_route = SCAN_ROUTE_DATABASE;
	if (entry->kind == SCAN_ENTRY_LITERAL &&
	    (!short_literals || entry->text.len >= SCAN_FILTER_BYTES || entry->text.len == 0))
		return 0;
	int r = try_automaton(builder, at, INSTRUCTIONS_MANY, members);
	if (r == AUTOMATON_UNFIT && !scan_route_parses(entry, scan_route_flags(entry, SCAN_ROUTE_DATABASE), &width)) {
		r = try_automaton(builder, at, SIZE_MAX, members);
		bool prefilter = scan_route_parses(entry, scan_route_flags(entry, SCAN_ROUTE_PREFILTER), &width);
		*ret_route = prefilter ? SCAN_ROUTE_PREFILTER : SCAN_ROUTE_NONE;
	}
	if (r == 0)
		*ret_route = SCAN_ROUTE_AUTOMATON;
	return r < 0 ? r : 0;
}

static void drop_few_gates(struct members *members)
{
	size_t count = 0;
	for (size_t i = 0; i < members->count; i++)
		count += members->items[i].gated;
	for (size_t i = 0; count < GATES_LEAST && i < members->count; i++)
		members->items[i].gated = false;
}

static bool is_calm(const struct member *member, unsigned level)
{
	return member->level == level && !member->study->loops && !member->gated;
}

/* Levels with few members are taken into the one below. */
static void join_levels(struct members *members)
{
	for (unsigned level = SCAN_STUDY_LEVELS - 1; level > 0; level--) {
		size_t count = 0;
		for (size_t i = 0; i < members->count; i++)
			count += is_calm(&members->items[i], level);
		for (size_t i = 0; count < LEVEL_LEAST && i < members->count; i++)
			members->items[i].level -= is_calm(&members->items[i], level);
	}
}

static int make_together(const struct member *members, size_t count, struct automaton **ret_automaton)
{
	struct automaton_builder *together;
	int r = automaton_builder_create(false, &together);
	if (r != 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++) {
		r = scan_study_pattern(members[i].study);
		if (r == 0)
			r = automaton_builder_add_parsed(together, &members[i].study->pattern);
	}
	if (r == 0)
		r = automaton_build(together, ret_automaton);
	automaton_builder_free(together);
	return r;
}

/* 0, AUTOMATON_UNFIT when all is too large together, or an error. A step. */
static int build_together(struct scan_notes *notes, const struct member *members, size_t count,
			  struct automaton **ret_automaton)
{
	if (notes->told) {
		uint8_t outcome = reader_byte(&notes->in);
		return outcome != 0 ? AUTOMATON_UNFIT : automaton_read(&notes->in, ret_automaton);
	}
	int r = make_together(members, count, ret_automaton);
	if (notes->kept && r >= 0)
		buffer_byte(&notes->out, (uint8_t)r);
	if (notes->kept && r == 0)
		automaton_write(*ret_automaton, &notes->out);
	return r;
}

/* The key of what a pattern needs, made if it is new; when there are no more, SCAN_KEY_ANY. */
static uint64_t key_for(struct scan_set *set, const struct scan_study *study)
{
	uint64_t with = UINT64_MAX, without = 0;
	if (study->commonness >= 100)
		return SCAN_KEY_ANY;
	for (unsigned c = 0; c < 256; c++) {
		if (pattern_set_has(&study->need, (uint8_t)c))
			with &= set->byte_keys[c];
		else
			without |= set->byte_keys[c];
	}
	uint64_t same = with & ~without & ~(uint64_t)SCAN_KEY_ANY;
	if (same != 0)
		return same & -same;
	uint64_t used = SCAN_KEY_ANY;
	for (unsigned c = 0; c < 256; c++)
		used |= set->byte_keys[c];
	uint64_t key = ~used & (used + 1); /* they are given from the lowest */
	for (unsigned c = 0; c < 256; c++)
		if (pattern_set_has(&study->need, (uint8_t)c))
			set->byte_keys[c] |= key;
	return key != 0 ? key : SCAN_KEY_ANY;
}

/* 0 or -ENOMEM. */
static int add_factors(struct scan_factors *list, uint32_t slot, const struct pattern_factors *factors,
		       const struct pattern_reaches *reaches)
{
	for (size_t i = 0; i < factors->count; i++) {
		if (vector_grow((void **)&list->items, &list->capacity, list->count, sizeof(*list->items)) != 0)
			return -ENOMEM;
		list->items[list->count++] =
			(struct scan_factor){slot, factors->items[i], pattern_reach(reaches, factors->items[i].ways)};
	}
	return 0;
}

/* Each member gets a gate. 0 or -ENOMEM. */
static int add_gates(struct scan_set *set, struct scan_automaton *group, const struct member *members, size_t count)
{
	group->gated = true;
	for (size_t i = 0; i < count; i++) {
		uint32_t slot = group->first_slot + (uint32_t)i;
		uint32_t first_second = (uint32_t)set->seconds.count;
		const struct scan_study *study = members[i].study;
		if (add_factors(&set->factors, slot, &study->factors, study->reaches) != 0 ||
		    add_factors(&set->seconds, slot, &study->second, study->reaches) != 0)
			return -ENOMEM;
		set->gates[slot] = (struct scan_gate){first_second, (uint32_t)study->second.count};
		set->gate_count++;
	}
	return 0;
}

void scan_automata_open(struct scan_set *set)
{
	for (size_t i = 0; i < set->automaton_count; i++)
		set->automata[i].gated = false;
	set->factors.count = set->seconds.count = 0;
	set->gate_count = 0;
}

/* As build_together(). */
static int build_group(const struct scan_builder *builder, struct scan_set *set, struct scan_notes *notes,
		       struct member *members, size_t count)
{
	struct scan_automaton *group = &set->automata[set->automaton_count];
	int r = count > 1 ? build_together(notes, members, count, &group->together) : 0;
	if (r != 0)
		return r;
	group->keys = 0;
	group->min_width = UINT32_MAX;
	group->count = count;
	group->first_slot = set->slot_count;
	set->slot_count += (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		struct automaton **place = count > 1 ? &group->alone[i] : &group->together;
		const struct scan_study *study = members[i].study;
		uint32_t width = study->widths[BYTE_LEVEL_ANY];
		*place = automaton_share(study->alone);
		group->ids[i] = builder->entries[members[i].entry].id;
		memcpy(group->widths[i], study->widths, sizeof(group->widths[i]));
		group->keys |= members[i].gated ? SCAN_KEY_ANY : key_for(set, study);
		group->min_width = width < group->min_width ? width : group->min_width;
	}
	set->automaton_count++;
	return members[0].gated ? add_gates(set, group, members, count) : 0;
}

/* As many together as fit. */
static int build_fitting(const struct scan_builder *builder, struct scan_set *set, struct scan_notes *notes,
			 struct member *members, size_t count)
{
	int r = build_group(builder, set, notes, members, count);
	if (r != AUTOMATON_UNFIT)
		return r;
	r = build_fitting(builder, set, notes, members, count / 2);
	return r != 0 ? r : build_fitting(builder, set, notes, members + count / 2, count - count / 2);
}

/* Those with gates last; the calm ones by level, then those with many loops; all by the bytes they need. */
static int by_kind(const void *a, const void *b)
{
	const struct member *left = a, *right = b;
	if (left->gated != right->gated)
		return left->gated ? 1 : -1;
	if (left->study->loops != right->study->loops)
		return left->study->loops ? 1 : -1;
	if (left->level != right->level)
		return left->level < right->level ? -1 : 1;
	if (left->study->commonness != right->study->commonness)
		return left->study->commonness > right->study->commonness ? -1 : 1;
	return left->entry < right->entry ? -1 : 1;
}

static bool belong_together(const struct member *a, const struct member *b)
{
	return a->gated == b->gated && a->study->loops == b->study->loops && (a->study->loops || a->level == b->level);
}

static size_t most_together(const struct member *member)
{
	return member->study->loops                     ? LOOPING_TOGETHER
	       : member->level + 1 == SCAN_STUDY_LEVELS ? ODD_TOGETHER
							: TOGETHER;
}

/* Groups of about the same size. */
static int build_parts(const struct scan_builder *builder, struct scan_set *set, struct scan_notes *notes,
		       struct member *members, size_t count)
{
	int r = 0;
	size_t most = most_together(members);
	size_t parts = (count + most - 1) / most;
	for (size_t from = 0, part = 0; part < parts && r == 0; part++) {
		size_t to = count * (part + 1) / parts;
		r = build_fitting(builder, set, notes, members + from, to - from);
		from = to;
	}
	return r;
}

static int build_groups(const struct scan_builder *builder, struct scan_set *set, struct members *members)
{
	int r = 0;
	drop_few_gates(members);
	join_levels(members);
	qsort(members->items, members->count, sizeof(*members->items), by_kind);
	set->automata = calloc(members->count + 1, sizeof(*set->automata));
	set->gates = calloc(members->count + 1, sizeof(*set->gates));
	if (set->automata == NULL || set->gates == NULL)
		return -ENOMEM;
	for (size_t from = 0, to; from < members->count && r == 0; from = to) {
		for (to = from; to < members->count; to++)
			if (!belong_together(&members->items[from], &members->items[to]))
				break;
		r = build_parts(builder, set, members->notes, &members->items[from], to - from);
	}
	return r;
}

/* Of the members, which are in the order of slots, in values of a level. 0 or an error. */
static int find_grams(const struct members *members, enum byte_level level, struct pattern_grams *grams,
		      struct pattern_grams **slots)
{
	for (size_t i = 0; i < members->count; i++) {
		const struct member *member = &members->items[i];
		slots[i] = NULL;
		if (!member->gated) {
			int r = scan_study_grams(member->study, level);
			if (r != 0)
				return r;
			grams[i] = *member->study->grams[level];
			slots[i] = &grams[i];
		} else if (level != BYTE_LEVEL_ANY && member->study->widths[level] == PATTERN_IMPOSSIBLE) {
			/* It need not be run though its gate is open. */
			grams[i] = (struct pattern_grams){0};
			slots[i] = &grams[i];
		}
	}
	return 0;
}

/* Of all members, in the order of slots. 0 or an error. */
static int make_markers(const struct members *members, struct markers **ret_markers)
{
	struct markers *markers;
	int r = markers_create(members->count, &markers);
	if (r != 0)
		return r;
	for (size_t i = 0; i < members->count && r == 0; i++) {
		struct scan_study *study = members->items[i].study;
		r = scan_study_pattern(study);
		if (r == 0)
			r = markers_add(markers, i, &study->pattern, study->loops ? LOOPING_MARKER_OPS : MARKER_OPS);
	}
	if (r != 0) {
		markers_free(markers);
		return r;
	}
	markers_finish(markers);
	*ret_markers = markers;
	return 0;
}

/* 0 or an error. A step. */
static int build_markers(const struct members *members, struct scan_set *set)
{
	struct scan_notes *notes = members->notes;
	if (!marker_is_possible())
		return 0;
	if (notes->told)
		return markers_read(&notes->in, &set->markers);
	int r = make_markers(members, &set->markers);
	if (r == 0 && notes->kept)
		markers_write(set->markers, &notes->out);
	return r;
}

/* For all levels. 0 or an error. */
static int make_grams(const struct members *members, struct scan_set *set)
{
	struct pattern_grams *grams = calloc(members->count, sizeof(*grams));
	struct pattern_grams **slots = calloc(members->count, sizeof(struct pattern_grams *));
	int r = grams == NULL || slots == NULL ? -ENOMEM : 0;
	for (unsigned level = 0; level < BYTE_LEVELS && r == 0; level++) {
		r = find_grams(members, (enum byte_level)level, grams, slots);
		if (r == 0)
			r = scan_grams_create(slots, members->count, &set->grams[level]);
	}
	free(grams);
	free(slots);
	return r;
}

/* 0 or an error. A step. */
static int build_grams(const struct members *members, struct scan_set *set)
{
	struct scan_notes *notes = members->notes;
	int r = notes->told ? 0 : make_grams(members, set);
	for (unsigned level = 0; level < BYTE_LEVELS && r == 0; level++) {
		if (notes->told)
			r = scan_grams_read(&notes->in, &set->grams[level]);
		else if (notes->kept)
			scan_grams_write(set->grams[level], &notes->out);
	}
	return r;
}

static int build_all(const struct scan_builder *builder, struct members *members, struct scan_set *set)
{
	bool short_literals = short_literals_are_few(builder);
	int r = 0;
	for (size_t i = 0; i < builder->count && r == 0; i++)
		r = choose(builder, i, short_literals, members, &set->routes[i]);
	if (r != 0 || members->count == 0)
		return r;
	r = build_groups(builder, set, members);
	if (r == 0)
		r = build_grams(members, set);
	return r != 0 ? r : build_markers(members, set);
}

int scan_automata_build(const struct scan_builder *builder, struct scan_notes *notes, struct scan_set *set)
{
	struct scan_studies *own = NULL;
	if (builder->studies == NULL && scan_studies_create(&own) != 0)
		return -ENOMEM;
	struct members members = {.studies = own != NULL ? own : builder->studies, .notes = notes};
	int r = build_all(builder, &members, set);
	if (r == 0 && notes->told && (notes->in.overrun || !reader_at_end(&notes->in)))
		r = -EBADMSG;
	free(members.items);
	scan_studies_free(own);
	return r;
}
