/* Operators: one value, one answer. The questions themselves are in match/; here they meet rules, TX and the log. */
#ifndef GUIA_ENGINE_OPERATOR_H
#define GUIA_ENGINE_OPERATOR_H

#include "engine/transaction.h"

/* Places of a match, as the log's [ref] tells them; more than these are left out. */
enum { OPERATOR_SPANS = 16 };

/* A value as an operator sees it. */
struct operand {
	struct transaction *t;
	const struct rule *rule;
	struct slice bytes;
	struct tx_entry *entry; /* an untransformed TX value: its text is not yet in `bytes` */
	int64_t number;         /* of a count, where is_number: likewise */
	bool is_number;
	bool asks_only;                          /* whether it matches: no capture, nothing noted in TX */
	const struct slice *argument;            /* where it is known beforehand; NULL: the rule's, expanded */
	struct regex_span spans[OPERATOR_SPANS]; /* set on a match */
	uint8_t span_count;
	struct slice found; /* what a trace tells beside the place: a fingerprint; empty otherwise */
};

/* Makes ->bytes, where it is a number still. */
struct slice operand_text(struct operand *operand);
int64_t operand_number(struct operand *operand);

/*
 * 1 the rule's operator matches, negation taken into account; 0 it does not; -ENOMEM. Captures are stored in TX where
 * the rule has `capture`. Where it only asks, a limit of PCRE is a match: who wants to know must evaluate.
 */
int operator_evaluate(struct operand *operand);

/*
 * Of these kinds of bytes (codec/byte_kind.h) a value must have one for a rule's operator to match it; 0: of none, or
 * it is not known.
 */
uint32_t operator_needs(const struct rule *rule);

#endif
