/* What of an operator follows from its kind alone. */
#ifndef GUIA_ENGINE_OPERATOR_KIND_H
#define GUIA_ENGINE_OPERATOR_KIND_H

#include "match/compare.h"
#include "ruleset/ruleset.h"

/* Whether it compares two integers: @eq, @ge, @gt, @le, @lt. */
static inline bool operator_compares_numbers(enum operator_kind kind)
{
	return kind == OPERATOR_EQ || kind == OPERATOR_GE || kind == OPERATOR_GT || kind == OPERATOR_LE ||
	       kind == OPERATOR_LT;
}

/* The answer of one of these, without negation. As in ModSecurity @eq knows no number that is not of 32 bits. */
static inline bool operator_compare_numbers(enum operator_kind kind, int64_t number, int64_t argument)
{
	switch ((int)kind) {
	case OPERATOR_EQ:
		return compare_number_narrow(number) == compare_number_narrow(argument);
	case OPERATOR_GE:
		return number >= argument;
	case OPERATOR_GT:
		return number > argument;
	case OPERATOR_LE:
		return number <= argument;
	default:
		return number < argument;
	}
}

/* Whether the answer depends on value and argument alone: not on what lies outside, nor on the request's document. */
static inline bool operator_is_pure(enum operator_kind kind)
{
	return kind != OPERATOR_GEO_LOOKUP && kind != OPERATOR_RBL && kind != OPERATOR_VALIDATE_SCHEMA &&
	       kind != OPERATOR_VALIDATE_DTD;
}

#endif
