/*
 * What a scan has to look for in a value that stands at some nodes of a set of probes: others than the set's rules may
 * share its database.
 */
#ifndef GUIA_ENGINE_WANTED_H
#define GUIA_ENGINE_WANTED_H

#include "engine/probe.h"

struct worker;

/* Slots as of scan_set_want(), until the next call for the same view (0 or 1). */
const uint64_t *wanted_slots(struct worker *worker, const struct probe_scan *scan, unsigned view, uint64_t nodes);

#endif
