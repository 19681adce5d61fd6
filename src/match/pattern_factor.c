/*
 * Each node has what it can match, while that is a short list of strings (its words), or else how its matches start and
 * end; and the best list of strings of which each of its matches holds one (its factors). In a row of nodes the words
 * are strung together as long as the list stays short; each stretch that ends is a choice of factors, and the rarest is
 * kept.
 */
#include "match/pattern_factor.h"

#include "base/error.h"
#include "match/pattern_width.h"

#include <stdlib.h>

enum {
	WORDS_MOST = 256, /* of a stretch */
	BYTES_MOST = 6,   /* a larger set of bytes ends a stretch */
	NOISE_WEIGHT = 20,
};

/* A list of strings. `items` NULL with `known`: none at all can match. */
struct words {
	struct pattern_factor *items;
	size_t count;
	bool known; /* false: not a short list */
};

struct found {
	struct words words;
	struct words starts; /* where the words are not known */
	struct words ends;
	struct words factors;
};

struct finder {
	const struct pattern *pattern;
	size_t least;
	bool failed; /* no memory */
};

static double share_of(const struct pattern_factor *factor)
{
	double share = 1;
	for (size_t i = 0; i < factor->len; i++)
		share *= pattern_byte_frequency(factor->bytes[i]);
	return share;
}

/* The same for bytes that are all alike. */
static double share_of_noise(const struct pattern_factor *factor)
{
	double share = 1;
	for (size_t i = 0; i < factor->len; i++)
		share *= byte_is_alpha(factor->bytes[i]) ? 2.0 / 256 : 1.0 / 256;
	return share;
}

/* What is paid for finding one of them where none matches. More than 1: they are no factors. */
static double cost_of(const struct finder *f, const struct words *words)
{
	double cost = 0;
	if (!words->known)
		return 2;
	for (size_t i = 0; i < words->count; i++) {
		if (words->items[i].len < f->least)
			return 2;
		cost += share_of(&words->items[i]) + NOISE_WEIGHT * share_of_noise(&words->items[i]);
	}
	return cost;
}

static void words_free(struct words *words)
{
	free(words->items);
	*words = (struct words){0};
}

static bool words_add(struct finder *f, struct words *words, struct pattern_factor word)
{
	for (size_t i = 0; i < words->count; i++)
		if (memcmp(&words->items[i], &word, sizeof(word)) == 0)
			return true;
	if ((words->count & (words->count - 1)) == 0) {
		size_t room = words->count == 0 ? 1 : 2 * words->count;
		struct pattern_factor *items = realloc(words->items, room * sizeof(*items));
		if (items == NULL) {
			f->failed = true;
			return false;
		}
		words->items = items;
	}
	words->items[words->count++] = word;
	return true;
}

static struct words words_of_nothing(struct finder *f)
{
	struct words words = {.known = true};
	words_add(f, &words, (struct pattern_factor){0});
	return words;
}

static struct words words_of_set(struct finder *f, const struct pattern_set *set)
{
	struct words words = {.known = true};
	for (unsigned c = 0; c < 256 && words.known; c++) {
		if (!pattern_set_has(set, (uint8_t)c))
			continue;
		words_add(f, &words, (struct pattern_factor){1, {byte_lower((uint8_t)c)}});
		words.known = words.count <= BYTES_MOST;
	}
	if (!words.known)
		words_free(&words);
	return words;
}

/* All of `left` before all of `right`; unknown if these are many or long. */
static struct words words_join(struct finder *f, const struct words *left, const struct words *right)
{
	struct words joined = {.known = left->known && right->known && left->count * right->count <= WORDS_MOST};
	for (size_t i = 0; i < left->count && joined.known; i++) {
		for (size_t k = 0; k < right->count && joined.known; k++) {
			struct pattern_factor word = left->items[i];
			const struct pattern_factor *more = &right->items[k];
			joined.known = word.len + more->len <= PATTERN_FACTOR_BYTES_MOST;
			if (!joined.known)
				break;
			memcpy(word.bytes + word.len, more->bytes, more->len);
			word.len = (uint8_t)(word.len + more->len);
			words_add(f, &joined, word);
		}
	}
	if (!joined.known)
		words_free(&joined);
	return joined;
}

/* Adds what `more` holds; the list is unknown if that is, or if there are more than `most`. */
static void words_unite(struct finder *f, struct words *words, const struct words *more, size_t most)
{
	words->known = words->known && more->known && words->count + more->count <= most;
	for (size_t i = 0; i < more->count && words->known; i++)
		words_add(f, words, more->items[i]);
	if (!words->known)
		words_free(words);
}

static struct words words_copy(struct finder *f, const struct words *words)
{
	struct words copy = {.known = true};
	words_unite(f, &copy, words, SIZE_MAX);
	return copy;
}

/* Keeps the rarer of two lists of factors; takes `other` over. */
static void keep_better(struct finder *f, struct words *best, struct words other)
{
	if (cost_of(f, &other) < cost_of(f, best)) {
		words_free(best);
		*best = other;
	} else {
		words_free(&other);
	}
}

static struct found find(struct finder *f, uint32_t at);

static void found_free(struct found *found)
{
	words_free(&found->words);
	words_free(&found->starts);
	words_free(&found->ends);
}

static const struct words *starts_of(const struct found *found)
{
	return found->words.known ? &found->words : &found->starts;
}

static const struct words *ends_of(const struct found *found)
{
	return found->words.known ? &found->words : &found->ends;
}

/* A stretch is over where `next` comes, and another begins with how that ends. */
static void end_stretch(struct finder *f, struct found *row, struct words *stretch, const struct found *next)
{
	struct words longer = words_join(f, stretch, starts_of(next));
	if (!longer.known)
		longer = words_copy(f, stretch);
	if (row->words.known)
		row->starts = words_copy(f, &longer);
	row->words.known = false;
	keep_better(f, &row->factors, longer);
	words_free(stretch);
	*stretch = ends_of(next)->known ? words_copy(f, ends_of(next)) : words_of_nothing(f);
}

static struct found find_row(struct finder *f, uint32_t child)
{
	struct found row = {.words.known = true};
	struct words stretch = words_of_nothing(f);
	for (; child != PATTERN_NO_NODE && !f->failed; child = f->pattern->nodes[child].next) {
		struct found one = find(f, child);
		keep_better(f, &row.factors, one.factors);
		struct words longer = words_join(f, &stretch, &one.words);
		if (longer.known) {
			words_free(&stretch);
			stretch = longer;
		} else {
			end_stretch(f, &row, &stretch, &one);
		}
		found_free(&one);
	}
	*(row.words.known ? &row.words : &row.ends) = words_copy(f, &stretch);
	keep_better(f, &row.factors, stretch);
	return row;
}

static struct found find_choice(struct finder *f, uint32_t child)
{
	struct found choice = {.words.known = true, .starts.known = true, .ends.known = true, .factors.known = true};
	for (; child != PATTERN_NO_NODE && !f->failed; child = f->pattern->nodes[child].next) {
		struct found one = find(f, child);
		words_unite(f, &choice.starts, starts_of(&one), WORDS_MOST);
		words_unite(f, &choice.ends, ends_of(&one), WORDS_MOST);
		words_unite(f, &choice.words, &one.words, WORDS_MOST);
		words_unite(f, &choice.factors, &one.factors, PATTERN_FACTORS_MOST);
		words_free(&one.factors);
		found_free(&one);
	}
	return choice;
}

/* So many times the same. */
static struct words words_times(struct finder *f, const struct words *words, uint32_t count)
{
	struct words times = words_of_nothing(f);
	for (uint32_t i = 0; i < count && times.known; i++) {
		struct words longer = words_join(f, &times, words);
		words_free(&times);
		times = longer;
	}
	return times;
}

static struct found find_repeat(struct finder *f, const struct pattern_node *node)
{
	struct found one = find(f, node->first), repeated = {0};
	if (node->max <= 1)
		repeated.words = words_copy(f, &one.words);
	else if (node->min == node->max && node->max <= PATTERN_FACTOR_BYTES_MOST)
		repeated.words = words_times(f, &one.words, node->max);
	if (node->min == 0) {
		struct words nothing = words_of_nothing(f);
		words_unite(f, &repeated.words, &nothing, WORDS_MOST);
		words_free(&nothing);
		words_free(&one.factors);
	} else {
		repeated.starts = words_copy(f, starts_of(&one));
		repeated.ends = words_copy(f, ends_of(&one));
	}
	found_free(&one);
	repeated.factors = one.factors;
	return repeated;
}

static struct found find(struct finder *f, uint32_t at)
{
	const struct pattern_node *node = &f->pattern->nodes[at];
	struct found found = {0};
	switch (node->kind) {
	case PATTERN_EMPTY:
	case PATTERN_ASSERT:
		found.words = words_of_nothing(f);
		break;
	case PATTERN_SET:
		found.words = words_of_set(f, &node->set);
		break;
	case PATTERN_CAT:
		return find_row(f, node->first);
	case PATTERN_ALT:
		return find_choice(f, node->first);
	case PATTERN_REPEAT:
		return find_repeat(f, node);
	}
	return found;
}

static bool holds(struct slice text, const struct pattern_factor *word)
{
	return word->len > 0 && word->len <= text.len &&
	       slice_find(text, slice_make(word->bytes, word->len), 0) < text.len;
}

/* Takes the words over, without those that hold another. */
static struct pattern_factors factors_made(struct words *words)
{
	struct pattern_factors factors = {.items = words->items};
	for (size_t i = 0; i < words->count; i++) {
		bool needless = false;
		struct slice text = slice_make(words->items[i].bytes, words->items[i].len);
		for (size_t k = 0; k < words->count && !needless; k++)
			needless = k != i && holds(text, &words->items[k]);
		words->items[i].len = needless ? 0 : words->items[i].len;
	}
	for (size_t i = 0; i < words->count; i++) {
		if (words->items[i].len == 0)
			continue;
		factors.share += share_of(&words->items[i]);
		factors.items[factors.count++] = words->items[i];
	}
	return factors;
}

int pattern_factors_find(const struct pattern *pattern, size_t least, struct pattern_factors *ret_factors)
{
	struct finder finder = {.pattern = pattern, .least = least};
	struct found found = find(&finder, 0);
	keep_better(&finder, &found.factors, words_copy(&finder, starts_of(&found)));
	found_free(&found);
	*ret_factors = (struct pattern_factors){0};
	if (finder.failed || cost_of(&finder, &found.factors) > 1)
		words_free(&found.factors);
	else
		*ret_factors = factors_made(&found.factors);
	return finder.failed ? -ENOMEM : 0;
}

void pattern_factors_free(struct pattern_factors *factors)
{
	free(factors->items);
	*factors = (struct pattern_factors){0};
}
