/*
 * Random rules and random requests over one small vocabulary, so that they meet often. Rules use all that the Core Rule
 * Set leaves alone: jumps, exclusions at run time, names of TX composed of values, enumerations, counts, negation.
 */
#ifndef COLLIDE_GENERATE_H
#define COLLIDE_GENERATE_H

#include "base/buffer.h"
#include "ftw/origin.h"

#include <stdint.h>

enum { GENERATE_STATEMENTS = 160 };

struct generated_rules {
	struct slice statements[GENERATE_STATEMENTS]; /* of SecLang; a chain is one */
	size_t count;
};

void generate_rules(uint64_t *state, struct arena *arena, struct generated_rules *ret_rules);

/* Bytes on the wire, and what the origin answers. */
void generate_request(uint64_t *state, struct arena *arena, struct slice *ret_wire, struct ftw_answer *ret_answer);

#endif
