/*
 * Of a short value most patterns can match nothing, and of what a transformation makes of it neither: a value of 12
 * bytes has 9 at most when base64 is taken from it. Nor can they of a plain value, where they need quotes or brackets,
 * and most transformations make nothing else of plain bytes. Nodes behind which all patterns want more are left out.
 */
#include "engine/probe.h"
#include "match/scan.h"

/* A value of PROBE_LENGTHS - 1 bytes stands for all that are longer; nothing is as long as this. */
enum { NEVER = PROBE_LENGTHS };

/* By node, the shortest bytes there of which something may match at it, and at it or behind. */
struct least {
	size_t at[PROBE_NODES_MAX];
	size_t from[PROBE_NODES_MAX];
	size_t before[PROBE_NODES_MAX]; /* of the value of which these are made */
};

static void lessen(size_t *least, size_t other)
{
	*least = other < *least ? other : *least;
}

static size_t length_of(size_t width)
{
	return width == UINT32_MAX ? NEVER : width < PROBE_LENGTHS ? width : PROBE_LENGTHS - 1;
}

static void look_at_scan(const struct probe_scan *scan, enum byte_level level, struct least *least)
{
	for (size_t i = 0; i < scan->first_of_bit[scan->bit_count]; i++) {
		const struct probe_bit *bit = &scan->bits[i];
		lessen(&least->at[bit->node], length_of(scan_set_width(scan->set, bit->bit, level)));
	}
	for (size_t i = 0; i < scan->clear_count; i++)
		least->at[scan->clear[i].node] = 0;
}

static void look_at_question(const struct probe_question *question, enum byte_level level, struct least *least)
{
	if (question->needs != 0 && (question->needs & byte_level_kinds(level)) == 0)
		return;
	for (uint64_t nodes = question->nodes; nodes != 0; nodes &= nodes - 1)
		least->at[__builtin_ctzll(nodes)] = 0;
}

/* The shortest value of which a transformation may make so many bytes. */
static size_t least_before(enum transform transform, size_t bytes)
{
	size_t len = bytes == NEVER ? NEVER : 0;
	while (len < PROBE_LENGTHS - 1 && transform_bound(transform, len) < bytes)
		len++;
	return len;
}

/* `any`: the same for values of all bytes, as some transformations make them of plain ones; NULL: that is what is made.
 */
static void find_least(const struct probe_set *set, enum byte_level level, const struct least *any,
		       struct least *ret_least)
{
	for (size_t i = 0; i < set->node_count; i++)
		ret_least->at[i] = NEVER;
	for (size_t i = 0; i < set->scan_count; i++)
		look_at_scan(&set->scans[i], level, ret_least);
	for (size_t i = 0; i < set->question_count; i++)
		look_at_question(&set->questions[i], level, ret_least);
	memcpy(ret_least->from, ret_least->at, sizeof(ret_least->from));
	ret_least->before[0] = 0;
	for (size_t i = set->node_count; i-- > 1;) {
		enum transform transform = (enum transform)set->nodes[i].transform;
		bool keeps = any == NULL || transform_keeps(transform, byte_level_kinds(level));
		ret_least->before[i] = least_before(transform, keeps ? ret_least->from[i] : any->from[i]);
		lessen(&ret_least->from[set->nodes[i].parent], ret_least->before[i]);
	}
}

static struct probe_matter matter_of(const struct probe_set *set, const struct least *least, size_t len)
{
	struct probe_matter matter = {0};
	for (size_t i = 0; i < set->node_count; i++) {
		matter.asked |= (uint64_t)(least->at[i] <= len) << i;
		matter.here |= (uint64_t)(least->from[i] <= len) << i;
		matter.behind |= (uint64_t)(least->before[i] <= len) << i;
		/* Of the value itself a node's bytes are made only if the node before leaves it as it is. */
		bool is_made = i == 0 || (matter.at_first >> set->nodes[i].parent & 1) != 0;
		matter.at_first |= (uint64_t)(is_made && least->before[i] <= len) << i;
	}
	return matter;
}

void probe_find_what_matters(struct probe_set *set)
{
	struct least any, least;
	find_least(set, BYTE_LEVEL_ANY, NULL, &any);
	for (unsigned level = 0; level < BYTE_LEVELS; level++) {
		find_least(set, (enum byte_level)level, &any, &least);
		for (size_t len = 0; len < PROBE_LENGTHS; len++)
			set->matter[level][len] = matter_of(set, &least, len);
	}
}
