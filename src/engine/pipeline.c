/*
 * A node's result is made from its parent's; the root's is the value. A short value goes through the worker's scratch
 * and into the arena if it changed; a long one is written to the arena, and what it did not need is given back.
 */
#include "engine/pipeline.h"

#include <errno.h>

/* A short value is written to the worker's scratch first: most come out unchanged and cost the arena nothing. */
static int step_in_scratch(struct transaction *t, enum transform transform, struct slice in, struct slice *ret_out,
			   bool *ret_changed)
{
	struct transform_context context = {.unicode_map = t->ruleset->settings.unicode_map};
	size_t len;
	*ret_out = in;
	*ret_changed = transform_apply(transform, &context, in, t->worker->scratch, &len);
	if (!*ret_changed)
		return 0;
	uint8_t *copy = arena_alloc(&t->arena, len + 1);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, t->worker->scratch, len);
	*ret_out = slice_make(copy, len);
	return 0;
}

int pipeline_step(struct transaction *t, enum transform transform, struct slice in, struct slice *ret_out,
		  bool *ret_changed)
{
	struct transform_context context = {.unicode_map = t->ruleset->settings.unicode_map};
	size_t bound = transform_bound(transform, in.len);
	size_t len;
	if (bound <= WORKER_SCRATCH_BYTES)
		return step_in_scratch(t, transform, in, ret_out, ret_changed);
	uint8_t *out = arena_alloc(&t->arena, bound);
	if (out == NULL)
		return -ENOMEM;
	*ret_changed = transform_apply(transform, &context, in, out, &len);
	*ret_out = *ret_changed ? slice_make(out, len) : in;
	arena_shrink(&t->arena, out, bound, *ret_changed ? len : 0);
	return 0;
}

static struct result *new_result(struct transaction *t, struct value *value, uint16_t node)
{
	struct result *result = arena_alloc(&t->arena, sizeof(*result));
	if (result == NULL)
		return NULL;
	*result = (struct result){.bytes = value->bytes, .same = result};
	if (node == 0)
		return result;
	struct result *parent = pipeline_result(t, value, t->plan->nodes[node].parent);
	bool changed;
	if (parent == NULL ||
	    pipeline_step(t, t->plan->nodes[node].transform, parent->bytes, &result->bytes, &changed) != 0)
		return NULL;
	if (!changed)
		result->same = parent->same;
	return result;
}

/* Recursion ends at the root: its depth is that of the rules' longest pipeline. */
struct result *pipeline_result(struct transaction *t, struct value *value, uint16_t node)
{
	if (value->by_node == NULL) {
		value->by_node = arena_zalloc(&t->arena, t->plan->node_count, sizeof(*value->by_node));
		if (value->by_node == NULL)
			return NULL;
	}
	struct result *result = value->by_node[node];
	if (result == NULL)
		result = value->by_node[node] = new_result(t, value, node);
	return result;
}
