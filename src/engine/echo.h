/*
 * Rules that do nothing but set variables by what they matched: the Core Rule Set makes a hash of each User-Agent so.
 * Where such a rule looks at one value that is fixed when it runs, whether it matches and what MATCHED_VAR is then are
 * a function of the value's bytes, and remembered with them. Only for workers that keep nothing but verdicts.
 */
#ifndef GUIA_ENGINE_ECHO_H
#define GUIA_ENGINE_ECHO_H

#include "engine/transaction.h"

/* At load: whether it may be so, provided that the rule does nothing but set variables. */
bool echo_is_possible(const struct rule *rule);

/*
 * At load: whether it matches whatever the value, and sets variables to what it matched: then nothing needs to be
 * evaluated where nobody looks at the match itself, and the text can wait (owed.h).
 */
bool echo_can_wait(const struct rule *rule);

/* Sets such variables. 1, 0 if there is not just one value, or -ENOMEM. */
int echo_owe(struct transaction *t, const struct course_step *step);

/* Does what the rule's match does, if it matched this value before. 1, 0 if that is not known, or -ENOMEM. */
int echo_repeat(struct transaction *t, const struct course_step *step);

/* After a match. */
void echo_remember(struct transaction *t, const struct course_step *step);

#endif
