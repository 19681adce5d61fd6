/*
 * How courses are built (course_build.c): a chain is answered from what is known (course_answer.c); by what its match
 * would do (course_effect.c) it is settled (course_settle.c) or becomes a step (course_step.c); jumps carry what is
 * known to where they land (course_jump.c).
 */
#ifndef GUIA_ENGINE_COURSE_BUILD_H
#define GUIA_ENGINE_COURSE_BUILD_H

#include "engine/course.h"
#include "engine/course_facts.h"
#include "engine/plan.h"
#include "engine/transaction.h"

enum course_answer { COURSE_NO, COURSE_YES, COURSE_UNKNOWN };

/* A jump on its way: what is known if it was taken. */
struct course_pending {
	size_t place;
	struct facts facts;
	struct course_pending *next;
};

/* What came out of the rule at a place. */
struct course_place {
	bool reached; /* some way leads there */
	bool matches_surely;
	bool never_matches;
	bool settled; /* one way or the other, even where it is a step */
};

/* What grows here is on the heap and the builder's; what stays is in the plan's arena. */
struct course_builder {
	struct plan *plan;
	struct transaction *t;       /* holds no request: for macros and operators */
	const struct ctl **removals; /* of the steps so far: what a request may have lost by now */
	size_t removal_count;
	size_t removal_capacity;
	struct facts facts;
	bool reachable;
	struct course_pending *pendings;
	struct facts phase_ends;  /* met over the ends of phases */
	struct facts disruptions; /* met over the places where a rule may end the request */
	/* Of the phase at hand. */
	unsigned phase;
	struct course_step *steps;
	size_t step_count;
	struct course_match *matches; /* of the settled rules that are not in a step yet */
	size_t match_count;
	struct course_write *writes;
	size_t write_count;
	struct matched *matched; /* by the same, behind the last that did not match */
	size_t matched_count;
	size_t settled_place;
	bool usable;
	struct course_place *places[PHASE_LAST + 1];
};

/* Whether a macro's text is the same whatever the request. */
bool course_macro_is_known(const struct course_builder *b, const struct macro *macro);

/* A known macro's text, to stay as long as the plan. 0 or -ENOMEM. */
int course_macro_expand(const struct course_builder *b, const struct macro *macro, struct slice *ret_text);

/*
 * How many values of a known link match. They are told, their bytes as long as the builder's, where ret_matched is not
 * NULL: it has room for one of each target. -ENOMEM if there is no memory.
 */
int course_link_matches(struct course_builder *b, const struct rule *rule, struct matched *ret_matched);

bool course_may_set(const struct course_builder *b, const struct setvar *setvar, int slot);

/* Whether what the links from `head` to `link` set for one value may change what `link` asks of the next. */
bool course_changes_argument(const struct course_builder *b, const struct rule *head, const struct rule *link);

/* Whether a chain matches. 0 or -ENOMEM. */
int course_answer_of(struct course_builder *b, const struct rule *head, enum course_answer *ret_answer);

/*
 * Whether a chain of which it is not known what it answers never matches all the same: some link surely does not, and
 * those before it leave nothing behind but that they matched. 0 or -ENOMEM.
 */
int course_is_vain(struct course_builder *b, const struct rule *head, bool *ret_vain);

/* Whether a chain has one value a link at most: variables are set once for each value that matches. */
bool course_looks_once(const struct rule *head);

/* Whether what a chain sets is the same whatever the request. */
bool course_variables_are_known(const struct course_builder *b, const struct rule *head);

/* Whether a chain has an operator: one without neither forgets what was matched before nor matches anything itself. */
bool course_asks(const struct rule *head);

bool course_jumps_at_all(const struct rule *head);

bool course_may_disrupt(const struct rule *head);

/* Where a match of the rule leads: a place in the list; `count` at the end; UINT32_MAX if beyond this phase. */
uint32_t course_landing(const struct course_builder *b, const struct rule *head, size_t place, bool *ret_jumps);

/* skip and skipAfter together, or counted by several links, are left to the plain way. */
bool course_jumps_twice(const struct rule *head);

/* Whether it is a ctl that takes rules, or targets from rules. */
bool course_is_removal(const struct action *action);

/* Whether it may take away rules that are settled, or what they look at. When all phases are built. */
bool course_removes_what_is_settled(const struct course_builder *b, const struct ctl *ctl);

/* Whether a match is nothing but a match and variables of TX, perhaps jumps. */
bool course_sets_variables(const struct rule *head);

/* The same of one whose actions do not look at what it matched, and that jumps within its phase only. */
bool course_leaves_variables_only(const struct course_builder *b, const struct rule *head, size_t place);

/* Settled rules so far become a step of their own, from which the next is the one that stands behind `jump_place`. */
int course_settled_close_with(struct course_builder *b, uint32_t jump_place);

/* The same where the next step is the one behind. 0 or -ENOMEM; so all that return int. */
int course_settled_close(struct course_builder *b);

/* Whether a rule that neither passes nor disrupts may leave its `status` to one behind it. */
bool course_statuses_stay(const struct ruleset *ruleset);

/*
 * Whether a step does nothing but jump, to where the rules behind it lead anyway. Of b->phase, when all phases are
 * built; what it matched is not read.
 */
bool course_is_idle(const struct course_builder *b, const struct course_step *step);

/* Adds what a link, which is known to match or not, matches to what settled rules have matched. How often, or -ENOMEM.
 */
int course_match_link(struct course_builder *b, const struct rule *rule, struct matched *ret_last);

/* Takes what was matched so far, to stay as long as the plan. 0 or -ENOMEM. */
int course_take_matched(struct course_builder *b, const struct matched **ret_matched, size_t *ret_count);

/* A chain whose answer is known: what it leaves behind comes to the settled rules so far. */
int course_settle(struct course_builder *b, const struct rule *head, size_t place);

/* A chain that a request evaluates. `surely`: it matches all the same, and only what it sets varies. */
int course_step_add(struct course_builder *b, const struct rule *head, size_t place, bool surely);

/* What is known now is known at `place`, too. */
int course_jump(struct course_builder *b, uint32_t place);

/* A jump that is always taken: a step of its own where others land before it does. */
int course_jump_surely(struct course_builder *b, uint32_t to);

/*
 * When all phases are built: what settled rules matched is left out where no rule can come to look at it. `phase` is of
 * no meaning any more. 0 or -ENOMEM.
 */
int course_forget_unread(struct course_builder *b);

/* Ends the jumps that lead to `place` or before it: what is known there is what all ways agree on. */
int course_land(struct course_builder *b, size_t place);

#endif
