/*
 * Steps of folding that were taken: what a window became when a token came. A long value leads through few windows over
 * and over, whatever it is made of, so steps are kept as an automaton that is made as they are first taken: windows and
 * tokens have numbers by what folding asks of them, and a step is a row's place. Only steps that hang on nothing but
 * kinds and traits are kept, and only those that leave all tokens but the new one where they are or drop them, which
 * are nearly all. Nothing hangs on what is kept but time.
 */
#ifndef GUIA_MATCH_SQLI_STEP_H
#define GUIA_MATCH_SQLI_STEP_H

#include "match/sqli_window.h"

/* What a window is but for texts: kinds and traits of the tokens, and where it stands. */
struct sqli_state {
	uint64_t first; /* of four tokens, 16 bits each */
	uint64_t rest;  /* of the fifth; where the window stands */
};

enum { SQLI_STATES = 64, SQLI_CLASSES = 32, SQLI_CLASS_SLOTS = 64 };

/* Of readings of any value. Where there are more states or classes than there is room for, all begins anew. */
struct sqli_steps {
	unsigned states;  /* that have a number */
	unsigned classes; /* of tokens: kinds, traits and what is asked of texts */
	struct sqli_state state[SQLI_STATES];
	uint16_t class[SQLI_CLASSES];
	uint8_t single[256];            /* by its byte, one more than the number of a token of one; 0: none yet */
	uint8_t slot[SQLI_CLASS_SLOTS]; /* a number by the class's digest: where to look first */
	uint16_t step[SQLI_STATES][SQLI_CLASSES]; /* zero: not taken yet */
};

/* Before the first reading; the rest is written before it is read. */
static inline void sqli_steps_begin(struct sqli_steps *steps)
{
	steps->states = steps->classes = 0;
	memset(steps->slot, 0, sizeof(steps->slot));
	memset(steps->single, 0, sizeof(steps->single));
}

/* Feeds `w`, which wants a token, up to the end of what is wanted or there: as sqli_window_run() and feeding in turn.
 */
void sqli_steps_run(struct sqli_steps *steps, struct sqli_window *w, struct sqli_feed *feed);

#endif
