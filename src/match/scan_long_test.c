/* Long values, of which some patterns are wanted: what is sought by itself and walked in parts, against each alone. */
#include "match/regex.h"
#include "match/scan.h"
#include "match/test_generate.h"
#include "match/test_rules.h"

enum { PATTERNS_MOST = 2000, VALUE_BYTES = 6000, WANTED_MOST = 12, SLOT_WORDS = PATTERNS_MOST / 64 + 1 };

struct crowd {
	struct scan_scratch *scratch;
	struct scan_set *all;
	struct scan_set *alone[PATTERNS_MOST];
	struct test_rules rules;
	size_t matches;
};

static struct scan_set *built(struct crowd *crowd, size_t from, size_t to)
{
	struct scan_builder *builder;
	struct scan_set *set;
	assert_int_equal(scan_builder_create(NULL, &builder), 0);
	for (size_t i = from; i < to; i++)
		assert_int_equal(scan_builder_add_regex(builder, (uint32_t)(i - from), crowd->rules.patterns[i], 0), 0);
	assert_int_equal(scan_set_compile(builder, NULL, NULL, &set), 0);
	assert_int_equal(scan_scratch_fit(crowd->scratch, set), 0);
	scan_builder_free(builder);
	return set;
}

/* What a value is made of besides what may match: text, noise, zeros, or more of what may match. */
static void fill(struct test_random *r, struct slice source, const struct pattern *pattern, uint8_t *bytes, size_t len)
{
	static const char text[] =
		"The driver\xe2\x80\x99s warning: come to the office, at 10, or\nsend a <b>letter</b>. ";
	static struct test_text piece;
	unsigned kind = test_random_below(r, 4);
	for (size_t i = 0; i < len; i++)
		bytes[i] = kind == 0   ? (uint8_t)text[i % (sizeof(text) - 1)]
			   : kind == 1 ? (uint8_t)test_random_below(r, 256)
				       : 0;
	for (size_t at = test_random_below(r, 500); kind == 3 && at < len; at += test_random_below(r, 500)) {
		test_generate(r, pattern, source, &piece);
		size_t part = piece.len < len - at ? piece.len / (1 + test_random_below(r, 3)) : 0;
		memcpy(bytes + at, piece.bytes, part);
	}
}

static bool is_found(const uint64_t *bits, size_t id)
{
	return (bits[id / 64] >> id % 64 & 1) != 0;
}

static void compare(struct crowd *crowd, const size_t *wanted, size_t count, struct slice value)
{
	uint64_t slots[SLOT_WORDS] = {0}, bits[SLOT_WORDS] = {0};
	for (size_t i = 0; i < count; i++)
		scan_set_want(crowd->all, (uint32_t)wanted[i], slots);
	assert_true(scan_run(crowd->all, crowd->scratch, value, slots, bits) >= 0);
	for (size_t i = 0; i < count; i++) {
		uint64_t alone = 0;
		assert_true(scan_run(crowd->alone[wanted[i]], crowd->scratch, value, NULL, &alone) >= 0);
		crowd->matches += alone != 0;
		if (scan_set_class(crowd->all, (uint32_t)wanted[i]) == SCAN_EXACT &&
		    is_found(bits, wanted[i]) != (alone != 0))
			fail_msg("[%.*s]: %d alone", SLICE_ARG(crowd->rules.patterns[wanted[i]]), alone != 0);
	}
}

static void try_one(struct crowd *crowd, struct test_random *r, size_t first)
{
	static uint8_t bytes[VALUE_BYTES];
	static struct test_text text;
	struct slice source = crowd->rules.patterns[first];
	struct pattern pattern;
	size_t wanted[WANTED_MOST] = {first}, count = 1 + test_random_below(r, WANTED_MOST);
	bool opaque = pattern_parse(source, 0, &pattern) != 0;
	for (size_t i = 1; i < count; i++)
		wanted[i] = test_random_below(r, (uint32_t)crowd->rules.count);
	for (int round = 0; round < 6; round++) {
		size_t len = 1000 + test_random_below(r, VALUE_BYTES - 1000);
		fill(r, source, opaque ? NULL : &pattern, bytes, len);
		for (unsigned n = test_random_below(r, 3); n > 0; n--) {
			test_generate(r, opaque ? NULL : &pattern, source, &text);
			if (text.len < len)
				memcpy(bytes + test_random_below(r, (uint32_t)(len - text.len + 1)), text.bytes,
				       text.len);
		}
		compare(crowd, wanted, count, test_fenced(slice_make(bytes, len)));
	}
	if (!opaque)
		pattern_free(&pattern);
}

static void wanted_patterns_are_found_as_alone(void **state)
{
	static struct crowd crowd;
	struct test_random random = {11};
	(void)state;
	test_rules_find(&crowd.rules);
	if (crowd.rules.count == 0)
		skip();
	assert_int_equal(scan_scratch_create(&crowd.scratch), 0);
	for (size_t i = 0; i < crowd.rules.count; i++)
		crowd.alone[i] = built(&crowd, i, i + 1);
	crowd.all = built(&crowd, 0, crowd.rules.count);
	assert_in_range(scan_set_slot_words(crowd.all), 1, SLOT_WORDS);
	for (size_t i = 0; i < crowd.rules.count; i++)
		try_one(&crowd, &random, i);
	printf("# %zu patterns, %zu matches\n", crowd.rules.count, crowd.matches);
	assert_true(crowd.matches > crowd.rules.count);
	for (size_t i = 0; i < crowd.rules.count; i++)
		scan_set_free(crowd.alone[i]);
	scan_set_free(crowd.all);
	scan_scratch_free(crowd.scratch);
}

TEST_MAIN(cmocka_unit_test(wanted_patterns_are_found_as_alone))
