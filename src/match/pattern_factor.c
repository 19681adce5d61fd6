/*
 * Each node has what it can match, while that is a short list of strings (its words), or else how its matches start and
 * end; and the best list of strings of which each of its matches holds one (its factors). In a row of nodes the words
 * are strung together as long as the list stays short; each stretch that ends is a choice of factors, and the rarest is
 * kept.
 */
#include "match/pattern_factor.h"

#include "base/error.h"

#include <stdlib.h>

enum {
	WORDS_MOST = 256,  /* of a stretch */
	PAIRS_MOST = 4096, /* of words that are compared to tell lists apart; of longer ones one is enough */
	BYTES_MOST = 6,    /* a larger set of bytes ends a stretch */
	NOISE_WEIGHT = 20,
};

/* A list of strings. `items` NULL with `known`: none at all can match. */
struct words {
	struct pattern_factor *items;
	size_t count;
	bool known;                /* false: not a short list */
	struct pattern_span reach; /* from where a match of the node begins to where the string does, at most */
};

struct found {
	struct words words;
	struct words starts; /* where the words are not known */
	struct words ends;
	struct words factors;
	struct words second; /* the next best, of another part of the pattern */
};

struct finder {
	const struct pattern *pattern;
	uint32_t top; /* the pattern's choice of ways */
	struct pattern_reaches reaches;
	size_t least;
	bool failed; /* no memory */
};

/* Second factors that are found more often are not worth seeking. */
static const double SECOND_SHARE_MOST = 5e-5;

static struct slice text_of(const struct pattern_factor *word)
{
	return slice_make(word->bytes, word->len);
}

static double share_of(const struct pattern_factor *factor)
{
	return pattern_text_share(text_of(factor));
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

/* The same for second factors, which are sought in text only where others were found: noise does not matter. */
static double second_cost_of(const struct finder *f, const struct words *words)
{
	double cost = 0;
	for (size_t i = 0; i < words->count; i++)
		cost += words->items[i].len < f->least ? 2 : share_of(&words->items[i]);
	return words->known && cost <= SECOND_SHARE_MOST ? cost : 2;
}

static void words_free(struct words *words)
{
	free(words->items);
	*words = (struct words){0};
}

/* Behind a word's end all bytes are 0. */
static bool is_same(const struct pattern_factor *a, const struct pattern_factor *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool words_add(struct finder *f, struct words *words, struct pattern_factor word)
{
	for (size_t i = 0; i < words->count; i++) {
		if (is_same(&words->items[i], &word)) {
			words->items[i].ways |= word.ways;
			return true;
		}
	}
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
	struct words words = {.known = pattern_set_count(set) <= 2 * BYTES_MOST}; /* a letter may be there twice */
	for (unsigned word = 0; word < 4; word++) {
		for (uint64_t left = set->bits[word]; left != 0 && words.known; left &= left - 1) {
			uint8_t byte = (uint8_t)(word * 64 + (unsigned)__builtin_ctzll(left));
			words_add(f, &words, (struct pattern_factor){.len = 1, .bytes = {byte_lower(byte)}});
			words.known = words.count <= BYTES_MOST;
		}
	}
	if (!words.known)
		words_free(&words);
	return words;
}

/* All of `left` before all of `right`; unknown if these are many or long. */
static struct words words_join(struct finder *f, const struct words *left, const struct words *right)
{
	struct words joined = {.known = left->known && right->known && left->count * right->count <= WORDS_MOST,
			       .reach = left->reach};
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
	words->reach = pattern_span_either(words->reach, more->reach);
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

static bool holds(struct slice text, const struct pattern_factor *word)
{
	return word->len > 0 && word->len <= text.len &&
	       slice_find(text, slice_make(word->bytes, word->len), 0) < text.len;
}

static bool is_alike(const struct pattern_factor *word, const struct words *words)
{
	for (size_t i = 0; i < words->count; i++) {
		const struct pattern_factor *other = &words->items[i];
		if (holds(slice_make(word->bytes, word->len), other) ||
		    holds(slice_make(other->bytes, other->len), word))
			return true;
	}
	return false;
}

/* Whether each word is part of one of another list, or the other way round: such a list tells nothing more. */
static bool are_alike(const struct words *words, const struct words *others)
{
	if (words->count * others->count > PAIRS_MOST)
		return true;
	for (size_t i = 0; i < words->count; i++)
		if (!is_alike(&words->items[i], others))
			return false;
	return true;
}

/* Keeps the two rarest lists of factors; takes `other` over. */
static void keep_better(struct finder *f, struct found *found, struct words other)
{
	if (cost_of(f, &other) < cost_of(f, &found->factors)) {
		struct words best = found->factors;
		found->factors = other;
		other = best;
	}
	if (second_cost_of(f, &other) < second_cost_of(f, &found->second) && !are_alike(&other, &found->factors)) {
		words_free(&found->second);
		found->second = other;
	} else {
		words_free(&other);
	}
	if (found->second.count > 0 && are_alike(&found->second, &found->factors))
		words_free(&found->second);
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

/* A stretch is over where `next` comes, and another begins with how that ends, `reach` behind the row's beginning. */
static void end_stretch(struct finder *f, struct found *row, struct words *stretch, const struct found *next,
			struct pattern_span reach)
{
	struct words longer = words_join(f, stretch, starts_of(next));
	if (!longer.known)
		longer = words_copy(f, stretch);
	if (row->words.known)
		row->starts = words_copy(f, &longer);
	row->words.known = false;
	keep_better(f, row, longer);
	words_free(stretch);
	*stretch = ends_of(next)->known ? words_copy(f, ends_of(next)) : words_of_nothing(f);
	stretch->reach = reach;
}

static struct found find_row(struct finder *f, uint32_t child)
{
	struct found row = {.words.known = true};
	struct words stretch = words_of_nothing(f);
	struct pattern_span before = {0};
	for (; child != PATTERN_NO_NODE && !f->failed; child = f->pattern->nodes[child].next) {
		struct found one = find(f, child);
		one.factors.reach = pattern_span_add(before, one.factors.reach);
		one.second.reach = pattern_span_add(before, one.second.reach);
		keep_better(f, &row, one.factors);
		keep_better(f, &row, one.second);
		before = pattern_span_add(before, pattern_span(f->pattern, child));
		struct words longer = words_join(f, &stretch, &one.words);
		if (longer.known) {
			words_free(&stretch);
			stretch = longer;
		} else {
			end_stretch(f, &row, &stretch, &one, before);
		}
		found_free(&one);
	}
	*(row.words.known ? &row.words : &row.ends) = words_copy(f, &stretch);
	keep_better(f, &row, stretch);
	return row;
}

/* `way`: 0 where the choice is not the pattern's. More than so many share the last. */
static void mark_way(struct found *one, unsigned way)
{
	uint64_t bit = way > 0 ? (uint64_t)1 << (way - 1) : 0;
	for (size_t i = 0; i < one->factors.count; i++)
		one->factors.items[i].ways |= bit;
	for (size_t i = 0; i < one->second.count; i++)
		one->second.items[i].ways |= bit;
}

static struct found find_choice(struct finder *f, uint32_t child, unsigned way)
{
	struct found choice = {.words.known = true,
			       .starts.known = true,
			       .ends.known = true,
			       .factors.known = true,
			       .second.known = true};
	bool any = false;
	for (; child != PATTERN_NO_NODE && !f->failed;
	     child = f->pattern->nodes[child].next, way += way > 0 && way < PATTERN_WAYS) {
		struct found one = find(f, child);
		mark_way(&one, way);
		if (way > 0)
			f->reaches.of[way - 1] = pattern_span_either(f->reaches.of[way - 1], one.factors.reach);
		words_unite(f, &choice.starts, starts_of(&one), WORDS_MOST);
		words_unite(f, &choice.ends, ends_of(&one), WORDS_MOST);
		words_unite(f, &choice.words, &one.words, WORDS_MOST);
		words_unite(f, &choice.factors, &one.factors, PATTERN_FACTORS_MOST);
		words_unite(f, &choice.second, one.second.known ? &one.second : &one.factors, PATTERN_FACTORS_MOST);
		any = any || one.second.known;
		words_free(&one.factors);
		words_free(&one.second);
		found_free(&one);
	}
	if (!any)
		words_free(&choice.second);
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
		words_free(&one.second);
	} else {
		repeated.starts = words_copy(f, starts_of(&one));
		repeated.ends = words_copy(f, ends_of(&one));
	}
	found_free(&one);
	repeated.factors = one.factors;
	repeated.second = one.second;
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
		return find_choice(f, node->first, at == f->top ? 1 : 0);
	case PATTERN_REPEAT:
		return find_repeat(f, node);
	}
	return found;
}

/* A bit for each of its bytes, by what they leave divided by 64: a word that holds another has all bits of that. */
static uint64_t bytes_of(const struct pattern_factor *word)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < word->len; i++)
		bits |= (uint64_t)1 << word->bytes[i] % 64;
	return bits;
}

/* Whether word `at` holds another of the list, which then stands for it; `bytes` of each. */
static bool is_needless(struct words *words, const uint64_t *bytes, size_t at)
{
	struct slice text = text_of(&words->items[at]);
	for (size_t k = 0; k < words->count; k++) {
		if (k == at || (bytes[k] & ~bytes[at]) != 0 || !holds(text, &words->items[k]))
			continue;
		words->items[k].ways |= words->items[at].ways;
		return true;
	}
	return false;
}

/* Takes the words over, without those that hold another. */
static struct pattern_factors factors_made(struct words *words, struct pattern_reaches *reaches)
{
	struct pattern_factors factors = {.items = words->items};
	const struct pattern_span within = {.bytes = PATTERN_FACTOR_BYTES_MOST};
	bool any_needless = false;
	uint64_t bytes[PATTERN_FACTORS_MOST];
	for (size_t i = 0; i < words->count; i++)
		bytes[i] = bytes_of(&words->items[i]);
	for (size_t i = 0; i < words->count; i++) {
		bool needless = is_needless(words, bytes, i);
		words->items[i].len = needless ? 0 : words->items[i].len;
		any_needless = any_needless || needless;
	}
	for (size_t i = 0; any_needless && i < PATTERN_WAYS; i++)
		reaches->of[i] = pattern_span_add(reaches->of[i], within);
	for (size_t i = 0; i < words->count; i++) {
		if (words->items[i].len == 0)
			continue;
		if (words->items[i].ways == 0)
			words->items[i].ways = UINT64_MAX;
		factors.share += share_of(&words->items[i]);
		factors.items[factors.count++] = words->items[i];
	}
	return factors;
}

/* The choice that is the whole pattern, groups and assertions around it aside. */
static uint32_t top_of(const struct pattern *pattern)
{
	uint32_t top = 0;
	for (;;) {
		uint32_t row = pattern->nodes[top].first, only = PATTERN_NO_NODE;
		if (row == PATTERN_NO_NODE || pattern->nodes[row].next != PATTERN_NO_NODE ||
		    pattern->nodes[row].kind != PATTERN_CAT)
			return top;
		for (uint32_t c = pattern->nodes[row].first; c != PATTERN_NO_NODE; c = pattern->nodes[c].next) {
			if (pattern->nodes[c].kind == PATTERN_ASSERT || pattern->nodes[c].kind == PATTERN_EMPTY)
				continue;
			if (only != PATTERN_NO_NODE)
				return top;
			only = c;
		}
		if (only == PATTERN_NO_NODE || pattern->nodes[only].kind != PATTERN_ALT)
			return top;
		top = only;
	}
}

int pattern_factors_find(const struct pattern *pattern, size_t least, struct pattern_factors *ret_factors,
			 struct pattern_factors *ret_second, struct pattern_reaches *ret_reaches)
{
	struct finder finder = {.pattern = pattern, .top = top_of(pattern), .least = least};
	struct found found = find(&finder, finder.top);
	if (cost_of(&finder, &found.factors) > 1) {
		keep_better(&finder, &found, words_copy(&finder, starts_of(&found)));
		for (size_t i = 0; i < PATTERN_WAYS; i++)
			finder.reaches.of[i] = found.factors.reach;
	}
	found_free(&found);
	*ret_factors = *ret_second = (struct pattern_factors){0};
	*ret_reaches = finder.reaches;
	bool any = !finder.failed && cost_of(&finder, &found.factors) <= 1;
	bool both = any && found.second.count > 0;
	struct pattern_reaches of_second = {0};
	if (any)
		*ret_factors = factors_made(&found.factors, ret_reaches);
	else
		words_free(&found.factors);
	if (both)
		*ret_second = factors_made(&found.second, &of_second);
	else
		words_free(&found.second);
	return finder.failed ? -ENOMEM : 0;
}

struct pattern_span pattern_reach(const struct pattern_reaches *reaches, uint64_t ways)
{
	struct pattern_span reach = {0};
	for (; ways != 0; ways &= ways - 1)
		reach = pattern_span_either(reach, reaches->of[__builtin_ctzll(ways)]);
	return reach;
}

void pattern_factors_free(struct pattern_factors *factors)
{
	free(factors->items);
	*factors = (struct pattern_factors){0};
}
