/*
 * Nodes are in one array and known by number, as the array moves when it grows. A group knows its newest item, behind
 * which the next is hung without a walk.
 */
#include "match/pattern_tree.h"

#include "base/error.h"
#include "base/vector.h"
#include "match/pattern_class.h"

void pattern_fail(struct pattern_parser *p, int error)
{
	if (p->error == 0)
		p->error = error;
}

uint32_t pattern_add_node(struct pattern_parser *p, enum pattern_kind kind)
{
	struct pattern *out = p->out;
	if (vector_grow((void **)&out->nodes, &out->capacity, out->count, sizeof(*out->nodes)) != 0) {
		pattern_fail(p, -ENOMEM);
		return PATTERN_NO_NODE;
	}
	out->nodes[out->count] = (struct pattern_node){.kind = kind, .first = PATTERN_NO_NODE, .next = PATTERN_NO_NODE};
	return (uint32_t)out->count++;
}

void pattern_append_child(struct pattern_parser *p, uint32_t parent, uint32_t child)
{
	uint32_t *link = &p->out->nodes[parent].first;
	while (*link != PATTERN_NO_NODE)
		link = &p->out->nodes[*link].next;
	*link = child;
}

struct pattern_node *pattern_add_item(struct pattern_parser *p, enum pattern_kind kind)
{
	uint32_t item = pattern_add_node(p, kind);
	if (p->error != 0)
		return NULL;
	struct pattern_frame *frame = &p->stack[p->depth - 1];
	if (frame->last == PATTERN_NO_NODE)
		pattern_append_child(p, frame->cat, item);
	else
		p->out->nodes[frame->last].next = item;
	frame->last = item;
	return &p->out->nodes[item];
}

void pattern_add_set(struct pattern_parser *p, const struct pattern_set *set)
{
	struct pattern_node *item = pattern_add_item(p, PATTERN_SET);
	if (item == NULL)
		return;
	item->set = *set;
}

void pattern_add_byte(struct pattern_parser *p, uint8_t byte)
{
	struct pattern_set set = {{0}};
	pattern_set_add(&set, byte);
	if (p->flags.caseless)
		pattern_set_fold(&set);
	pattern_add_set(p, &set);
}

void pattern_add_assertion(struct pattern_parser *p, enum pattern_assertion assertion)
{
	struct pattern_node *item = pattern_add_item(p, PATTERN_ASSERT);
	if (item == NULL)
		return;
	item->assertion = assertion;
}
