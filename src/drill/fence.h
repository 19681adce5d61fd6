/* The edge before the gate, attached as in life: its own counters tell what it did with an attack's packets. */
#ifndef GUIA_DRILL_FENCE_H
#define GUIA_DRILL_FENCE_H

#include "base/buffer.h"
#include "drill/record.h"
#include "drill/stage.h"

#include <sys/types.h>

/* Whether this build and this machine have one; else *ret_why. */
bool fence_may_be(const struct stage *stage, const char **ret_why);

/* Attaches it to the gate's link, for the watch's user. 0 or -errno, with what went wrong added to `said`. */
int fence_build(const struct stage *stage, uid_t user, gid_t group, struct buffer *said);

/* Whether the watch has found it. */
bool fence_is_held(void);

/* Counters since it was attached. 0 or -errno. */
int fence_count(struct fence_counts *ret_counts);

/* None is allowed. */
void fence_remove(void);

#endif
