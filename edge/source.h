/*
 * For bench/edge: each run takes the next of 2^20 sources, spread over all addresses, in an order that is no order. The
 * packet is the same one each time, for BPF_PROG_TEST_RUN gives it back as it was left.
 */
#ifndef GUIA_EDGE_SOURCE_H
#define GUIA_EDGE_SOURCE_H

#include "packet.h"

const volatile uint32_t bench_parse_only;
uint64_t bench_seed = 20240710;
uint32_t bench_first; /* the number of the first source */

enum { BENCH_SOURCES = 1 << 20 };

INLINE void source_next(struct xdp_md *context)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct ethernet_header *ethernet = data;
	bench_seed = bench_seed * 6364136223846793005u + 1442695040888963407u;
	uint32_t number = bench_first + (uint32_t)(bench_seed >> 40 & (BENCH_SOURCES - 1));
	uint32_t spread = number * 2654435769u;
	if (data + sizeof(*ethernet) + sizeof(struct ipv6_header) > end)
		return;
	if (ethernet->type == bpf_htons(ETHERTYPE_IPV4)) {
		struct ipv4_header *ip = data + sizeof(*ethernet);
		ip->from = bpf_htonl(spread);
	} else {
		struct ipv6_header *ip = data + sizeof(*ethernet);
		uint64_t high = bpf_cpu_to_be64(0x2000000000000000 | (uint64_t)spread << 16);
		__builtin_memcpy(&ip->from[0], &high, sizeof(high));
	}
}

#endif
