/* The compiled program in the hands of a test: told of bans, and run by the kernel on frames that are data. */
#ifndef GUIA_EDGE_TEST_PROGRAM_H
#define GUIA_EDGE_TEST_PROGRAM_H

#include "edge/test_loaded.h"

#include "base/clock.h"
#include "base/test_cases.h"

#include <sched.h>

enum { FRAME_MOST = 2048, HOUR_MS = 3600 * 1000, ROUNDS_MOST = 50 };

static inline int try_say(const char *text, enum ban_kind kind, enum ban_rank rank, uint64_t expires_ms, uint32_t id)
{
	struct prefix prefix;
	assert_true(prefix_parse(slice_from_string(text), &prefix));
	const struct ban_entry entry = {prefix.address, expires_ms, id, prefix.bits, (uint8_t)kind, (uint8_t)rank, 0};
	return edge_say(&edge, &entry, now_ms());
}

static inline void say_hour(const char *text, enum ban_kind kind, enum ban_rank rank, uint32_t id)
{
	assert_int_equal(try_say(text, kind, rank, now_ms() + HOUR_MS, id), 0);
}

struct ran {
	uint32_t action;
	uint32_t bytes;
	uint8_t frame[FRAME_MOST];
	enum edge_reason reason;
};

static inline struct ran run(struct slice frame)
{
	struct ran ran = {0};
	struct edge_counts before, after;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.ptr, .data_size_in = (uint32_t)frame.len,
		    .data_out = ran.frame, .data_size_out = sizeof(ran.frame), .repeat = 1);
	unsigned counted = 0;
	assert_int_equal(edge_count(&edge, &before), 0);
	assert_int_equal(bpf_prog_test_run_opts(loaded.program, &options), 0);
	assert_int_equal(edge_count(&edge, &after), 0);
	ran.action = options.retval;
	ran.bytes = options.data_size_out;
	for (unsigned reason = 0; reason < EDGE_REASONS; reason++)
		if (after.packets[reason] != before.packets[reason]) {
			ran.reason = (enum edge_reason)reason;
			counted += (unsigned)(after.packets[reason] - before.packets[reason]);
		}
	assert_int_equal(counted, 1);
	assert_int_equal(ran.action, ran.reason >= EDGE_FIRST_ANSWER ? XDP_TX
				     : ran.reason >= EDGE_FIRST_DROP ? XDP_DROP
								     : XDP_PASS);
	return ran;
}

static inline struct slice unhex(struct slice text, uint8_t bytes[FRAME_MOST])
{
	assert_true(text.len % 2 == 0 && text.len / 2 <= FRAME_MOST);
	for (size_t i = 0; i < text.len / 2; i++) {
		int high = byte_hex_value(text.ptr[2 * i]), low = byte_hex_value(text.ptr[2 * i + 1]);
		assert_true(high >= 0 && low >= 0);
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return slice_make(bytes, text.len / 2);
}

static inline struct slice frame_of(const char *hex, uint8_t bytes[FRAME_MOST])
{
	return unhex(slice_from_string(hex), bytes);
}

#define ETHERNET "020000000001020000000002"
static const char SYN[] __attribute__((unused)) = ETHERNET "0800"
							   "4500002c00010000400600000a000001cb007101"
							   "9c4001bb0000000100000000600204000000000002040578";
static const char SYN6[] __attribute__((unused)) = ETHERNET "81000005"
							    "86dd"
							    "60000000001806402001"
							    "0db80001000000000000000000012001"
							    "0db8ffff00000000000000000001"
							    "9c4001bb0000000100000000600204000000000002040578";
static const char DATAGRAM[] __attribute__((unused)) = ETHERNET "0800"
								"4500002400010000401100000a000001cb007101"
								"0035270f00100000"
								"0000000000000000";
static const char FRAGMENT[] __attribute__((unused)) = ETHERNET "0800"
								"4500002400010064401100000a000001cb007101"
								"0035270f00100000"
								"0000000000000000";

static inline unsigned count_of(struct slice frame, unsigned times, enum edge_reason reason)
{
	unsigned count = 0;
	for (unsigned i = 0; i < times; i++)
		count += run(frame).reason == reason;
	return count;
}

/*
 * What time changes is seen in a round that took less, by clock_monotonic_ms(); where this machine stood still
 * meanwhile it tells nothing, and there is another.
 */
static inline bool took_longer(uint64_t began_ms, uint64_t most_ms, unsigned *rounds)
{
	if (clock_monotonic_ms() - began_ms < most_ms)
		return false;
	if (++*rounds == ROUNDS_MOST)
		fail_msg("each of %u rounds took %u ms or more", ROUNDS_MOST, (unsigned)most_ms);
	return true;
}

/* A budget is a processor's. */
static inline int stay_here(void **state)
{
	(void)state;
	cpu_set_t here;
	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	return sched_setaffinity(0, sizeof(here), &here);
}

#endif
