/*
 * Steps of folding that were taken: what a window became when a token came. A long value leads through few windows over
 * and over, whatever it is made of, and looking a step up takes a fraction of taking it again. Only steps that hang on
 * nothing but kinds and traits are kept, and only those that leave all tokens but the new one where they are or drop
 * them, which are nearly all. Nothing hangs on what is kept but time.
 */
#ifndef GUIA_MATCH_SQLI_STEP_H
#define GUIA_MATCH_SQLI_STEP_H

#include "match/sqli_window.h"

/* What a window is but for texts: kinds and traits of the tokens, and where it stands. */
struct sqli_state {
	uint64_t first; /* of four tokens, 16 bits each */
	uint64_t rest; /* of the fifth; where the window stands; the token that comes, or the place that it is put at */
};

enum { SQLI_STEPS = 256 };

/* Of readings of any value; zero-initialise. */
struct sqli_steps {
	struct {
		struct sqli_state from; /* zero: empty */
		struct sqli_state to;
	} steps[SQLI_STEPS];
};

/* Feeds `w`, which wants a token, up to the end of what is wanted or there: as sqli_window_run() and feeding in turn.
 */
void sqli_steps_run(struct sqli_steps *steps, struct sqli_window *w, struct sqli_feed *feed);

#endif
