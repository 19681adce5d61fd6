/*
 * What long values are shown to before Hyperscan: of a set's factors, and of its literals if they are few, those that
 * are wanted are sought by themselves, as long as they are few (match/seek.h). Each is told as Hyperscan would tell it.
 */
#include "base/error.h"
#include "base/hash.h"
#include "match/scan_internal.h"

#include <stdlib.h>

/* Literals that can be sought; false: some cannot, or they are too many. */
static bool entries_can_be_sought(const struct scan_builder *b, const struct scan_set *set, size_t *ret_count)
{
	size_t count = 0;
	for (size_t i = 0; i < b->count; i++) {
		if (set->routes[i] != SCAN_ROUTE_DATABASE && set->routes[i] != SCAN_ROUTE_PREFILTER)
			continue;
		if (b->entries[i].kind != SCAN_ENTRY_LITERAL || b->entries[i].text.len < SEEK_WORD_LEAST)
			return false;
		count++;
	}
	*ret_count = count;
	return count <= SEEK_WORDS_MAX;
}

/* The words keep pointing into the copies that are made here. */
static struct slice keep_lowered(struct scan_sought *sought, struct slice text)
{
	uint8_t *copy = sought->texts + sought->text_bytes;
	for (size_t i = 0; i < text.len; i++)
		copy[i] = byte_lower(text.ptr[i]);
	sought->text_bytes += text.len;
	return slice_make(copy, text.len);
}

static bool factors_can_be_sought(const struct scan_factors *factors)
{
	for (size_t i = 0; i < factors->count; i++)
		if (factors->items[i].literal.len < SEEK_WORD_LEAST)
			return false;
	return true;
}

static size_t text_bytes(const struct scan_builder *b, const struct scan_set *set)
{
	size_t bytes = (set->factors.count + set->seconds.count) * PATTERN_FACTOR_BYTES_MOST;
	for (size_t i = 0; i < b->count; i++)
		bytes += b->entries[i].kind == SCAN_ENTRY_LITERAL ? b->entries[i].text.len : 0;
	return bytes;
}

static void add_factors(const struct scan_factors *factors, uint32_t first_mark, struct scan_sought *sought, size_t at)
{
	for (size_t i = 0; i < factors->count; i++)
		sought->words[at + i] = seek_word_make(keep_lowered(sought, scan_factor_text(&factors->items[i])),
						       first_mark + (uint32_t)i, factors->items[i].literal.ways);
}

static void find_words_of_factors(const struct scan_set *set, struct scan_sought *sought)
{
	uint32_t first = scan_factor_id(set, 0);
	for (size_t i = 0; i < sought->count; i++)
		if (sought->words[i].mark >= first)
			sought->words_of_factor[sought->words[i].mark - first] = (uint32_t)i;
}

int scan_seek_prepare(const struct scan_builder *b, struct scan_set *set)
{
	struct scan_sought *sought = &set->sought;
	size_t entries = 0;
	if (!seek_is_possible() || !factors_can_be_sought(&set->factors) || !factors_can_be_sought(&set->seconds))
		return 0;
	sought->entries = entries_can_be_sought(b, set, &entries);
	size_t count = set->factors.count + (sought->entries ? entries : 0);
	if (count == 0)
		return 0;
	sought->words = calloc(count + set->seconds.count, sizeof(*sought->words));
	sought->words_of_factor = calloc(set->factors.count + 1, sizeof(*sought->words_of_factor));
	sought->texts = malloc(text_bytes(b, set) + 1);
	if (sought->words == NULL || sought->words_of_factor == NULL || sought->texts == NULL)
		return -ENOMEM;
	add_factors(&set->factors, scan_factor_id(set, 0), sought, 0);
	sought->count = set->factors.count;
	for (size_t i = 0; sought->entries && i < b->count; i++)
		if (set->routes[i] == SCAN_ROUTE_DATABASE)
			sought->words[sought->count++] =
				seek_word_make(keep_lowered(sought, b->entries[i].text), b->entries[i].id, 0);
	add_factors(&set->seconds, SCAN_SECOND, sought, count);
	qsort(sought->words, count, sizeof(*sought->words), seek_word_order);
	find_words_of_factors(set, sought);
	return 0;
}

void scan_seek_free(struct scan_set *set)
{
	free(set->sought.words);
	free(set->sought.words_of_factor);
	free(set->sought.texts);
}

static bool is_wanted(const struct scan_set *set, const struct seek_word *word, const uint64_t *slots)
{
	uint32_t first = scan_factor_id(set, 0);
	uint32_t slot = word->mark >= first ? set->factors.items[word->mark - first].slot : set->slot_count;
	return (slots[slot / 64] >> slot % 64 & 1) != 0;
}

static bool make(const struct scan_set *set, const uint64_t *slots, struct seeker *ret_seeker)
{
	const struct scan_sought *sought = &set->sought;
	bool entries = (slots[set->slot_count / 64] >> set->slot_count % 64 & 1) != 0;
	if (sought->count == 0 || (entries && !sought->entries))
		return false;
	ret_seeker->count = 0;
	for (size_t i = 0; i < sought->count; i++) {
		if (!is_wanted(set, &sought->words[i], slots))
			continue;
		if (ret_seeker->count == SEEK_WORDS_MAX)
			return false;
		ret_seeker->words[ret_seeker->count++] = &sought->words[i];
	}
	seeker_make(ret_seeker);
	return true;
}

static bool is_of(const struct scan_kept_seeker *kept, const struct scan_set *set, const uint64_t *slots, size_t words)
{
	return kept->serial == set->serial && memcmp(kept->slots, slots, words * sizeof(*slots)) == 0;
}

/* That of a set and what is wanted of it; else an empty place of the few where it can be, or one of these in turn. */
static struct scan_kept_seeker *place_of(const struct scan_set *set, struct scan_scratch *scratch,
					 const uint64_t *slots, size_t words)
{
	uint64_t hash = set->serial;
	for (size_t i = 0; i < words; i++)
		hash = (hash ^ slots[i]) * 0x9e3779b97f4a7c15u;
	struct scan_kept_seeker *places =
		&scratch->seekers[(hash >> 32) % (SCAN_SEEKERS / SCAN_SEEKER_WAYS) * SCAN_SEEKER_WAYS];
	for (size_t i = 0; i < SCAN_SEEKER_WAYS; i++)
		if (places[i].serial == 0 || is_of(&places[i], set, slots, words))
			return &places[i];
	return &places[scratch->seeker_turn++ % SCAN_SEEKER_WAYS];
}

const struct seeker *scan_seek_find(const struct scan_set *set, struct scan_scratch *scratch, const uint64_t *slots)
{
	size_t words = set->slot_count / 64 + 1;
	bool keeps = words <= SCAN_SEEKER_SLOT_WORDS;
	struct scan_kept_seeker *kept = keeps ? place_of(set, scratch, slots, words) : scratch->seekers;
	if (!keeps || !is_of(kept, set, slots, words)) {
		kept->serial = keeps ? set->serial : 0;
		memcpy(kept->slots, slots, keeps ? words * sizeof(*slots) : 0);
		kept->possible = make(set, slots, &kept->seeker);
	}
	return kept->possible ? &kept->seeker : NULL;
}

/* In their order. False: too many. */
static bool insert(struct seeker *seeker, const struct seek_word *word)
{
	if (seeker->count == SEEK_WORDS_MAX)
		return false;
	size_t at = seeker->count++;
	for (; at > 0 && seek_word_order(seeker->words[at - 1], word) > 0; at--)
		seeker->words[at] = seeker->words[at - 1];
	seeker->words[at] = word;
	return true;
}

static bool insert_of_slot(const struct scan_set *set, const struct scan_hits *hits, const struct scan_slot_hits *of,
			   struct seeker *seeker)
{
	const struct scan_gate *gate = &set->gates[of->slot];
	bool fits = true;
	for (uint32_t k = set->first_factor[of->slot]; !hits->placed && k < set->first_factor[of->slot + 1]; k++)
		if (k < SCAN_HIT_FACTORS && (hits->factors[k / 64] >> k % 64 & 1) != 0)
			fits = fits && insert(seeker, &set->sought.words[set->sought.words_of_factor[k]]);
	for (uint32_t k = gate->first_second; k < gate->first_second + gate->second_count; k++)
		if ((set->seconds.items[k].literal.ways & of->ways) != 0)
			fits = fits && insert(seeker, &set->sought.words[set->sought.count + k]);
	return fits;
}

bool scan_seek_hits(const struct scan_set *set, const struct scan_hits *hits, struct seeker *ret_seeker)
{
	bool fits = set->sought.count > 0;
	ret_seeker->count = 0;
	for (size_t i = 0; i < hits->count && fits; i++)
		fits = insert_of_slot(set, hits, &hits->slots[i], ret_seeker);
	if (!fits || ret_seeker->count == 0)
		return false;
	seeker_make(ret_seeker);
	return true;
}
