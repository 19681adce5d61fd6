/*
 * What an operator's router has been told to discard, as GoBGP writes its table of FlowSpec routes (RFC 8955), to a
 * filter of the kernel's: classic BPF as tc-bpf(8) takes it. Only IPv4. Pure.
 */
#ifndef GUIA_DRILL_FLOW_FILTER_H
#define GUIA_DRILL_FLOW_FILTER_H

#include "base/buffer.h"

/*
 * The bytecode, as text; of routes that discard, and of whose every component is understood. The rest is not filtered:
 * *ret_left says how many. Returns how many are, or -EPROTO if it is no such table.
 */
int flow_filter_make(struct slice table, struct buffer *out, size_t *ret_left);

#endif
