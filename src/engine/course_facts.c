/*
 * The lattice of constant propagation as an array by slot. Texts are borrowed, so that a copy of facts is one memcpy.
 */
#include "engine/course_facts.h"

#include <errno.h>
#include <stdlib.h>

int facts_create(size_t count, struct facts *ret_facts)
{
	struct fact *items = calloc(count + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	*ret_facts = (struct facts){items, count};
	return 0;
}

int facts_copy(const struct facts *facts, struct facts *ret_facts)
{
	struct facts copy;
	int r = facts_create(facts->count, &copy);
	if (r != 0)
		return r;
	memcpy(copy.items, facts->items, facts->count * sizeof(*copy.items));
	*ret_facts = copy;
	return 0;
}

void facts_free(struct facts *facts)
{
	free(facts->items);
	*facts = (struct facts){0};
}

void facts_swap(struct facts *a, struct facts *b)
{
	struct facts was = *a;
	*a = *b;
	*b = was;
}

int facts_meet(struct facts *facts, const struct facts *other)
{
	if (other->items == NULL)
		return 0;
	if (facts->items == NULL)
		return facts_copy(other, facts);
	for (size_t i = 0; i < facts->count; i++) {
		struct fact *fact = &facts->items[i];
		if (fact->kind != other->items[i].kind ||
		    (fact->kind == FACT_TEXT && !slice_equal(fact->text, other->items[i].text)))
			*fact = (struct fact){.kind = FACT_VARIES};
	}
	return 0;
}

void facts_set(struct facts *facts, int slot, struct slice text)
{
	facts->items[slot] = (struct fact){FACT_TEXT, text.ptr == NULL ? SLICE("") : text};
}

void facts_unset(struct facts *facts, int slot)
{
	facts->items[slot] = (struct fact){.kind = FACT_UNSET};
}

void facts_forget(struct facts *facts, int slot)
{
	facts->items[slot] = (struct fact){.kind = FACT_VARIES};
}
