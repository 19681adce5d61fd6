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
} __attribute__((packed, aligned(2)));

struct tcp_sum {
	uint32_t zero_length, protocol;
};

INLINE uint16_t checksum_fold(uint64_t sum)
{
#pragma unroll
	for (int i = 0; i < 4; i++)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The sum of an even number of bytes, in the order of the wire. */
INLINE uint64_t checksum_add(uint64_t sum, const void *bytes, uint32_t count)
{
	const uint16_t *words = bytes;
#pragma unroll
	for (uint32_t i = 0; i < count / 2; i++)
		sum += words[i];
	return sum;
}

/* The kernel's cookie for the SYN: the sequence number below, the maximum segment size above; negative: it gives none.
 */
INLINE int64_t cookie_make(struct xdp_md *context, const struct packet *p)
{
	uint8_t tcp[TCP_BYTES_MOST] = {0};
	uint32_t tcp_at = p->transport_at;
	if (bpf_xdp_load_bytes(context, tcp_at, tcp, sizeof(struct tcp_header)) != 0)
		return -1;
	uint64_t bytes = (uint64_t)(((struct tcp_header *)tcp)->length >> 4) * 4;
	barrier_var(bytes); /* or the verifier loses sight of its bounds */
	if (bytes < sizeof(struct tcp_header) || bytes > TCP_BYTES_MOST ||
	    bpf_xdp_load_bytes(context, tcp_at, tcp, (uint32_t)bytes) != 0)
		return -1;
	/* Of the header only the addresses are asked. */
	if (p->v6) {
		struct ipv6_header ip = {.from = {bpf_cpu_to_be64(p->from_high), bpf_cpu_to_be64(p->from_low)},
					 .to = {bpf_cpu_to_be64(p->to_high), bpf_cpu_to_be64(p->to_low)}};
		return bpf_tcp_raw_gen_syncookie_ipv6((void *)&ip, (void *)tcp, (uint32_t)bytes);
	}
	struct ipv4_header ip = {
		.version_length = 0x45, .from = bpf_htonl((uint32_t)p->from_low), .to = bpf_htonl((uint32_t)p->to_low)};
	return bpf_tcp_raw_gen_syncookie_ipv4((void *)&ip, (void *)tcp, (uint32_t)bytes);
}

INLINE void ipv4_answer(struct ipv4_header *ip, const struct packet *p)
{
	*ip = (struct ipv4_header){
		.version_length = 0x45,
		.total = bpf_htons(sizeof(*ip) + sizeof(struct tcp_answer)),
		.fragment = bpf_htons(IP_DO_NOT_FRAGMENT),
		.ttl = COOKIE_HOPS,
		.protocol = PROTOCOL_TCP,
		.from = bpf_htonl((uint32_t)p->to_low),
		.to = bpf_htonl((uint32_t)p->from_low),
	};
	ip->check = checksum_fold(checksum_add(0, ip, sizeof(*ip)));
}

INLINE void ipv6_answer(struct ipv6_header *ip, const struct packet *p)
{
	ip->version_flow = bpf_htonl(0x60000000);
	ip->payload = bpf_htons(sizeof(struct tcp_answer));
	ip->next = PROTOCOL_TCP;
	ip->hops = COOKIE_HOPS;
	uint64_t from[2] = {bpf_cpu_to_be64(p->to_high), bpf_cpu_to_be64(p->to_low)};
	uint64_t to[2] = {bpf_cpu_to_be64(p->from_high), bpf_cpu_to_be64(p->from_low)};
	__builtin_memcpy(ip->from, from, sizeof(from));
	__builtin_memcpy(ip->to, to, sizeof(to));
}

/* `addresses` is the sum of both, which the pseudo-header has. */
INLINE void tcp_answer(struct tcp_answer *answer, const struct packet *p, uint64_t addresses, int64_t cookie,
		       uint32_t sequence)
{
	*answer = (struct tcp_answer){
		.tcp.from = bpf_htons(p->to_port),
		.tcp.to = bpf_htons(p->from_port),
		.tcp.sequence = bpf_htonl((uint32_t)cookie),
		.tcp.acknowledged = bpf_htonl(sequence + 1),
		.tcp.length = sizeof(*answer) / 4 << 4,
		.tcp.flags = TCP_SYN | TCP_ACK,
		.tcp.window = bpf_htons(COOKIE_WINDOW),
		.kind = OPTION_MSS,
		.length = 4,
		.mss = bpf_htons((uint16_t)(cookie >> 32)),
	};
	uint64_t sum = addresses + bpf_htons(PROTOCOL_TCP) + bpf_htons(sizeof(*answer));
	answer->tcp.check = checksum_fold(checksum_add(sum, answer, sizeof(*answer)));
}

/* 0 when the packet is now the answer to it; else it is as it was. */
INLINE int syn_answer(struct xdp_md *context, const struct packet *p)
{
	struct tcp_header syn;
	int64_t cookie = cookie_make(context, p);
	uint32_t ip_bytes = p->v6 ? sizeof(struct ipv6_header) : sizeof(struct ipv4_header);
	uint64_t ip_at = p->ip_at;
	uint32_t bytes = p->ip_at + ip_bytes + (uint32_t)sizeof(struct tcp_answer);
	if (cookie < 0 || bpf_xdp_load_bytes(context, p->transport_at, &syn, sizeof(syn)) != 0)
		return -1;
	if (bpf_xdp_adjust_tail(context, (int)bytes - (int)bpf_xdp_get_buff_len(context)) != 0)
		return -1;
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	barrier_var(ip_at);
	if (ip_at < sizeof(struct ethernet_header) || ip_at > sizeof(struct ethernet_header) + TAGS_MOST * 4)
		return -1;
	void *ip = data + ip_at;
	if (data + sizeof(struct ethernet_header) > end)
		return -1;
	struct ethernet_header *ethernet = data, was = *ethernet;
	__builtin_memcpy(ethernet->to, was.from, sizeof(was.from));
	__builtin_memcpy(ethernet->from, was.to, sizeof(was.to));
	uint32_t sequence = bpf_ntohl(syn.sequence);
	if (p->v6) {
		struct ipv6_header *header = ip;
		if (ip + sizeof(*header) + sizeof(struct tcp_answer) > end)
			return -1;
		ipv6_answer(header, p);
		tcp_answer(ip + sizeof(*header), p, checksum_add(0, header->from, 32), cookie, sequence);
	} else {
		struct ipv4_header *header = ip;
		if (ip + sizeof(*header) + sizeof(struct tcp_answer) > end)
			return -1;
		ipv4_answer(header, p);
		tcp_answer(ip + sizeof(*header), p, checksum_add(0, &header->from, 8), cookie, sequence);
	}
	return 0;
}

#endif
