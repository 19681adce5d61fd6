/*
 * Connection tracking on the gate's host, as a stateful packet filter and NAT have the kernel do: each packet is looked
 * up among the connections there are, a new one is one more, and chains of NAT, without a rule, are asked of it. nft(8)
 * asks for it; all are taken in but what belongs to no connection and begins none.
 */
#ifndef GUIA_DRILL_TRACKING_H
#define GUIA_DRILL_TRACKING_H

#include "base/buffer.h"
#include "drill/stage.h"

/* Whether the machine has what it takes; else *ret_why says what it lacks. */
bool tracking_may_be(const struct stage *stage, const char **ret_why);

/* From an empty table on. 0 or -errno with what went wrong added to `said`. The process is in the world afterwards. */
int tracking_begin(const struct stage *stage, struct buffer *said);
void tracking_end(const struct stage *stage);

#endif
