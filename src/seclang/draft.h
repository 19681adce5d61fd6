/*
 * A rule while its actions are read: the rule itself, and what is still open until the whole list has been seen and the
 * defaults of its phase are merged in.
 */
#ifndef GUIA_SECLANG_DRAFT_H
#define GUIA_SECLANG_DRAFT_H

#include "seclang/compiler.h"

enum { TRANSFORMS_MAX = 64 };

enum choice { CHOICE_DEFAULT, CHOICE_YES, CHOICE_NO };

struct transform_list {
	enum transform items[TRANSFORMS_MAX];
	size_t count;
};

struct draft {
	struct rule rule;
	struct target_list targets;
	struct transform_list transforms;
	bool transforms_reset; /* t:none: the defaults do not count */
	bool has_phase;
	bool has_chain;
	bool has_block;
	enum choice log;
	enum choice audit_log;
	struct action *actions;
	size_t action_count;
	size_t action_capacity;
	struct macro *tags;
	size_t tag_count;
	size_t tag_capacity;
	struct rule_namespace *namespaces;
	size_t namespace_count;
	size_t namespace_capacity;
};

/* What SecDefaultAction says of one phase. */
struct phase_defaults {
	bool given;
	const void *unit; /* that gave it: once in each */
	struct transform_list transforms;
	enum choice log;
	enum choice audit_log;
	enum disruptive disruptive;
	uint16_t status;
	struct macro redirect_url;
	struct slice text; /* as written: what rules of equal text compile under */
};

/* A rule of which nothing is said yet. */
struct draft draft_begin(enum rule_kind kind);

/* Reads compiler->word, a list of actions, into the draft. */
int actions_parse(struct compiler *compiler, struct draft *draft);

/* "TX.name=+1" of setvar; without its quotes. */
int setvar_parse(struct compiler *compiler, struct slice text, size_t offset, struct action *ret_action);

/* "ruleRemoveTargetById=1;ARGS:x" of ctl. */
int ctl_parse(struct compiler *compiler, struct slice text, size_t offset, struct action *ret_action);

/*
 * Makes the draft a rule in the unit's memory: defaults merged, transformations numbered. `head` is the head of the
 * chain that it is a link of, or NULL.
 */
int draft_finish(struct compiler *compiler, struct draft *draft, const struct phase_defaults *defaults,
		 const struct rule *head, struct rule **ret_rule);

#endif
