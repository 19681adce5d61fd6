/*
 * From patterns to a database. Hyperscan is asked about each pattern first (cheap); what it cannot take is taken as a
 * prefilter, or not at all. Only compiling shows that a pattern is too large, and costs a fifth of a second to find
 * out, so patterns of suspicious length are tried alone, split until their pieces compile, and then all go into one
 * database.
 */
#include "base/error.h"
#include "base/vector.h"
#include "match/pattern.h"
#include "match/regex.h"
#include "match/scan_internal.h"

#include <stdlib.h>

enum {
	SUSPICIOUS_BYTES = 4000, /* the smallest of the Core Rule Set's that is too large has 4,657 */
	PIECES_MAX = 4,          /* a pattern in more pieces scans slower than its prefilter */
	BASE_FLAGS = HS_FLAG_DOTALL | HS_FLAG_MULTILINE | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY,
};

int scan_builder_create(struct scan_builder **ret_builder)
{
	struct scan_builder *builder = calloc(1, sizeof(*builder));
	if (builder == NULL)
		return -ENOMEM;
	*ret_builder = builder;
	return 0;
}

void scan_builder_free(struct scan_builder *builder)
{
	if (builder == NULL)
		return;
	for (size_t i = 0; i < builder->count; i++)
		free((void *)(uintptr_t)builder->entries[i].text.ptr);
	free(builder->entries);
	free(builder);
}

static int add_entry(struct scan_builder *b, enum scan_entry_kind kind, uint32_t id, struct slice text, unsigned flags)
{
	if (id >= SCAN_ID_MAX)
		return -EINVAL;
	if (vector_grow((void **)&b->entries, &b->capacity, b->count, sizeof(*b->entries)) != 0)
		return -ENOMEM;
	uint8_t *copy = malloc(text.len + 1);
	if (copy == NULL)
		return -ENOMEM;
	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	b->entries[b->count++] = (struct scan_entry){kind, id, flags, slice_make(copy, text.len)};
	return 0;
}

int scan_builder_add_regex(struct scan_builder *builder, uint32_t id, struct slice pattern, unsigned flags)
{
	return add_entry(builder, SCAN_ENTRY_REGEX, id, pattern.len > 0 ? pattern : SLICE(".*"), flags);
}

int scan_builder_add_literal(struct scan_builder *builder, uint32_t id, struct slice literal)
{
	return add_entry(builder, SCAN_ENTRY_LITERAL, id, literal, REGEX_CASELESS);
}

/* What goes to Hyperscan: parallel arrays, as hs_compile_multi() wants them. */
struct expressions {
	char **texts; /* owned */
	unsigned *flags;
	unsigned *ids;
	size_t count;
	size_t capacity;
};

static void expressions_free(struct expressions *e)
{
	for (size_t i = 0; i < e->count; i++)
		free(e->texts[i]);
	free(e->texts);
	free(e->flags);
	free(e->ids);
}

static int expressions_grow(struct expressions *e)
{
	if (e->count < e->capacity)
		return 0;
	size_t capacity = e->capacity == 0 ? 64 : e->capacity * 2;
	char **texts = realloc(e->texts, capacity * sizeof(*texts));
	if (texts != NULL)
		e->texts = texts;
	unsigned *flags = realloc(e->flags, capacity * sizeof(*flags));
	if (flags != NULL)
		e->flags = flags;
	unsigned *ids = realloc(e->ids, capacity * sizeof(*ids));
	if (ids != NULL)
		e->ids = ids;
	if (texts == NULL || flags == NULL || ids == NULL)
		return -ENOMEM;
	e->capacity = capacity;
	return 0;
}

/* Takes over `text`, also when it fails. */
static int expressions_add(struct expressions *e, char *text, unsigned flags, uint32_t id)
{
	if (text == NULL || expressions_grow(e) != 0) {
		free(text);
		return -ENOMEM;
	}
	e->texts[e->count] = text;
	e->flags[e->count] = flags;
	e->ids[e->count++] = id;
	return 0;
}

/* A literal as an expression: whatever is not a letter or digit becomes \xHH. NULL without memory. */
static char *escape_literal(struct slice literal)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(literal.len * 4 + 1);
	if (text == NULL)
		return NULL;
	char *at = text;
	for (size_t i = 0; i < literal.len; i++) {
		uint8_t c = literal.ptr[i];
		if (c < 0x80 && (byte_is_alpha(c) || byte_is_digit(c))) {
			*at++ = (char)c;
		} else {
			*at++ = '\\';
			*at++ = 'x';
			*at++ = digits[c >> 4];
			*at++ = digits[c & 15];
		}
	}
	*at = 0;
	return text;
}

/* Whether Hyperscan's parser takes it; *ret_width is then its shortest match. */
static bool parses(const char *text, unsigned flags, uint32_t *ret_width)
{
	hs_expr_info_t *info = NULL;
	hs_compile_error_t *error = NULL;
	if (hs_expression_info(text, flags, &info, &error) != HS_SUCCESS) {
		hs_free_compile_error(error);
		return false;
	}
	*ret_width = info->min_width;
	free(info);
	return true;
}

/* Whether it compiles when it is alone: 0, 1 if not, or -ENOMEM. */
static int try_alone(const char *text, unsigned flags)
{
	hs_database_t *database = NULL;
	hs_compile_error_t *error = NULL;
	hs_error_t r = hs_compile(text, flags, HS_MODE_BLOCK, NULL, &database, &error);
	hs_free_database(database);
	hs_free_compile_error(error);
	return r == HS_SUCCESS ? 0 : r == HS_NOMEM ? -ENOMEM : 1;
}

static char *text_copy(struct slice text)
{
	char *copy = malloc(text.len + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	return copy;
}

/* `text` with the bytes of its alternation narrowed to [from, to). */
static char *narrowed(struct slice text, const struct pattern_node *alternation, size_t from, size_t to)
{
	size_t tail = text.len - alternation->to;
	char *piece = malloc(alternation->from + (to - from) + tail + 1);
	if (piece == NULL)
		return NULL;
	memcpy(piece, text.ptr, alternation->from);
	memcpy(piece + alternation->from, text.ptr + from, to - from);
	memcpy(piece + alternation->from + (to - from), text.ptr + alternation->to, tail);
	piece[alternation->from + (to - from) + tail] = 0;
	return piece;
}

/* The alternative at which the second half, by bytes, begins. */
static const struct pattern_node *second_half(const struct pattern *pattern, const struct pattern_node *alternation)
{
	const struct pattern_node *node = &pattern->nodes[pattern->nodes[alternation->first].next];
	size_t middle = alternation->from + (alternation->to - alternation->from) / 2;
	while (node->next != PATTERN_NO_NODE && node->to < middle)
		node = &pattern->nodes[node->next];
	return node;
}

/* Two patterns of which one matches if and only if `text` does. 0, 1 if it cannot be split, or -ENOMEM. */
static int split(struct slice text, unsigned flags, char *ret_halves[2])
{
	struct pattern pattern;
	int r = pattern_parse(text, flags, &pattern);
	if (r != 0)
		return r;
	uint32_t widest = pattern_widest_alternation(&pattern);
	if (widest == PATTERN_NO_NODE) {
		pattern_free(&pattern);
		return 1;
	}
	const struct pattern_node *alternation = &pattern.nodes[widest];
	const struct pattern_node *second = second_half(&pattern, alternation);
	ret_halves[0] = narrowed(text, alternation, alternation->from, second->from - 1);
	ret_halves[1] = narrowed(text, alternation, second->from, alternation->to);
	pattern_free(&pattern);
	if (ret_halves[0] != NULL && ret_halves[1] != NULL)
		return 0;
	free(ret_halves[0]);
	free(ret_halves[1]);
	return -ENOMEM;
}

/* Pieces of one pattern; the first `done` are known to compile. */
struct pieces {
	char *texts[PIECES_MAX];
	size_t done;
	size_t count;
};

static void pieces_free(struct pieces *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->texts[i]);
	p->count = p->done = 0;
}

/* Splits the newest piece; 0, 1 if that is not possible, or -ENOMEM. */
static int split_newest(struct pieces *p, unsigned regex_flags)
{
	char *halves[2];
	if (p->count == PIECES_MAX)
		return 1;
	char *text = p->texts[p->count - 1];
	int r = split(slice_from_string(text), regex_flags, halves);
	if (r != 0)
		return r;
	free(text);
	p->texts[p->count - 1] = halves[1];
	p->texts[p->count++] = halves[0];
	return 0;
}

/* Splits until all pieces compile; the newest is tried first. 0, 1 if it takes too many, or -ENOMEM. */
static int fit_pieces(struct pieces *p, unsigned regex_flags, unsigned flags)
{
	while (p->done < p->count) {
		size_t newest = p->count - 1;
		int r = try_alone(p->texts[newest], flags);
		if (r < 0)
			return r;
		if (r == 0) { /* it takes the place of the first that is not done */
			char *text = p->texts[newest];
			p->texts[newest] = p->texts[p->done];
			p->texts[p->done++] = text;
			continue;
		}
		r = split_newest(p, regex_flags);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Adds one regex in a form that is known to compile, and tells its class. */
static int expand_large(const struct scan_entry *entry, unsigned flags, struct expressions *out,
			enum scan_class *ret_class)
{
	struct pieces p = {.texts = {text_copy(entry->text)}, .count = 1};
	if (p.texts[0] == NULL)
		return -ENOMEM;
	int r = fit_pieces(&p, entry->flags, flags);
	if (r == 0) {
		*ret_class = SCAN_EXACT;
		for (size_t i = 0; i < p.count; i++) {
			if (r == 0)
				r = expressions_add(out, p.texts[i], flags, entry->id);
			else
				free(p.texts[i]);
		}
		return r;
	}
	pieces_free(&p);
	if (r < 0)
		return r;
	r = try_alone((const char *)entry->text.ptr, flags | HS_FLAG_PREFILTER);
	if (r < 0)
		return r;
	*ret_class = r == 0 ? SCAN_PREFILTER : SCAN_NONE;
	return r == 0 ? expressions_add(out, text_copy(entry->text), flags | HS_FLAG_PREFILTER, entry->id) : 0;
}

/* `large` entries are tried alone. */
static int expand_regex(const struct scan_entry *entry, bool large, struct expressions *out, uint32_t *width,
			enum scan_class *ret_class)
{
	const char *text = (const char *)entry->text.ptr;
	unsigned flags = BASE_FLAGS | (entry->flags & REGEX_CASELESS ? HS_FLAG_CASELESS : 0);
	*ret_class = SCAN_NONE;
	if (memchr(text, 0, entry->text.len) != NULL)
		return 0;
	if (!parses(text, flags, width)) {
		flags |= HS_FLAG_PREFILTER;
		if (!parses(text, flags, width))
			return 0;
		int r = large ? try_alone(text, flags) : 0;
		if (r != 0)
			return r < 0 ? r : 0;
		*ret_class = SCAN_PREFILTER;
		return expressions_add(out, text_copy(entry->text), flags, entry->id);
	}
	if (large)
		return expand_large(entry, flags, out, ret_class);
	*ret_class = SCAN_EXACT;
	return expressions_add(out, text_copy(entry->text), flags, entry->id);
}

/* Which entries to try alone, and what came of each. */
struct plan {
	bool *taken; /* by entry: an automaton has it */
	bool *large; /* by entry */
	struct expressions expressions;
	uint32_t *origins; /* entry of each expression */
	uint32_t min_width;
};

/* An automaton has it; Hyperscan is asked for its shortest match only, which it tells of patterns too large as well. */
static void take_entry(const struct scan_entry *entry, struct plan *plan, struct scan_set *set)
{
	uint32_t width = 0;
	unsigned flags = BASE_FLAGS | (entry->flags & REGEX_CASELESS ? HS_FLAG_CASELESS : 0);
	set->classes[entry->id] = SCAN_EXACT;
	if (!parses((const char *)entry->text.ptr, flags, &width))
		width = 0;
	if (width < plan->min_width)
		plan->min_width = width;
}

static int expand_entry(const struct scan_entry *entry, bool large, struct plan *plan, struct scan_set *set)
{
	uint32_t width = (uint32_t)entry->text.len;
	size_t before = plan->expressions.count;
	enum scan_class class = SCAN_EXACT;
	int r;
	if (entry->kind == SCAN_ENTRY_LITERAL)
		r = expressions_add(&plan->expressions, escape_literal(entry->text), BASE_FLAGS | HS_FLAG_CASELESS,
				    entry->id);
	else
		r = expand_regex(entry, large, &plan->expressions, &width, &class);
	if (r != 0)
		return r;
	set->classes[entry->id] = (uint8_t) class;
	if (plan->expressions.count > before && width < plan->min_width)
		plan->min_width = width;
	return 0;
}

static int expand_all(const struct scan_builder *b, struct plan *plan, struct scan_set *set)
{
	expressions_free(&plan->expressions);
	plan->expressions = (struct expressions){0};
	plan->min_width = UINT32_MAX;
	free(plan->origins);
	plan->origins = calloc(b->count * PIECES_MAX + 1, sizeof(*plan->origins));
	if (plan->origins == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < b->count; i++) {
		size_t before = plan->expressions.count;
		if (plan->taken[i]) {
			take_entry(&b->entries[i], plan, set);
			continue;
		}
		int r = expand_entry(&b->entries[i], plan->large[i], plan, set);
		if (r != 0)
			return r;
		for (size_t e = before; e < plan->expressions.count; e++)
			plan->origins[e] = (uint32_t)i;
	}
	return 0;
}

static void complain(struct diagnostics *diagnostics, const char *message)
{
	if (diagnostics != NULL)
		diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, (struct source_place){0}, NULL,
				"the scan of patterns cannot be compiled: %s", message);
}

/* 0; 1 if one more entry is now known to be large; or an error. */
static int compile_database(struct plan *plan, struct diagnostics *diagnostics, hs_database_t **ret_database)
{
	const struct expressions *e = &plan->expressions;
	hs_compile_error_t *error = NULL;
	hs_error_t h = hs_compile_multi((const char *const *)e->texts, e->flags, e->ids, (unsigned)e->count,
					HS_MODE_BLOCK, NULL, ret_database, &error);
	if (h == HS_SUCCESS)
		return 0;
	int r = h == HS_NOMEM ? -ENOMEM : -EINVAL;
	if (error != NULL && error->expression >= 0 && (size_t)error->expression < e->count) {
		bool *large = &plan->large[plan->origins[error->expression]];
		if (!*large)
			r = 1;
		*large = true;
	}
	if (r == -EINVAL)
		complain(diagnostics, error != NULL ? error->message : "unknown error");
	hs_free_compile_error(error);
	return r;
}

static int compile_plan(const struct scan_builder *b, struct plan *plan, struct diagnostics *diagnostics,
			struct scan_set *set)
{
	for (size_t i = 0; i < b->count; i++)
		plan->large[i] = b->entries[i].text.len >= SUSPICIOUS_BYTES;
	for (;;) {
		int r = expand_all(b, plan, set);
		if (r != 0 || plan->expressions.count == 0)
			return r;
		r = compile_database(plan, diagnostics, &set->database);
		if (r != 1)
			return r;
	}
}

static size_t words_needed(const struct scan_builder *b)
{
	size_t words = 0;
	for (size_t i = 0; i < b->count; i++)
		if (b->entries[i].id / 64 + 1 > words)
			words = b->entries[i].id / 64 + 1;
	return words;
}

static int build(const struct scan_builder *b, struct diagnostics *diagnostics, struct scan_set **ret_set)
{
	struct scan_set *set;
	struct plan plan = {.large = calloc(b->count + 1, sizeof(bool))};
	if (plan.large == NULL || scan_set_make(words_needed(b), &set) != 0) {
		free(plan.large);
		return -ENOMEM;
	}
	int r = scan_automata_build(b, set, &plan.taken);
	if (r == 0)
		r = compile_plan(b, &plan, diagnostics, set);
	set->min_width = plan.min_width;
	set->facts.pieces = plan.expressions.count;
	expressions_free(&plan.expressions);
	free(plan.origins);
	free(plan.large);
	free(plan.taken);
	if (r != 0) {
		scan_set_free(set);
		return r;
	}
	scan_set_finish(set);
	*ret_set = set;
	return 0;
}

/* A set from the cache's bytes, with its automata. 0 or an error. */
static int load(const struct scan_builder *b, struct slice bytes, struct scan_set **ret_set)
{
	struct scan_set *set;
	bool *taken;
	int r = scan_store_read(bytes, &set);
	if (r != 0)
		return r;
	r = scan_automata_build(b, set, &taken);
	if (r != 0) {
		scan_set_free(set);
		return r;
	}
	free(taken);
	*ret_set = set;
	return 0;
}

int scan_set_compile(const struct scan_builder *builder, const struct scan_cache *cache,
		     struct diagnostics *diagnostics, struct scan_set **ret_set)
{
	struct scan_cache_key key;
	struct buffer bytes = buffer_make(NULL);
	hs_platform_info_t platform = {0};
	hs_populate_platform(&platform);
	if (cache == NULL || scan_store_key(builder, &platform, &key) != 0)
		return build(builder, diagnostics, ret_set);
	int r = scan_cache_load(cache, &key, diagnostics, &bytes);
	if (r == 1 && load(builder, buffer_slice(&bytes), ret_set) == 0) {
		buffer_free(&bytes);
		return 0;
	}
	buffer_clear(&bytes);
	r = r < 0 ? r : build(builder, diagnostics, ret_set);
	/* What cannot be stored is compiled again next time; the cache has warned of it. */
	if (r == 0 && scan_store_write(*ret_set, &bytes) == 0)
		scan_cache_store(cache, &key, buffer_slice(&bytes), diagnostics);
	buffer_free(&bytes);
	return r;
}
