/*
 * What is left of a phase's rules to be run for a request. Rules that depend on the configuration alone (the 901 rules,
 * paranoia gates, thresholds) are evaluated when rules are loaded: those that cannot match are gone, and those that
 * surely do stand as what they leave behind. What remains is a list of steps, of which a request takes those that its
 * values made candidates of (candidate.h).
 *
 * The method is constant propagation over a program whose jumps all go forward (Kildall, 1973): see course_build.c.
 */
#ifndef GUIA_ENGINE_COURSE_H
#define GUIA_ENGINE_COURSE_H

#include "engine/value.h"
#include "ruleset/ruleset.h"

struct plan;
struct worker;

/* A variable of TX as it stands after rules that are settled. */
struct course_write {
	int slot;
	bool unset;
	struct slice text;
	int64_t number; /* what the text begins with */
};

/* A link that is known to match, and what it matched. */
struct course_match {
	const struct rule *rule;
	struct matched matched;
};

/* What a run of settled rules leaves behind. */
struct course_settled {
	const struct course_match *matches; /* in order */
	size_t match_count;
	const struct course_write *writes;
	size_t write_count;
	const struct matched *matched; /* what MATCHED_VARS gain: of those behind the last that did not match */
	size_t matched_count;
	bool passes; /* they end what an earlier rule's `status` would do */
};

/* A head, or a link behind it, that looks at names of TX only. */
struct course_gate {
	const uint32_t *slots; /* of which one at least must be set */
	size_t slot_count;
	bool composed; /* names composed at run time may be meant too */
	bool compares; /* the one slot's number must stand in this relation to `number`: */
	bool negated;
	enum operator_kind relation;
	int64_t number;
};

struct course_step {
	const struct rule *rule;              /* the head of what is to be evaluated; NULL: settled */
	const struct course_settled *settled; /* NULL: a rule */
	const struct slice *arguments; /* of each link's operator, where its macros are known; else ptr is NULL */
	uint32_t place;                /* of the (last) rule in the phase's list */
	uint32_t jump;                 /* the step where a match leads by skip or skipAfter; may be past the end */
	uint32_t jump_place;           /* the same in the phase's list; UINT32_MAX: beyond this phase */
	uint32_t quiet;                /* under which it is remembered that the chain did not match; 0: never */
	uint32_t echo;                 /* under which it is remembered what the rule matched; 0: never */
	uint16_t first_condition;      /* bits of candidates that must be set too: links that may all match */
	uint16_t condition_count;
	const struct course_gate *gate;      /* what must hold of TX for the head to match; NULL: nothing is known */
	const struct course_gate *link_gate; /* the same for the second link */
	const struct matched *matched;       /* of one that matches surely: what */
	size_t matched_count;
	bool knows_arguments; /* of all links */
	bool is_probed;       /* all that the head looks at is asked ahead: a value knows whether it may match */
	bool surely;          /* matches whatever the request; only what it sets varies */
	bool vain;            /* never matches, for the sake of a later link: it leaves no more than earlier matches */
	bool idle;            /* whether it matches or not comes to the same, but for what is told of matches */
	bool owes;            /* an echo whose text can wait, and whose match nobody looks at */
	bool derails;         /* a match may remove rules that are settled */
	bool loses_targets;   /* a ctl of some rule may take targets from this one */
};

struct course {
	const struct course_step *steps;
	size_t count;
	size_t first_bit;                 /* of its steps, among those of all phases */
	const uint32_t *operators_before; /* for each place, the rules ahead of it that ask, and may not match */
	bool usable;                      /* else the phase's rules are all evaluated, in order */
};

struct courses {
	struct course phases[PHASE_LAST + 1];
	size_t bit_count;
};

/* Builds the courses in the plan's arena. 0 or -ENOMEM. */
int course_build(struct plan *plan);

#endif
