#include "watch/listeners.h"

#include "base/test.h"

#define NAMES "TcpExt: SyncookiesSent ListenOverflows ListenDrops\n"

static void the_counter_is_found_by_its_name(void **state)
{
	static const struct {
		const char *text;
		uint64_t count;
	} cases[] = {
		{NAMES "TcpExt: 7 18446744073709551615 9\n", UINT64_MAX},
		{NAMES "TcpExt: 7 0 9\n", 0},
		{"IpExt: ListenOverflows\nIpExt: 3\n" NAMES "TcpExt: 7 41 9\nIpExt: InNoRoutes\nIpExt: 5\n", 41},
		{NAMES "TcpExt: 7\n", 0},
		{NAMES "TcpExt: 7 8", 8},
		{NAMES, 0},
		{"TcpExt: ListenDrops\nTcpExt: 4\n", 0},
		{"TcpExt:\nTcpExt:\n", 0},
		{"\n\n\n", 0},
		{"", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(listeners_overflowed_in(slice_from_string(cases[i].text)), cases[i].count);
}

TEST_MAIN(cmocka_unit_test(the_counter_is_found_by_its_name))
