#include "drill/flow_filter.h"

#include "base/error.h"
#include "base/test.h"

#include <linux/filter.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough of the machine (bpf(4)) to run what is made, over a packet's bytes from its network header on. */
struct machine {
	struct sock_filter code[512];
	size_t count;
};

static struct machine read_code(const char *text)
{
	struct machine m = {.count = 0};
	char *at;
	size_t said = strtoul(text, &at, 10);
	while (*at == ',') {
		struct sock_filter *f = &m.code[m.count++];
		f->code = (uint16_t)strtoul(at + 1, &at, 10);
		f->jt = (uint8_t)strtoul(at, &at, 10);
		f->jf = (uint8_t)strtoul(at, &at, 10);
		f->k = (uint32_t)strtoul(at, &at, 10);
	}
	assert_int_equal(said, m.count);
	return m;
}

static uint32_t load(const struct sock_filter *f, const uint8_t *packet)
{
	if (f->k == (uint32_t)SKF_AD_OFF + (uint32_t)SKF_AD_PROTOCOL)
		return packet[0] >> 4 == 4 ? 0x0800 : 0x86dd;
	const uint8_t *at = packet + (f->k - (uint32_t)SKF_NET_OFF);
	switch (BPF_SIZE(f->code)) {
	case BPF_B:
		return at[0];
	case BPF_H:
		return (uint32_t)at[0] << 8 | at[1];
	default:
		return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	}
}

static uint32_t run(const struct machine *m, const uint8_t *packet)
{
	uint32_t a = 0;
	for (size_t at = 0; at < m->count; at++) {
		const struct sock_filter *f = &m->code[at];
		if (BPF_CLASS(f->code) == BPF_RET)
			return f->k;
		if (BPF_CLASS(f->code) == BPF_LD)
			a = load(f, packet);
		else if (BPF_CLASS(f->code) == BPF_ALU)
			a &= f->k;
		else
			at += (BPF_OP(f->code) == BPF_JGE ? a >= f->k : a > f->k) ? f->jt : f->jf;
	}
	fail();
	return 0;
}

#define DISCARD                                                                                                        \
	"[{\"attrs\":[{\"type\":1,\"value\":0},{\"type\":16,\"value\":[{\"type\":128,\"subtype\":6,\"rate\":0}]}]}]"
#define SLOWER "[{\"attrs\":[{\"type\":16,\"value\":[{\"type\":128,\"subtype\":6,\"rate\":1000}]}]}]"

/* To 192.0.2.10, from 198.51.100.7. */
static bool drops(const char *table, uint8_t protocol, uint16_t length, uint16_t from_port, uint16_t to_port,
		  uint16_t part)
{
	struct buffer code = buffer_make(NULL);
	size_t left;
	uint8_t packet[64] = {0x45,
			      0,
			      (uint8_t)(length >> 8),
			      (uint8_t)length,
			      0,
			      0,
			      (uint8_t)(part >> 8),
			      (uint8_t)part,
			      64,
			      protocol,
			      0,
			      0,
			      198,
			      51,
			      100,
			      7,
			      192,
			      0,
			      2,
			      10,
			      (uint8_t)(from_port >> 8),
			      (uint8_t)from_port,
			      (uint8_t)(to_port >> 8),
			      (uint8_t)to_port};
	assert_true(flow_filter_make(slice_from_string(table), &code, &left) >= 0);
	buffer_byte(&code, '\0');
	struct machine m = read_code((const char *)code.ptr);
	buffer_free(&code);
	uint32_t action = run(&m, packet);
	assert_true(action == TC_ACT_SHOT || action == (uint32_t)TC_ACT_UNSPEC);
	return action == TC_ACT_SHOT;
}

static void what_a_route_names_is_dropped_and_nothing_else(void **state)
{
	(void)state;
	static const char port[] = "{\"[destination: 192.0.2.10/32][protocol: ==udp][source-port: ==53]\":" DISCARD "}";
	assert_true(drops(port, 17, 1400, 53, 4711, 0));
	assert_true(drops(port, 17, 1400, 53, 4711, 0x4000)); /* not to be cut */
	assert_false(drops(port, 17, 1400, 54, 4711, 0));
	assert_false(drops(port, 6, 1400, 53, 4711, 0));
	assert_false(drops(port, 17, 1400, 53, 4711, 100)); /* a later fragment has no ports */
	static const char length[] =
		"{\"[destination: 192.0.2.0/24][protocol: ==udp][packet-length: >=1344&<=1407]\":" DISCARD "}";
	assert_true(drops(length, 17, 1344, 1, 2, 0));
	assert_true(drops(length, 17, 1407, 1, 2, 0));
	assert_false(drops(length, 17, 1343, 1, 2, 0));
	assert_false(drops(length, 17, 1408, 1, 2, 0));
	static const char other[] = "{\"[destination: 192.0.2.11/32][protocol: ==udp]\":" DISCARD "}";
	assert_false(drops(other, 17, 1400, 53, 4711, 0));
	static const char two[] = "{\"[destination: 192.0.2.11/32][protocol: ==udp]\":" DISCARD
				  ",\"[destination: 192.0.2.10/32][source: 198.51.100.0/24]\":" DISCARD "}";
	assert_true(drops(two, 6, 60, 1, 80, 0));
	assert_false(drops("{}", 17, 1400, 53, 4711, 0));
}

static void what_is_not_understood_is_not_filtered(void **state)
{
	(void)state;
	static const char *const tables[] = {
		"{\"[destination: 192.0.2.10/32][protocol: ==udp]\":" SLOWER "}",
		"{\"[destination: 192.0.2.10/32][tcp-flags: =S]\":" DISCARD "}",
		"{\"[destination: 192.0.2.10/32][protocol: ==udp ==tcp]\":" DISCARD "}",
		"{\"[destination: 2001:db8::10/128][protocol: ==udp]\":" DISCARD "}",
		"{\"\":" DISCARD "}",
		"{\"[destination: 192.0.2.10/33]\":" DISCARD "}",
		"{\"[destination: 192.0.2.10/32][protocol: ==udp][source-port: >=1]\":" DISCARD "}",
	};
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct buffer code = buffer_make(NULL);
		size_t left = 0;
		assert_int_equal(flow_filter_make(slice_from_string(tables[i]), &code, &left), 0);
		assert_int_equal(left, 1);
		buffer_free(&code);
	}
	struct buffer code = buffer_make(NULL);
	size_t left;
	assert_int_equal(flow_filter_make(slice_from_string("[]"), &code, &left), -EPROTO);
	assert_int_equal(flow_filter_make(slice_from_string(""), &code, &left), -EPROTO);
	buffer_free(&code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_route_names_is_dropped_and_nothing_else),
		cmocka_unit_test(what_is_not_understood_is_not_filtered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
