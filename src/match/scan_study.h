/*
 * What is found out about a pattern, once for all sets that it is in: an automaton, factors and grams take most of what
 * a start without notes takes, and a third of the patterns of a rule set's variables are the same. For the files of the
 * scan.
 */
#ifndef GUIA_MATCH_SCAN_STUDY_H
#define GUIA_MATCH_SCAN_STUDY_H

#include "codec/byte_kind.h"
#include "match/automaton.h"
#include "match/pattern_factor.h"
#include "match/pattern_gram.h"
#include "match/pattern_width.h"
#include "match/scan_notes.h"

struct scan_studies; /* match/scan.h */

enum { SCAN_STUDY_LEVELS = 3 };

struct scan_study {
	struct slice text; /* as a regex; owned */
	unsigned flags;
	size_t many;            /* with more instructions it is unfit */
	bool is_unfit;          /* for automata; nothing below is known then */
	struct pattern pattern; /* no nodes: nobody needed it yet, see scan_study_pattern() */
	struct automaton *alone;
	struct pattern_set need; /* a byte of this; all bytes: nothing */
	unsigned commonness;     /* of the need */
	unsigned level;          /* below SCAN_STUDY_LEVELS: the rarer its bytes the higher */
	bool loops;
	uint32_t widths[BYTE_LEVELS];   /* of the shortest match in values of a level */
	struct pattern_factors factors; /* none: they are too common, or there are none */
	struct pattern_factors second;
	struct pattern_reaches *reaches;          /* NULL without factors */
	struct pattern_grams *grams[BYTE_LEVELS]; /* NULL: not asked for yet */
	struct scan_study *next;                  /* of those that are kept together */
};

/*
 * Takes over `text`, of malloc, whatever comes of it. It lives as long as the studies. A step of the notes. 0, -ENOMEM,
 * or -EBADMSG, as they are another set's.
 */
int scan_study_get(struct scan_studies *studies, struct scan_notes *notes, struct slice text, unsigned flags,
		   size_t many, struct scan_study **ret_study);

/* ->pattern is there then, if the study is fit. 0, -ENOMEM, or -EBADMSG, as a note said that it is. */
int scan_study_pattern(struct scan_study *study);

/* ->grams of a level are there then. As scan_study_pattern(). */
int scan_study_grams(struct scan_study *study, enum byte_level level);

/* As a note, of which no pattern and no grams are part. */
void scan_study_write(const struct scan_study *study, struct buffer *out);

/* The next note; and back, but for the text, of which only the length is known. 0, -ENOMEM, or -EBADMSG. */
int scan_study_take(struct reader *in, struct reader *ret_note);
int scan_study_read(struct reader *note, struct scan_study **ret_study);
void scan_study_free(struct scan_study *study);

#endif
