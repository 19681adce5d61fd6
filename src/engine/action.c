/*
 * What setvar adds to the Core Rule Set's scores is counted as it runs, by slots that the plan has marked. What changes
 * how the transaction is inspected is in ctl.c, what outlives the transaction in stored.c.
 */
#include "engine/action.h"

#include "engine/macro.h"
#include "engine/stored.h"
#include "engine/variable.h"
#include "match/compare.h"

#include <errno.h>

static int64_t amount_of(struct transaction *t, const struct setvar *setvar, const struct rule *rule)
{
	int64_t amount = compare_number_narrow(macro_number(t, &setvar->value, rule));
	return setvar->kind == SETVAR_SUBTRACT ? -amount : amount;
}

static void count_score(struct transaction *t, int handle, int64_t amount, struct score_change *change)
{
	uint8_t score = (size_t)handle < t->ruleset->tx_slot_count ? t->plan->score_of_slot[handle] : PLAN_SCORE_NONE;
	if (score == PLAN_SCORE_INBOUND)
		change->inbound += amount;
	else if (score == PLAN_SCORE_OUTBOUND)
		change->outbound += amount;
	else
		return;
	change->scored = true;
}

/* The value's text must outlive the transaction's changes: expansions do, they are in the arena or in the rules. */
static int set_tx(struct transaction *t, const struct setvar *setvar, const struct rule *rule,
		  struct score_change *change)
{
	int handle = setvar->tx_slot;
	if (handle == SLOT_NONE) {
		struct slice name = macro_expand(t, &setvar->name, rule);
		handle = setvar->kind == SETVAR_UNSET ? tx_find(&t->tx, name) : tx_intern(&t->tx, name);
	}
	if (handle == TX_NONE)
		return setvar->kind == SETVAR_UNSET ? 0 : -ENOMEM;
	struct tx_entry *entry = tx_get(&t->tx, handle);
	int64_t amount;
	switch (setvar->kind) {
	case SETVAR_UNSET:
		tx_unset(&t->tx, handle);
		return 0;
	case SETVAR_SET:
		return tx_set_text(&t->tx, handle, macro_expand(t, &setvar->value, rule));
	default:
		amount = amount_of(t, setvar, rule);
		count_score(t, handle, amount, change);
		return tx_set_number(&t->tx, handle,
				     (entry == NULL ? 0 : compare_number_narrow(tx_number(entry))) + amount);
	}
}

static void set_stored(struct transaction *t, const struct setvar *setvar, const struct rule *rule)
{
	struct slice name = macro_expand(t, &setvar->name, rule);
	if (setvar->kind == SETVAR_UNSET)
		stored_unset(t, setvar->collection, name);
	else if (setvar->kind == SETVAR_SET)
		stored_set(t, setvar->collection, name, macro_expand(t, &setvar->value, rule));
	else
		stored_add(t, setvar->collection, name, amount_of(t, setvar, rule));
}

int action_run_setvars(struct transaction *t, const struct rule *rule, struct score_change *change)
{
	for (size_t i = 0; i < rule->action_count; i++) {
		const struct action *action = &rule->actions[i];
		if (action->kind != ACTION_SETVAR)
			continue;
		if (action->setvar.collection != VARIABLE_TX)
			set_stored(t, &action->setvar, rule);
		else if (set_tx(t, &action->setvar, rule, change) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int set_environment(struct transaction *t, const struct action *action, const struct rule *rule)
{
	struct slice name = macro_expand(t, &action->setvar.name, rule);
	struct environment *e = t->environment;
	while (e != NULL && !slice_equal(e->name, name))
		e = e->next;
	if (e == NULL) {
		e = arena_alloc(&t->arena, sizeof(*e));
		if (e == NULL)
			return -ENOMEM;
		*e = (struct environment){.name = name, .next = t->environment};
		t->environment = e;
	}
	e->value = macro_expand(t, &action->setvar.value, rule);
	return 0;
}

/* deprecatevar's value: "amount/seconds". */
static void deprecate(struct transaction *t, const struct action *action, const struct rule *rule)
{
	struct slice amount;
	struct slice seconds = slice_cut(macro_expand(t, &action->text, rule), '/', &amount);
	if (action->setvar.collection == VARIABLE_TX)
		return;
	stored_deprecate(t, action->setvar.collection, macro_expand(t, &action->setvar.name, rule),
			 compare_number(amount), compare_number(seconds));
}

static void expire(struct transaction *t, const struct action *action, const struct rule *rule)
{
	if (action->setvar.collection == VARIABLE_TX)
		return; /* a transaction is over long before */
	stored_expire(t, action->setvar.collection, macro_expand(t, &action->setvar.name, rule),
		      compare_number(macro_expand(t, &action->text, rule)));
}

static int open_session(struct transaction *t, const struct action *action, const struct rule *rule)
{
	struct slice key = macro_expand(t, &action->text, rule);
	switch ((int)action->kind) {
	case ACTION_SETUID:
		stored_open(t, VARIABLE_USER, key);
		return variable_set(t, VARIABLE_USERID, key);
	case ACTION_SETSID:
		stored_open(t, VARIABLE_SESSION, key);
		return variable_set(t, VARIABLE_SESSIONID, key);
	default:
		stored_open(t, VARIABLE_RESOURCE, key);
		return 0;
	}
}

/* Names that the logs must not show from now on. */
static int sanitise(struct transaction *t, const struct action *action, const struct rule *rule)
{
	struct slice name = macro_expand(t, &action->text, rule);
	bool matched = action->kind == ACTION_SANITISE_MATCHED || action->kind == ACTION_SANITISE_MATCHED_BYTES;
	if (matched)
		name = t->matched_count > 0 ? t->matched[t->matched_count - 1].key : SLICE("");
	if (name.len == 0)
		return 0;
	struct slice *names = arena_alloc(&t->arena, (t->redact.extra_count + 1) * sizeof(*names));
	if (names == NULL)
		return -ENOMEM;
	if (t->redact.extra_count > 0)
		memcpy(names, t->redact.extra, t->redact.extra_count * sizeof(*names));
	names[t->redact.extra_count++] = name;
	t->redact.extra = names;
	t->log_tail = (struct slice){0};
	return 0;
}

/* A key of what few rules want to know is made when the record is asked for. */
static void open_collection(struct transaction *t, const struct action *action, const struct rule *rule)
{
	struct owed_key key;
	if (macro_expand_owed(t, &action->text, rule, &key))
		stored_open_owed(t, action->setvar.collection, &key);
	else
		stored_open(t, action->setvar.collection, macro_expand(t, &action->text, rule));
}

static int run(struct transaction *t, const struct action *action, const struct rule *rule)
{
	switch (action->kind) {
	case ACTION_SETVAR:
		return 0; /* has run for each value */
	case ACTION_CTL:
		return ctl_run(t, &action->ctl, rule);
	case ACTION_INITCOL:
		open_collection(t, action, rule);
		return 0;
	case ACTION_EXPIREVAR:
		expire(t, action, rule);
		return 0;
	case ACTION_DEPRECATEVAR:
		deprecate(t, action, rule);
		return 0;
	case ACTION_SETENV:
		return set_environment(t, action, rule);
	case ACTION_SETUID:
	case ACTION_SETSID:
	case ACTION_SETRSC:
		return open_session(t, action, rule);
	case ACTION_SANITISE_ARG:
	case ACTION_SANITISE_MATCHED:
	case ACTION_SANITISE_MATCHED_BYTES:
	case ACTION_SANITISE_REQUEST_HEADER:
	case ACTION_SANITISE_RESPONSE_HEADER:
		return sanitise(t, action, rule);
	}
	return 0;
}

int action_run_others(struct transaction *t, const struct rule *rule)
{
	for (size_t i = 0; i < rule->action_count; i++) {
		int r = run(t, &rule->actions[i], rule);
		if (r != 0)
			return r;
	}
	if (rule->status != 0)
		t->pending_status = rule->status;
	if (rule->skip > 0)
		t->skip = rule->skip;
	if (rule->skip_after.len > 0)
		t->skip_after = rule->skip_after;
	return 0;
}
