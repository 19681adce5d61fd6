/* Packets that the edge sampled: those of a second are one message, sealed like requests, and a record that commits to
 * it. */
#include "watch/witness_inside.h"

#include "base/clock.h"
#include "evidence/pcapng.h"

enum { SECOND_BYTES_MOST = 256 * 1024 };

static uint64_t wall_us(uint64_t boot_ns)
{
	uint64_t now_ns = (uint64_t)clock_ns(CLOCK_BOOTTIME);
	uint64_t age_us = now_ns > boot_ns ? (now_ns - boot_ns) / CLOCK_NS_PER_US : 0;
	return (uint64_t)clock_now_us() - age_us;
}

void witness_packet(struct witness *witness, const struct edge_sample *sample)
{
	size_t len = sample->head_bytes < EDGE_SAMPLE_BYTES ? sample->head_bytes : EDGE_SAMPLE_BYTES;
	if (witness == NULL || witness->bodies == NULL || witness->packets.len > SECOND_BYTES_MOST)
		return;
	const struct pcapng_packet packet = {.at_us = wall_us(sample->time_ns),
					     .bytes = sample->packet_bytes,
					     .head = slice_make(sample->head, len),
					     .verdict = sample->reason < EDGE_FIRST_DROP     ? PCAPNG_PASSED
							: sample->reason < EDGE_FIRST_ANSWER ? PCAPNG_DROPPED
											     : PCAPNG_ANSWERED};
	if (witness->packet_count == 0)
		pcapng_begin(EDGE_SAMPLE_BYTES, &witness->packets);
	pcapng_add(&packet, &witness->packets);
	witness->packet_count++;
}

void witness_packets_second(struct witness *witness, uint64_t wall_ms)
{
	struct merkle_hash commitment;
	if (witness->packet_count == 0)
		return;
	if (witness->packets.error == 0 &&
	    body_store_put(witness->bodies, BODY_PACKETS, buffer_slice(&witness->packets), 0, wall_ms, &commitment)) {
		const struct leaf_value values[LEAF_FIELDS_MOST] = {
			leaf_number(witness->packet_count), leaf_text(slice_make(commitment.bytes, MERKLE_HASH_BYTES))};
		(void)writer_put(witness->writer, LEAF_PACKETS, values);
	}
	buffer_clear(&witness->packets);
	witness->packet_count = 0;
}
