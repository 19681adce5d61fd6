/*
 * Links are gone through outside in, targets and values in order, each value through its pipeline to a scan's bit or to
 * the operator. If all links match, actions run from the innermost outwards.
 */
#include "engine/rule.h"

#include "engine/chain.h"
#include "engine/macro.h"
#include "engine/pipeline.h"
#include "engine/scan.h"
#include "engine/target.h"

#include <errno.h>

enum {
	STATUS_OK = 200,
	STATUS_MOVED = 301, /* the first and ... */
	STATUS_FOUND = 302,
	STATUS_TEMPORARY_REDIRECT = 307, /* ... the last that a redirect may have, as in ModSecurity */
	STATUS_FORBIDDEN = 403,
	STEPS_TOLD = 16, /* messages of one rule with multiMatch: a request may have a thousand cookies */
};

/* What a link is evaluated with. */
struct link {
	struct chain *chain;
	const struct rule *rule;
	const struct target *target;
	bool matched; /* some value has matched */
};

/* After the last that is told there is only counting, unless a trace listens. */
static int tell_step(struct chain *chain, const struct rule *rule)
{
	if (chain->steps_matched++ < STEPS_TOLD) {
		chain_texts(chain, rule);
		if (chain->head->log && chain_log(chain) == NULL)
			return -ENOMEM;
		chain->wants_log &= chain->steps_matched < STEPS_TOLD || chain->t->trace != NULL;
	}
	chain->references = NULL;
	return 0;
}

/* A value has matched: what it was, then the setvars, which run for each. */
static int on_match(struct link *link, const struct value *value, const struct operand *operand, size_t steps)
{
	struct chain *chain = link->chain;
	struct transaction *t = chain->t;
	link->matched = true;
	if (chain_note(chain, link->target, value, operand, steps) != 0 ||
	    action_run_setvars(t, link->rule, &chain->change) != 0)
		return -ENOMEM;
	/* With multiMatch each step that matches is a message of its own. */
	if (!link->rule->multi_match || link->rule->next_link != NULL)
		return 0;
	return tell_step(chain, link->rule);
}

static int ask(struct link *link, const struct value *value, struct operand *operand, size_t steps)
{
	int r = operator_evaluate(operand);
	if (r <= 0)
		return r;
	operand_text(operand);
	return on_match(link, value, operand, steps);
}

/* multiMatch: the value as it is, and after each transformation that changes it. */
static int evaluate_steps(struct link *link, struct value *value, struct operand *operand)
{
	const struct rule *rule = link->rule;
	int r = ask(link, value, operand, 0);
	for (size_t i = 0; r >= 0 && i < rule->transform_count; i++) {
		bool changed;
		struct slice bytes = operand->bytes;
		if (pipeline_step(operand->t, rule->transforms[i], bytes, &operand->bytes, &changed) != 0)
			return -ENOMEM;
		operand->entry = NULL;
		if (changed)
			r = ask(link, value, operand, i + 1);
	}
	return r;
}

/* What was found when the value was asked, of a head: steps that may match it. Links behind the head are asked anew. */
static bool was_asked(const struct link *link, const struct value *value)
{
	return link->chain->t->step >= 0 && value->knows_steps && link->rule == link->chain->head;
}

static int evaluate_value(struct link *link, struct value *value, struct tx_entry *entry)
{
	struct transaction *t = link->chain->t;
	const struct rule *rule = link->rule;
	struct operand operand = {.t = t, .rule = rule, .bytes = value->bytes, .entry = entry};
	if (entry != NULL &&
	    (rule->transform_count > 0 || rule->multi_match || link->target->scan_group != SCAN_GROUP_NONE))
		value->bytes = operand_text(&operand);
	if (rule->multi_match)
		return evaluate_steps(link, value, &operand);
	if (rule->transform_count == 0 && link->target->scan_group == SCAN_GROUP_NONE)
		return ask(link, value, &operand, 0);
	struct result *result = pipeline_result(t, value, plan_node_of(t->plan, rule));
	if (result == NULL)
		return -ENOMEM;
	operand.bytes = result->bytes;
	operand.entry = NULL;
	/* The scan has spoken; it is the operator's turn. */
	if (was_asked(link, value) && !rule->operation.certain)
		return ask(link, value, &operand, rule->transform_count);
	switch (scan_ask(t, link->target, rule, result)) {
	case SCAN_SAYS_NO:
		return 0;
	case SCAN_SAYS_YES:
		return on_match(link, value, &operand, rule->transform_count);
	case SCAN_FAILED:
		return -EIO;
	case SCAN_SAYS_NOTHING:
		break;
	}
	return ask(link, value, &operand, rule->transform_count);
}

static int evaluate_count(struct link *link, size_t count)
{
	struct transaction *t = link->chain->t;
	const struct rule *rule = link->rule;
	struct operand operand = {.t = t, .rule = rule, .number = (int64_t)count, .is_number = true};
	if (rule->transform_count == 0)
		return ask(link, NULL, &operand, 0);
	struct value value = {.bytes = operand_text(&operand)};
	return evaluate_value(link, &value, NULL);
}

static bool may_match(const struct link *link, const struct value *value)
{
	return !was_asked(link, value) || value_may_match(value, link->chain->t->step);
}

static int evaluate_target(struct link *link)
{
	struct selection selection;
	int r = target_select(link->chain->t, link->rule, link->target, &selection);
	if (r != 0)
		return r;
	if (link->target->counted)
		return evaluate_count(link, selection.count);
	for (size_t i = 0; r >= 0 && i < selection.count; i++)
		if (may_match(link, selection.items[i]))
			r = evaluate_value(link, selection.items[i], selection.entry);
	return r;
}

static int add_match(struct chain *chain, const struct rule *rule)
{
	struct match_entry *entry = transaction_add_match(chain->t);
	if (entry == NULL)
		return -ENOMEM;
	*entry = (struct match_entry){.rule = rule, .matched = chain->matched, .completed = rule->next_link == NULL};
	return 0;
}

/* 1 if some value matched. */
static int evaluate_link(struct chain *chain, const struct rule *rule)
{
	struct transaction *t = chain->t;
	struct link link = {.chain = chain, .rule = rule};
	for (size_t i = 0; i < rule->target_count; i++) {
		link.target = &rule->targets[i];
		if (link.target->excluded)
			continue;
		int r = evaluate_target(&link);
		if (r < 0)
			return r;
	}
	if (link.matched)
		return add_match(chain, rule) == 0 ? 1 : -ENOMEM;
	t->matched_count = 0;
	return 0;
}

static void disrupt(struct chain *chain, enum guia_action action, uint16_t status)
{
	struct transaction *t = chain->t;
	t->disrupted = true;
	chain->disruptive = true;
	if (t->phase == PHASE_LOGGING || t->verdict.action != GUIA_PASS)
		return; /* too late, or decided already */
	t->verdict.action = action;
	t->verdict.status = status;
	t->verdict.rule_id = chain->head->id;
}

/* What `status` says, unless it would not refuse. */
static uint16_t refusal_status(const struct transaction *t)
{
	return t->pending_status == 0 || t->pending_status == STATUS_OK ? STATUS_FORBIDDEN : t->pending_status;
}

static void redirect(struct chain *chain, const struct rule *rule)
{
	struct transaction *t = chain->t;
	bool redirects = t->pending_status >= STATUS_MOVED && t->pending_status <= STATUS_TEMPORARY_REDIRECT;
	uint16_t status = redirects ? t->pending_status : STATUS_FOUND;
	struct slice url = macro_expand(t, &rule->redirect_url, rule);
	if (t->verdict.action == GUIA_PASS && t->phase != PHASE_LOGGING)
		t->verdict.redirect_to = (struct guia_slice){url.ptr, url.len};
	disrupt(chain, GUIA_REDIRECT, status);
}

static void disruptive_action(struct chain *chain, const struct rule *rule, enum disruptive action)
{
	struct transaction *t = chain->t;
	switch (action) {
	case DISRUPTIVE_NONE:
		break;
	case DISRUPTIVE_PASS:
		t->pending_status = 0;
		break;
	case DISRUPTIVE_BLOCK:
		if (rule->block_action != DISRUPTIVE_BLOCK)
			disruptive_action(chain, rule, rule->block_action);
		break;
	case DISRUPTIVE_DENY:
		disrupt(chain, GUIA_DENY, refusal_status(t));
		break;
	case DISRUPTIVE_DROP:
		disrupt(chain, GUIA_DROP, refusal_status(t));
		break;
	case DISRUPTIVE_REDIRECT:
		redirect(chain, rule);
		break;
	case DISRUPTIVE_ALLOW:
	case DISRUPTIVE_ALLOW_PHASE:
	case DISRUPTIVE_ALLOW_REQUEST:
		t->allow = action;
		break;
	}
}

static bool would_disrupt(const struct rule *rule)
{
	enum disruptive action = rule_disruption(rule);
	return action == DISRUPTIVE_DENY || action == DISRUPTIVE_DROP || action == DISRUPTIVE_REDIRECT;
}

/* The rule, with what is chained to it, has matched. */
static int full_match(struct chain *chain, const struct rule *rule)
{
	struct transaction *t = chain->t;
	chain_texts(chain, rule);
	int r = action_run_others(t, rule);
	if (r != 0)
		return r;
	if (t->rule_engine == SWITCH_ON) {
		disruptive_action(chain, rule, rule->disruptive);
	} else if (would_disrupt(rule) && t->phase != PHASE_LOGGING && !t->verdict.would_block) {
		t->verdict.would_block = true;
		t->verdict.rule_id = chain->head->id;
	}
	return 0;
}

/* Links evaluated outside in; 1 if all match, and `*ret_last` is the innermost. */
static int evaluate_links(struct chain *chain, const struct rule **links, size_t *ret_count)
{
	size_t count = 0;
	for (const struct rule *rule = chain->head; rule != NULL; rule = rule->next_link) {
		int r = rule->kind == RULE_ACTION ? 1 : evaluate_link(chain, rule);
		if (r <= 0)
			return r;
		if (rule->kind == RULE_ACTION &&
		    (action_run_setvars(chain->t, rule, &chain->change) != 0 || add_match(chain, rule) != 0))
			return -ENOMEM;
		links[count++] = rule;
	}
	*ret_count = count;
	return 1;
}

/* ModSecurity logs a SecAction only if it has a message. */
static bool is_logged(const struct chain *chain)
{
	const struct rule *head = chain->head;
	/* With multiMatch a rule without a chain has logged each step. */
	if (!head->log || (head->multi_match && head->next_link == NULL))
		return false;
	return head->kind != RULE_ACTION || chain->message.bytes.len > 0 || head->disruptive == DISRUPTIVE_BLOCK;
}

static int complete(struct chain *chain, const struct rule **links, size_t count)
{
	struct transaction *t = chain->t;
	/* Actions run from the innermost link outwards. */
	for (size_t i = count; i-- > 0;)
		if (full_match(chain, links[i]) != 0)
			return -ENOMEM;
	struct match_entry *last = &t->matches[t->match_count - 1];
	last->scored = chain->change.scored;
	if (!is_logged(chain)) {
		last->log = chain->head->log && chain->head->multi_match && t->log_count > 0 ? t->logs[t->log_count - 1]
											     : NULL;
		if (last->log != NULL && chain->steps_matched > STEPS_TOLD)
			last->log->untold = chain->steps_matched - STEPS_TOLD;
	} else {
		last->log = chain_log(chain);
		if (last->log == NULL)
			return -ENOMEM;
	}
	/* What is not logged is not to be audited either, as in ModSecurity. */
	t->relevant |= last->log != NULL && chain->head->audit_log;
	return 0;
}

int rule_evaluate(struct transaction *t, const struct rule *head)
{
	const struct rule *links[CHAIN_RULES_MAX];
	size_t count = 0;
	struct chain chain = chain_begin(t, head);
	t->head = head;
	int r = evaluate_links(&chain, links, &count);
	if (r == 1 && complete(&chain, links, count) != 0)
		r = -ENOMEM;
	if (t->trace != NULL)
		chain_tell(&chain, r == 1);
	t->head = NULL;
	return r;
}
