/*
 * How much of an attack's time are visitors, where nobody knows how many come: a value that attackers do not have comes
 * as often as visitors come. So what has become least of, measured by how often visitors have it, is the most that they
 * can be; and of the many values that visitors have some are hardly ever an attacker's.
 */
#include "traffic/signature.h"

#include "base/error.h"
#include "traffic/values.h"

#include <math.h>
#include <stdlib.h>

enum { SEEN_LEAST = 30 /* among visitors */, SEEN_SHARE = 50 /* and one in so many */ };

static const double NORMAL_MOST = 0.9;

static size_t add_values(const struct signature_sample *sample, enum signature_field field, uint64_t *values)
{
	for (size_t i = 0; i < sample->count; i++)
		values[i] = sample->requests[i].field[field];
	return sample->count;
}

/* Both sorted. */
static double least_of(const uint64_t *attack, size_t attacks, const uint64_t *quiet, size_t visitors)
{
	double least = NORMAL_MOST;
	size_t in_attack = 0;
	for (size_t i = 0, next; i < visitors; i = next) {
		for (next = i + 1; next < visitors && quiet[next] == quiet[i];)
			next++;
		double seen = (double)(next - i);
		double came = (double)values_count_equal(attack, attacks, &in_attack, quiet[i]);
		if (seen >= SEEN_LEAST && seen * SEEN_SHARE >= (double)visitors)
			least = fmin(least, (came + sqrt(came) + 1) / (double)attacks * (double)visitors / seen);
	}
	return least;
}

double signature_normal_share(const struct signature_question *question)
{
	static const enum signature_field fields[] = {SIGNATURE_SHAPE, SIGNATURE_AGENT, SIGNATURE_ACCEPT,
						      SIGNATURE_LANGUAGE, SIGNATURE_PATH};
	const struct signature_sample *attack = &question->attack;
	size_t most = question->quiet.count + question->elsewhere.count;
	uint64_t *quiet = malloc((most + 1) * sizeof(*quiet)), *came = malloc((attack->count + 1) * sizeof(*came));
	double share = NORMAL_MOST;
	for (size_t i = 0; quiet != NULL && came != NULL && i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t visitors = add_values(&question->quiet, fields[i], quiet);
		visitors += add_values(&question->elsewhere, fields[i], quiet + visitors);
		add_values(attack, fields[i], came);
		values_sort(quiet, visitors);
		values_sort(came, attack->count);
		share = fmin(share, least_of(came, attack->count, quiet, visitors));
	}
	bool failed = quiet == NULL || came == NULL;
	free(quiet);
	free(came);
	return failed ? 0 : share;
}
