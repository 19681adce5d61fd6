/*
 * What the program wants to know of a packet: Ethernet, up to two VLAN tags (IEEE 802.1Q and 802.1ad), IPv4 (RFC 791)
 * or IPv6 (RFC 8200) with up to EXTENSIONS_MOST extension headers, the ports of UDP and TCP, and TCP's flags.
 */
#ifndef GUIA_EDGE_PACKET_H
#define GUIA_EDGE_PACKET_H

#include "maps.h"

enum {
	TAGS_MOST = 2,
	EXTENSIONS_MOST = 6,

	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_TAG = 0x8100,
	ETHERTYPE_SERVICE_TAG = 0x88a8,

	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_AUTHENTICATION = 51,
	PROTOCOL_OPTIONS = 60,

	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_ACK = 16,
};

/* Addresses are read as the words they are, though an Ethernet header leaves them at odd halves: as all of XDP does. */
struct ethernet_header {
	uint8_t to[6], from[6];
	uint16_t type;
} __attribute__((packed));

struct tag_header {
	uint16_t tag, type;
} __attribute__((packed));

struct ipv4_header {
	uint8_t version_length, service;
	uint16_t total, id, fragment;
	uint8_t ttl, protocol;
	uint16_t check;
	uint32_t from, to;
};

struct ipv6_header {
	uint32_t version_flow;
	uint16_t payload;
	uint8_t next, hops;
	uint64_t from[2], to[2];
};

struct extension_header {
	uint8_t next, length;
	uint16_t fragment;
};

struct tcp_header {
	uint16_t from, to;
	uint32_t sequence, acknowledged;
	uint8_t length, flags;
	uint16_t window, check, urgent;
};

/* What can be forged has a budget, by what it is. */
enum kind {
	KIND_OTHER,
	KIND_FRAGMENT,
	KIND_UDP,
	KIND_SYN,
	KIND_ACK, /* and nothing else: of TCP */
};

/*
 * Addresses and ports as numbers of this machine's order; IPv4's in `low`. `kind` and `v6` are words of the stack, for
 * the verifier knows no values of parts of one.
 */
struct packet {
	void *data, *end;
	void *ip;
	uint64_t from_high, from_low;
	uint64_t kind; /* enum kind */
	uint64_t v6;
	uint32_t transport_at; /* from data; of UDP, SYNs and ACKs */
	uint32_t to_port;
};

enum {
	PARSED_IP,
	PARSED_OTHER,     /* not IP, or deeper in tags than we look */
	PARSED_MALFORMED, /* a header that is cut or cannot be */
};

INLINE uint64_t word64(const uint64_t *at)
{
	uint64_t word;
	__builtin_memcpy(&word, at, sizeof(word));
	return bpf_be64_to_cpu(word);
}

INLINE int transport_parse(struct packet *p, void *at, uint8_t protocol)
{
	if (protocol == PROTOCOL_TCP) {
		struct tcp_header *tcp = at;
		if ((void *)(tcp + 1) > p->end || tcp->length >> 4 < 5)
			return PARSED_MALFORMED;
		if (tcp->flags != TCP_ACK && (tcp->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
			return PARSED_IP;
		p->kind = tcp->flags == TCP_ACK ? KIND_ACK : KIND_SYN;
		p->to_port = bpf_ntohs(tcp->to);
	} else if (protocol == PROTOCOL_UDP) {
		uint16_t *udp = at;
		if ((void *)(udp + 4) > p->end)
			return PARSED_MALFORMED;
		p->kind = KIND_UDP;
		p->to_port = bpf_ntohs(udp[1]);
	}
	p->transport_at = (uint32_t)(at - p->data);
	return PARSED_IP;
}

INLINE int ipv4_parse(struct packet *p, void *at)
{
	struct ipv4_header *ip = at;
	if ((void *)(ip + 1) > p->end)
		return PARSED_MALFORMED;
	uint32_t bytes = (uint32_t)(ip->version_length & 15) * 4;
	if (ip->version_length >> 4 != 4 || bytes < sizeof(*ip) || bpf_ntohs(ip->total) < bytes)
		return PARSED_MALFORMED;
	p->from_low = bpf_ntohl(ip->from);
	if (at + bytes > p->end)
		return PARSED_MALFORMED;
	if ((ip->fragment & bpf_htons(0x3fff)) == 0) /* neither more of them nor an offset */
		return transport_parse(p, at + bytes, ip->protocol);
	p->kind = KIND_FRAGMENT;
	return PARSED_IP;
}

/* The bytes of an extension header; 0: it is none, and so the end of their chain. */
INLINE uint32_t extension_bytes(uint8_t protocol, const struct extension_header *header)
{
	switch (protocol) {
	case PROTOCOL_HOP_BY_HOP:
	case PROTOCOL_ROUTING:
	case PROTOCOL_OPTIONS:
		return ((uint32_t)header->length + 1) * 8;
	case PROTOCOL_AUTHENTICATION: /* RFC 4302: in units of four bytes, less two */
		return ((uint32_t)header->length + 2) * 4;
	case PROTOCOL_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

INLINE int is_extension(uint8_t protocol)
{
	return protocol == PROTOCOL_HOP_BY_HOP || protocol == PROTOCOL_ROUTING || protocol == PROTOCOL_OPTIONS ||
	       protocol == PROTOCOL_AUTHENTICATION || protocol == PROTOCOL_FRAGMENT;
}

INLINE int ipv6_parse(struct packet *p, void *at)
{
	struct ipv6_header *ip = at;
	if ((void *)(ip + 1) > p->end || (*(uint8_t *)at) >> 4 != 6)
		return PARSED_MALFORMED;
	p->v6 = 1;
	p->from_high = word64(&ip->from[0]);
	p->from_low = word64(&ip->from[1]);
	uint8_t protocol = ip->next;
	at += sizeof(*ip);
	for (int i = 0; i < EXTENSIONS_MOST && is_extension(protocol); i++) {
		struct extension_header *header = at;
		if (at + 8 > p->end)
			return PARSED_MALFORMED;
		uint32_t bytes = extension_bytes(protocol, header);
		if (protocol == PROTOCOL_FRAGMENT && (header->fragment & bpf_htons(0xfff9)) != 0) {
			p->kind = KIND_FRAGMENT; /* else an atomic one, RFC 6946 */
			return PARSED_IP;
		}
		protocol = header->next;
		at += bytes;
		if (at > p->end)
			return PARSED_MALFORMED;
	}
	return is_extension(protocol) ? PARSED_MALFORMED : transport_parse(p, at, protocol);
}

INLINE int packet_parse(struct xdp_md *context, struct packet *p)
{
	p->data = (void *)(long)context->data;
	p->end = (void *)(long)context->data_end;
	struct ethernet_header *ethernet = p->data;
	void *at = ethernet + 1;
	if (at > p->end)
		return PARSED_MALFORMED;
	uint16_t type = ethernet->type;
#pragma unroll
	for (int i = 0; i < TAGS_MOST; i++) {
		struct tag_header *tag = at;
		if (type != bpf_htons(ETHERTYPE_TAG) && type != bpf_htons(ETHERTYPE_SERVICE_TAG))
			break;
		if ((void *)(tag + 1) > p->end)
			return PARSED_MALFORMED;
		type = tag->type;
		at = tag + 1;
	}
	p->ip = at;
	if (type == bpf_htons(ETHERTYPE_IPV4))
		return ipv4_parse(p, at);
	return type == bpf_htons(ETHERTYPE_IPV6) ? ipv6_parse(p, at) : PARSED_OTHER;
}

#endif
