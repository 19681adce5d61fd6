/*
 * A text of TX that is made when somebody reads it: what a pipeline makes of a value. The Core Rule Set hashes each
 * User-Agent for the key of a collection that few rules look into.
 */
#ifndef GUIA_ENGINE_OWED_H
#define GUIA_ENGINE_OWED_H

#include "engine/value.h"

struct transaction;

/* In the transaction's arena, as its value. */
struct owed {
	struct transaction *t;
	struct value *value;
	uint16_t node;     /* of the plan's tree of pipelines */
	struct slice text; /* ptr NULL: not made yet */
};

/* A text of which a part may be owed. */
struct owed_key {
	struct slice before; /* ptr NULL: there is no text */
	struct owed *owed;   /* NULL: `before` is all */
	struct slice after;
};

/* The text, made once. Empty when the arena is exhausted, which the transaction is told. */
struct slice owed_text(struct owed *owed);

#endif
