/*
 * From patterns to databases. Each pattern's route is chosen first; whether Hyperscan can take one is known for sure
 * only when all are compiled together, and then the one that it refuses is routed elsewhere, and all are compiled
 * again.
 */
#include "base/error.h"
#include "base/vector.h"
#include "match/regex.h"
#include "match/scan_internal.h"

#include <stdlib.h>

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

static char *text_copy(struct slice text)
{
	char *copy = malloc(text.len + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	return copy;
}

/* Which entry an expression is of is kept beside it. */
struct plan {
	struct expressions expressions;
	size_t *origins;
};

static int add_routed(const struct scan_builder *b, size_t entry_at, enum scan_route route, struct plan *plan)
{
	const struct scan_entry *entry = &b->entries[entry_at];
	char *text = entry->kind == SCAN_ENTRY_LITERAL ? escape_literal(entry->text) : text_copy(entry->text);
	plan->origins[plan->expressions.count] = entry_at;
	return expressions_add(&plan->expressions, text, scan_route_flags(entry, route), entry->id);
}

/* The expressions of the entries that go to the database, or to the backup. */
static int make_plan(const struct scan_builder *b, const struct scan_set *set, bool backup, struct plan *ret_plan)
{
	*ret_plan = (struct plan){.origins = calloc(b->count + 1, sizeof(*ret_plan->origins))};
	int r = ret_plan->origins == NULL ? -ENOMEM : 0;
	for (size_t i = 0; r == 0 && i < b->count; i++) {
		enum scan_route route = (enum scan_route)set->routes[i];
		bool in = backup ? route == SCAN_ROUTE_BOTH
				 : route == SCAN_ROUTE_DATABASE || route == SCAN_ROUTE_PREFILTER;
		if (in)
			r = add_routed(b, i, route, ret_plan);
	}
	return r;
}

static void plan_free(struct plan *plan)
{
	expressions_free(&plan->expressions);
	free(plan->origins);
}

static void complain(struct diagnostics *diagnostics, const char *message)
{
	if (diagnostics != NULL)
		diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, (struct source_place){0}, NULL,
				"the scan of patterns cannot be compiled: %s", message);
}

/* An entry that Hyperscan refused goes the next best way. */
static void reroute(uint8_t *route)
{
	static const uint8_t next[] = {
		[SCAN_ROUTE_BOTH] = SCAN_ROUTE_AUTOMATON,     [SCAN_ROUTE_AUTOMATON] = SCAN_ROUTE_NONE,
		[SCAN_ROUTE_DATABASE] = SCAN_ROUTE_PREFILTER, [SCAN_ROUTE_PREFILTER] = SCAN_ROUTE_NONE,
		[SCAN_ROUTE_NONE] = SCAN_ROUTE_NONE,
	};
	*route = next[*route];
}

/* 0; 1 if an entry was rerouted and all is to be tried again; or an error. */
static int compile_plan(const struct plan *plan, struct scan_set *set, struct diagnostics *diagnostics,
			hs_database_t **ret_database)
{
	const struct expressions *e = &plan->expressions;
	hs_compile_error_t *error = NULL;
	if (e->count == 0)
		return 0;
	hs_error_t h = hs_compile_multi((const char *const *)e->texts, e->flags, e->ids, (unsigned)e->count,
					HS_MODE_BLOCK, NULL, ret_database, &error);
	if (h == HS_SUCCESS)
		return 0;
	int r = h == HS_NOMEM ? -ENOMEM : -EINVAL;
	if (error != NULL && error->expression >= 0 && (size_t)error->expression < e->count) {
		reroute(&set->routes[plan->origins[error->expression]]);
		r = 1;
	}
	if (r == -EINVAL)
		complain(diagnostics, error != NULL ? error->message : "unknown error");
	hs_free_compile_error(error);
	return r;
}

static int compile_routed(const struct scan_builder *b, struct scan_set *set, bool backup,
			  struct diagnostics *diagnostics, hs_database_t **ret_database)
{
	for (;;) {
		struct plan plan;
		int r = make_plan(b, set, backup, &plan);
		if (r == 0)
			r = compile_plan(&plan, set, diagnostics, ret_database);
		plan_free(&plan);
		if (r != 1)
			return r;
	}
}

/* The shortest match of whatever is looked for; 0 where Hyperscan cannot tell. */
static uint32_t shortest_match(const struct scan_builder *b, const struct scan_set *set)
{
	uint32_t least = UINT32_MAX;
	for (size_t i = 0; i < b->count; i++) {
		const struct scan_entry *entry = &b->entries[i];
		enum scan_route route = (enum scan_route)set->routes[i];
		uint32_t width = (uint32_t)entry->text.len;
		if (route == SCAN_ROUTE_NONE)
			continue;
		if (entry->kind == SCAN_ENTRY_REGEX &&
		    !scan_route_parses(entry, scan_route_flags(entry, route), &width))
			width = 0;
		least = width < least ? width : least;
	}
	return least;
}

/* The backup comes first: what it refuses becomes an automaton's alone. */
static int fill(const struct scan_builder *b, struct diagnostics *diagnostics, struct scan_set *set)
{
	for (size_t i = 0; i < b->count; i++)
		set->routes[i] = (uint8_t)scan_route_choose(&b->entries[i]);
	int r = compile_routed(b, set, true, diagnostics, &set->backup);
	if (r == 0)
		r = scan_automata_build(b, set);
	if (r == 0)
		r = compile_routed(b, set, false, diagnostics, &set->database);
	set->min_width = shortest_match(b, set);
	return r;
}

static int build(const struct scan_builder *b, struct diagnostics *diagnostics, struct scan_set **ret_set)
{
	struct scan_set *set;
	int r = scan_set_make(b, &set);
	if (r != 0)
		return r;
	r = fill(b, diagnostics, set);
	if (r != 0) {
		scan_set_free(set);
		return r;
	}
	scan_set_finish(b, set);
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
	if (r == 1 && scan_store_read(builder, buffer_slice(&bytes), ret_set) == 0) {
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
