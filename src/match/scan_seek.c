/*
 * What long values are shown to before Hyperscan: of a set's factors, and of its literals if they are few, those that
 * are wanted are sought by themselves, as long as they are few (match/seek.h). Each is told as Hyperscan would tell it.
 */
#include "base/error.h"
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

static bool factors_can_be_sought(const struct scan_set *set)
{
	for (size_t i = 0; i < set->factor_count; i++)
		if (set->factors[i].literal.len < SEEK_WORD_LEAST)
			return false;
	return true;
}

static size_t text_bytes(const struct scan_builder *b, const struct scan_set *set)
{
	size_t bytes = set->factor_count * PATTERN_FACTOR_BYTES_MOST;
	for (size_t i = 0; i < b->count; i++)
		bytes += b->entries[i].kind == SCAN_ENTRY_LITERAL ? b->entries[i].text.len : 0;
	return bytes;
}

int scan_seek_prepare(const struct scan_builder *b, struct scan_set *set)
{
	struct scan_sought *sought = &set->sought;
	size_t entries = 0;
	if (!seek_is_possible() || !factors_can_be_sought(set))
		return 0;
	sought->entries = entries_can_be_sought(b, set, &entries);
	entries = sought->entries ? entries : 0;
	if (set->factor_count + entries == 0)
		return 0;
	sought->words = calloc(set->factor_count + entries, sizeof(*sought->words));
	sought->texts = malloc(text_bytes(b, set) + 1);
	if (sought->words == NULL || sought->texts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < set->factor_count; i++)
		sought->words[sought->count++] =
			seek_word_make(keep_lowered(sought, scan_factor_text(&set->factors[i])),
				       scan_gate_id(set, set->factors[i].slot));
	for (size_t i = 0; sought->entries && i < b->count; i++)
		if (set->routes[i] == SCAN_ROUTE_DATABASE)
			sought->words[sought->count++] =
				seek_word_make(keep_lowered(sought, b->entries[i].text), b->entries[i].id);
	qsort(sought->words, sought->count, sizeof(*sought->words), seek_word_order);
	return 0;
}

void scan_seek_free(struct scan_set *set)
{
	free(set->sought.words);
	free(set->sought.texts);
}

static bool is_wanted(const struct scan_set *set, const struct seek_word *word, const uint64_t *slots)
{
	uint32_t gates = scan_gate_id(set, 0);
	uint32_t slot = word->mark >= gates ? word->mark - gates : set->slot_count;
	return (slots[slot / 64] >> slot % 64 & 1) != 0;
}

bool scan_seek_make(const struct scan_set *set, const uint64_t *slots, struct seeker *ret_seeker)
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
