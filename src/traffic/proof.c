/* Whether a signature may be: what it hits of quiet requests that had no part in finding it. */
#include "traffic/search_inside.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

enum {
	REGULAR_SOURCES_FEW = 3, /* regular sources among those hit: some attackers share an address with visitors */
};

static const double REGULAR_SOURCES_MOST = 0.03; /* of the sources that are hit: with more it is a crowd */
static const double FOCUS_LEAST = 0.8;           /* where only prefixes tell: share of one path */

/* Requests that are hit, and of how many sources. */
struct hits {
	size_t requests, sources, regular_sources;
};

static bool bit_at(const uint64_t *bits, size_t number)
{
	return (bits[number / 64] >> number % 64 & 1) != 0;
}

struct source {
	struct address address;
	bool regular;
};

static int by_address(const void *a, const void *b)
{
	return memcmp(&((const struct source *)a)->address, &((const struct source *)b)->address, ADDRESS_BYTES);
}

static int count_hits(const struct search *search, enum part part, const uint64_t *bits, bool regular_only,
		      struct hits *ret_hits)
{
	struct hits hits = {0};
	struct source *sources = malloc((search->count[part] + 1) * sizeof(*sources));
	if (sources == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < search->count[part]; i++) {
		const struct signature_request *request = part_request(search, part, i);
		if (bit_at(bits + search->at[part], i) && (request->regular || !regular_only))
			sources[hits.requests++] = (struct source){request->source, request->regular};
	}
	qsort(sources, hits.requests, sizeof(*sources), by_address);
	for (size_t i = 0; i < hits.requests; i++) {
		if (i > 0 && by_address(&sources[i - 1], &sources[i]) == 0)
			continue;
		hits.sources++;
		hits.regular_sources += sources[i].regular;
	}
	free(sources);
	*ret_hits = hits;
	return 0;
}

/* Requests of one source are not so many proofs: what is hit counts by sources, and what is not hit for as much less.
 */
static double upper_limit(const struct hits *hits, size_t seen)
{
	if (hits->requests == 0)
		return share_upper_limit(0, (double)seen);
	double alike = (double)hits->requests / (double)hits->sources;
	return share_upper_limit((double)hits->sources, (double)seen / alike);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* The share of the most frequent path among what is hit of the attack's time. */
static int measure_focus(const struct search *search, const uint64_t *bits, double *ret_focus)
{
	size_t count = 0, most = 0;
	uint64_t *paths = malloc((search->count[PART_ATTACK] + 1) * sizeof(*paths));
	if (paths == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < search->count[PART_ATTACK]; i++)
		if (bit_at(bits + search->at[PART_ATTACK], i))
			paths[count++] = part_request(search, PART_ATTACK, i)->field[SIGNATURE_PATH];
	qsort(paths, count, sizeof(*paths), by_number);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i; next < count && paths[next] == paths[i];)
			next++;
		most = next - i > most ? next - i : most;
	}
	free(paths);
	*ret_focus = count == 0 ? 0 : (double)most / (double)count;
	return 0;
}

int proof_holds(const struct search *search, const uint64_t *bits, enum ground ground, bool *ret_holds,
		double *ret_collateral)
{
	struct hits all, regular, attack;
	double focus = 1;
	int r = count_hits(search, PART_PROOF, bits, false, &all);
	if (r == 0)
		r = count_hits(search, PART_PROOF, bits, true, &regular);
	if (r == 0)
		r = count_hits(search, PART_ATTACK, bits, false, &attack);
	if (r == 0 && ground == GROUND_PREFIXES)
		r = measure_focus(search, bits, &focus);
	if (r != 0)
		return r;
	bool crowd = attack.regular_sources > REGULAR_SOURCES_FEW &&
		     (double)attack.regular_sources > REGULAR_SOURCES_MOST * (double)attack.sources;
	bool knows_regulars = search->regular_seen > 0;
	*ret_collateral = upper_limit(&all, search->count[PART_PROOF]);
	/* Too few requests of regulars to prove anything by them: then none of them may be hit. */
	double most = search->question->collateral_most, by_regulars = upper_limit(&regular, search->regular_seen);
	if (regular.requests > 0 || by_regulars <= most)
		*ret_collateral = fmax(*ret_collateral, by_regulars);
	*ret_holds = *ret_collateral <= most && !crowd &&
		     (ground == GROUND_TELL || (focus >= FOCUS_LEAST && attack.regular_sources == 0 && knows_regulars));
	return 0;
}
