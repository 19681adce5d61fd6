/*
 * Before a phase's rules run, its values are asked once, all together, which steps of the course they make candidates
 * of; the rest of the course is never looked at. What is found for a value holds for all phases.
 */
#ifndef GUIA_ENGINE_CANDIDATE_H
#define GUIA_ENGINE_CANDIDATE_H

#include "engine/transaction.h"

/* Brings t->candidates up to date for the phase. 0, -ENOMEM, or -EIO when a scan failed. */
int candidates_find(struct transaction *t, unsigned phase);

/* Whether the links of a chain that were asked ahead may all match. */
bool candidate_conditions_hold(const struct transaction *t, const struct course_step *step);

/* The first candidate of the phase at or after a step; the course's count if there is none. */
size_t candidate_next(const struct transaction *t, const struct course *course, size_t step);

#endif
