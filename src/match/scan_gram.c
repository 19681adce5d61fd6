/*
 * Grams have numbers, equal ones the same; if there are too many those are merged that cost least. A value is followed
 * four bytes at a time, with one row of the table a byte.
 */
#include "match/scan_gram.h"

#include "base/error.h"
#include "match/gram_sieve.h"
#include "match/image.h"

#include <math.h>
#include <stdlib.h>

enum { GRAMS = GRAM_SIEVE_GRAMS, BYTES = PATTERN_GRAM_BYTES, EDGE = GRAM_SIEVE_EDGE };
enum { SIEVED_BYTES_LEAST = 16 /* in shorter values each byte is looked at sooner */ };

struct scan_grams {
	struct gram_sieve sieve;
	/* By byte, the grams that have it in each place, the last place last; a shorter one has all bytes before it. */
	gram_row rows[EDGE + 1];
	uint64_t begun[BYTES - 1]; /* those that so many places need not be there for: how a value begins */
	size_t words;              /* of slots */
	uint64_t *known;           /* slots of which a gram is known */
	uint64_t *slots_of;        /* by gram, the slots that need it */
};

void scan_grams_free(struct scan_grams *grams)
{
	if (grams == NULL)
		return;
	free(grams->known);
	free(grams->slots_of);
	free(grams);
}

static bool tells(const struct pattern_grams *grams)
{
	return grams != NULL && grams->share < 1;
}

static size_t count_grams(struct pattern_grams *const *slots, size_t count)
{
	size_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += tells(slots[i]) ? slots[i]->count : 0;
	return sum;
}

/* Of too many patterns the one that tells least is given up. */
static void give_one_up(struct pattern_grams *const *slots, size_t count)
{
	struct pattern_grams *worst = NULL;
	for (size_t i = 0; i < count; i++)
		if (tells(slots[i]) && slots[i]->count > 0 && (worst == NULL || slots[i]->share > worst->share))
			worst = slots[i];
	worst->share = 1;
}

/* `costs`: by slot, what it costs to have one gram less. */
static void merge_cheapest(struct pattern_grams *const *slots, double *costs, size_t count)
{
	size_t best = 0;
	for (size_t i = 1; i < count; i++)
		if (costs[i] < costs[best])
			best = i;
	if (costs[best] == INFINITY) {
		give_one_up(slots, count);
		return;
	}
	pattern_grams_merge(slots[best]);
	costs[best] = pattern_grams_merge_cost(slots[best]);
}

/* 0 or -ENOMEM. */
static int make_few(struct pattern_grams *const *slots, size_t count)
{
	double *costs = count > 0 ? malloc(count * sizeof(*costs)) : NULL;
	if (count > 0 && costs == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		costs[i] = tells(slots[i]) ? pattern_grams_merge_cost(slots[i]) : INFINITY;
	while (count_grams(slots, count) > GRAMS)
		merge_cheapest(slots, costs, count);
	free(costs);
	return 0;
}

static bool is_same(const struct pattern_gram *a, const struct pattern_gram *b)
{
	return a->len == b->len && a->edges == b->edges && memcmp(a->sets, b->sets, a->len * sizeof(a->sets[0])) == 0;
}

static void add_row_bits(struct scan_grams *grams, const struct pattern_gram *gram, uint64_t bit)
{
	for (unsigned place = 0; place < BYTES; place++) {
		unsigned from_last = BYTES - 1 - place;
		for (unsigned c = 0; c < 256; c++)
			if (from_last >= gram->len || pattern_set_has(&gram->sets[from_last], (uint8_t)c))
				grams->rows[c][place] |= bit;
		if (from_last >= gram->len || (gram->edges >> from_last & 1) != 0)
			grams->rows[EDGE][place] |= bit;
	}
	for (unsigned i = 0; i < BYTES - 1; i++)
		if (gram->len < BYTES - i)
			grams->begun[i] |= bit;
}

/* Patterns that need the same share it. */
static size_t number_of(struct scan_grams *grams, const struct pattern_gram **known, size_t *known_count,
			const struct pattern_gram *gram)
{
	for (size_t i = 0; i < *known_count; i++)
		if (is_same(known[i], gram))
			return i;
	known[*known_count] = gram;
	add_row_bits(grams, gram, (uint64_t)1 << *known_count);
	return (*known_count)++;
}

static void fill(struct scan_grams *grams, struct pattern_grams *const *slots, size_t count)
{
	const struct pattern_gram *known[GRAMS];
	size_t known_count = 0;
	for (size_t slot = 0; slot < count; slot++) {
		uint64_t bit = (uint64_t)1 << slot % 64;
		if (!tells(slots[slot]))
			continue;
		grams->known[slot / 64] |= bit;
		for (size_t i = 0; i < slots[slot]->count; i++) {
			size_t number = number_of(grams, known, &known_count, &slots[slot]->items[i]);
			grams->slots_of[number * grams->words + slot / 64] |= bit;
		}
	}
	gram_sieve_make(grams->rows, known_count, &grams->sieve);
}

int scan_grams_create(struct pattern_grams *const *slots, size_t count, struct scan_grams **ret_grams)
{
	struct scan_grams *grams = calloc(1, sizeof(*grams));
	if (grams == NULL)
		return -ENOMEM;
	grams->words = count / 64 + 1;
	grams->known = calloc(grams->words, sizeof(*grams->known));
	grams->slots_of = calloc(GRAMS * grams->words, sizeof(*grams->slots_of));
	if (grams->known == NULL || grams->slots_of == NULL || make_few(slots, count) != 0) {
		scan_grams_free(grams);
		return -ENOMEM;
	}
	fill(grams, slots, count);
	*ret_grams = grams;
	return 0;
}

static void arrays_of(void *object, struct image_array *ret_arrays)
{
	struct scan_grams *grams = object;
	ret_arrays[0] = (struct image_array){(void **)&grams->known, grams->words * sizeof(*grams->known)};
	ret_arrays[1] =
		(struct image_array){(void **)&grams->slots_of, GRAMS * grams->words * sizeof(*grams->slots_of)};
}

static const struct image_kind kind = {sizeof(struct scan_grams), 2, arrays_of};

void scan_grams_write(const struct scan_grams *grams, struct buffer *out)
{
	image_write(&kind, grams, out);
}

int scan_grams_read(struct reader *in, struct scan_grams **ret_grams)
{
	void *object;
	int r = image_read(&kind, in, &object);
	if (r == 0)
		*ret_grams = object;
	return r;
}

/* What is under way behind a byte, by the number of bytes. */
struct begun {
	uint64_t first, second, third, found;
};

static inline void take(struct begun *b, const uint64_t row[static BYTES])
{
	b->found |= b->third & row[3];
	b->third = b->second & row[2];
	b->second = b->first & row[1];
	b->first = row[0];
}

/* Four bytes at once: what was taken step by step would mostly be moved from one word to the next. */
static inline void take_four(struct begun *b, const uint64_t rows[static EDGE + 1][BYTES], const uint8_t *bytes)
{
	const uint64_t *one = rows[bytes[0]], *two = rows[bytes[1]], *three = rows[bytes[2]], *four = rows[bytes[3]];
	b->found |= (b->third & one[3]) | (b->second & one[2] & two[3]) | (b->first & one[1] & two[2] & three[3]) |
		    (one[0] & two[1] & three[2] & four[3]);
	b->third = two[0] & three[1] & four[2];
	b->second = three[0] & four[1];
	b->first = four[0];
}

/* The grams that stand in it. */
static uint64_t grams_in(const struct scan_grams *grams, const uint8_t *bytes, size_t count)
{
	struct begun begun = {grams->begun[0], grams->begun[1], grams->begun[2], 0};
	size_t i = 0;
	take(&begun, grams->rows[EDGE]);
	for (; count - i >= 4; i += 4)
		take_four(&begun, grams->rows, bytes + i);
	for (; i < count; i++)
		take(&begun, grams->rows[bytes[i]]);
	take(&begun, grams->rows[EDGE]);
	return begun.found;
}

static uint64_t grams_in_lowered(const struct scan_grams *grams, struct slice value)
{
	uint8_t lowered[SCAN_GRAM_VALUE_BYTES];
	for (size_t i = 0; i < value.len; i++)
		lowered[i] = byte_lower(value.ptr[i]);
	return grams_in(grams, lowered, value.len);
}

/* The slots of patterns that need one of these grams. */
static uint64_t slots_of(const struct scan_grams *grams, uint64_t found, size_t word)
{
	uint64_t slots = 0;
	for (; found != 0; found &= found - 1)
		slots |= grams->slots_of[(size_t)__builtin_ctzll(found) * grams->words + word];
	return slots;
}

uint64_t scan_grams_find_plainly(const struct scan_grams *grams, struct slice value, bool lowered)
{
	return lowered ? grams_in_lowered(grams, value) : grams_in(grams, value.ptr, value.len);
}

uint64_t scan_grams_find(const struct scan_grams *grams, struct slice value, bool lowered, uint64_t wanted)
{
	if (value.len >= SIEVED_BYTES_LEAST && gram_sieve_is_possible())
		return gram_sieve_find(&grams->sieve, grams->rows, grams->begun, value, lowered, wanted);
	return wanted & scan_grams_find_plainly(grams, value, lowered);
}

void scan_grams_narrow(const struct scan_grams *grams, uint64_t found, uint64_t *slots)
{
	for (size_t i = 0; i < grams->words; i++)
		slots[i] &= ~grams->known[i] | slots_of(grams, found, i);
}

bool scan_grams_of_slot(const struct scan_grams *grams, uint32_t slot, uint64_t *ret_grams)
{
	*ret_grams = 0;
	for (size_t i = 0; i < GRAMS; i++)
		if ((grams->slots_of[i * grams->words + slot / 64] >> slot % 64 & 1) != 0)
			*ret_grams |= (uint64_t)1 << i;
	return (grams->known[slot / 64] >> slot % 64 & 1) != 0;
}

_Static_assert(BYTES == 4 && GRAMS == 64, "four places are followed, in words");
_Static_assert((int)SCAN_GRAM_VALUE_BYTES <= (int)GRAM_SIEVE_VALUE_BYTES, "all values can be sieved");
