/*
 * The automaton is kept small rather than dense: a state holds its children as a run of consecutive states, sorted by
 * byte, and a link to the state of its longest proper suffix. A byte costs at most one step down and, all told over a
 * value, no more steps along links than there were steps down. It runs only where a filter tells that some phrase's
 * rarest bytes may stand, from as far before as that phrase can begin until it is back at the root: it reads no byte
 * twice, but for those of the match that is told; the filter reads up to 64 bytes again each time.
 */
#include "match/phrases.h"

#include "base/error.h"
#include "base/vector.h"
#include "match/scan_filter.h"

#include <stdlib.h>

enum { BYTES_MAX = 16 * 1000 * 1000 };

struct state {
	uint32_t children; /* the first one's index */
	uint32_t suffix;   /* longest proper suffix that is a beginning of a phrase; 0: the root */
	uint32_t phrase;   /* first in the list that begins with this state's text */
	uint32_t depth;    /* length of that text */
	uint16_t child_count;
	uint8_t byte;
	bool accepts; /* the text, or a suffix of it, is a phrase */
};

struct phrases {
	struct slice *items; /* into bytes */
	size_t count;
	uint8_t *bytes;
	struct state *states;
	uint32_t state_count;
	uint32_t root[256];         /* the root's child by byte, both cases; 0: none */
	struct scan_filter *filter; /* NULL: a phrase is too short for it */
	size_t before_bytes;        /* how far from their beginnings phrases have what the filter keeps, at most */
	size_t longest_bytes;
};

int phrase_list_add(struct phrase_list *list, struct slice phrase)
{
	if (phrase.len == 0)
		return 0;
	if (vector_grow((void **)&list->items, &list->capacity, list->count, sizeof(*list->items)) != 0)
		return -ENOMEM;
	uint8_t *copy = malloc(phrase.len);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, phrase.ptr, phrase.len);
	list->items[list->count++] = slice_make(copy, phrase.len);
	return 0;
}

void phrase_list_free(struct phrase_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free((void *)(uintptr_t)list->items[i].ptr);
	free(list->items);
	*list = (struct phrase_list){0};
}

static int add_words(struct phrase_list *list, struct slice text)
{
	size_t at = 0;
	while (at < text.len) {
		size_t start = at;
		while (at < text.len && !byte_is_space(text.ptr[at]))
			at++;
		if (phrase_list_add(list, slice_sub(text, start, at)) != 0)
			return -ENOMEM;
		at++;
	}
	return 0;
}

static struct slice unquote(struct slice argument)
{
	size_t start = 0;
	while (start < argument.len && (argument.ptr[start] == ' ' || argument.ptr[start] == '\t'))
		start++;
	struct slice rest = slice_after(argument, start);
	if (rest.len >= 2 && rest.ptr[0] == '"' && rest.ptr[rest.len - 1] == '"')
		return slice_sub(rest, 1, rest.len - 1);
	return rest;
}

/* Decodes |hex| and escapes into `out`, which has room for all of `text`. False: an escape that there is not. */
static bool decode(struct slice text, uint8_t *out, size_t *ret_len)
{
	bool hex = false, escape = false;
	int high = -1;
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		int digit = byte_hex_value(c);
		if (c == '|') {
			hex = !hex;
		} else if (c == '\\' && !escape) {
			escape = true;
		} else if (hex) {
			if (digit >= 0 && high >= 0)
				out[len++] = (uint8_t)(high << 4 | digit);
			if (digit >= 0)
				high = high >= 0 ? -1 : digit;
		} else if (escape && c != ':' && c != ';' && c != '\\' && c != '"') {
			return false;
		} else {
			out[len++] = c;
			escape = false;
		}
	}
	*ret_len = len;
	return true;
}

int phrase_list_add_argument(struct phrase_list *list, struct slice argument)
{
	struct slice text = unquote(argument);
	uint8_t *decoded = malloc(text.len + 1);
	if (decoded == NULL)
		return -ENOMEM;
	size_t len;
	int r = decode(text, decoded, &len) ? add_words(list, slice_make(decoded, len)) : add_words(list, argument);
	free(decoded);
	return r;
}

static bool is_comment(struct slice line)
{
	size_t at = 0;
	while (at < line.len && byte_is_space(line.ptr[at]))
		at++;
	return line.len == 0 || (at < line.len && line.ptr[at] == '#');
}

int phrase_list_add_file(struct phrase_list *list, struct slice content)
{
	while (content.len > 0) {
		struct slice line;
		content = slice_cut(content, '\n', &line);
		if (!is_comment(line) && phrase_list_add(list, line) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* Order of folded bytes; the earlier in the list first among equals, so that its spelling is the one told. */
static int by_folded(const void *left, const void *right)
{
	const struct slice *const *a = left;
	const struct slice *const *b = right;
	size_t len = (*a)->len < (*b)->len ? (*a)->len : (*b)->len;
	for (size_t i = 0; i < len; i++) {
		int d = byte_lower((*a)->ptr[i]) - byte_lower((*b)->ptr[i]);
		if (d != 0)
			return d;
	}
	if ((*a)->len != (*b)->len)
		return (*a)->len < (*b)->len ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

static size_t total_bytes(const struct phrase_list *list)
{
	size_t total = 0;
	for (size_t i = 0; i < list->count && total <= BYTES_MAX; i++)
		total += list->items[i].len;
	return total;
}

/* Copies the phrases, without duplicates, in the list's order; `keep` has a true for each that stays. */
static void copy_items(struct phrases *p, const struct phrase_list *list, const bool *keep)
{
	uint8_t *at = p->bytes;
	for (size_t i = 0; i < list->count; i++) {
		if (!keep[i])
			continue;
		memcpy(at, list->items[i].ptr, list->items[i].len);
		p->items[p->count++] = slice_make(at, list->items[i].len);
		p->longest_bytes = list->items[i].len > p->longest_bytes ? list->items[i].len : p->longest_bytes;
		at += list->items[i].len;
	}
}

static void mark_first_spellings(const struct slice **sorted, size_t count, const struct slice *base, bool *keep)
{
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !slice_equal_nocase(*sorted[i], *sorted[i - 1]))
			keep[sorted[i] - base] = true;
}

static void sort_items(const struct slice *items, size_t count, const struct slice **ret_sorted)
{
	for (size_t i = 0; i < count; i++)
		ret_sorted[i] = &items[i];
	qsort(ret_sorted, count, sizeof(*ret_sorted), by_folded);
}

/* A state whose children are still to be made covers sorted[from, to). */
struct range {
	uint32_t from;
	uint32_t to;
};

static uint32_t first_in_list(const struct phrases *p, const struct slice **sorted, struct range r)
{
	uint32_t first = UINT32_MAX;
	for (uint32_t i = r.from; i < r.to; i++)
		if ((uint32_t)(sorted[i] - p->items) < first)
			first = (uint32_t)(sorted[i] - p->items);
	return first;
}

/* Makes the children of one state, in order of their byte, at the end of the states. */
static void add_children(struct phrases *p, const struct slice **sorted, struct range *ranges, uint32_t index)
{
	struct state *s = &p->states[index];
	struct range r = ranges[index];
	s->children = p->state_count;
	if (r.from < r.to && sorted[r.from]->len == s->depth) { /* the shortest comes first, and there is but one */
		s->accepts = true;
		r.from++;
	}
	while (r.from < r.to) {
		uint8_t byte = byte_lower(sorted[r.from]->ptr[s->depth]);
		struct range own = {r.from, r.from};
		while (own.to < r.to && byte_lower(sorted[own.to]->ptr[s->depth]) == byte)
			own.to++;
		ranges[p->state_count] = own;
		p->states[p->state_count++] =
			(struct state){.byte = byte, .depth = s->depth + 1, .phrase = first_in_list(p, sorted, own)};
		s->child_count++;
		r.from = own.to;
	}
}

static uint32_t child_of(const struct phrases *p, uint32_t index, uint8_t byte)
{
	const struct state *s = &p->states[index];
	uint32_t low = s->children, high = s->children + s->child_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (p->states[middle].byte == byte)
			return middle;
		if (p->states[middle].byte < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

static uint32_t step(const struct phrases *p, uint32_t index, uint8_t byte)
{
	while (index != 0) {
		uint32_t next = child_of(p, index, byte);
		if (next != 0)
			return next;
		index = p->states[index].suffix;
	}
	return p->root[byte];
}

/* States come in order of depth, so a parent's suffix, and that suffix's own, are known before its children's. */
static void link_children(struct phrases *p, uint32_t index)
{
	const struct state *parent = &p->states[index];
	for (uint32_t c = parent->children; c < parent->children + parent->child_count; c++) {
		struct state *child = &p->states[c];
		child->suffix = index == 0 ? 0 : step(p, parent->suffix, child->byte);
		child->accepts = child->accepts || p->states[child->suffix].accepts;
	}
}

static void build_root(struct phrases *p)
{
	for (unsigned byte = 0; byte < 256; byte++)
		p->root[byte] = child_of(p, 0, byte_lower((uint8_t)byte));
}

static void build_states(struct phrases *p, const struct slice **sorted, struct range *ranges)
{
	p->states[0] = (struct state){0};
	p->state_count = 1;
	ranges[0] = (struct range){0, (uint32_t)p->count};
	for (uint32_t i = 0; i < p->state_count; i++)
		add_children(p, sorted, ranges, i);
	build_root(p);
	for (uint32_t i = 0; i < p->state_count; i++)
		link_children(p, i);
}

/* 0 or -ENOMEM. */
static int build_filter(struct phrases *p)
{
	size_t shortest = SIZE_MAX;
	for (size_t i = 0; i < p->count; i++)
		shortest = p->items[i].len < shortest ? p->items[i].len : shortest;
	if (shortest < SCAN_FILTER_BYTES)
		return 0;
	if (scan_filter_create(p->count, &p->filter) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < p->count; i++) {
		size_t before = scan_filter_add(p->filter, p->items[i]);
		p->before_bytes = before > p->before_bytes ? before : p->before_bytes;
	}
	return 0;
}

static int build(struct phrases *p, const struct phrase_list *list, size_t bytes)
{
	const struct slice **sorted = calloc(list->count + 1, sizeof(*sorted));
	bool *keep = calloc(list->count + 1, sizeof(*keep));
	struct range *ranges = calloc(bytes + 1, sizeof(*ranges));
	p->items = calloc(list->count + 1, sizeof(*p->items));
	p->bytes = malloc(bytes + 1);
	p->states = calloc(bytes + 1, sizeof(*p->states));
	bool all = sorted != NULL && keep != NULL && ranges != NULL && p->items != NULL && p->bytes != NULL &&
		   p->states != NULL;
	if (all) {
		sort_items(list->items, list->count, sorted);
		mark_first_spellings(sorted, list->count, list->items, keep);
		copy_items(p, list, keep);
		sort_items(p->items, p->count, sorted);
		build_states(p, sorted, ranges);
		struct state *fitted = realloc(p->states, p->state_count * sizeof(*fitted));
		if (fitted != NULL)
			p->states = fitted;
	}
	free(sorted);
	free(keep);
	free(ranges);
	return all ? build_filter(p) : -ENOMEM;
}

int phrases_compile(const struct phrase_list *list, struct phrases **ret_phrases)
{
	size_t bytes = total_bytes(list);
	if (bytes > BYTES_MAX)
		return -EFBIG;
	struct phrases *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	int r = build(p, list, bytes);
	if (r != 0) {
		phrases_free(p);
		return r;
	}
	*ret_phrases = p;
	return 0;
}

void phrases_free(struct phrases *phrases)
{
	if (phrases == NULL)
		return;
	free(phrases->items);
	free(phrases->bytes);
	free(phrases->states);
	scan_filter_free(phrases->filter);
	free(phrases);
}

size_t phrases_count(const struct phrases *phrases)
{
	return phrases->count;
}

struct slice phrases_at(const struct phrases *phrases, size_t index)
{
	return index < phrases->count ? phrases->items[index] : slice_make("", 0);
}

static inline uint32_t advance(const struct phrases *p, uint32_t index, uint8_t byte)
{
	return index == 0 ? p->root[byte] : step(p, index, byte_lower(byte));
}

/* The state that a run over the whole value would be in: no beginning of a phrase is longer than the longest. */
static uint32_t state_at(const struct phrases *p, struct slice value, size_t end)
{
	uint32_t index = 0;
	for (size_t i = end > p->longest_bytes ? end - p->longest_bytes : 0; i < end; i++)
		index = advance(p, index, value.ptr[i]);
	return index;
}

static void tell(const struct phrases *p, struct slice value, size_t end, struct phrase_match *ret_match)
{
	if (ret_match == NULL)
		return;
	const struct state *s = &p->states[state_at(p, value, end)];
	*ret_match = (struct phrase_match){
		.text = slice_sub(p->items[s->phrase], 0, s->depth), .start = end - s->depth, .end = end};
}

/*
 * Runs from *at, which no phrase's beginning lies across, to the end of the first match, or to where none is under way
 * behind `least`.
 */
static bool run(const struct phrases *p, struct slice value, size_t least, size_t *at)
{
	uint32_t index = 0;
	for (size_t i = *at; i < value.len; i++) {
		index = advance(p, index, value.ptr[i]);
		*at = i + 1;
		if (index == 0 && i >= least)
			return false;
		if (index != 0 && p->states[index].accepts)
			return true;
	}
	return false;
}

bool phrases_match(const struct phrases *phrases, struct slice value, struct phrase_match *ret_match)
{
	size_t at = 0, least = SIZE_MAX;
	while (at < value.len) {
		if (phrases->filter != NULL) {
			least = scan_filter_next(phrases->filter, value, at);
			if (least == SIZE_MAX)
				return false;
			if (least > phrases->before_bytes && least - phrases->before_bytes > at)
				at = least - phrases->before_bytes;
		}
		if (run(phrases, value, least, &at)) {
			tell(phrases, value, at, ret_match);
			return true;
		}
	}
	return false;
}
