/*
 * Deletes what is older than it may be (evidence/retention.h), in a thread of its own: when the watch begins, and each
 * hour.
 */
#ifndef GUIA_WATCH_CUSTODIAN_H
#define GUIA_WATCH_CUSTODIAN_H

#include "evidence/retention.h"
#include "evidence/writer.h"

struct custodian;

/* `folder` and `writer` must outlive it. 0, -ENOMEM or -errno. */
int custodian_begin(const char *folder, struct writer *writer, const struct retention_policy *policy,
		    struct custodian **ret_custodian);
void custodian_end(struct custodian *custodian); /* NULL is allowed */

/* Each second. */
void custodian_second(struct custodian *custodian, uint64_t now_ns, uint64_t wall_ms);

#endif
