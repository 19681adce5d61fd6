/*
 * Paths that lead upwards are looked for in many forms of a value, and most values have no two dots in a row. What most
 * transformations make of such a value has none either, unless it holds bytes that they take out from between two dots
 * or decode: those forms need not be made.
 */
#include "base/word.h"
#include "engine/probe.h"

#include <errno.h>

/* What a transformation does for two dots: kinds by which it may bring them together; other kinds that it makes. */
struct effect {
	uint32_t joins;
	uint32_t makes;
};

static struct effect effect_of(enum transform transform)
{
	switch ((int)transform) {
	case TRANSFORM_CMD_LINE:
		return (struct effect){BYTES_BACKSLASH | BYTES_QUOTE | BYTES_APOSTROPHE | BYTES_CARET,
				       BYTES_LOWER | BYTES_BLANK};
	case TRANSFORM_COMPRESS_WHITESPACE:
		return (struct effect){BYTES_HIGH, BYTES_BLANK};
	case TRANSFORM_LOWERCASE:
		return (struct effect){0, BYTES_LOWER};
	case TRANSFORM_URL_DECODE:
	case TRANSFORM_URL_DECODE_UNI:
		return (struct effect){BYTES_PERCENT, BYTES_BLANK};
	default:
		return (struct effect){transform_triggers(transform), 0};
	}
}

/* The kinds by which a node may make two dots in a row of a value that has none. */
static uint32_t joins_of(const struct probe_set *set, size_t node, uint32_t *makes)
{
	if (node == 0) {
		*makes = 0;
		return 0;
	}
	uint32_t before = joins_of(set, set->nodes[node].parent, makes);
	struct effect effect = effect_of((enum transform)set->nodes[node].transform);
	bool is_triggered = (effect.joins & *makes) != 0; /* whatever the value */
	*makes |= effect.makes;
	return is_triggered ? BYTES_ANY : before | effect.joins;
}

static uint32_t joins_from(const struct probe_set *set, size_t node, uint64_t others)
{
	uint64_t nodes = (set->nodes[node].behind | (uint64_t)1 << node) & set->asked;
	uint32_t joins = (nodes & others) != 0 ? BYTES_ANY : 0;
	for (; nodes != 0 && joins != BYTES_ANY; nodes &= nodes - 1) {
		uint32_t makes;
		joins |= joins_of(set, (size_t)__builtin_ctzll(nodes), &makes);
	}
	return joins;
}

int probe_find_dots(struct probe_set *set, uint64_t others, struct arena *arena)
{
	struct probe_dots *dots = arena_zalloc(arena, set->node_count, sizeof(*dots));
	if (dots == NULL)
		return -ENOMEM;
	set->dots = dots;
	for (size_t node = 1; node < set->node_count; node++) {
		uint32_t unless = joins_from(set, node, others);
		size_t at = 0;
		if (unless == BYTES_ANY)
			continue;
		while (at < set->dots_count && dots[at].unless != unless)
			at++;
		set->dots_count += at == set->dots_count;
		dots[at].unless = unless;
		dots[at].nodes |= (uint64_t)1 << node;
	}
	return 0;
}

/* A one in the highest bit of each byte that is a dot, and perhaps of others behind such. */
static uint64_t dots_in(uint64_t word)
{
	const uint64_t each = 0x0101010101010101u;
	uint64_t others = word ^ each * '.';
	return (others - each) & ~others & each * 0x80;
}

/* May say so where it is not. */
static bool may_have_dots(struct slice value)
{
	size_t i = 0;
	for (; i + 8 <= value.len; i += 7) {
		uint64_t dots = dots_in(word_load8(value.ptr + i));
		if ((dots & dots >> 8) != 0)
			return true;
	}
	for (; i + 2 <= value.len; i++)
		if (value.ptr[i] == '.' && value.ptr[i + 1] == '.')
			return true;
	return false;
}

uint64_t probe_nodes_dotted(const struct probe_set *set, struct slice value, uint32_t kinds, uint64_t nodes)
{
	uint64_t vain = 0;
	if (kinds == BYTES_ANY) /* a long value, whose bytes nobody has looked at */
		return nodes;
	for (size_t i = 0; i < set->dots_count; i++)
		vain |= (kinds & set->dots[i].unless) == 0 ? set->dots[i].nodes : 0;
	vain &= nodes;
	return vain == 0 || ((kinds & BYTES_DOT) != 0 && may_have_dots(value)) ? nodes : nodes & ~vain;
}
