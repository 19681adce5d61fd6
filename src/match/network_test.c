#include "match/network.h"

#include "base/test_cases.h"

static int add(struct network_list *list, struct slice text, struct slice *ret_bad)
{
	if (slice_starts_with(text, SLICE("file ")))
		return network_list_add_file(list, slice_after(text, 5), ret_bad);
	return network_list_add(list, text, ret_bad);
}

static void render(struct slice text, struct slice address_text, struct buffer *out)
{
	struct network_list list = {0};
	struct networks *networks;
	struct network_address address;
	struct slice bad;
	if (add(&list, text, &bad) == NETWORK_BAD) {
		buffer_text(out, "bad ");
		buffer_add(out, bad);
	} else if (!network_address_parse(address_text, &address)) {
		buffer_text(out, "none");
	} else {
		assert_int_equal(networks_compile(&list, &networks), 0);
		buffer_text(out, networks_contain(networks, &address) ? "in" : "out");
		networks_free(networks);
	}
	network_list_free(&list);
}

static void cases_come_out(void **state)
{
	(void)state;
	struct test_cases cases;
	struct test_case test;
	for (test_cases_open(&cases, "src/match/network_cases.txt"); test_cases_next(&cases, &test);) {
		struct buffer out = buffer_make(NULL);
		render(test.column[0], test.column[1], &out);
		test_case_expect(&cases, &test, buffer_slice(&out), test.column[2]);
		buffer_free(&out);
	}
	test_cases_close(&cases);
}

/* Every /24 network with an odd third byte, in an order of its own, against arithmetic. */
static void many_networks_are_told_apart(void **state)
{
	(void)state;
	struct network_list list = {0};
	struct networks *networks;
	struct network_address address;
	struct slice bad;
	char text[32];
	for (unsigned i = 0; i < 2048; i++) {
		unsigned number = i * 1237 % 2048;
		snprintf(text, sizeof(text), "10.%u.%u.0/24", number / 128, number % 128 * 2 + 1);
		assert_int_equal(network_list_add(&list, slice_from_string(text), &bad), 0);
	}
	assert_int_equal(networks_compile(&list, &networks), 0);
	network_list_free(&list);
	for (unsigned number = 0; number < 8192; number++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", number / 256, number % 256, number * 7 % 256);
		assert_true(network_address_parse(slice_from_string(text), &address));
		assert_int_equal(networks_contain(networks, &address), number / 256 < 16 && number % 2 == 1);
	}
	networks_free(networks);
}

TEST_MAIN(cmocka_unit_test(cases_come_out), cmocka_unit_test(many_networks_are_told_apart))
