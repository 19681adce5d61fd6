/*
 * A value against a text or a number: @streq, @contains, @strmatch, @containsWord, @beginsWith, @endsWith, @within,
 * @eq,
 * @ge, @gt, @le, @lt. The argument comes with its macros expanded. Bytes are compared as they are.
 */
#ifndef GUIA_MATCH_COMPARE_H
#define GUIA_MATCH_COMPARE_H

#include "base/slice.h"

/*
 * These return true on a match, with *ret_at the place in the value (for `within`: in the argument) of what matched,
 * for the log; its length is the argument's (for `within`: the value's). *ret_at is untouched if there is none.
 */

/* @streq */
bool compare_equal(struct slice value, struct slice argument, size_t *ret_at);

/* @contains and @strmatch. An empty argument is everywhere. */
bool compare_contains(struct slice value, struct slice argument, size_t *ret_at);

/*
 * @containsWord: as compare_contains(), where no ASCII letter stands before or behind; digits and '_' end a word. An
 * empty argument is everywhere.
 */
bool compare_contains_word(struct slice value, struct slice argument, size_t *ret_at);

/* @beginsWith and @endsWith. */
bool compare_begins_with(struct slice value, struct slice argument, size_t *ret_at);
bool compare_ends_with(struct slice value, struct slice argument, size_t *ret_at);

/* @within: the argument contains the value; an empty value is in everything. */
bool compare_within(struct slice value, struct slice argument, size_t *ret_at);

/*
 * The number a text begins with, as atoll reads it: after white space and a sign; 0 if there is none. Saturates.
 * @ge, @gt, @le and @lt compare these.
 */
int64_t compare_number(struct slice text);

/* What @eq compares: numbers out of int's range count as 0. */
static inline int compare_number_narrow(int64_t number)
{
	return number < INT32_MIN || number > INT32_MAX ? 0 : (int)number;
}

#endif
