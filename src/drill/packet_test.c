#include "drill/packet.h"

#include "base/test.h"

#include <string.h>

/* A sum over everything, the checksum included, is all ones: RFC 1071. */
static uint32_t sum_of(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static const struct packet_ends ends = {
	.from_mac = {2, 0, 0, 0, 0, 1},
	.to_mac = {2, 0, 0, 0, 0, 2},
	.to = {{.bytes = {192, 0, 2, 10}}, {.bytes = {0x20, 1, 0xd, 0xb8, [15] = 10}, .six = true}},
};

static void check(enum packet_kind kind, bool six, size_t asked, size_t expected)
{
	uint8_t frame[PACKET_BYTES];
	const struct packet_what what = {kind, asked, 53, 4711, 0x12345678};
	struct host_address from = {.bytes = {203, 0, 113, 7, [15] = 9}, .six = six};
	size_t network = six ? 40 : 20, address = six ? 16 : 4;
	if (!six)
		from.bytes[15] = 0;
	size_t len = packet_make(&ends, &what, &from, frame);
	const uint8_t *ip = frame + 14, *transport = ip + network;
	assert_int_equal(len, 14 + expected);
	assert_memory_equal(frame, ends.to_mac, MAC_BYTES);
	assert_memory_equal(frame + 6, ends.from_mac, MAC_BYTES);
	assert_int_equal(ip[six ? 6 : 9], kind == PACKET_SYN ? 6 : 17);
	if (!six)
		assert_int_equal(sum_of(ip, network, 0), 0xffff);
	assert_memory_equal(ip + (six ? 8 : 12), from.bytes, address);
	assert_memory_equal(ip + (six ? 24 : 16), ends.to[six].bytes, address);
	uint32_t pseudo = sum_of(ip + (six ? 8 : 12), 2 * address, ip[six ? 6 : 9]) + (uint32_t)(expected - network);
	assert_int_equal(sum_of(transport, expected - network, pseudo), 0xffff);
	assert_int_equal(transport[2] << 8 | transport[3], 4711);
	assert_ptr_equal(frame + packet_transport_at(&from), transport);
	assert_ptr_equal(frame + packet_checksum_at(kind, &from), transport + (kind == PACKET_SYN ? 16 : 6));
	if (kind == PACKET_SYN)
		assert_int_equal(transport[13], 2);
}

static void packets_are_whole_and_their_sums_good(void **state)
{
	(void)state;
	for (unsigned six = 0; six < 2; six++) {
		size_t network = six ? 40 : 20;
		check(PACKET_UDP, six, 0, network + 8);
		check(PACKET_UDP, six, 64, 64);
		check(PACKET_UDP, six, 1401, 1401);
		check(PACKET_UDP, six, 100000, 1500);
		check(PACKET_SYN, six, 0, network + 24);
	}
}

static void who_is_forged_is_nobody(void **state)
{
	(void)state;
	struct census census = {1, 2, {.count = 100}, {0}, {.count = 100}};
	struct people people;
	uint64_t random = 3;
	size_t six = 0;
	assert_int_equal(people_make(&census, &people), 0);
	for (size_t i = 0; i < 10000; i++) {
		struct host_address address = people_nobody(&people, &random);
		six += address.six;
		for (size_t j = 0; j < NETWORKS; j++)
			assert_false(network_has(&people.networks[j], &address));
		if (!address.six)
			assert_in_range(address.bytes[0], 1, 223);
	}
	assert_in_range(six, 2300, 2700);
	people_free(&people);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_whole_and_their_sums_good),
		cmocka_unit_test(who_is_forged_is_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
