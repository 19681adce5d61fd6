/*
 * From patterns to automata and a database. Each pattern's route is chosen first; whether Hyperscan can take one is
 * known for sure only when all are compiled together, and then the one that it refuses is routed elsewhere, and all are
 * compiled again. What Hyperscan makes of a list of expressions is stored under that very list, so that a database from
 * the cache is the one that would be compiled now; the rest is worked out for a pattern of several sets once
 * (scan_study.h), and stored under the sources that work it out (scan_notes.h).
 */
#include "base/error.h"
#include "base/vector.h"
#include "match/regex.h"
#include "match/scan_internal.h"

#include <stdlib.h>

int scan_builder_create(struct scan_studies *studies, struct scan_builder **ret_builder)
{
	struct scan_builder *builder = calloc(1, sizeof(*builder));
	if (builder == NULL)
		return -ENOMEM;
	builder->studies = studies;
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

static void expressions_free(struct scan_expressions *e)
{
	for (size_t i = 0; i < e->count; i++)
		free(e->texts[i]);
	free(e->texts);
	free(e->flags);
	free(e->ids);
	free(e->origins);
}

/* 0 or -ENOMEM. */
static int expressions_make(size_t capacity, struct scan_expressions *ret_expressions)
{
	struct scan_expressions e = {
		.texts = malloc((capacity + 1) * sizeof(*e.texts)),
		.flags = malloc((capacity + 1) * sizeof(*e.flags)),
		.ids = malloc((capacity + 1) * sizeof(*e.ids)),
		.origins = malloc((capacity + 1) * sizeof(*e.origins)),
	};
	*ret_expressions = e;
	return e.texts == NULL || e.flags == NULL || e.ids == NULL || e.origins == NULL ? -ENOMEM : 0;
}

char *scan_escape_literal(struct slice literal)
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

/* Takes the text over. */
static int expressions_add(struct scan_expressions *e, char *text, unsigned flags, uint32_t id, size_t origin)
{
	if (text == NULL)
		return -ENOMEM;
	e->texts[e->count] = text;
	e->flags[e->count] = flags;
	e->ids[e->count] = id;
	e->origins[e->count++] = origin;
	return 0;
}

static int add_of_entry(const struct scan_builder *b, size_t at, enum scan_route route, struct scan_expressions *e)
{
	const struct scan_entry *entry = &b->entries[at];
	char *text = entry->kind == SCAN_ENTRY_LITERAL ? scan_escape_literal(entry->text) : text_copy(entry->text);
	return expressions_add(e, text, scan_route_flags(entry, route), entry->id, at);
}

static int add_of_factor(const struct scan_set *set, size_t factor, struct scan_expressions *e)
{
	return expressions_add(e, scan_escape_literal(scan_factor_text(&set->factors.items[factor])),
			       SCAN_FLAGS | HS_FLAG_CASELESS, scan_factor_id(set, factor), SCAN_ORIGIN_FACTOR);
}

/* The expressions of the entries that go to the database, and of factors. Free in any case. */
static int expressions_collect(const struct scan_builder *b, const struct scan_set *set,
			       struct scan_expressions *ret_expressions)
{
	int r = expressions_make(b->count + set->factors.count, ret_expressions);
	for (size_t i = 0; r == 0 && i < b->count; i++) {
		enum scan_route route = (enum scan_route)set->routes[i];
		if (route == SCAN_ROUTE_DATABASE || route == SCAN_ROUTE_PREFILTER)
			r = add_of_entry(b, i, route, ret_expressions);
	}
	for (size_t i = 0; r == 0 && i < set->factors.count; i++)
		r = add_of_factor(set, i, ret_expressions);
	return r;
}

static void complain(struct diagnostics *diagnostics, const char *message)
{
	if (diagnostics != NULL)
		diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, (struct source_place){0}, NULL,
				"the scan of patterns cannot be compiled: %s", message);
}

/* Where a database comes from and goes to. */
struct source {
	const struct scan_cache *cache;
	struct diagnostics *diagnostics;
};

/* Hyperscan tells of a lack of memory as of a bad pattern, the first at times: by the text only. */
static bool lacks_memory(hs_error_t h, const hs_compile_error_t *error)
{
	return h == HS_NOMEM || error == NULL || strstr(error->message, "allocate memory") != NULL;
}

/* 0 with *ret_refused SCAN_STORE_TAKEN and a database, or the number of what was refused; or an error. */
static int ask_hyperscan(const struct scan_expressions *e, struct diagnostics *diagnostics,
			 hs_database_t **ret_database, uint32_t *ret_refused)
{
	hs_compile_error_t *error = NULL;
	*ret_refused = SCAN_STORE_TAKEN;
	hs_error_t h = hs_compile_multi((const char *const *)e->texts, e->flags, e->ids, (unsigned)e->count,
					HS_MODE_BLOCK, NULL, ret_database, &error);
	if (h == HS_SUCCESS)
		return 0;
	int r = lacks_memory(h, error) ? -ENOMEM : -EINVAL;
	if (r == -EINVAL && error->expression >= 0 && (size_t)error->expression < e->count) {
		*ret_refused = (uint32_t)error->expression;
		r = 0;
	}
	if (r == -EINVAL)
		complain(diagnostics, error->message);
	hs_free_compile_error(error);
	return r;
}

/* The same, from the cache where it can be had. */
static int find_database(const struct scan_expressions *e, const struct source *source, struct scan_set *set,
			 uint32_t *ret_refused)
{
	struct scan_cache_key key;
	struct buffer bytes = buffer_make(NULL);
	hs_platform_info_t platform = {0};
	hs_populate_platform(&platform);
	if (source->cache == NULL || scan_store_key(e, &platform, &key) != 0)
		return ask_hyperscan(e, source->diagnostics, &set->database, ret_refused);
	int r = scan_cache_load(source->cache, &key, source->diagnostics, &bytes);
	if (r == 1 && scan_store_read(buffer_slice(&bytes), &set->database, ret_refused) == 0) {
		buffer_free(&bytes);
		set->facts.from_cache = true;
		return 0;
	}
	buffer_clear(&bytes);
	set->facts.from_cache = false;
	r = r < 0 ? r : ask_hyperscan(e, source->diagnostics, &set->database, ret_refused);
	/* What cannot be stored is compiled again next time; the cache has warned of it. */
	if (r == 0 && scan_store_write(set->database, *ret_refused, &bytes) == 0)
		scan_cache_store(source->cache, &key, buffer_slice(&bytes), source->diagnostics);
	buffer_free(&bytes);
	return r;
}

/* What was refused goes the next best way. */
static void reroute(struct scan_set *set, size_t origin)
{
	if (origin == SCAN_ORIGIN_FACTOR)
		scan_automata_open(set);
	else if (set->routes[origin] == SCAN_ROUTE_DATABASE)
		set->routes[origin] = SCAN_ROUTE_PREFILTER;
	else
		set->routes[origin] = SCAN_ROUTE_NONE;
}

/* One try: 0 when done, 1 if an entry was refused, which goes the next best way; or an error. */
static int try_database(const struct scan_builder *b, const struct source *source, struct scan_set *set)
{
	struct scan_expressions e;
	uint32_t refused = SCAN_STORE_TAKEN;
	int r = expressions_collect(b, set, &e);
	if (r == 0 && e.count > 0)
		r = find_database(&e, source, set, &refused);
	if (r == 0 && refused != SCAN_STORE_TAKEN) {
		reroute(set, e.origins[refused < e.count ? refused : 0]);
		r = 1;
	}
	expressions_free(&e);
	return r;
}

static int fill(const struct scan_builder *b, const struct source *source, struct scan_notes *notes,
		struct scan_set *set)
{
	int r = scan_automata_build(b, notes, set);
	if (r != 0)
		return r;
	set->facts.noted = notes->told;
	do
		r = try_database(b, source, set);
	while (r == 1);
	return r != 0 ? r : scan_set_finish(b, set);
}

/* 0 or an error; -EBADMSG: the notes are no good. */
static int make(const struct scan_builder *b, const struct source *source, struct scan_notes *notes,
		struct scan_set **ret_set)
{
	struct scan_set *set = NULL;
	int r = scan_set_make(b, &set);
	if (r == 0)
		r = fill(b, source, notes, set);
	if (r != 0) {
		scan_set_free(set);
		return r;
	}
	*ret_set = set;
	return 0;
}

/* Without a key there are none. 0 or -ENOMEM. */
static int open_notes(const struct scan_builder *b, const struct source *source, struct scan_notes *ret_notes)
{
	struct scan_cache_key key = {0};
	hs_platform_info_t platform = {0};
	hs_populate_platform(&platform);
	bool can_keep = source->cache != NULL && scan_store_notes_key(b, &platform, &key) == 0;
	return scan_notes_open(can_keep ? source->cache : NULL, &key, source->diagnostics, ret_notes);
}

int scan_set_compile(const struct scan_builder *builder, const struct scan_cache *cache,
		     struct diagnostics *diagnostics, struct scan_set **ret_set)
{
	struct source source = {cache, diagnostics};
	struct scan_notes notes;
	struct scan_set *set = NULL;
	int r = open_notes(builder, &source, &notes);
	if (r == 0)
		r = make(builder, &source, &notes, &set);
	if (r == -EBADMSG) {
		scan_notes_begin_anew(&notes);
		r = make(builder, &source, &notes, &set);
	}
	if (r == 0)
		r = scan_notes_keep(&notes, cache, diagnostics);
	scan_notes_close(&notes);
	if (r != 0) {
		scan_set_free(set);
		return r;
	}
	*ret_set = set;
	return 0;
}
