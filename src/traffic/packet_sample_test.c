#include "traffic/packet_sample.h"

#include "base/test.h"

enum { UDP = 17, TCP = 6, KIND = 1, OTHER = 2, NOW_MS = 50000 };

static struct address address_of(const char *text)
{
	struct prefix prefix;
	assert_true(prefix_parse(slice_from_string(text), &prefix));
	return prefix.address;
}

static struct packet_sample sample;
static struct packet_traits traits;

static void come(const char *source, const char *to, uint8_t protocol, uint16_t from, uint16_t port, unsigned count)
{
	const struct packet_head head = {.source = address_of(source),
					 .destination = address_of(to),
					 .at_ms = NOW_MS,
					 .source_port = from,
					 .destination_port = port,
					 .protocol = protocol};
	for (unsigned i = 0; i < count; i++)
		packet_sample_add(&sample, &head, KIND);
}

static void what_came_most_is_listed_with_its_share(void **state)
{
	(void)state;
	memset(&sample, 0, sizeof(sample));
	come("198.18.1.1", "192.0.2.10", UDP, 123, 53, 60);
	come("198.18.9.9", "192.0.2.10", UDP, 123, 80, 20);
	come("203.0.113.5", "2001:db8::10", UDP, 123, 53, 15);
	come("2001:db8:1::1", "192.0.2.11", TCP, 4000, 443, 5);
	packet_sample_traits(&sample, KIND, NOW_MS + 100, &traits);
	assert_int_equal(traits.sampled, 100);
	assert_int_equal(traits.network_count, 3);
	assert_string_equal(traits.destinations, "192.0.2.10 80 %, 2001:db8::10 15 %, 192.0.2.11 5 %");
	assert_string_equal(traits.ports, "udp/53 75 %, udp/80 20 %");
	assert_string_equal(traits.from_ports, "udp/123 95 %");
	assert_string_equal(traits.networks, "198.18.0.0/16 80 %, 203.0.0.0/16 15 %, 2001:db8::/32 5 %");
}

static void ports_at_random_are_not_listed(void **state)
{
	(void)state;
	memset(&sample, 0, sizeof(sample));
	for (uint16_t i = 0; i < 500; i++) {
		char source[ADDRESS_TEXT_BYTES];
		snprintf(source, sizeof(source), "10.%u.1.1", i % 250u);
		come(source, "192.0.2.10", UDP, (uint16_t)(1024 + i), (uint16_t)(i * 7), 1);
	}
	packet_sample_traits(&sample, KIND, NOW_MS, &traits);
	assert_string_equal(traits.ports, "udp/*");
	assert_string_equal(traits.from_ports, "udp/*");
	assert_int_equal(traits.network_count, 250);
}

static void only_what_is_of_its_kind_and_late_counts(void **state)
{
	(void)state;
	const struct packet_head other = {.protocol = 1, .fragment = true, .at_ms = NOW_MS};
	memset(&sample, 0, sizeof(sample));
	packet_sample_traits(&sample, KIND, NOW_MS, &traits);
	assert_int_equal(traits.sampled, 0);
	assert_string_equal(traits.ports, "");
	come("198.18.1.1", "192.0.2.10", UDP, 1, 53, 3);
	packet_sample_add(&sample, &other, OTHER);
	packet_sample_traits(&sample, KIND, NOW_MS, &traits);
	assert_int_equal(traits.sampled, 3);
	packet_sample_traits(&sample, OTHER, NOW_MS, &traits);
	assert_string_equal(traits.ports, "icmp/fragment 100 %");
	packet_sample_traits(&sample, PACKET_SAMPLE_ANY, NOW_MS, &traits);
	assert_int_equal(traits.sampled, 4);
	packet_sample_traits(&sample, PACKET_SAMPLE_ANY, NOW_MS + PACKET_SAMPLE_MS + 1, &traits);
	assert_int_equal(traits.sampled, 0);
}

/* The longest texts that addresses can have leave whole items. */
static void a_list_ends_with_a_whole_item(void **state)
{
	(void)state;
	memset(&sample, 0, sizeof(sample));
	for (unsigned i = 0; i < PACKET_SAMPLE_KEPT + 7; i++) {
		char to[ADDRESS_TEXT_BYTES];
		snprintf(to, sizeof(to), "2001:db8:aaaa:bbbb:cccc:dddd:eeee:%x", 0x1000 + i % 5);
		come("198.18.1.1", to, UDP, 1, 53, 1);
	}
	packet_sample_traits(&sample, KIND, NOW_MS, &traits);
	assert_int_equal(traits.sampled, PACKET_SAMPLE_KEPT);
	assert_true(strlen(traits.destinations) < PACKET_TRAITS_BYTES);
	assert_string_equal(traits.destinations + strlen(traits.destinations) - 2, " %");
}

TEST_MAIN(cmocka_unit_test(what_came_most_is_listed_with_its_share), cmocka_unit_test(ports_at_random_are_not_listed),
	  cmocka_unit_test(only_what_is_of_its_kind_and_late_counts), cmocka_unit_test(a_list_ends_with_a_whole_item))
