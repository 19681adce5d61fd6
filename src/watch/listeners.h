/* What the kernel counts of listening sockets, of all in this network namespace. */
#ifndef GUIA_WATCH_LISTENERS_H
#define GUIA_WATCH_LISTENERS_H

#include "base/slice.h"

/* Connections that were dropped because a queue of those to be accepted was full, so far; 0: nobody counts. */
uint64_t listeners_overflowed(void);

/* The same of the text of /proc/net/netstat: lines in pairs, of names and of their values. */
uint64_t listeners_overflowed_in(struct slice netstat);

#endif
