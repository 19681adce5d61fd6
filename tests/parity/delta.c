#include "delta.h"

static bool same_match(struct outcome_match a, struct outcome_match b)
{
	return a.rule_id == b.rule_id && a.depth == b.depth;
}

static bool occurs(const struct outcome *outcome, size_t from, struct outcome_match match)
{
	for (size_t i = from; i < outcome->match_count; i++)
		if (same_match(outcome->matches[i], match))
			return true;
	return false;
}

/* At `i` the lists differ, or one ends. */
static struct delta parting(const struct outcome *ours, const struct outcome *theirs, size_t i)
{
	bool in_ours = i < ours->match_count;
	bool in_theirs = i < theirs->match_count;
	if (in_ours && !occurs(theirs, i, ours->matches[i]))
		return (struct delta){.kind = DELTA_ONLY_OURS, .match = ours->matches[i]};
	if (in_theirs && !occurs(ours, i, theirs->matches[i]))
		return (struct delta){.kind = DELTA_ONLY_THEIRS, .match = theirs->matches[i]};
	return (struct delta){.kind = DELTA_ORDER, .match = in_ours ? ours->matches[i] : theirs->matches[i]};
}

static struct delta compare_tx(const struct outcome *ours, const struct outcome *theirs)
{
	for (size_t i = 0; i < ours->tx_count || i < theirs->tx_count; i++) {
		if (i >= ours->tx_count)
			return (struct delta){.kind = DELTA_TX, .tx_name = theirs->tx[i].name};
		if (i >= theirs->tx_count)
			return (struct delta){.kind = DELTA_TX, .tx_name = ours->tx[i].name};
		const struct outcome_tx *a = &ours->tx[i];
		const struct outcome_tx *b = &theirs->tx[i];
		if (!slice_equal(a->name, b->name) || !slice_equal(a->value, b->value))
			return (struct delta){.kind = DELTA_TX,
					      .tx_name = slice_compare(a->name, b->name) <= 0 ? a->name : b->name};
	}
	return (struct delta){.kind = DELTA_NONE};
}

struct delta delta_find(const struct outcome *ours, const struct outcome *theirs)
{
	for (size_t i = 0; i < ours->match_count || i < theirs->match_count; i++)
		if (i >= ours->match_count || i >= theirs->match_count ||
		    !same_match(ours->matches[i], theirs->matches[i]))
			return parting(ours, theirs, i);
	if (ours->status != theirs->status)
		return (struct delta){.kind = DELTA_STATUS};
	return compare_tx(ours, theirs);
}

/* ---- what is meant ---- */

/* Captures are of the last operator that captured; libmodsecurity's verifiers search every suffix. */
static bool verifier(const struct sample *sample, const struct delta *delta)
{
	(void)sample;
	return delta->kind == DELTA_TX && delta->tx_name.len == 1 && delta->match.rule_id == -1;
}

static const struct accepted rows[] = {
	{"verifier", "", verifier},
};

const struct accepted *delta_accepted(const struct sample *sample, const struct delta *delta)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].applies(sample, delta))
			return &rows[i];
	return NULL;
}
