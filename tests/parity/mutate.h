/*
 * Seeded changes to a request and its answer: values of other requests put in place of its own or beside them, in
 * arguments, cookies, headers, paths and bodies of each form; whole bodies and answers of other requests; bytes encoded
 * again; damage to the structure. What is made anew has the form that a request of the corpus has, so that forms are as
 * frequent as there.
 */
#ifndef PARITY_MUTATE_H
#define PARITY_MUTATE_H

#include "donors.h"

/* Changes *sample in one to four places. New bytes come from `arena`; 0 or -ENOMEM. */
int sample_mutate(struct sample *sample, const struct donors *donors, uint64_t *random, struct arena *arena);

#endif
