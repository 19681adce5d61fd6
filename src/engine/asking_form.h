/*
 * A value in a form that it takes on its way through a set's pipelines is asked of what looks through them: scans and
 * questions tell which steps it makes candidates of.
 */
#ifndef GUIA_ENGINE_ASKING_FORM_H
#define GUIA_ENGINE_ASKING_FORM_H

#include "codec/byte_kind.h"
#include "engine/asking.h"
#include "engine/operator.h"
#include "match/scan.h"

/* Of a longer value no more is asked than scans, and what they leave open is left to the rule. */
enum { ASKING_CONFIRMED_MAX_BYTES = 512 };

/* A value on its way through a set. */
struct asking {
	struct transaction *t;
	const struct probe_set *set;
	struct found *found;
	struct operand operand;
};

/* A value in one of its forms, and the nodes that see it so. */
struct form {
	struct slice bytes; /* of a long lowered one, where nobody reads them: as they were before */
	uint64_t nodes;
	uint32_t kinds; /* of its bytes */
};

enum { AS_IT_IS, LOWERED, FORMS = SCAN_VIEWS }; /* that are asked at a time; the second may have no nodes */

/* Which nodes are worth a look for a value with bytes of these kinds. */
static inline const struct probe_matter *asking_matter(const struct probe_set *set, size_t len, uint32_t kinds)
{
	return &set->matter[byte_level_of(kinds)][len < PROBE_LENGTHS ? len : PROBE_LENGTHS - 1];
}

/* Adds a step to what was found. */
void asking_add(struct asking *a, uint16_t step);

/* 0, or an error as of ask_value(). */
int asking_forms(struct asking *a, const struct form forms[static FORMS]);

#endif
