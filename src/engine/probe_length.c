/*
 * Of a short value most patterns can match nothing, and of what a transformation makes of it neither: a value of 12
 * bytes has 9 at most when base64 is taken from it. Nodes behind which all patterns want more are left out.
 */
#include "engine/probe.h"
#include "match/scan.h"

/* By node, the shortest bytes there of which something may match at it or behind. */
struct least {
	size_t at[PROBE_NODES_MAX];
};

static void lessen(size_t *least, size_t other)
{
	*least = other < *least ? other : *least;
}

static void lessen_all(struct least *least, uint64_t nodes, size_t other)
{
	for (; nodes != 0; nodes &= nodes - 1)
		lessen(&least->at[__builtin_ctzll(nodes)], other);
}

static void look_at_scan(const struct probe_scan *scan, struct least *least)
{
	for (size_t i = 0; i < scan->first_of_bit[scan->bit_count]; i++)
		lessen(&least->at[scan->bits[i].node], scan_set_width(scan->set, scan->bits[i].bit));
	for (size_t i = 0; i < scan->clear_count; i++)
		least->at[scan->clear[i].node] = 0;
}

/* The shortest value of which a transformation may make so many bytes. */
static size_t least_before(enum transform transform, size_t bytes)
{
	size_t len = 0;
	while (len < PROBE_LENGTHS && transform_bound(transform, len) < bytes)
		len++;
	return len;
}

void probe_find_what_matters(struct probe_set *set)
{
	struct least least;
	size_t before[PROBE_NODES_MAX] = {0};
	for (size_t i = 0; i < set->node_count; i++)
		least.at[i] = PROBE_LENGTHS;
	for (size_t i = 0; i < set->scan_count; i++)
		look_at_scan(&set->scans[i], &least);
	for (size_t i = 0; i < set->question_count; i++)
		lessen_all(&least, set->questions[i].nodes, 0);
	for (size_t i = set->node_count; i-- > 1;) {
		before[i] = least_before(set->nodes[i].transform, least.at[i]);
		lessen(&least.at[set->nodes[i].parent], before[i]);
	}
	for (size_t len = 0; len < PROBE_LENGTHS; len++) {
		for (size_t i = 0; i < set->node_count; i++) {
			set->matter[len] |= (uint64_t)(least.at[i] <= len) << i;
			set->matter_behind[len] |= (uint64_t)(before[i] <= len) << i;
			/* Of the value itself a node's bytes are made only if the node before leaves it as it is. */
			bool is_made = i == 0 || (set->matter_at_first[len] >> set->nodes[i].parent & 1) != 0;
			set->matter_at_first[len] |= (uint64_t)(is_made && before[i] <= len) << i;
		}
	}
}
