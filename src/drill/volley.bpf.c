// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Sends an attack's packets: each run of `volley` (BPF_PROG_TEST_RUN with live frames) is a page of zeros that becomes
 * the next of the prepared frames and goes out by the link. What arrives there is a frame in a page, as a card's driver
 * has it.
 *
 * Visitors' packets go out between them. Were they sent by themselves, they would come only while nobody attacks, for
 * whoever sends either has the same processor, and no full ring would ever lose one. `volley_wait` keeps them as they
 * come to the router, and those that came between two runs are spread over the next one.
 *
 * What comes in by the link are the gate's answers: those to forged addresses end where their route does, as in a
 * router's hardware, before the kernel makes anything of them. An edge's are frames, which a virtual link takes only
 * where it has a program of its own: `volley` is attached there, and else to the link where pages end. A kernel's are
 * packets, and `volley_answers` sees to them.
 */
#include "drill/volley_frame.h"

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define INLINE static __attribute__((always_inline)) inline

enum {
	MACS_BYTES = 12,
	ETHER_BYTES = 14,
	IPV6_BYTES = 40,
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	FAMILY_IPV4 = 2, /* AF_INET, AF_INET6 */
	FAMILY_IPV6 = 10,
	PLACE_MASK = 127, /* of what is in a frame's first bytes */
	ADDRESS_WORDS = 4,
	NOWHERE_BITS = 14,
	WAITING_BYTES = 2048, /* a power of two, which keeps the verifier sure of it; at least VOLLEY_BYTES_MOST */
};

struct waiting {
	uint32_t bytes;
	uint8_t frame[WAITING_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, VOLLEY_WAITING_MOST);
	__type(value, struct waiting);
} queue SEC(".maps");

/* For each of the two programs, of which one may interrupt the other. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, uint32_t);
	__type(value, struct waiting);
} hands SEC(".maps");

/*
 * What goes to both is copied for the first, and the page itself goes to the second, where it ends. The kernel makes a
 * pool of pages for each run, and looks through all pools to give one back: at once if the pages have come home, and
 * else a second later, when the pools of thousands of runs have to be looked through for each of them. The gate has
 * the copies still when a run ends.
 */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 2);
	__type(key, uint32_t);
	__type(value, struct bpf_devmap_val);
} ways SEC(".maps");

uint32_t nowhere[1 << NOWHERE_BITS][ADDRESS_WORDS]; /* no way leads there; of IPv4 only the first word; 0: none */
struct volley_frame frames[VOLLEY_FRAMES];
uint32_t next_frame;
uint32_t came, went;       /* visitors' packets */
uint32_t attacking;        /* else visitors' packets need not wait */
uint32_t apart, last_turn; /* so many of the attack's packets are between two of theirs; where the last one was, or
				would have been */
const volatile uint32_t link_index; /* the interface of the link to the gate */

/* Where a packet goes by its route. `type` is its Ethernet header's. */
INLINE long route_of(void *context, const uint8_t *data, const uint8_t *end, struct bpf_fib_lookup *route)
{
	if (data + ETHER_BYTES + IPV6_BYTES > end)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	uint16_t type = bpf_ntohs(*(const uint16_t *)(data + MACS_BYTES));
	if (type == ETHERTYPE_IPV4) {
		route->family = FAMILY_IPV4;
		__builtin_memcpy(&route->ipv4_src, data + ETHER_BYTES + 12, 4);
		__builtin_memcpy(&route->ipv4_dst, data + ETHER_BYTES + 16, 4);
	} else if (type == ETHERTYPE_IPV6) {
		route->family = FAMILY_IPV6;
		__builtin_memcpy(route->ipv6_src, data + ETHER_BYTES + 8, 16);
		__builtin_memcpy(route->ipv6_dst, data + ETHER_BYTES + 24, 16);
	} else {
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	}
	return bpf_fib_lookup(context, route, sizeof(*route), 0);
}

/*
 * Whether what came in by a link is for an address to which no way leads. Routes stay as they are while the program is
 * there: who was nobody once need not be looked up again.
 */
INLINE bool is_for_nobody(void *context, uint32_t ifindex, const uint8_t *data, const uint8_t *end)
{
	struct bpf_fib_lookup route = {.ifindex = ifindex};
	if (data + ETHER_BYTES + IPV6_BYTES > end)
		return false;
	uint32_t to[ADDRESS_WORDS] = {0};
	if (*(const uint16_t *)(data + MACS_BYTES) == bpf_htons(ETHERTYPE_IPV4))
		__builtin_memcpy(to, data + ETHER_BYTES + 16, 4);
	else
		__builtin_memcpy(to, data + ETHER_BYTES + 24, sizeof(to));
	uint32_t *known = nowhere[(to[0] ^ to[1] ^ to[2] ^ to[3]) * 0x9e3779b1u >> (32 - NOWHERE_BITS)];
	if (to[0] != 0 && known[0] == to[0] && known[1] == to[1] && known[2] == to[2] && known[3] == to[3])
		return true;
	if (route_of(context, data, end, &route) != BPF_FIB_LKUP_RET_BLACKHOLE)
		return false;
	__builtin_memcpy(known, to, sizeof(to));
	return true;
}

/* A visitor's packet in the place of one of the attack's. */
INLINE int let_go(struct xdp_md *context)
{
	uint32_t mine = 1;
	struct waiting *hand = bpf_map_lookup_elem(&hands, &mine);
	if (hand == 0 || bpf_map_pop_elem(&queue, hand) != 0)
		return XDP_DROP;
	went++;
	last_turn = next_frame;
	uint32_t bytes = hand->bytes;
	if (bpf_xdp_adjust_tail(context, (int)bytes - (int)bpf_xdp_get_buff_len(context)) != 0)
		return XDP_DROP;
	bytes &= WAITING_BYTES - 1;
	if (bytes < ETHER_BYTES || bpf_xdp_store_bytes(context, 0, hand->frame, bytes) != 0)
		return XDP_DROP;
	return (int)bpf_redirect_map(&ways, 0, BPF_F_BROADCAST);
}

/* Another port of the sender's: the checksum is the ones' complement of a sum that it is in (RFC 1624). */
INLINE void vary(uint16_t *from_port, uint16_t *checksum)
{
	uint16_t port = (uint16_t)bpf_get_prandom_u32() | bpf_htons(1024); /* none of those that servers have */
	uint32_t sum = (uint16_t) ~*checksum + (uint16_t) ~*from_port + (uint32_t)port;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
	*from_port = port;
	*checksum = sum == 0 ? 0xffff : (uint16_t)sum; /* 0 is UDP's for none, and to TCP the two are the same */
}

SEC("xdp.frags")
int volley(struct xdp_md *context)
{
	if (context->ingress_ifindex != VOLLEY_FROM)
		return is_for_nobody(context, context->ingress_ifindex, (void *)(long)context->data,
				     (void *)(long)context->data_end)
			       ? XDP_DROP
			       : XDP_PASS;
	if (came != went && next_frame - last_turn >= apart)
		return let_go(context);
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	const struct volley_frame *frame = &frames[next_frame & (VOLLEY_FRAMES - 1)];
	if (!attacking || data + VOLLEY_HEAD_BYTES > end)
		return XDP_DROP;
	next_frame++;
	__builtin_memcpy(data, frame->head, VOLLEY_HEAD_BYTES);
	uint16_t *from_port = data + (frame->ports_at & PLACE_MASK), *checksum = data + (frame->sum_at & PLACE_MASK);
	if (frame->ports_at != 0 && (void *)(from_port + 1) <= end && (void *)(checksum + 1) <= end)
		vary(from_port, checksum);
	int more = (int)frame->bytes - (int)(end - data);
	if (more != 0 && bpf_xdp_adjust_tail(context, more) != 0)
		return XDP_DROP;
	return (int)bpf_redirect_map(&ways, 0, BPF_F_BROADCAST);
}

SEC("xdp.frags")
int volley_wait(struct xdp_md *context)
{
	uint32_t mine = 0, bytes = (uint32_t)bpf_xdp_get_buff_len(context);
	struct waiting *hand = bpf_map_lookup_elem(&hands, &mine);
	struct bpf_fib_lookup route = {.ifindex = context->ingress_ifindex};
	if (!attacking || hand == 0 ||
	    route_of(context, (void *)(long)context->data, (void *)(long)context->data_end, &route) !=
		    BPF_FIB_LKUP_RET_SUCCESS ||
	    route.ifindex != link_index || bytes > VOLLEY_BYTES_MOST)
		return XDP_PASS;
	barrier_var(bytes); /* or the compiler knows it already, and the verifier does not */
	bytes &= WAITING_BYTES - 1;
	if (bytes < ETHER_BYTES || bpf_xdp_load_bytes(context, 0, hand->frame, bytes) != 0)
		return XDP_PASS;
	__builtin_memcpy(hand->frame, route.dmac, sizeof(route.dmac));
	__builtin_memcpy(hand->frame + sizeof(route.dmac), route.smac, sizeof(route.smac));
	hand->bytes = bytes;
	if (bpf_map_push_elem(&queue, hand, 0) != 0)
		return XDP_PASS;
	__sync_fetch_and_add(&came, 1);
	return XDP_DROP;
}

SEC("xdp.frags/devmap")
int volley_home(struct xdp_md *context)
{
	(void)context;
	return XDP_DROP;
}

/* Of what a kernel answers, which would have to be copied to become a frame first. */
SEC("tc")
int volley_answers(struct __sk_buff *packet)
{
	bool nobody = is_for_nobody(packet, packet->ingress_ifindex, (void *)(long)packet->data,
				    (void *)(long)packet->data_end);
	return nobody ? TC_ACT_SHOT : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
