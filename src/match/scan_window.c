/*
 * A gated pattern in a long value: matches hold a factor, so they begin not far before one. Only from there is the
 * pattern's automaton run, until nothing is under way.
 */
#include "match/scan_internal.h"

/* Bytes that are gone back over from factors, in a value: so many, and one of so many that it has. */
enum { BACK_LEAST = 256, BACK_ONE_OF = 8 };

struct scan_slot_hits *scan_hits_of_slot(struct scan_hits *hits, uint32_t slot)
{
	size_t i = 0;
	while (i < hits->count && hits->slots[i].slot != slot)
		i++;
	if (i == SCAN_HIT_SLOTS)
		return NULL;
	if (i == hits->count) {
		struct scan_slot_hits *of = &hits->slots[hits->count++];
		of->slot = slot;
		of->count = 0;
		of->too_many = false;
		of->ways = of->second_ways = 0;
	}
	return &hits->slots[i];
}

void scan_hits_add(struct scan_hits *hits, struct scan_slot_hits *of, const struct scan_set *set, size_t factor)
{
	of->ways |= set->factors.items[factor].literal.ways;
	if (factor < SCAN_HIT_FACTORS)
		hits->factors[factor / 64] |= (uint64_t)1 << factor % 64;
	else
		of->too_many = true;
}

void scan_hits_place(struct scan_slot_hits *of, uint32_t factor, size_t at)
{
	if (of->count == SCAN_HITS) {
		of->too_many = true;
		return;
	}
	size_t place = of->count++;
	for (; place > 0 && of->at[place - 1] > at; place--) {
		of->at[place] = of->at[place - 1];
		of->factors[place] = of->factors[place - 1];
	}
	of->at[place] = (uint32_t)at;
	of->factors[place] = factor;
}

/*
 * The first place at which a match can begin that holds a factor at `at`: so far back that no more bytes lie between
 * than the reach has, those aside that its repeats take. `most` bytes are gone back over; SIZE_MAX: that is not enough.
 */
static size_t first_begin(const struct pattern_span *reach, struct slice value, bool lowered, size_t most, size_t at)
{
	size_t place = at, others = 0;
	while (place > 0) {
		uint8_t byte = lowered ? byte_lower(value.ptr[place - 1]) : value.ptr[place - 1];
		if (!pattern_set_has(&reach->loops, byte) && others++ == reach->bytes)
			break;
		if (at - place == most)
			return SIZE_MAX;
		place--;
	}
	return place;
}

/* The windows before the places of factors. False: they cannot be told, or not with few looks. */
static bool find_windows(const struct scan_set *set, const struct scan_slot_hits *of, struct slice value, bool lowered,
			 struct automaton_window *windows)
{
	size_t left = BACK_LEAST + value.len / BACK_ONE_OF;
	if (of->too_many)
		return false;
	for (size_t i = 0; i < of->count; i++) {
		const struct pattern_span *reach = &set->factors.items[of->factors[i]].reach;
		size_t from = first_begin(reach, value, lowered, left, of->at[i]);
		if (from == SIZE_MAX)
			return false;
		left -= of->at[i] - from;
		windows[i] = (struct automaton_window){from, of->at[i]};
	}
	/* A later window may begin before an earlier one, where another factor reaches farther back. */
	for (size_t i = of->count; i-- > 1;)
		if (windows[i].from < windows[i - 1].from)
			windows[i - 1].from = windows[i].from;
	return true;
}

static const struct scan_slot_hits *hits_of(const struct scan_hits *hits, uint32_t slot)
{
	for (size_t i = 0; i < hits->count; i++)
		if (hits->slots[i].slot == slot)
			return &hits->slots[i];
	return NULL;
}

bool scan_run_windows(const struct scan_set *set, const struct scan_hits *hits, uint32_t slot, struct slice value,
		      struct automaton_run *run)
{
	const struct scan_slot_hits *of = hits_of(hits, slot);
	const struct scan_gate *gate = &set->gates[slot];
	struct automaton_window windows[SCAN_HITS];
	if (of == NULL)
		return false;
	run->found = 0;
	if (hits->seconds && gate->second_count > 0 && (of->ways & of->second_ways) == 0)
		return true;
	return hits->placed && find_windows(set, of, value, run->lowered, windows) &&
	       automaton_run_windows(run, value, windows, of->count);
}
