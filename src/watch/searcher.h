/*
 * A thread that looks for signatures, so that events are read on meanwhile. It has copies of all it needs; one search
 * at a time goes in, and comes out when it is done.
 */
#ifndef GUIA_WATCH_SEARCHER_H
#define GUIA_WATCH_SEARCHER_H

#include "incident/defence.h"

struct searcher;

/* 0, -ENOMEM or -errno. */
int searcher_start(struct searcher **ret_searcher);
/* Waits for a search that is under way; what it had is freed. NULL is allowed. */
void searcher_stop(struct searcher *searcher);

/* Only while it has none. */
void searcher_give(struct searcher *searcher, struct defence_search *search);
/* One that is done, or NULL. */
struct defence_search *searcher_take(struct searcher *searcher);

#endif
