/* Our engine, fed as the oracle is. */
#ifndef PARITY_GATE_H
#define PARITY_GATE_H

#include "sample.h"
#include "guia.h"

struct gate;

/* Loads a rule file; prints diagnostics to stderr. `reference` takes the engine's reference path. NULL on failure. */
struct gate *gate_new(struct guia_pool *pool, const char *rules_file, bool reference);
void gate_free(struct gate *gate);

/* Slices in *ret_outcome live until the next call. */
void gate_run(struct gate *gate, const struct sample *sample, struct outcome *ret_outcome);

/* Forgets what runs may have left in the worker's memory. False on failure. */
bool gate_forget(struct gate *gate);

/* Whether any match of the last run added to an anomaly score. */
bool gate_scored(const struct gate *gate);

#endif
