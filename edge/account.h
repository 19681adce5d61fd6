/* The clock, the counters, the sample, and what is done with a packet for which reason. */
#ifndef GUIA_EDGE_ACCOUNT_H
#define GUIA_EDGE_ACCOUNT_H

#include "packet.h"

/* What every packet needs. */
struct round {
	struct edge_control *known;
	struct edge_processor *mine;
	uint64_t now_ns; /* CLOCK_BOOTTIME, to a tick of the kernel's */
};

/* CLOCK_BOOTTIME costs as much as a table, the kernel's tick one load: the clock is asked once a tick. */
INLINE int round_begin(struct round *round)
{
	uint32_t zero = 0;
	struct edge_control *known = bpf_map_lookup_elem(&control, &zero);
	struct edge_processor *mine = bpf_map_lookup_elem(&processor, &zero);
	if (known == 0 || mine == 0)
		return -1;
	uint64_t tick = bpf_jiffies64();
	if (tick != mine->tick || mine->now_ns == 0) {
		mine->now_ns = bpf_ktime_get_boot_ns();
		mine->tick = tick;
	}
	*round = (struct round){known, mine, mine->now_ns};
	return 0;
}

static __attribute__((noinline)) int sample_take(struct xdp_md *context, uint64_t now_ns, uint32_t reason)
{
	struct edge_sample *sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);
	if (sample == 0)
		return 0;
	uint64_t head = (uint64_t)(context->data_end - context->data);
	barrier_var(head); /* or the verifier loses sight of the bound */
	if (head > EDGE_SAMPLE_BYTES)
		head = EDGE_SAMPLE_BYTES;
	__builtin_memset(sample, 0, sizeof(*sample));
	sample->time_ns = now_ns;
	sample->interface = context->ingress_ifindex;
	sample->packet_bytes = (uint32_t)bpf_xdp_get_buff_len(context);
	sample->reason = (uint8_t)reason;
	if (head > 0 && bpf_xdp_load_bytes(context, 0, sample->head, (uint32_t)head) == 0)
		sample->head_bytes = (uint16_t)head;
	bpf_ringbuf_submit(sample, 0);
	return 0;
}

/* Takes a sample where it is time for one. Before a packet is changed. */
INLINE void sample_offer(struct xdp_md *context, const struct round *round, uint32_t reason)
{
	uint64_t between_ns = round->known->sample_ns;
	uint64_t *last_ns = &round->mine->sampled_ns[reason >= EDGE_FIRST_DROP];
	if (between_ns == 0 || round->now_ns - *last_ns < between_ns)
		return;
	*last_ns = round->now_ns;
	sample_take(context, round->now_ns, reason);
}

INLINE int action_of(uint32_t reason)
{
	return reason >= EDGE_FIRST_ANSWER ? XDP_TX : reason >= EDGE_FIRST_DROP ? XDP_DROP : XDP_PASS;
}

INLINE int round_end(struct xdp_md *context, const struct round *round, uint32_t reason)
{
	round->mine->counters[reason]++;
	round->mine->bytes[reason] += (uint64_t)(context->data_end - context->data);
	return action_of(reason);
}

#endif
