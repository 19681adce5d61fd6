/*
 * A phase is run in one of two ways: every rule in order, or the steps of its course that are candidates. Where what a
 * course counts on does not hold any more, all later phases go the plain way. What failed becomes a verdict at the end.
 */
#include "engine/phase.h"

#include "engine/action.h"
#include "engine/body.h"
#include "engine/body_bytes.h"
#include "engine/candidate.h"
#include "engine/echo.h"
#include "engine/gate.h"
#include "engine/profile.h"
#include "engine/quiet.h"
#include "engine/rule.h"
#include "engine/target.h"
#include "engine/variable.h"

#include <errno.h>

enum { STATUS_TOO_LARGE = 413, STATUS_FAILED = 503, STATUS_BAD_RESPONSE = 502 };

bool phase_request_body_wanted(const struct transaction *t)
{
	return t->request_body_access && t->rule_engine != SWITCH_OFF && t->verdict.action == GUIA_PASS;
}

bool phase_response_body_wanted(const struct transaction *t)
{
	return t->response_body_access && t->rule_engine != SWITCH_OFF && t->verdict.action == GUIA_PASS &&
	       body_response_type_inspected(t);
}

/* By tag or message a link of the chain may be meant too, but only the head's removal stops the rule. */
static bool is_removed(struct transaction *t, const struct rule *rule)
{
	for (const struct removed_rules *removed = t->removed_rules; removed != NULL; removed = removed->next)
		if (target_ctl_means(t, removed->ctl, rule))
			return true;
	return false;
}

/* An `allow` holds for this phase, for the request, or for all phases but logging. */
static bool is_allowed(struct transaction *t, unsigned phase)
{
	if (t->allow == DISRUPTIVE_ALLOW && phase != PHASE_LOGGING)
		return true;
	if (t->allow == DISRUPTIVE_ALLOW_REQUEST && phase <= PHASE_REQUEST_BODY)
		return true;
	t->allow = DISRUPTIVE_NONE;
	return false;
}

/* Where the skipAfter that the rule at `place` has just set leads; `place` + 1 if the marker is to be looked for. */
static size_t place_after(struct transaction *t, unsigned phase, size_t place)
{
	uint32_t jump = t->plan->jumps[phase][place];
	if (jump == UINT32_MAX)
		return place + 1;
	t->skip_after = (struct slice){0};
	return jump;
}

static bool is_skipped(struct transaction *t, const struct rule *rule)
{
	if (t->skip_after.len > 0) {
		if (rule->kind == RULE_MARKER && slice_equal(rule->marker, t->skip_after))
			t->skip_after = (struct slice){0};
		return true;
	}
	if (rule->kind == RULE_MARKER)
		return true;
	if (t->skip > 0) {
		t->skip--;
		return true;
	}
	return t->allow != DISRUPTIVE_NONE || (t->removed_rules != NULL && is_removed(t, rule));
}

static int evaluate(struct transaction *t, const struct rule *rule)
{
	struct profile_timer timer = profile_begin(t->worker->profile);
	int r = rule_evaluate(t, rule);
	profile_end_rule(timer, rule, r > 0);
	return r;
}

/* The plain way: every rule of the phase, in order. */
static int run_all(struct transaction *t, unsigned phase, size_t from)
{
	const struct rule *const *rules = t->ruleset->phases[phase].rules;
	size_t count = t->ruleset->phases[phase].count;
	for (size_t i = from; i < count;) {
		if (is_skipped(t, rules[i])) {
			i++;
			continue;
		}
		int r = evaluate(t, rules[i]);
		/* What a rule that disrupts wants skipped is skipped in the phase that comes next. */
		if (r < 0 || t->disrupted)
			return r;
		i = t->skip_after.len > 0 ? place_after(t, phase, i) : i + 1;
	}
	return 0;
}

/* What rules that surely match leave behind. */
static int settle(struct transaction *t, const struct course_settled *settled)
{
	if (settled->write_count > 0 && tx_settle(&t->tx, settled->writes, settled->write_count) != 0)
		return -ENOMEM;
	if (settled->passes && t->rule_engine == SWITCH_ON)
		t->pending_status = 0;
	if (settled->match_count == 0 || t->worker->options.verdicts_only)
		return 0;
	struct match_entry *entry = transaction_add_match(t);
	if (entry == NULL)
		return -ENOMEM;
	*entry = (struct match_entry){.settled = settled};
	return 0;
}

/* Whether rules stand there that do not match; one that was removed is not asked. */
static bool passes_operators(struct transaction *t, const struct course *course, size_t from, size_t to)
{
	if (course->operators_before[to] == course->operators_before[from])
		return false;
	bool passes = t->removed_rules == NULL;
	for (size_t i = from; i < to && !passes; i++) {
		passes = course->operators_before[i + 1] > course->operators_before[i] &&
			 !is_removed(t, t->ruleset->phases[t->phase].rules[i]);
	}
	return passes;
}

/* A rule that does not match forgets what earlier ones did; so do those that were passed over unasked. */
static void forget_matched(struct transaction *t, const struct course *course, size_t place)
{
	if (t->matched_count > 0 && passes_operators(t, course, t->last_place, place))
		t->matched_count = 0;
}

/* The marker may be found in the next phase, and what is left of a number of rules is passed over there. */
static void leave_phase(struct transaction *t, const struct course_step *step)
{
	size_t count = t->ruleset->phases[t->phase].count;
	for (size_t i = step->place + 1; i < count && t->skip > 0; i++)
		t->skip -= t->ruleset->phases[t->phase].rules[i]->kind != RULE_MARKER;
	t->last_place = (uint32_t)count;
	t->strayed = true;
}

/* The step after one whose rule matched, or did not. */
static size_t step_after(struct transaction *t, const struct course *course, const struct course_step *step)
{
	size_t next = (size_t)(step - course->steps) + 1;
	if (t->skip == 0 && t->skip_after.len == 0)
		return next;
	if (step->jump_place == UINT32_MAX) {
		leave_phase(t, step);
		return course->count;
	}
	t->skip = 0;
	t->skip_after = (struct slice){0};
	t->last_place = step->jump_place;
	return step->jump;
}

/* What a rule that surely matches does. */
static int set_variables(struct transaction *t, const struct course_step *step)
{
	const struct rule *head = step->rule;
	struct score_change change = {0};
	if (step->matched_count > 0 && transaction_add_matched(t, step->matched, step->matched_count) != 0)
		return -ENOMEM;
	t->head = head;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		if (action_run_setvars(t, rule, &change) != 0)
			return -ENOMEM;
		rule_pass(t, rule);
	}
	t->head = NULL;
	return 1;
}

/* Settled rules were removed: from here on all rules are evaluated, in this phase and the later ones. */
static int derail(struct transaction *t, const struct course *course, const struct course_step *step, size_t *ret_next)
{
	*ret_next = course->count;
	t->strayed = true;
	t->last_place = (uint32_t)t->ruleset->phases[t->phase].count;
	if (t->disrupted)
		return 0;
	return run_all(t, t->phase, step->place + 1);
}

/* Settled rules that jump, or have matched. */
static int pass_settled(struct transaction *t, const struct course *course, const struct course_step *step,
			size_t *ret_next)
{
	bool jumps = step->jump_place != UINT32_MAX;
	if (jumps)
		*ret_next = step->jump;
	if (jumps || step->settled->matched_count > 0) {
		forget_matched(t, course, step->place + 1);
		t->last_place = jumps ? step->jump_place : step->place + 1;
	}
	return step->settled->matched_count == 0
		       ? 0
		       : transaction_add_matched(t, step->settled->matched, step->settled->matched_count);
}

/* What a step came to is not to be remembered then. */
static bool met_limit(const struct transaction *t)
{
	const struct value_set *exceeded = &t->sets[VARIABLE_MSC_PCRE_LIMITS_EXCEEDED];
	return t->arena.exhausted || t->memory_exceeded || (exceeded->count > 0 && exceeded->items[0]->bytes.len > 0);
}

static int take_step(struct transaction *t, const struct course *course, const struct course_step *step,
		     size_t *ret_next)
{
	*ret_next = (size_t)(step - course->steps) + 1;
	if (step->settled != NULL) {
		int r = pass_settled(t, course, step, ret_next);
		return r != 0 ? r : settle(t, step->settled);
	}
	if (t->removed_rules != NULL && is_removed(t, step->rule))
		return 0;
	if (step->condition_count > 0 && t->worker->options.verdicts_only && !candidate_conditions_hold(t, step))
		return 0;
	struct quiet_key key;
	bool lean = t->worker->options.verdicts_only;
	bool quiet = step->quiet != 0 && lean && quiet_key_make(t, step, &key);
	if (quiet && quiet_is_known(t, &key))
		return 0;
	if (step->gate != NULL && !gate_is_open(&t->tx, step->gate))
		return 0;
	if (step->link_gate != NULL && lean && !gate_is_open(&t->tx, step->link_gate))
		return 0;
	forget_matched(t, course, step->place);
	t->last_place = step->place + 1;
	int r = step->echo == 0 || !lean ? 0 : step->owes ? echo_owe(t, step) : echo_repeat(t, step);
	if (r != 0)
		return r;
	t->step = step->is_probed ? (int32_t)(course->first_bit + (size_t)(step - course->steps)) : -1;
	r = step->surely && lean ? set_variables(t, step) : evaluate(t, step->rule);
	t->step = -1;
	if (r == 0 && quiet && !met_limit(t))
		quiet_remember(t, &key);
	if (r > 0 && step->echo != 0 && lean && !met_limit(t))
		echo_remember(t, step);
	if (r > 0 && step->derails)
		return derail(t, course, step, ret_next);
	if (!t->disrupted)
		*ret_next = step_after(t, course, step);
	return r;
}

static int run_course(struct transaction *t, unsigned phase)
{
	const struct course *course = &t->plan->courses.phases[phase];
	int r = 0;
	t->last_place = 0;
	for (size_t i = candidate_next(t, course, 0); r >= 0 && i < course->count && !t->disrupted;
	     i = candidate_next(t, course, i)) {
		if (t->allow != DISRUPTIVE_NONE)
			break;
		r = take_step(t, course, &course->steps[i], &i);
	}
	if (r >= 0 && !t->disrupted && t->allow == DISRUPTIVE_NONE)
		forget_matched(t, course, t->ruleset->phases[phase].count);
	return r;
}

/* What a course counts on is what the phases before it leave behind when they run to their ends. */
static bool follows_course(const struct transaction *t, unsigned phase)
{
	static const uint8_t needed[PHASE_LAST + 1] = {
		[PHASE_REQUEST_BODY] = 1u << PHASE_REQUEST_HEADERS,
		[PHASE_RESPONSE_HEADERS] = 1u << PHASE_REQUEST_HEADERS | 1u << PHASE_REQUEST_BODY,
		[PHASE_RESPONSE_BODY] =
			1u << PHASE_REQUEST_HEADERS | 1u << PHASE_REQUEST_BODY | 1u << PHASE_RESPONSE_HEADERS,
		[PHASE_LOGGING] = 1u << PHASE_REQUEST_HEADERS,
	};
	return t->plan->courses.phases[phase].usable && !t->strayed && t->trace == NULL &&
	       !t->worker->options.reference_path && (t->phases_whole & needed[phase]) == needed[phase];
}

static int run_rules(struct transaction *t, unsigned phase)
{
	if (is_allowed(t, phase)) {
		t->strayed = true;
		return 0;
	}
	bool follows = follows_course(t, phase);
	int r = follows ? candidates_find(t, phase) : 0;
	struct profile_timer timer = profile_begin(t->worker->profile);
	if (r >= 0)
		r = follows ? run_course(t, phase) : run_all(t, phase, 0);
	profile_end_stage(timer, PROFILE_RULES + phase);
	t->strayed |= r < 0 || t->allow != DISRUPTIVE_NONE || t->skip > 0 || t->skip_after.len > 0;
	t->phases_whole |= (uint8_t)(1u << phase);
	return r < 0 ? r : 0;
}

static void decide(struct transaction *t, uint16_t status, bool failed)
{
	if (t->verdict.action != GUIA_PASS)
		return;
	if (t->rule_engine != SWITCH_ON) {
		t->verdict.would_block = true;
		return;
	}
	t->verdict.action = GUIA_DENY;
	t->verdict.status = status;
	t->verdict.rule_id = 0;
	t->verdict.failed = failed;
}

/* Rules can see that a limit was reached; the arena may have no room for that any more, so the texts are constants. */
static void tell_rules(struct transaction *t)
{
	if (t->memory_exceeded && t->sets[VARIABLE_GUIA_MEMORY_EXCEEDED].count == 0)
		(void)variable_flag(t, VARIABLE_GUIA_MEMORY_EXCEEDED, true);
	if (t->scan_failed && t->sets[VARIABLE_GUIA_SCAN_ERROR].count == 0)
		(void)variable_flag(t, VARIABLE_GUIA_SCAN_ERROR, true);
}

static void apply_failures(struct transaction *t, unsigned phase)
{
	const struct guia_worker_options *options = &t->worker->options;
	t->memory_exceeded |= t->arena.exhausted;
	if (!t->memory_exceeded && !t->scan_failed)
		return;
	bool response = phase >= PHASE_RESPONSE_HEADERS;
	enum guia_failure_policy policy = response ? options->on_response_failure : options->on_request_failure;
	if (policy == GUIA_FAILURE_BLOCK && phase != PHASE_LOGGING)
		decide(t, STATUS_FAILED, true);
}

static int prepare_body(struct transaction *t, unsigned phase)
{
	if (phase == PHASE_REQUEST_BODY) {
		if (t->request_body.over_limit && t->request_body.rejects) {
			decide(t, STATUS_TOO_LARGE, false);
			if (t->verdict.action != GUIA_PASS)
				return variable_flag(t, VARIABLE_INBOUND_DATA_ERROR, true);
		}
		if (!t->request_body_access)
			t->request_body.bytes = SLICE("");
		return body_process_request(t);
	}
	if (phase == PHASE_RESPONSE_BODY) {
		if (t->response_body.over_limit && t->response_body.rejects)
			decide(t, STATUS_BAD_RESPONSE, false);
		return body_process_response(t);
	}
	return 0;
}

/* As in ModSecurity, phase 4 is for bodies that are inspected. */
static bool is_idle(const struct transaction *t, unsigned phase)
{
	if (t->rule_engine == SWITCH_OFF || (t->phases_done & 1u << phase) != 0)
		return true;
	if (phase == PHASE_LOGGING)
		return false;
	if (t->verdict.action != GUIA_PASS)
		return true;
	return phase == PHASE_RESPONSE_BODY && !phase_response_body_wanted(t);
}

struct guia_verdict phase_run(struct transaction *t, unsigned phase)
{
	if (is_idle(t, phase)) {
		t->phases_done |= (uint8_t)(1u << phase);
		return t->verdict;
	}
	t->phase = (uint8_t)phase;
	t->disrupted = false;
	int r = prepare_body(t, phase);
	t->memory_exceeded |= r == -ENOMEM || t->arena.exhausted;
	t->scan_failed |= r < 0 && r != -ENOMEM;
	tell_rules(t);
	if (t->verdict.action == GUIA_PASS || phase == PHASE_LOGGING)
		r = run_rules(t, phase);
	t->memory_exceeded |= r == -ENOMEM;
	t->scan_failed |= r < 0 && r != -ENOMEM;
	apply_failures(t, phase);
	if (phase == PHASE_REQUEST_BODY)
		body_give_back(t);
	t->phase = 0;
	t->phases_done |= (uint8_t)(1u << phase);
	return t->verdict;
}
