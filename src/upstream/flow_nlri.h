/* A FlowSpec rule as it goes over the wire: NLRI (RFC 8955 section 4, RFC 8956 section 3), and its action as an
 * extended community (RFC 8955 section 7). */
#ifndef GUIA_UPSTREAM_FLOW_NLRI_H
#define GUIA_UPSTREAM_FLOW_NLRI_H

#include "upstream/flow_rule.h"

enum {
	FLOW_ACTION_BYTES = 8,

	FLOW_NLRI_BAD = 1,     /* not an NLRI, or malformed */
	FLOW_NLRI_UNKNOWN = 2, /* well-formed as far as can be told, and nothing we can hold */
};

/* Writes length and components. The number of bytes, or 0: it is longer than FLOW_NLRI_BYTES. */
size_t flow_nlri_write(const struct flow_rule *rule, uint8_t bytes[FLOW_NLRI_BYTES + 1]);

/* Reads the first of `bytes`; *ret_rest is what follows. 0, FLOW_NLRI_BAD or FLOW_NLRI_UNKNOWN. */
int flow_nlri_read(struct slice bytes, bool v6, struct flow_rule *ret_rule, struct slice *ret_rest);

/* traffic-rate-bytes of an AS; a rate of 0 discards. Rates are kept as the nearest float32. */
void flow_action_write(uint16_t as, uint64_t bytes_per_second, uint8_t bytes[FLOW_ACTION_BYTES]);
/* False if it is another community, or a rate that is none (negative, not a number; RFC 8955 says it is 0 then). */
bool flow_action_read(struct slice bytes, uint64_t *ret_bytes_per_second);

#endif
