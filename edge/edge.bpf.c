// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The edge: what is done with a packet before the kernel makes anything of it. Who is banned is dropped, unless
 * somebody allows it; where the gate cannot begin with all that connect, strangers wait; then budgets bound what can be
 * forged, of which no allow list makes an exception. SYNs above theirs are never dropped: they are answered with the
 * kernel's cookies, or left to it.
 *
 * Built with EDGE_BENCH each run takes the next of many sources (source.h), for bench/edge.
 */
#include "account.h"
#include "ban.h"
#include "budget.h"
#include "cookie.h"
#include "stranger.h"
#include "tracked.h"
#ifdef EDGE_BENCH
#include "source.h"
#endif

/* A driver may give the first bytes only of a packet in parts: a header that is cut there is no fault of the packet's.
 */
INLINE int is_in_parts(struct xdp_md *context)
{
	return bpf_xdp_get_buff_len(context) > (uint32_t)(context->data_end - context->data);
}

/* Whether a ban holds; *reason is changed where an allowance is stronger. */
INLINE int is_refused(const struct packet *p, const struct round *round, uint32_t *reason)
{
	uint32_t now = edge_ticks(round->now_ns);
	int ask_bits = bits_are_asked(round->mine);
	struct ban ban = p->v6 ? v6_ban(p->from_high, p->from_low, round->known, ask_bits, now)
			       : v4_ban((uint32_t)p->from_low, round->known, ask_bits, now);
	banned_count(round->mine, ban.word != 0);
	if (ban.word == 0)
		return 0;
	if (round->known->allows != 0 && is_allowed(p, &ban, now)) {
		*reason = EDGE_ALLOWED;
		return 0;
	}
	uint32_t mitigation = edge_word_mitigation(ban.word);
	uint64_t *count = bpf_map_lookup_elem(&hits, &mitigation);
	if (count != 0)
		(*count)++;
	*reason = EDGE_BANNED;
	return 1;
}

INLINE uint32_t judge_budgets(const struct packet *p, const struct round *round, uint32_t reason)
{
	if (p->kind == KIND_FRAGMENT)
		return fragment_passes(round) ? reason : EDGE_FRAGMENT_OVER;
	if (p->kind == KIND_UDP)
		return udp_passes(p, round) ? reason : EDGE_UDP_OVER;
	if (p->kind == KIND_SYN && !stranger_passes(p, round))
		return EDGE_STRANGER_OVER;
	if (p->kind == KIND_SYN && !syn_passes(p, round))
		return round->known->answers ? EDGE_SYN_ANSWERED : EDGE_SYN_LEFT;
	return reason;
}

SEC("xdp.frags")
int guia_edge(struct xdp_md *context)
{
	struct packet parsed_here = {0}, *p = &parsed_here;
	struct round round;
	uint32_t reason = EDGE_CLEAN;
#ifdef EDGE_BENCH
	source_next(context);
#endif
	if (round_begin(&round) != 0)
		return XDP_PASS;
	barrier_var(p); /* or each field is stored once for every way out of the parser */
	int parsed = packet_parse(context, p);
#ifdef EDGE_BENCH
	if (bench_parse_only)
		return round_end(context, &round, parsed == PARSED_IP ? EDGE_CLEAN : EDGE_OTHER);
#endif
	if (parsed == PARSED_MALFORMED && !is_in_parts(context))
		reason = EDGE_MALFORMED;
	else if (parsed == PARSED_OTHER)
		reason = EDGE_OTHER;
	else if (!is_refused(p, &round, &reason))
		reason = judge_budgets(p, &round, reason);
	sample_offer(context, &round, reason);
	if (reason < EDGE_FIRST_DROP)
		tracked_enter(context, p, &round);
	if (reason == EDGE_SYN_ANSWERED && syn_answer(context, p) != 0)
		reason = EDGE_SYN_LEFT;
	if (reason == EDGE_SYN_ANSWERED)
		round.mine->answered_ns = round.now_ns;
	return round_end(context, &round, reason);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
