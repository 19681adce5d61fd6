/*
 * The judge: what a shape must show, a row each, and what makes a run void. A shape that does no harm without Guia is
 * no win.
 */
#ifndef GUIA_DRILL_JUDGE_H
#define GUIA_DRILL_JUDGE_H

#include "drill/account.h"
#include "drill/figures.h"

/* The two runs of a shape. */
struct pair {
	const struct run_plan *plan;
	const struct account *account; /* NULL: Guia told nothing */
	struct figures without;
	struct figures with;
};

struct judge_line {
	const char *name;  /* in JSON */
	const char *title; /* "residents answered once the mitigation holds" */
	const char *unit;
	double (*value)(const struct pair *pair); /* NAN: there is none, which meets no bound */
	double (*bound)(const struct pair *pair);
	bool at_least; /* else at most */
	bool (*asked)(const struct pair *pair);
};

/* The rows that decide whether a shape is survived, or visitors were spared. */
extern const struct judge_line judge_lines[];
extern const size_t judge_line_count;

/* The rows that both runs must meet to count at all. */
extern const struct judge_line judge_conditions[];
extern const size_t judge_condition_count;

bool judge_meets(const struct judge_line *line, const struct pair *pair);

enum verdict {
	VERDICT_SURVIVED,
	VERDICT_NOT_SURVIVED,
	VERDICT_HARMLESS, /* visitors were served without Guia */
	VERDICT_TOLD,     /* nothing could be done, and a person was told so */
	VERDICT_NOT_TOLD,
	VERDICT_SPARED, /* where nothing did harm, nobody was refused */
	VERDICT_NOT_SPARED,
	VERDICT_VOID,
};

enum {
	HARM_PERCENT = 50, /* below which residents must fall without Guia */
};

extern const char *const verdict_names[];

enum verdict judge(const struct pair *pair);

#endif
