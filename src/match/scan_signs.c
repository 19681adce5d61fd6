/*
 * Signs: what a short value must have to match anything of what is wanted of it. Most have none, and nothing of a scan
 * is begun for them.
 */
#include "match/scan_internal.h"

/* Whether the pattern of a slot may match a value of a level without signs; else its grams are added. */
static bool add_grams(const struct scan_set *set, uint32_t slot, unsigned level, struct scan_signs *signs)
{
	uint64_t grams;
	if (set->grams[level] == NULL || !scan_grams_of_slot(set->grams[level], slot, &grams))
		return true;
	signs->grams[level] |= grams;
	return false;
}

void scan_set_signs(const struct scan_set *set, const uint64_t *slots, struct scan_signs *ret_signs)
{
	*ret_signs = (struct scan_signs){0};
	for (uint32_t slot = 0; slot <= set->slot_count; slot++) {
		bool gated = (set->gated[slot / 64] >> slot % 64 & 1) != 0;
		for (unsigned level = 0; (slots[slot / 64] >> slot % 64 & 1) != 0 && level < BYTE_LEVELS; level++) {
			uint8_t bit = (uint8_t)(1u << level);
			if ((set->asked[level][slot / 64] >> slot % 64 & 1) != 0)
				ret_signs->literals |= bit;
			if (!gated && add_grams(set, slot, level, ret_signs))
				ret_signs->any |= bit;
		}
	}
}

/* A value without the filter's literals has none of what the database holds. */
static bool has_literals(const struct scan_set *set, struct slice value, enum byte_level level)
{
	const struct scan_filter *filter = set->filters[level];
	return set->database != NULL && value.len >= set->database_min_width &&
	       (filter == NULL || scan_filter_may_hold(filter, value));
}

static bool are_known(const struct scan_set *set, struct slice value, const struct scan_view *views)
{
	bool known = value.len <= SCAN_GRAM_VALUE_BYTES && set->facts.none == 0;
	for (unsigned i = 0; i < SCAN_VIEWS; i++)
		known &= views[i].ret_bits == NULL || views[i].signs != NULL;
	return known;
}

bool scan_signs_find(const struct scan_set *set, struct slice value, enum byte_level level,
		     const struct scan_view *views, struct scan_found_signs *ret_found)
{
	unsigned any = 0, literals = 0;
	uint64_t grams = 0;
	*ret_found = (struct scan_found_signs){.known = are_known(set, value, views)};
	if (!ret_found->known)
		return true;
	for (unsigned i = 0; i < SCAN_VIEWS; i++) {
		const struct scan_signs *signs = views[i].signs;
		if (views[i].ret_bits == NULL)
			continue;
		ret_found->grams[i] = signs->grams[level];
		if (signs->grams[level] != 0)
			ret_found->grams[i] = scan_grams_find(set->grams[level], value, i > 0, signs->grams[level]);
		grams |= ret_found->grams[i];
		any |= signs->any;
		literals |= signs->literals;
	}
	ret_found->has_literals = (literals >> level & 1) != 0 && has_literals(set, value, level);
	return ret_found->has_literals || grams != 0 || (any >> level & 1) != 0;
}
