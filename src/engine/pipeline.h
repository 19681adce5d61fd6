/*
 * A value after transformations, each beginning of a pipeline worked out once per value: pipelines are paths in the
 * plan's tree, and results are kept by node. A transformation that changes nothing costs no memory.
 */
#ifndef GUIA_ENGINE_PIPELINE_H
#define GUIA_ENGINE_PIPELINE_H

#include "engine/transaction.h"

/* The result at a node; NULL when the arena is exhausted. */
struct result *pipeline_result(struct transaction *t, struct value *value, uint16_t node);

/* Without remembering anything: the value after one more transformation. 0 or -ENOMEM. */
int pipeline_step(struct transaction *t, enum transform transform, struct slice in, struct slice *ret_out,
		  bool *ret_changed);

#endif
