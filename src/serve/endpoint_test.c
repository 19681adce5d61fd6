#include "serve/endpoint.h"

#include "base/test.h"
#include "serve/prepare.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static void an_address_is_the_same_however_it_is_written(void **state)
{
	(void)state;
	static const struct {
		const char *one, *other;
		bool same;
	} rows[] = {
		{"443", "443", true},
		{"443", "0.0.0.0:443", true},
		{"0443", "443", true},
		{"[::1]:80", "[0:0:0:0:0:0:0:1]:80", true},
		{"[2001:DB8::1]:80", "[2001:db8::1]:80", true},
		{"127.0.0.1:443", "127.0.0.1:443", true},
		{"443", "444", false},
		{"443", "127.0.0.1:443", false},
		{"443", "[::]:443", false},
		{"[::1]:80", "[::1]:81", false},
		{"[::1]:80", "[::2]:80", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice items[] = {SLICE("127.0.0.1:1"), slice_from_string(rows[i].one)};
		const struct text_list list = {.items = items, .count = 2};
		if (endpoint_list_has(&list, slice_from_string(rows[i].other)) != rows[i].same)
			fail_msg("%s and %s", rows[i].one, rows[i].other);
	}
}

/* It is not asked for again: that would be taken for another program's. */
static void a_port_that_is_ours_stays_so_however_it_is_written(void **state)
{
	(void)state;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	char port[16], whole[32];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(port, sizeof(port), "%u", ntohs(at.sin_port));
	snprintf(whole, sizeof(whole), "0.0.0.0:%s", port);
	struct slice had = slice_from_string(port), has = slice_from_string(whole);
	const struct notice notice = {.log = -1};
	const struct serve_config before = {.listen = {.items = &had, .count = 1}};
	const struct serve_config config = {.listen = {.items = &has, .count = 1}};
	assert_int_equal(prepare_ports(&config, NULL, false, &notice), SERVE_ENVIRONMENT);
	assert_int_equal(prepare_ports(&config, &before, false, &notice), SERVE_FINE);
	close(fd);
}

TEST_MAIN(cmocka_unit_test(an_address_is_the_same_however_it_is_written),
	  cmocka_unit_test(a_port_that_is_ours_stays_so_however_it_is_written))
