/*
 * Where the host tracks connections (conntrack), one whose SYN the edge answered has no entry. The packet that
 * completes its handshake would make one, but the kernel looks up all packets that came together before it enters any:
 * the request right behind is then taken for a clash, and dropped. So the entry is made here, before the kernel has
 * either.
 */
#ifndef GUIA_EDGE_TRACKED_H
#define GUIA_EDGE_TRACKED_H

#include "account.h"

/* For so long after the last SYN that was answered ACKs are looked at. */
#define TRACKED_AFTER_NS 10000000000u

enum {
	TRACKED_TIMEOUT_MS = 60000, /* until the kernel's own, which begins with the packet itself */
	TRACKED_THIS_NETWORK = -1,
};

/* The kernel's, of net/netfilter/nf_conntrack_bpf.c: those of Linux 6.0 and later. */
struct nf_conn {
	unsigned long status; /* and more, which nobody here asks for */
};
struct nf_conn___init {
	struct nf_conn entry;
};
struct tracked_options {
	int32_t network, error;
	uint8_t protocol, direction, reserved[2];
};

extern struct nf_conn___init *bpf_xdp_ct_alloc(struct xdp_md *context, struct bpf_sock_tuple *tuple,
					       uint32_t tuple_bytes, struct tracked_options *options,
					       uint32_t options_bytes) __ksym __weak;
extern struct nf_conn *bpf_ct_insert_entry(struct nf_conn___init *entry) __ksym __weak;
extern void bpf_ct_set_timeout(struct nf_conn___init *entry, uint32_t timeout_ms) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *entry) __ksym __weak;

/* Whether the kernel has them. Else the verifier never sees that they are called. */
const volatile uint32_t tracked_can;

INLINE void tracked_tuple(const struct packet *p, const struct tcp_header *tcp, struct bpf_sock_tuple *tuple)
{
	if (p->v6) {
		const struct ipv6_header *ip = p->ip;
		__builtin_memcpy(tuple->ipv6.saddr, ip->from, sizeof(tuple->ipv6.saddr));
		__builtin_memcpy(tuple->ipv6.daddr, ip->to, sizeof(tuple->ipv6.daddr));
		tuple->ipv6.sport = tcp->from;
		tuple->ipv6.dport = tcp->to;
		return;
	}
	const struct ipv4_header *ip = p->ip;
	tuple->ipv4.saddr = ip->from;
	tuple->ipv4.daddr = ip->to;
	tuple->ipv4.sport = tcp->from;
	tuple->ipv4.dport = tcp->to;
}

/* An entry for whoever's ACK completes a handshake by a cookie: nobody makes one by a forged packet. */
INLINE void tracked_enter(struct xdp_md *context, const struct packet *p, const struct round *round)
{
	struct tcp_header tcp;
	struct bpf_sock_tuple tuple = {0};
	struct tracked_options options = {.network = TRACKED_THIS_NETWORK, .protocol = PROTOCOL_TCP};
	if (!tracked_can || p->kind != KIND_ACK || !round->known->tracks || round->mine->answered_ns == 0 ||
	    round->now_ns - round->mine->answered_ns > TRACKED_AFTER_NS ||
	    bpf_xdp_load_bytes(context, p->transport_at, &tcp, sizeof(tcp)) != 0)
		return;
	if ((p->v6 ? bpf_tcp_raw_check_syncookie_ipv6(p->ip, (void *)&tcp)
		   : bpf_tcp_raw_check_syncookie_ipv4(p->ip, (void *)&tcp)) != 0)
		return;
	struct nf_conn___init *entry;
	tracked_tuple(p, &tcp, &tuple);
	if (p->v6)
		entry = bpf_xdp_ct_alloc(context, &tuple, sizeof(tuple.ipv6), &options, sizeof(options));
	else
		entry = bpf_xdp_ct_alloc(context, &tuple, sizeof(tuple.ipv4), &options, sizeof(options));
	if (entry == 0)
		return;
	bpf_ct_set_timeout(entry, TRACKED_TIMEOUT_MS);
	struct nf_conn *entered = bpf_ct_insert_entry(entry); /* 0: it has one */
	if (entered != 0)
		bpf_ct_release(entered);
}

#endif
