/*
 * What a scan has to look for in a value that stands at some nodes of a set of probes: others than the set's rules may
 * share its database.
 */
#ifndef GUIA_ENGINE_WANTED_H
#define GUIA_ENGINE_WANTED_H

#include "engine/probe.h"

struct worker;

/* All of a view (0 or 1), its bits those of the worker; until the next call for the same view. */
void wanted_view(struct worker *worker, const struct probe_scan *scan, unsigned number, uint64_t nodes,
		 struct scan_view *ret_view);

#endif
