/* For differential tests: bytes that a pattern is likely to match, made from its tree, then spoilt a little. Seeded. */
#ifndef GUIA_MATCH_TEST_GENERATE_H
#define GUIA_MATCH_TEST_GENERATE_H

#include "match/pattern.h"

struct test_random {
	uint64_t state;
};

static inline uint32_t test_random_below(struct test_random *r, uint32_t bound)
{
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((r->state >> 33) % bound);
}

enum { TEST_TEXT_BYTES = 2048 };

struct test_text {
	size_t len;
	uint8_t bytes[TEST_TEXT_BYTES];
};

static inline void test_text_add(struct test_text *t, uint8_t byte)
{
	if (t->len < TEST_TEXT_BYTES)
		t->bytes[t->len++] = byte;
}

/* Up to ten of these at random, one behind the other: mostly a regex, often with an error in it. */
static inline void test_add_atoms(struct test_random *r, const char *const *atoms, size_t count, struct test_text *out)
{
	out->len = 0;
	for (uint32_t n = 1 + test_random_below(r, 10); n > 0; n--)
		for (const char *atom = atoms[test_random_below(r, (uint32_t)count)]; *atom != 0; atom++)
			test_text_add(out, (uint8_t)*atom);
}

static inline void test_add_member(struct test_random *r, const struct pattern_set *set, struct test_text *out)
{
	/* Bytes that delimit are tried first, half the time: they are where engines differ. */
	static const uint8_t edges[] = "\n\r\t \v\0_a0-.\xff\x80/'\"";
	for (int tries = 0; tries < 400; tries++) {
		uint8_t byte = tries < 8 && test_random_below(r, 2) == 0
				       ? edges[test_random_below(r, sizeof(edges) - 1)]
				       : (uint8_t)test_random_below(r, tries < 40 ? 128 : 256);
		if (pattern_set_has(set, byte)) {
			test_text_add(out, byte);
			return;
		}
	}
}

static inline void test_generate_node(struct test_random *r, const struct pattern *p, uint32_t at,
				      struct test_text *out);

static inline void test_generate_repeat(struct test_random *r, const struct pattern *p, const struct pattern_node *node,
					struct test_text *out)
{
	uint32_t most = node->max == PATTERN_ENDLESS || node->max > node->min + 3 ? node->min + 3 : node->max;
	uint32_t times = node->min + test_random_below(r, most - node->min + 1);
	if (node->max == PATTERN_ENDLESS && test_random_below(r, 40) == 0)
		times += 60; /* pumped */
	for (uint32_t i = 0; i < times && out->len < TEST_TEXT_BYTES; i++)
		test_generate_node(r, p, node->first, out);
}

static inline void test_generate_node(struct test_random *r, const struct pattern *p, uint32_t at,
				      struct test_text *out)
{
	const struct pattern_node *node = &p->nodes[at];
	uint32_t seen = 0, chosen = node->first;
	switch (node->kind) {
	case PATTERN_SET:
		test_add_member(r, &node->set, out);
		break;
	case PATTERN_CAT:
		for (uint32_t c = node->first; c != PATTERN_NO_NODE; c = p->nodes[c].next)
			test_generate_node(r, p, c, out);
		break;
	case PATTERN_ALT:
		for (uint32_t c = node->first; c != PATTERN_NO_NODE; c = p->nodes[c].next)
			if (test_random_below(r, ++seen) == 0)
				chosen = c;
		test_generate_node(r, p, chosen, out);
		break;
	case PATTERN_REPEAT:
		test_generate_repeat(r, p, node, out);
		break;
	case PATTERN_ASSERT:
	case PATTERN_EMPTY:
		break;
	}
}

static inline void test_spoil(struct test_random *r, struct test_text *t)
{
	static const uint8_t edges[] = "\n\r \0a_;\xff";
	switch (test_random_below(r, 8)) {
	case 0:
		test_text_add(t, edges[test_random_below(r, sizeof(edges) - 1)]);
		break;
	case 1:
		if (t->len > 0)
			t->bytes[test_random_below(r, (uint32_t)t->len)] ^= (uint8_t)(1u << test_random_below(r, 8));
		break;
	case 2:
		if (t->len > 0)
			t->len--;
		break;
	case 3:
		if (t->len > 0) { /* the first byte goes */
			t->len--;
			memmove(t->bytes, t->bytes + 1, t->len);
		}
		break;
	case 4:
		if (t->len > 0)
			t->bytes[test_random_below(r, (uint32_t)t->len)] =
				edges[test_random_below(r, sizeof(edges) - 1)];
		break;
	case 5:
		if (t->len > 0 && t->len < TEST_TEXT_BYTES) { /* something comes before */
			memmove(t->bytes + 1, t->bytes, t->len++);
			t->bytes[0] = edges[test_random_below(r, sizeof(edges) - 1)];
		}
		break;
	default:
		break;
	}
}

/* A text for the pattern; for an opaque one (p NULL) pieces of its own source. */
static inline void test_generate(struct test_random *r, const struct pattern *p, struct slice source,
				 struct test_text *out)
{
	out->len = 0;
	if (p != NULL) {
		test_generate_node(r, p, 0, out);
	} else if (source.len > 0) {
		size_t from = test_random_below(r, (uint32_t)source.len);
		for (size_t i = from; i < source.len && i < from + 30; i++)
			test_text_add(out, source.ptr[i]);
	}
	for (uint32_t i = test_random_below(r, 3); i > 0; i--)
		test_spoil(r, out);
}

#endif
