#include "upstream/flood.h"
#include "base/test.h"

static struct address address_of(const char *text)
{
	struct prefix prefix;
	assert_true(prefix_parse(slice_from_string(text), &prefix));
	return prefix.address;
}

/* What is found, a line each, in a person's words. */
static void expect(const struct flood *flood, const char *expected)
{
	const struct address ours[] = {address_of("192.0.2.10"), address_of("2001:db8::10")};
	struct route routes[FLOOD_ROUTES];
	struct buffer out = buffer_make(NULL);
	size_t count = flood_find(flood, 10000, ours, 2, routes);
	for (size_t i = 0; i < count; i++) {
		buffer_text(&out, i > 0 ? "\n" : "");
		route_tell(&routes[i], &out);
	}
	buffer_byte(&out, '\0');
	assert_string_equal((char *)out.ptr, expected);
	buffer_free(&out);
}

static void come(struct flood *flood, struct packet_head packet, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct packet_head one = packet;
		one.at_ms = packet.at_ms == 0 ? 9000 : packet.at_ms;
		one.source_port = packet.source_port != 0 ? packet.source_port : (uint16_t)(1024 + i * 37);
		one.destination_port = packet.destination_port != 0 ? packet.destination_port : (uint16_t)(1 + i * 97);
		one.length = packet.length != 0 ? packet.length : (uint16_t)(60 + i * 13 % 1400);
		if (one.fragment)
			one.source_port = one.destination_port = 0;
		flood_add(flood, &one);
	}
}

static void floods_are_described_as_narrowly_as_they_can_be(void **state)
{
	const struct address us = address_of("192.0.2.10"), six = address_of("2001:db8::10");
	static struct flood flood;
	(void)state;
	flood.count = 0;
	expect(&flood, "");
	come(&flood, (struct packet_head){.destination = us, .protocol = 17}, 200);
	expect(&flood, "discard udp to 192.0.2.10");
	flood.count = 0;
	come(&flood, (struct packet_head){.destination = us, .protocol = 17, .source_port = 123, .length = 468}, 200);
	come(&flood, (struct packet_head){.destination = us, .protocol = 6, .destination_port = 443}, 100);
	expect(&flood, "discard udp to 192.0.2.10 from port 123");
	flood.count = 0;
	come(&flood, (struct packet_head){.destination = us, .protocol = 17, .destination_port = 53, .length = 80},
	     200);
	expect(&flood, "discard udp to 192.0.2.10 port 53");
	flood.count = 0;
	come(&flood, (struct packet_head){.destination = us, .protocol = 17, .length = 1028}, 200);
	expect(&flood, "discard udp to 192.0.2.10 of length >= 1024 and <= 1087");
	flood.count = 0;
	come(&flood, (struct packet_head){.destination = us, .protocol = 17, .fragment = true, .length = 1500}, 200);
	expect(&flood, "discard to 192.0.2.10, fragments");
	flood.count = 0;
	come(&flood, (struct packet_head){.destination = six, .protocol = 58, .length = 1000}, 200);
	expect(&flood, "discard icmpv6 to 2001:db8::10");
	/* Two at once, and fragments behind an amplifier's first ones. */
	flood.count = 0;
	come(&flood, (struct packet_head){.destination = us, .protocol = 17, .fragment = true, .length = 1500}, 200);
	come(&flood, (struct packet_head){.destination = us, .protocol = 17, .source_port = 389, .length = 1400}, 100);
	expect(&flood, "discard to 192.0.2.10, fragments\ndiscard udp to 192.0.2.10 from port 389");
}

static void what_is_no_flood_is_left_alone(void **state)
{
	const struct address us = address_of("192.0.2.10");
	static struct flood flood;
	(void)state;
	/* Visitors, and few packets of anything. */
	flood.count = 0;
	come(&flood, (struct packet_head){.destination = us, .protocol = 6, .destination_port = 443, .length = 800},
	     500);
	come(&flood, (struct packet_head){.destination = us, .protocol = 17, .source_port = 53, .length = 80}, 50);
	expect(&flood, "");
	flood.count = 0;
	come(&flood, (struct packet_head){.destination = us, .protocol = 17}, FLOOD_LEAST - 1);
	expect(&flood, "");
	/* Old ones, and another's. */
	flood.count = 0;
	come(&flood, (struct packet_head){.destination = us, .protocol = 17, .at_ms = 6000}, 500);
	expect(&flood, "");
	flood.count = 0;
	come(&flood, (struct packet_head){.destination = address_of("192.0.2.11"), .protocol = 17}, 500);
	expect(&flood, "");
}

static size_t from_hex(const char *text, uint8_t *bytes)
{
	size_t count = 0;
	for (; *text != '\0'; text++)
		if (*text != ' ') {
			bytes[count++] =
				(uint8_t)(byte_hex_value((uint8_t)text[0]) << 4 | byte_hex_value((uint8_t)text[1]));
			text++;
		}
	return count;
}

#define ETHER "020000000001 020000000002 "

static void heads_are_read(void **state)
{
	static const struct {
		const char *hex;
		unsigned protocol, source_port, destination_port, length;
		bool fragment;
	} rows[] = {
		{ETHER "0800 4500 01d4 0000 0000 4011 0000 c6336407 c000020a 007b 1f90 01c0 0000", 17, 123, 8080, 468,
		 false},
		{ETHER "8100 0064 0800 4500 0028 0000 4000 4006 0000 c6336407 c000020a 1234 01bb", 6, 0x1234, 443, 40,
		 false},
		{ETHER "0800 4500 05dc 0001 2000 4011 0000 c6336407 c000020a 007b 1f90", 17, 0, 0, 1500, true},
		{ETHER "0800 4500 05dc 0001 00b9 4011 0000 c6336407 c000020a ffff", 17, 0, 0, 1500, true},
		{ETHER "0800 4600 0020 0000 0000 4011 0000 c6336407 c000020a 01010101 007b 0050", 17, 123, 80, 32,
		 false},
		{ETHER "0800 4500 0054 0000 0000 4001 0000 c6336407 c000020a 0800", 1, 0, 0, 84, false},
		{ETHER
		 "86dd 60000000 0028 1140 20010db8000000000000000000000007 20010db800000000000000000000000a 0035 0050",
		 17, 53, 80, 80, false},
		{ETHER
		 "86dd 60000000 05a0 2c40 20010db8000000000000000000000007 20010db800000000000000000000000a 1100 0001",
		 17, 0, 0, 1480, true},
		/* Cut before the ports: they are not known. */
		{ETHER "0800 4500 01d4 0000 0000 4011 0000 c6336407 c000020a 007b", 17, 0, 0, 468, false},
	};
	static const char *const none[] = {"",
					   "020000000001",
					   ETHER "0806 0001",
					   ETHER "0800 45",
					   ETHER "8100 0064",
					   ETHER "86dd 60",
					   ETHER "0800 6500 0028 0000 4000 4006 0000 c6336407 c000020a 1234 01bb",
					   ETHER "0800 4400 0028 0000 4000 4006 0000 c6336407 c000020a 1234 01bb"};
	uint8_t bytes[256];
	struct packet_head packet;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = from_hex(rows[i].hex, bytes);
		assert_true(packet_head_read(test_fenced(slice_make(bytes, len)), &packet));
		if (packet.protocol != rows[i].protocol || packet.source_port != rows[i].source_port ||
		    packet.destination_port != rows[i].destination_port || packet.length != rows[i].length ||
		    packet.fragment != rows[i].fragment)
			fail_msg("row %zu: %u %u %u %u %d", i, packet.protocol, packet.source_port,
				 packet.destination_port, packet.length, packet.fragment);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(packet_head_read(test_fenced(slice_make(bytes, from_hex(none[i], bytes))), &packet));
}

TEST_MAIN(cmocka_unit_test(floods_are_described_as_narrowly_as_they_can_be),
	  cmocka_unit_test(what_is_no_flood_is_left_alone), cmocka_unit_test(heads_are_read))
