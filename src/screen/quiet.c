/*
 * Exponentially weighted means over two minutes, and the plain mean of the first samples. Where a kind has no more room
 * a new key takes the place of the smallest.
 */
#include "screen/quiet.h"

#include <stdio.h>
#include <string.h>

static const double weight = 1.0 / 120; /* of a new second */

void quiet_second(struct quiet *quiet)
{
	if (quiet->samples < UINT32_MAX)
		quiet->samples++;
	for (size_t kind = 0; kind < QUIET_KINDS; kind++)
		for (size_t i = 0; i < QUIET_KEYS; i++)
			quiet->keys[kind][i].per_s *= 1 - weight;
}

static const struct quiet_key *find(const struct quiet *quiet, unsigned kind, const char *key)
{
	for (size_t i = 0; i < QUIET_KEYS; i++)
		if (quiet->keys[kind][i].per_s > 0 && strcmp(quiet->keys[kind][i].text, key) == 0)
			return &quiet->keys[kind][i];
	return NULL;
}

/* Of the first seconds the plain mean: a new key counts as if it had not come before. */
static double share_of_one(const struct quiet *quiet)
{
	double plain = 1.0 / (quiet->samples > 0 ? quiet->samples : 1);
	return plain > weight ? plain : weight;
}

void quiet_see(struct quiet *quiet, unsigned kind, const char *key, double per_s)
{
	if (per_s <= 0 || strlen(key) >= QUIET_KEY_BYTES)
		return;
	struct quiet_key *known = (struct quiet_key *)find(quiet, kind, key);
	double share = share_of_one(quiet);
	if (known == NULL) {
		known = &quiet->keys[kind][0];
		for (size_t i = 1; i < QUIET_KEYS; i++)
			if (quiet->keys[kind][i].per_s < known->per_s)
				known = &quiet->keys[kind][i];
		snprintf(known->text, sizeof(known->text), "%s", key);
		known->per_s = per_s * share;
		return;
	}
	double before = known->per_s / (1 - weight);
	known->per_s = before + (per_s - before) * share;
}

bool quiet_rate(const struct quiet *quiet, unsigned kind, const char *key, double *ret_per_s)
{
	const struct quiet_key *known = find(quiet, kind, key);
	if (quiet->samples < QUIET_LEAST_SAMPLES)
		return false;
	*ret_per_s = known != NULL ? known->per_s : 0;
	return true;
}
