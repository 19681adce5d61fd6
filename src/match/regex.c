/*
 * Patterns without an automaton (opaque, too large, or never slow) are PCRE2's alone. Of others, unless the automaton
 * knows all that is asked, a short value is given to PCRE2 with few steps; where these do not do, and for long values,
 * the automaton tells the place and PCRE2 the groups there.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "match/regex.h"

#include "base/error.h"
#include "match/automaton.h"
#include "match/pattern_width.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	/*
	 * The JIT's stack: address space, taken page by page as a match goes deep. Alternations under a repeat need
	 * some 100 bytes of it for each byte of the value; 32 MB carries a value of 100 KB through the Core Rule Set.
	 */
	JIT_STACK_START_BYTES = 64 * 1024,
	JIT_STACK_MAX_BYTES = 32 * 1024 * 1024,

	/*
	 * PCRE2 tries every place of a value in turn, and at each may go back and forth: quadratic, or worse. Where
	 * groups are wanted short values are given to it at once, with few steps; for others the automata find the
	 * place first.
	 */
	SHORT_BYTES = 256,
	SHORT_STEPS = 2000,
	STEPS = 10 * 1000,
	STEPS_PER_BYTE = 16,

	CACHE_ENTRIES_MOST = 4096, /* they are looked through one by one */
};

struct regex {
	pcre2_code *code;
	uint32_t groups;
	bool jit;
	struct automaton *automaton; /* of a regular pattern that could be slow; else NULL */
	bool tells_all;              /* it knows all that is asked of the pattern, which has no groups */
};

struct regex_scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	struct automaton_pool *pool; /* NULL: PCRE2 alone, ... */
	bool late;                   /* ... or it is made when it is needed first */
	struct regex_limits defaults;
	struct regex_limits current; /* what the context is set to */
};

static void describe(int code, size_t offset, struct regex_error *ret_error)
{
	if (ret_error == NULL)
		return;
	ret_error->offset = offset;
	if (pcre2_get_error_message(code, (PCRE2_UCHAR *)ret_error->message, sizeof(ret_error->message)) < 0)
		snprintf(ret_error->message, sizeof(ret_error->message), "PCRE2 error %d", code);
}

/* A pattern whose repeats all end is never slow. One that does not fit stays without. 0 or -ENOMEM. */
static int build_automaton(struct slice text, unsigned flags, struct regex *regex)
{
	struct automaton_builder *builder = NULL;
	struct pattern pattern;
	int r = pattern_parse(text, flags, &pattern);
	if (r != 0)
		return r < 0 ? r : 0;
	r = pattern_loops(&pattern) > 0 ? automaton_builder_create(true, &builder) : AUTOMATON_UNFIT;
	if (r == 0)
		r = automaton_builder_add_parsed(builder, &pattern);
	if (r == 0)
		r = automaton_build(builder, &regex->automaton);
	automaton_builder_free(builder);
	pattern_free(&pattern);
	return r < 0 ? r : 0;
}

int regex_compile(struct slice pattern, unsigned flags, struct regex **ret_regex, struct regex_error *ret_error)
{
	if (pattern.len == 0)
		pattern = SLICE(".*");
	uint32_t options = PCRE2_DOTALL | PCRE2_MULTILINE | (flags & REGEX_CASELESS ? PCRE2_CASELESS : 0);
	int error;
	size_t offset;
	struct regex *regex = calloc(1, sizeof(*regex));
	if (regex == NULL)
		return -ENOMEM;
	regex->code = pcre2_compile(pattern.ptr, pattern.len, options, &error, &offset, NULL);
	if (regex->code == NULL) {
		free(regex);
		if (error == PCRE2_ERROR_HEAP_FAILED)
			return -ENOMEM;
		describe(error, offset, ret_error);
		return REGEX_BAD_PATTERN;
	}
	/* Compiling with the JIT succeeds, and makes nothing, for a pattern that begins with (*NO_JIT). */
	size_t jit_bytes = 0;
	pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
	pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &jit_bytes);
	regex->jit = jit_bytes > 0;
	pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->groups);
	regex->groups++;
	if (build_automaton(pattern, flags, regex) != 0) {
		regex_free(regex);
		return -ENOMEM;
	}
	regex->tells_all =
		regex->groups == 1 && regex->automaton != NULL && automaton_tells_first_end(regex->automaton);
	*ret_regex = regex;
	return 0;
}

void regex_free(struct regex *regex)
{
	if (regex == NULL)
		return;
	pcre2_code_free(regex->code);
	automaton_free(regex->automaton);
	free(regex);
}

size_t regex_groups(const struct regex *regex)
{
	return regex->groups;
}

static int fill(struct regex_scratch *s)
{
	s->data = pcre2_match_data_create(REGEX_GROUPS_MAX, NULL);
	s->context = pcre2_match_context_create(NULL);
	if (s->data == NULL || s->context == NULL)
		return -ENOMEM;
	/* Without a JIT there is no stack to have; matching is then interpreted. */
	uint32_t jit = 0;
	pcre2_config(PCRE2_CONFIG_JIT, &jit);
	if (jit != 0) {
		s->stack = pcre2_jit_stack_create(JIT_STACK_START_BYTES, JIT_STACK_MAX_BYTES, NULL);
		if (s->stack == NULL)
			return -ENOMEM;
		pcre2_jit_stack_assign(s->context, NULL, s->stack);
	}
	pcre2_config(PCRE2_CONFIG_MATCHLIMIT, &s->defaults.match);
	pcre2_config(PCRE2_CONFIG_DEPTHLIMIT, &s->defaults.depth);
	s->current = s->defaults;
	return s->late ? 0 : automaton_pool_create(&s->pool);
}

static int create(bool late, struct regex_scratch **ret_scratch)
{
	struct regex_scratch *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->late = late;
	int r = fill(s);
	if (r != 0) {
		regex_scratch_free(s);
		return r;
	}
	*ret_scratch = s;
	return 0;
}

int regex_scratch_create(struct regex_scratch **ret_scratch)
{
	return create(false, ret_scratch);
}

int regex_scratch_create_to_load(struct regex_scratch **ret_scratch)
{
	return create(true, ret_scratch);
}

void regex_scratch_free(struct regex_scratch *scratch)
{
	if (scratch == NULL)
		return;
	if (scratch->stack != NULL)
		pcre2_jit_stack_free(scratch->stack);
	pcre2_match_context_free(scratch->context);
	pcre2_match_data_free(scratch->data);
	automaton_pool_free(scratch->pool);
	free(scratch);
}

void regex_scratch_rely_on_pcre2(struct regex_scratch *scratch)
{
	automaton_pool_free(scratch->pool);
	scratch->pool = NULL;
	scratch->late = false;
}

static void set_limits(struct regex_scratch *s, const struct regex_limits *limits)
{
	struct regex_limits wanted = s->defaults;
	if (limits != NULL && limits->match != 0)
		wanted.match = limits->match;
	if (limits != NULL && limits->depth != 0)
		wanted.depth = limits->depth;
	if (wanted.match != s->current.match)
		pcre2_set_match_limit(s->context, wanted.match);
	if (wanted.depth != s->current.depth)
		pcre2_set_depth_limit(s->context, wanted.depth);
	s->current = wanted;
}

static int outcome(int rc)
{
	switch (rc) {
	case PCRE2_ERROR_NOMATCH:
		return REGEX_NONE;
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_JIT_STACKLIMIT:
		return REGEX_LIMIT;
	case PCRE2_ERROR_NOMEMORY:
		return -ENOMEM;
	default:
		return rc >= 0 ? REGEX_MATCH : -EINVAL;
	}
}

static void tell_groups(const struct regex_scratch *s, int rc, struct regex_span *ret_groups, size_t *count)
{
	const PCRE2_SIZE *pairs = pcre2_get_ovector_pointer(s->data);
	size_t told = rc == 0 ? REGEX_GROUPS_MAX : (size_t)rc;
	if (told > *count)
		told = *count;
	for (size_t i = 0; i < told; i++) {
		bool unset = pairs[2 * i] == PCRE2_UNSET;
		ret_groups[i].start = unset ? REGEX_UNSET : pairs[2 * i];
		ret_groups[i].end = unset ? REGEX_UNSET : pairs[2 * i + 1];
	}
	*count = told;
}

static int ask_pcre2(const struct regex *regex, struct regex_scratch *s, struct slice value, size_t start,
		     uint32_t options, const struct regex_limits *limits, struct regex_span *ret_groups, size_t *count)
{
	if (start > value.len)
		return REGEX_NONE;
	if (value.ptr == NULL)
		value.ptr = (const uint8_t *)"";
	set_limits(s, limits);
	int rc = regex->jit ? pcre2_jit_match(regex->code, value.ptr, value.len, start, options, s->data, s->context)
			    : pcre2_match(regex->code, value.ptr, value.len, start, options, s->data, s->context);
	int r = outcome(rc);
	if (r == REGEX_MATCH && count != NULL)
		tell_groups(s, rc, ret_groups, count);
	return r;
}

/*
 * Where a match begins first is certain; the automaton tells where it ends as well. For groups PCRE2 has one try from
 * there. If that takes too many steps, or the end is not told, group 0 is told alone: as PCRE2 would have it, or the
 * longest.
 */
static int match_at_leftmost(const struct regex *regex, struct regex_scratch *s, struct slice value, size_t start,
			     struct regex_span *ret_groups, size_t *count)
{
	size_t end;
	if (s->pool == NULL && automaton_pool_create(&s->pool) != 0)
		return -ENOMEM;
	size_t leftmost = automaton_leftmost(regex->automaton, s->pool, value, start);
	if (leftmost == SIZE_MAX)
		return REGEX_NONE;
	if (count == NULL || *count == 0)
		return REGEX_MATCH;
	bool told = automaton_first_end(regex->automaton, s->pool, value, leftmost, &end);
	if (!told || (regex->groups > 1 && *count > 1)) {
		size_t steps = STEPS + STEPS_PER_BYTE * (value.len - leftmost);
		const struct regex_limits limits = {.match = steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX};
		int r = ask_pcre2(regex, s, value, leftmost, 0, &limits, ret_groups, count);
		if (r < 0 || (r == REGEX_MATCH && ret_groups[0].start == leftmost))
			return r;
	}
	if (!told)
		end = automaton_longest(regex->automaton, s->pool, value, leftmost);
	ret_groups[0] = (struct regex_span){leftmost, end};
	*count = 1;
	return REGEX_MATCH;
}

int regex_match(const struct regex *regex, struct regex_scratch *scratch, struct slice value, size_t start,
		const struct regex_limits *limits, struct regex_span *ret_groups, size_t *count)
{
	bool alone = scratch->pool == NULL && !scratch->late;
	if (regex->automaton == NULL || alone || start > value.len)
		return ask_pcre2(regex, scratch, value, start, 0, limits, ret_groups, count);
	if (!regex->tells_all && value.len - start <= SHORT_BYTES) {
		const struct regex_limits few = {.match = SHORT_STEPS};
		int r = ask_pcre2(regex, scratch, value, start, 0, &few, ret_groups, count);
		if (r != REGEX_LIMIT)
			return r;
	}
	return match_at_leftmost(regex, scratch, value, start, ret_groups, count);
}

/*
 * After an empty match at `at`, the next is the leftmost from there that is not that empty one again: NOTEMPTY_ATSTART
 * says just this, and unlike an anchored second try the JIT takes it.
 */
int regex_next(const struct regex *regex, struct regex_scratch *scratch, struct slice value, struct regex_walk *walk,
	       const struct regex_limits *limits, struct regex_span *ret_groups, size_t *count)
{
	if (walk->done)
		return REGEX_NONE;
	int r = walk->after_empty
			? ask_pcre2(regex, scratch, value, walk->at, PCRE2_NOTEMPTY_ATSTART, limits, ret_groups, count)
			: regex_match(regex, scratch, value, walk->at, limits, ret_groups, count);
	if (r != REGEX_MATCH) {
		walk->done = true;
		return r;
	}
	walk->after_empty = ret_groups[0].end == ret_groups[0].start;
	walk->at = ret_groups[0].end;
	return r;
}

struct cached {
	struct regex *regex;
	uint8_t *text;
	size_t len;
	unsigned flags;
	uint64_t used;
};

struct regex_cache {
	uint64_t tick;
	size_t count;
	struct cached entries[];
};

int regex_cache_create(size_t entries, struct regex_cache **ret_cache)
{
	if (entries == 0 || entries > CACHE_ENTRIES_MOST)
		return -EINVAL;
	struct regex_cache *cache = calloc(1, sizeof(*cache) + entries * sizeof(cache->entries[0]));
	if (cache == NULL)
		return -ENOMEM;
	cache->count = entries;
	*ret_cache = cache;
	return 0;
}

static void cached_clear(struct cached *entry)
{
	regex_free(entry->regex);
	free(entry->text);
	*entry = (struct cached){0};
}

void regex_cache_free(struct regex_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < cache->count; i++)
		cached_clear(&cache->entries[i]);
	free(cache);
}

static bool cached_is(const struct cached *entry, struct slice pattern, unsigned flags)
{
	return entry->regex != NULL && entry->flags == flags &&
	       slice_equal(slice_make(entry->text, entry->len), pattern);
}

/* The entry of this text, or else the one to replace. */
static struct cached *cached_find(struct regex_cache *cache, struct slice pattern, unsigned flags)
{
	struct cached *oldest = &cache->entries[0];
	for (size_t i = 0; i < cache->count; i++) {
		struct cached *entry = &cache->entries[i];
		if (cached_is(entry, pattern, flags))
			return entry;
		if (entry->used < oldest->used)
			oldest = entry;
	}
	return oldest;
}

int regex_cache_get(struct regex_cache *cache, struct slice pattern, unsigned flags, const struct regex **ret_regex)
{
	struct cached *entry = cached_find(cache, pattern, flags);
	if (!cached_is(entry, pattern, flags)) {
		struct regex *regex;
		int r = regex_compile(pattern, flags, &regex, NULL);
		if (r != 0)
			return r;
		uint8_t *text = malloc(pattern.len + 1);
		if (text == NULL) {
			regex_free(regex);
			return -ENOMEM;
		}
		if (pattern.len > 0)
			memcpy(text, pattern.ptr, pattern.len);
		cached_clear(entry);
		*entry = (struct cached){.regex = regex, .text = text, .len = pattern.len, .flags = flags};
	}
	entry->used = ++cache->tick;
	*ret_regex = entry->regex;
	return 0;
}
