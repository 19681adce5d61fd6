/* Nodes that are told to see no two dots in a row, against what the transformations make of random values. */
#include "engine/probe.h"

#include "base/test.h"
#include "match/test_generate.h"

enum { CHAINS = 4000, VALUES = 60, LONGEST = 3, VALUE_BYTES = 20, ROOM = VALUE_BYTES * 64 + 128 };

struct chain {
	struct probe_node nodes[LONGEST + 1];
	struct probe_set set;
	size_t length;
};

static void make_chain(struct test_random *random, struct arena *arena, struct chain *chain)
{
	*chain = (struct chain){.length = 1 + test_random_below(random, LONGEST)};
	for (size_t i = 0; i <= chain->length; i++) {
		chain->nodes[i].parent = (uint8_t)(i == 0 ? 0 : i - 1);
		chain->nodes[i].transform = (uint8_t)(i == 0 ? 0 : test_random_below(random, TRANSFORM_COUNT));
		chain->nodes[i].behind = (((uint64_t)2 << chain->length) - 1) & ~(((uint64_t)2 << i) - 1);
	}
	chain->set = (struct probe_set){.nodes = chain->nodes,
					.node_count = (uint8_t)(chain->length + 1),
					.asked = (uint64_t)1 << chain->length};
	assert_int_equal(probe_find_dots(&chain->set, 0, arena), 0);
}

static struct slice make_value(struct test_random *random, uint8_t *bytes)
{
	static const uint8_t odd[] = "\\\"'^,; \n/(%2e+u0&#46AZ;\xc2\xa0\xef\xbc\x8e*-<!";
	size_t len = test_random_below(random, VALUE_BYTES + 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = test_random_below(random, 3) != 0 ? (uint8_t) ".a"[test_random_below(random, 2)]
							     : odd[test_random_below(random, sizeof(odd))];
	return slice_make(bytes, len);
}

static bool has_dots(struct slice value)
{
	return slice_find(value, SLICE(".."), 0) < value.len;
}

static struct slice transformed(const struct chain *chain, struct slice value, uint8_t rooms[2][ROOM])
{
	struct transform_context context = {0};
	size_t changes = 0; /* the room that does not hold the value is free */
	for (size_t i = 1; i <= chain->length; i++) {
		enum transform transform = (enum transform)chain->nodes[i].transform;
		size_t len;
		assert_true(transform_bound(transform, value.len) <= ROOM);
		if (transform_apply(transform, &context, value, rooms[changes % 2], &len))
			value = slice_make(rooms[changes++ % 2], len);
	}
	return value;
}

static void no_form_without_dots_has_any(void **state)
{
	(void)state;
	struct test_random random = {1};
	size_t told = 0, had = 0;
	for (size_t i = 0; i < CHAINS; i++) {
		struct arena arena;
		struct chain chain;
		arena_init(&arena, 1 << 20, 0);
		make_chain(&random, &arena, &chain);
		for (size_t k = 0; k < VALUES; k++) {
			uint8_t bytes[VALUE_BYTES], rooms[2][ROOM];
			struct slice value = make_value(&random, bytes);
			uint64_t nodes = probe_nodes_dotted(&chain.set, value, byte_kinds(value), UINT64_MAX);
			bool has = has_dots(transformed(&chain, value, rooms));
			had += has;
			if ((nodes & chain.set.asked) != 0)
				continue;
			assert_false(has);
			told++;
		}
		arena_destroy(&arena);
	}
	assert_true(told > 1000 && had > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_form_without_dots_has_any)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
