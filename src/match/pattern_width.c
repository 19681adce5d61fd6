/*
 * Each question is a walk over the tree in which a node's answer is made of its children's: a sum for a row, the least
 * or the most for a choice. How common bytes are is guessed by tables.
 */
#include "match/pattern_width.h"

static uint32_t add(uint32_t a, uint32_t b)
{
	return a >= PATTERN_IMPOSSIBLE - b ? PATTERN_IMPOSSIBLE : a + b;
}

static uint32_t times(uint32_t width, uint32_t count)
{
	uint64_t product = (uint64_t)width * count;
	if (width == PATTERN_IMPOSSIBLE)
		return PATTERN_IMPOSSIBLE;
	return product < PATTERN_IMPOSSIBLE ? (uint32_t)product : PATTERN_IMPOSSIBLE - 1;
}

static bool meets(const struct pattern_set *a, const struct pattern_set *b)
{
	return ((a->bits[0] & b->bits[0]) | (a->bits[1] & b->bits[1]) | (a->bits[2] & b->bits[2]) |
		(a->bits[3] & b->bits[3])) != 0;
}

static uint32_t width_of(const struct pattern *p, uint32_t at, const struct pattern_set *allowed)
{
	const struct pattern_node *node = &p->nodes[at];
	uint32_t width = 0;
	switch (node->kind) {
	case PATTERN_EMPTY:
	case PATTERN_ASSERT:
		break;
	case PATTERN_SET:
		width = meets(&node->set, allowed) ? 1 : PATTERN_IMPOSSIBLE;
		break;
	case PATTERN_CAT:
		for (uint32_t c = node->first; c != PATTERN_NO_NODE; c = p->nodes[c].next)
			width = add(width, width_of(p, c, allowed));
		break;
	case PATTERN_ALT:
		width = PATTERN_IMPOSSIBLE;
		for (uint32_t c = node->first; c != PATTERN_NO_NODE; c = p->nodes[c].next) {
			uint32_t one = width_of(p, c, allowed);
			width = one < width ? one : width;
		}
		break;
	case PATTERN_REPEAT:
		width = node->min == 0 ? 0 : times(width_of(p, node->first, allowed), node->min);
		break;
	}
	return width;
}

uint32_t pattern_width(const struct pattern *pattern, const struct pattern_set *allowed)
{
	return width_of(pattern, 0, allowed);
}

/* Where a match that began with the value has come to. */
enum place { AT_START, AT_END };

static bool holds_at(enum pattern_assertion assertion, enum place place)
{
	switch (assertion) {
	case PATTERN_SUBJECT_START:
	case PATTERN_LINE_START:
		return place == AT_START;
	case PATTERN_SUBJECT_END:
	case PATTERN_SUBJECT_END_OR_LAST_NEWLINE:
	case PATTERN_LINE_END:
		return place == AT_END;
	case PATTERN_OTHER_NEXT:
		return place == AT_END;
	case PATTERN_WORD_EDGE:
	case PATTERN_NO_WORD_EDGE:
		break;
	}
	return false;
}

static bool takes_all(const struct pattern *p, const struct pattern_node *repeat)
{
	const struct pattern_node *node = &p->nodes[repeat->first];
	return repeat->max == PATTERN_ENDLESS && node->kind == PATTERN_SET &&
	       (node->set.bits[0] & node->set.bits[1] & node->set.bits[2] & node->set.bits[3]) == UINT64_MAX;
}

/* Whether a node can be gone through without a byte, or with all of them. Of choices the first such is taken. */
static bool is_passed(const struct pattern *p, uint32_t at, enum place *place)
{
	const struct pattern_node *node = &p->nodes[at];
	enum place before = *place;
	switch (node->kind) {
	case PATTERN_EMPTY:
		return true;
	case PATTERN_SET:
		return false;
	case PATTERN_ASSERT:
		return holds_at(node->assertion, *place);
	case PATTERN_CAT:
		for (uint32_t c = node->first; c != PATTERN_NO_NODE; c = p->nodes[c].next)
			if (!is_passed(p, c, place))
				return false;
		return true;
	case PATTERN_ALT:
		for (uint32_t c = node->first; c != PATTERN_NO_NODE; c = p->nodes[c].next, *place = before)
			if (is_passed(p, c, place))
				return true;
		return false;
	case PATTERN_REPEAT:
		*place = node->min == 0 && takes_all(p, node) ? AT_END : *place;
		return node->min == 0 || (node->min == 1 && is_passed(p, node->first, place));
	}
	return false;
}

bool pattern_is_certain(const struct pattern *pattern)
{
	enum place place = AT_START;
	return is_passed(pattern, 0, &place);
}

/* Whether a node is this byte and nothing else, once or more often. */
static bool is_byte(const struct pattern *p, uint32_t at, uint8_t byte)
{
	const struct pattern_node *node = &p->nodes[at];
	if (node->kind == PATTERN_REPEAT)
		return node->min > 0 && is_byte(p, node->first, byte);
	struct pattern_set only = {0};
	pattern_set_add(&only, byte);
	return node->kind == PATTERN_SET && memcmp(&only, &node->set, sizeof(only)) == 0;
}

static bool needs_twice(const struct pattern *p, uint32_t at, uint8_t byte)
{
	const struct pattern_node *node = &p->nodes[at];
	bool was = false, all = true, any = false;
	if (node->kind == PATTERN_REPEAT)
		return (node->min > 1 && is_byte(p, node->first, byte)) ||
		       (node->min > 0 && needs_twice(p, node->first, byte));
	if (node->kind != PATTERN_CAT && node->kind != PATTERN_ALT)
		return false;
	for (uint32_t c = node->first; c != PATTERN_NO_NODE; c = p->nodes[c].next) {
		bool is = is_byte(p, c, byte);
		bool needs = needs_twice(p, c, byte);
		any |= needs || (was && is);
		all &= needs;
		was = is;
	}
	return node->kind == PATTERN_CAT ? any : all;
}

bool pattern_needs_twice(const struct pattern *pattern, uint8_t byte)
{
	return needs_twice(pattern, 0, byte);
}

enum { SPAN_BYTES_MOST = 256 }; /* of a repeat; more are better told as a set */

static void unite(struct pattern_set *set, const struct pattern_set *other)
{
	for (unsigned i = 0; i < 4; i++)
		set->bits[i] |= other->bits[i];
}

struct pattern_span pattern_span_add(struct pattern_span a, struct pattern_span b)
{
	unite(&a.loops, &b.loops);
	a.bytes = a.bytes > UINT32_MAX - b.bytes ? UINT32_MAX : a.bytes + b.bytes;
	return a;
}

struct pattern_span pattern_span_either(struct pattern_span a, struct pattern_span b)
{
	unite(&a.loops, &b.loops);
	a.bytes = a.bytes > b.bytes ? a.bytes : b.bytes;
	return a;
}

/* All bytes that a node may take. */
static void add_alphabet(const struct pattern *p, uint32_t at, struct pattern_set *set)
{
	if (p->nodes[at].kind == PATTERN_SET)
		unite(set, &p->nodes[at].set);
	for (uint32_t c = p->nodes[at].first; c != PATTERN_NO_NODE; c = p->nodes[c].next)
		add_alphabet(p, c, set);
}

static struct pattern_span span_of_repeat(const struct pattern *p, const struct pattern_node *node)
{
	struct pattern_span span = pattern_span(p, node->first);
	if (node->max != PATTERN_ENDLESS && (uint64_t)span.bytes * node->max <= SPAN_BYTES_MOST) {
		span.bytes *= node->max;
		return span;
	}
	span = (struct pattern_span){0};
	add_alphabet(p, node->first, &span.loops);
	return span;
}

struct pattern_span pattern_span(const struct pattern *p, uint32_t at)
{
	const struct pattern_node *node = &p->nodes[at];
	struct pattern_span span = {0};
	if (node->kind == PATTERN_SET)
		span.bytes = 1;
	if (node->kind == PATTERN_REPEAT)
		return span_of_repeat(p, node);
	for (uint32_t c = node->kind == PATTERN_SET ? PATTERN_NO_NODE : node->first; c != PATTERN_NO_NODE;
	     c = p->nodes[c].next)
		span = node->kind == PATTERN_CAT ? pattern_span_add(span, pattern_span(p, c))
						 : pattern_span_either(span, pattern_span(p, c));
	return span;
}

size_t pattern_loops(const struct pattern *pattern)
{
	size_t loops = 0;
	for (size_t i = 0; i < pattern->count; i++)
		loops += pattern->nodes[i].kind == PATTERN_REPEAT && pattern->nodes[i].max == PATTERN_ENDLESS;
	return loops;
}

enum { MOST_COMMON = 100 };

unsigned pattern_set_commonness(const struct pattern_set *set)
{
	static const uint8_t commonness[128] = {
		['\n'] = 12, ['\r'] = 8, ['\t'] = 2,         [' '] = 40,        ['!'] = 5,  ['"'] = 8,
		['%'] = 4,   ['&'] = 4,  ['\''] = 8,         ['(' ... ')'] = 6, [','] = 20, ['-'] = 30,
		['.'] = 30,  ['/'] = 15, ['0' ... '9'] = 20, [':'] = 12,        ['='] = 6,  [';'] = 6,
		['?'] = 8,   ['@'] = 6,  ['A' ... 'Z'] = 10, ['_'] = 15,        ['+'] = 3,  ['a' ... 'z'] = 40,
	};
	unsigned sum = (set->bits[2] | set->bits[3]) != 0 ? 10 : 0;
	for (unsigned word = 0; word < 2; word++) {
		for (uint64_t left = set->bits[word]; left != 0 && sum < MOST_COMMON; left &= left - 1) {
			unsigned c = word * 64 + (unsigned)__builtin_ctzll(left);
			sum += commonness[c] > 0 ? commonness[c] : 1;
		}
	}
	return sum < MOST_COMMON ? sum : MOST_COMMON;
}

/* A set that is wanted of a node, while it is being looked for. */
struct need {
	struct pattern_set set;
	unsigned commonness;
};

enum { NO_NEED = 100 };

static struct need need_of(const struct pattern *p, uint32_t at)
{
	const struct pattern_node *node = &p->nodes[at];
	struct need need = {.commonness = NO_NEED};
	bool choice = node->kind == PATTERN_ALT;
	if (node->kind == PATTERN_SET)
		return (struct need){node->set, pattern_set_commonness(&node->set)};
	if (node->kind == PATTERN_EMPTY || node->kind == PATTERN_ASSERT ||
	    (node->kind == PATTERN_REPEAT && node->min == 0))
		return need;
	if (choice)
		need.commonness = 0;
	for (uint32_t c = node->first; c != PATTERN_NO_NODE; c = p->nodes[c].next) {
		struct need one = need_of(p, c);
		if (!choice) {
			need = one.commonness < need.commonness ? one : need;
			continue;
		}
		for (unsigned i = 0; i < 4; i++)
			need.set.bits[i] |= one.set.bits[i];
		need.commonness = one.commonness >= NO_NEED || need.commonness >= NO_NEED
					  ? NO_NEED
					  : pattern_set_commonness(&need.set);
	}
	return need;
}

bool pattern_need(const struct pattern *pattern, struct pattern_set *ret_set)
{
	struct need need = need_of(pattern, 0);
	if (need.commonness < NO_NEED)
		*ret_set = need.set;
	return need.commonness < NO_NEED;
}

double pattern_byte_frequency(uint8_t byte)
{
	static const uint8_t letters[26] = {62, 12, 30, 30, 95, 15, 16, 30, 60, 2,  6, 35, 25,
					    58, 62, 20, 2,  52, 58, 70, 25, 9,  13, 4, 12, 3};
	if (byte >= 'a' && byte <= 'z')
		return letters[byte - 'a'] / 1000.0;
	if (byte == ' ')
		return 0.13;
	if (byte_is_digit(byte))
		return 0.015;
	switch (byte) {
	case '\n':
	case '"':
	case '<':
	case '>':
	case '/':
	case '=':
	case '-':
	case '.':
	case ',':
		return 0.015;
	default:
		return byte >= 0x80 ? 0.008 : 0.002;
	}
}
