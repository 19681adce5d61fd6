/* A worker's scratch, and what is fitted to it. */
#include "base/error.h"
#include "base/vector.h"
#include "match/scan_internal.h"

#include <stdlib.h>

int scan_scratch_create(struct scan_scratch **ret_scratch)
{
	struct scan_scratch *scratch = calloc(1, sizeof(*scratch));
	if (scratch == NULL)
		return -ENOMEM;
	scratch->seekers = calloc(SCAN_SEEKERS, sizeof(*scratch->seekers));
	if (scratch->seekers == NULL || marker_room_create(&scratch->markers) != 0) {
		scan_scratch_free(scratch);
		return -ENOMEM;
	}
	*ret_scratch = scratch;
	return 0;
}

void scan_scratch_free(struct scan_scratch *scratch)
{
	if (scratch == NULL)
		return;
	hs_free_scratch(scratch->hyperscan);
	for (size_t i = 0; i < scratch->fitted_count; i++)
		automaton_cache_free(scratch->fitted[i].cache);
	for (size_t i = 0; i < scratch->fitting_room; i++)
		free(scratch->fittings[i].caches);
	marker_room_free(scratch->markers);
	free(scratch->seekers);
	free(scratch->open);
	free(scratch->wanted);
	free(scratch->fitted);
	free(scratch->fittings);
	free(scratch);
}

static int fit_automaton(struct scan_scratch *s, const struct automaton *automaton, struct automaton_cache **ret_cache)
{
	const struct automaton_name *name = automaton_name(automaton);
	for (size_t i = 0; i < s->fitted_count; i++) {
		if (memcmp(&s->fitted[i].name, name, sizeof(*name)) == 0) {
			*ret_cache = s->fitted[i].cache;
			return 0;
		}
	}
	if (vector_grow((void **)&s->fitted, &s->fitted_capacity, s->fitted_count, sizeof(*s->fitted)) != 0)
		return -ENOMEM;
	struct scan_fitted *fitted = &s->fitted[s->fitted_count];
	fitted->name = *name;
	int r = automaton_cache_create(automaton, &fitted->cache);
	if (r != 0)
		return r;
	s->fitted_count++;
	*ret_cache = fitted->cache;
	return 0;
}

static int fit_automata(struct scan_scratch *scratch, const struct scan_set *set, struct automaton_cache **caches)
{
	int r = 0;
	for (size_t i = 0; i < set->automaton_count && r == 0; i++) {
		const struct scan_automaton *a = &set->automata[i];
		r = fit_automaton(scratch, a->together, caches++);
		for (size_t k = 0; k + 1 < scan_caches_of(a) && r == 0; k++)
			r = fit_automaton(scratch, a->alone[k], caches++);
	}
	return r;
}

static int fittings_grow(struct scan_scratch *s)
{
	if (2 * (s->fitting_count + 1) <= s->fitting_room)
		return 0;
	size_t room = s->fitting_room == 0 ? 64 : 2 * s->fitting_room;
	struct scan_fitting *fittings = calloc(room, sizeof(*fittings));
	if (fittings == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->fitting_room; i++)
		if (s->fittings[i].serial != 0)
			*scan_fitting_of(fittings, room, s->fittings[i].serial) = s->fittings[i];
	free(s->fittings);
	s->fittings = fittings;
	s->fitting_room = room;
	return 0;
}

static int add_fitting(struct scan_scratch *scratch, const struct scan_set *set)
{
	size_t count = 0;
	for (size_t i = 0; i < set->automaton_count; i++)
		count += scan_caches_of(&set->automata[i]);
	struct automaton_cache **caches = calloc(count + 1, sizeof(struct automaton_cache *));
	if (caches == NULL)
		return -ENOMEM;
	int r = fit_automata(scratch, set, caches);
	if (r != 0) {
		free(caches);
		return r;
	}
	*scan_fitting_of(scratch->fittings, scratch->fitting_room, set->serial) =
		(struct scan_fitting){set->serial, caches};
	scratch->fitting_count++;
	return 0;
}

static int make_room_for_gates(struct scan_scratch *scratch, size_t slots)
{
	size_t words = slots / 64 + 1;
	if (words <= scratch->open_words)
		return 0;
	uint64_t *open = realloc(scratch->open, words * sizeof(*open));
	scratch->open = open != NULL ? open : scratch->open;
	uint64_t *wanted = realloc(scratch->wanted, words * sizeof(*wanted));
	scratch->wanted = wanted != NULL ? wanted : scratch->wanted;
	if (open == NULL || wanted == NULL)
		return -ENOMEM;
	scratch->open_words = words;
	return 0;
}

int scan_scratch_fit(struct scan_scratch *scratch, const struct scan_set *set)
{
	if (fittings_grow(scratch) != 0 || make_room_for_gates(scratch, set->slot_count) != 0)
		return -ENOMEM;
	if (set->markers != NULL && marker_room_fit(scratch->markers, set->markers) != 0)
		return -ENOMEM;
	if (set->database != NULL && hs_alloc_scratch(set->database, &scratch->hyperscan) != HS_SUCCESS)
		return -ENOMEM;
	if (scan_fitting_of(scratch->fittings, scratch->fitting_room, set->serial)->serial != 0)
		return 0;
	return add_fitting(scratch, set);
}
