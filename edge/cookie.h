/*
 * Answers a SYN with the kernel's own cookie (RFC 4987, 3.6), in place and back through the interface it came from: to
 * the kernel, the client's ACK is one to a cookie of its own. The answer names no option but the maximum segment size:
 * window scale and selective acknowledgement would travel in the timestamp, behind an offset that only the kernel
 * knows.
 */
#ifndef GUIA_EDGE_COOKIE_H
#define GUIA_EDGE_COOKIE_H

#include "packet.h"

enum {
	TCP_BYTES_MOST = 60,
	COOKIE_WINDOW = 16384,
	COOKIE_HOPS = 64,
	OPTION_MSS = 2,
	IP_DO_NOT_FRAGMENT = 0x4000,
};

struct tcp_answer {
	struct tcp_header tcp;
	uint8_t kind, length;
	uint16_t mss;
};

INLINE uint16_t checksum_fold(uint64_t sum)
{
#pragma unroll
	for (int i = 0; i < 4; i++)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The sum of so many words, in the order of the wire. */
INLINE uint64_t checksum_add(uint64_t sum, const void *bytes, uint32_t count)
{
	const uint32_t *words = bytes;
#pragma unroll
	for (uint32_t i = 0; i < count; i++)
		sum += words[i];
	return sum;
}

/* The SYN's TCP header with its options, as far as they are there. */
struct tcp_copy {
	struct tcp_header tcp;
	uint8_t options[TCP_BYTES_MOST - sizeof(struct tcp_header)];
};

INLINE int tcp_copy(struct xdp_md *context, const struct packet *p, struct tcp_copy *copy)
{
	uint64_t bytes = (uint64_t)(p->end - p->data) - p->transport_at;
	if (bytes > sizeof(*copy))
		bytes = sizeof(*copy);
	barrier_var(bytes); /* or the verifier loses sight of its bounds */
	if (bytes < sizeof(struct tcp_header) || bytes > sizeof(*copy) ||
	    bpf_xdp_load_bytes(context, p->transport_at, copy, (uint32_t)bytes) != 0)
		return -1;
	return (uint64_t)(copy->tcp.length >> 4) * 4 <= bytes ? 0 : -1;
}

/* The kernel's cookie for it: the sequence number below, the maximum segment size above; negative: it gives none. */
INLINE int64_t cookie_make(const struct packet *p, struct tcp_copy *copy)
{
	uint64_t bytes = (uint64_t)(copy->tcp.length >> 4) * 4;
	barrier_var(bytes);
	if (bytes < sizeof(struct tcp_header) || bytes > sizeof(*copy))
		return -1;
	return p->v6 ? bpf_tcp_raw_gen_syncookie_ipv6(p->ip, (void *)copy, (uint32_t)bytes)
		     : bpf_tcp_raw_gen_syncookie_ipv4(p->ip, (void *)copy, (uint32_t)bytes);
}

/* `addresses` is the sum of both, which the pseudo-header has. */
INLINE void tcp_answer(struct tcp_answer *answer, const struct tcp_header *syn, uint64_t addresses, int64_t cookie)
{
	*answer = (struct tcp_answer){
		.tcp.from = syn->to,
		.tcp.to = syn->from,
		.tcp.sequence = bpf_htonl((uint32_t)cookie),
		.tcp.acknowledged = bpf_htonl(bpf_ntohl(syn->sequence) + 1),
		.tcp.length = sizeof(*answer) / 4 << 4,
		.tcp.flags = TCP_SYN | TCP_ACK,
		.tcp.window = bpf_htons(COOKIE_WINDOW),
		.kind = OPTION_MSS,
		.length = 4,
		.mss = bpf_htons((uint16_t)(cookie >> 32)),
	};
	uint64_t sum = addresses + bpf_htons(PROTOCOL_TCP) + bpf_htons(sizeof(*answer));
	answer->tcp.check = checksum_fold(checksum_add(sum, answer, sizeof(*answer) / 4));
}

INLINE void ipv4_answer(struct ipv4_header *ip, const struct tcp_header *syn, int64_t cookie)
{
	*ip = (struct ipv4_header){
		.version_length = 0x45,
		.total = bpf_htons(sizeof(*ip) + sizeof(struct tcp_answer)),
		.fragment = bpf_htons(IP_DO_NOT_FRAGMENT),
		.ttl = COOKIE_HOPS,
		.protocol = PROTOCOL_TCP,
		.from = ip->to,
		.to = ip->from,
	};
	ip->check = checksum_fold(checksum_add(0, ip, sizeof(*ip) / 4));
	tcp_answer((void *)(ip + 1), syn, checksum_add(0, &ip->from, 2), cookie);
}

INLINE void ipv6_answer(struct ipv6_header *ip, const struct tcp_header *syn, int64_t cookie)
{
	uint64_t from[2] = {ip->from[0], ip->from[1]};
	ip->version_flow = bpf_htonl(0x60000000);
	ip->payload = bpf_htons(sizeof(struct tcp_answer));
	ip->next = PROTOCOL_TCP;
	ip->hops = COOKIE_HOPS;
	ip->from[0] = ip->to[0];
	ip->from[1] = ip->to[1];
	ip->to[0] = from[0];
	ip->to[1] = from[1];
	tcp_answer((void *)(ip + 1), syn, checksum_add(0, ip->from, 8), cookie);
}

INLINE void ethernet_answer(struct ethernet_header *ethernet)
{
	struct ethernet_header was = *ethernet;
	__builtin_memcpy(ethernet->to, was.from, sizeof(was.from));
	__builtin_memcpy(ethernet->from, was.to, sizeof(was.to));
}

/* 0 when the packet is now the answer to it; else it is as it was. */
INLINE int syn_answer(struct xdp_md *context, const struct packet *p)
{
	struct tcp_copy copy = {0};
	int64_t cookie = tcp_copy(context, p, &copy) == 0 ? cookie_make(p, &copy) : -1;
	uint64_t ip_at = (uint64_t)(p->ip - p->data);
	uint32_t ip_bytes = p->v6 ? sizeof(struct ipv6_header) : sizeof(struct ipv4_header);
	uint32_t bytes = (uint32_t)ip_at + ip_bytes + (uint32_t)sizeof(struct tcp_answer);
	if (cookie < 0 || bpf_xdp_adjust_tail(context, (int)bytes - (int)bpf_xdp_get_buff_len(context)) != 0)
		return -1;
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	barrier_var(ip_at);
	if (ip_at < sizeof(struct ethernet_header) || ip_at > sizeof(struct ethernet_header) + TAGS_MOST * 4 ||
	    data + sizeof(struct ethernet_header) > end || data + ip_at + ip_bytes + sizeof(struct tcp_answer) > end)
		return -1;
	ethernet_answer(data);
	if (p->v6)
		ipv6_answer(data + ip_at, &copy.tcp, cookie);
	else
		ipv4_answer(data + ip_at, &copy.tcp, cookie);
	return 0;
}

#endif
