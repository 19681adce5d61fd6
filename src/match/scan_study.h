/*
 * What is found out about a pattern, once for all sets that it is in: an automaton, factors and grams take most of what
 * a start from the cache takes, and a third of the patterns of a rule set's variables are the same. For the files of
 * the scan.
 */
#ifndef GUIA_MATCH_SCAN_STUDY_H
#define GUIA_MATCH_SCAN_STUDY_H

#include "codec/byte_kind.h"
#include "match/automaton.h"
#include "match/pattern_factor.h"
#include "match/pattern_gram.h"
#include "match/pattern_width.h"

struct scan_studies; /* match/scan.h */

enum { SCAN_STUDY_LEVELS = 3 };

struct scan_study {
	struct slice text; /* as a regex; owned */
	unsigned flags;
	size_t many;   /* with more instructions it is unfit */
	bool is_unfit; /* for automata; nothing below is known then */
	struct pattern pattern;
	struct automaton *alone;
	struct pattern_set need; /* a byte of this; all bytes: nothing */
	unsigned commonness;     /* of the need */
	unsigned level;          /* below SCAN_STUDY_LEVELS: the rarer its bytes the higher */
	bool loops;
	uint32_t widths[BYTE_LEVELS];   /* of the shortest match in values of a level */
	struct pattern_factors factors; /* none: they are too common, or there are none */
	struct pattern_factors second;
	struct pattern_reaches reaches;
	struct pattern_grams *grams[BYTE_LEVELS]; /* NULL: not asked for yet */
	struct scan_study *next;                  /* of those that are kept together */
};

/* Takes over `text`, of malloc, whatever comes of it. It lives as long as the studies. 0 or -ENOMEM. */
int scan_study_get(struct scan_studies *studies, struct slice text, unsigned flags, size_t many,
		   struct scan_study **ret_study);

/* ->grams of a level are there then. 0 or -ENOMEM. */
int scan_study_grams(struct scan_study *study, enum byte_level level);

#endif
