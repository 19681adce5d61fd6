/* What an attack's packets cost the gate's processor: the kernel's own account of it, and of the gate's link. */
#ifndef GUIA_DRILL_TOLL_H
#define GUIA_DRILL_TOLL_H

#include "base/slice.h"
#include "drill/record.h"

#include <stdbool.h>
#include <sys/types.h>

/* Of a thread's schedstat: how long it ran. Of /proc/net/dev: what the link received. */
bool toll_thread_read(struct slice schedstat, uint64_t *ret_ns);
bool toll_link_read(struct slice devices, const char *link, uint64_t *ret_received, uint64_t *ret_lost);

/*
 * Now: of the kernel's thread that receives for the gate, by its number in `processes`, a /proc; and of the link in
 * the network that the process is in. 0 or -errno.
 */
int toll_take(int processes, int receiver, pid_t process, const char *link, struct toll *ret_toll);

#endif
