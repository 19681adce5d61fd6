/* What is known of TX at a place in the rules: each name is unset, a text, or varies from request to request. */
#ifndef GUIA_ENGINE_COURSE_FACTS_H
#define GUIA_ENGINE_COURSE_FACTS_H

#include "base/slice.h"

enum fact_kind { FACT_UNSET, FACT_TEXT, FACT_VARIES };

struct fact {
	enum fact_kind kind;
	struct slice text; /* of FACT_TEXT; not owned */
};

struct facts {
	struct fact *items; /* by slot; NULL: no way leads here yet */
	size_t count;
};

/* All unset. 0 or -ENOMEM; so all that return int. */
int facts_create(size_t count, struct facts *ret_facts);
int facts_copy(const struct facts *facts, struct facts *ret_facts);
void facts_free(struct facts *facts);
void facts_swap(struct facts *a, struct facts *b);

/* What both agree on; all that `other` knows where no way led to `facts` before. */
int facts_meet(struct facts *facts, const struct facts *other);

/* What is known of one slot from here on: a text, which must outlive the facts; that it is unset; or nothing. */
void facts_set(struct facts *facts, int slot, struct slice text);
void facts_unset(struct facts *facts, int slot);
void facts_forget(struct facts *facts, int slot);

static inline bool facts_vary(const struct facts *facts, int slot)
{
	return facts->items[slot].kind == FACT_VARIES;
}

static inline bool facts_is_set(const struct facts *facts, int slot)
{
	return facts->items[slot].kind == FACT_TEXT;
}

/* Empty where the name is unset, as a macro gives it. */
static inline struct slice facts_text(const struct facts *facts, int slot)
{
	return facts->items[slot].kind == FACT_TEXT ? facts->items[slot].text : SLICE("");
}

#endif
