/* Looks: what each link of the courses looks at, and whether that can be asked before the phase's rules run. */
#include "engine/probe_build.h"

#include "base/vector.h"
#include "engine/operator_kind.h"
#include "engine/rule.h"

#include <errno.h>

static void add_always(struct probe_builder *b, size_t step)
{
	b->always[step / 64] |= (uint64_t)1 << step % 64;
}

static bool excludes(const struct rule *rule, enum variable variable)
{
	for (size_t i = 0; i < rule->target_count; i++)
		if (rule->targets[i].excluded && rule->targets[i].variable == variable)
			return true;
	return false;
}

/* What is excluded or taken away makes a number smaller: such counts are not asked ahead. */
static const char *obstacle_to_count(const struct course_step *at, const struct probe_look *look)
{
	const struct rule *rule = look->rule;
	const struct target *target = look->target;
	if (probe_shape_of(target->variable) != PROBE_SHAPE_COLLECTION)
		return target->variable == VARIABLE_TX ? "reads TX" : "counts what may change while rules run";
	if (at->loses_targets || excludes(rule, target->variable))
		return "counts what is partly excluded";
	if (rule->transform_count > 0 || rule->multi_match || !operator_compares_numbers(rule->operation.kind) ||
	    look->argument.ptr == NULL)
		return "counts, but does not compare with a fixed number";
	bool plain = target->selector_kind == SELECTOR_NONE ||
		     (target->selector_kind == SELECTOR_NAME &&
		      probe_home_of(target->variable).variable == target->variable);
	return plain ? NULL : "counts by an expression, or in a part of ARGS";
}

/* Why a link cannot be asked ahead for the sake of a target; NULL if it can. */
static const char *obstacle_to_look(const struct course_step *at, const struct probe_look *look)
{
	const struct target *target = look->target;
	if (target->counted)
		return obstacle_to_count(at, look);
	enum probe_shape shape = probe_shape_of(target->variable);
	if (shape == PROBE_SHAPE_XML)
		return target->selector_kind == SELECTOR_NONE || target->selector.len == 0
			       ? "reads XML without an XPath"
			       : NULL;
	if (shape != PROBE_SHAPE_CHANGES)
		return NULL;
	return target->variable == VARIABLE_TX ? "reads TX" : "reads what may change while rules run";
}

static int add_count(struct probe_builder *b, const struct probe_look *look)
{
	int r = vector_grow((void **)&b->counts, &b->count_capacity, b->count_count, sizeof(*b->counts));
	if (r != 0)
		return r;
	b->counts[b->count_count++] = (struct probe_count){
		.rule = look->rule,
		.target = look->target,
		.name = -1,
		.number = compare_number(look->argument),
		.step = look->step,
	};
	return 0;
}

static int add_look(struct probe_builder *b, const struct probe_look *look)
{
	int r = vector_grow((void **)&b->looks, &b->look_capacity, b->look_count, sizeof(*b->looks));
	if (r != 0)
		return r;
	b->looks[b->look_count++] = *look;
	return 0;
}

static struct probe_look look_of(const struct rule *rule, struct slice argument, const struct target *target,
				 size_t step)
{
	return (struct probe_look){probe_home_of(target->variable), rule, argument, target, (uint16_t)step};
}

/*
 * Why not all that a link looks at can be asked ahead; NULL if it can. A negated operator captures just when the link
 * does not match.
 */
static const char *obstacle_to_link(const struct course_step *at, const struct rule *rule, struct slice argument)
{
	const char *obstacle = rule->kind != RULE_OPERATOR                ? "an action"
			       : rule->transform_count >= PROBE_DEPTH_MAX ? "many transformations"
			       : rule->operation.negated && rule->capture ? "captures what it denies"
									  : NULL;
	for (size_t i = 0; obstacle == NULL && i < rule->target_count; i++) {
		struct probe_look look = look_of(rule, argument, &rule->targets[i], 0);
		obstacle = rule->targets[i].excluded ? NULL : obstacle_to_look(at, &look);
	}
	return obstacle;
}

static int gather_link(struct probe_builder *b, const struct rule *rule, struct slice argument, size_t step)
{
	int r = 0;
	for (size_t i = 0; i < rule->target_count && r == 0; i++) {
		const struct target *target = &rule->targets[i];
		struct probe_look look = look_of(rule, argument, target, step);
		if (target->excluded)
			continue;
		if (target->counted)
			r = add_count(b, &look);
		/* A count by name needs its name among the family's: a look that asks nothing. */
		if (r == 0 && (!target->counted || target->selector_kind == SELECTOR_NAME))
			r = add_look(b, &look);
	}
	return r;
}

/* Such a head is hardly ever a candidate: its later links need not be asked of each value. */
static bool matches_nothing_but_empty(const struct rule *rule)
{
	return rule->kind == RULE_OPERATOR && rule->operation.kind == OPERATOR_RX && !rule->operation.negated &&
	       slice_equal(rule->operation.argument.text, SLICE("^$"));
}

/*
 * A chain whose later links can be asked ahead needs them as conditions. Only where verdicts are all that is wanted
 * (phase.c), and only as long as the links before leave nothing behind that others decide by.
 */
static int gather_conditions(struct probe_builder *b, struct course_step *at)
{
	if (at->is_probed && matches_nothing_but_empty(at->rule))
		return 0;
	size_t index = 1;
	int r = 0;
	at->first_condition = (uint16_t)b->bit_count;
	for (const struct rule *link = at->rule; link->next_link != NULL && r == 0; link = link->next_link, index++) {
		if (rule_sets_variables(link) || (link->capture && !b->captures_are_fresh))
			break;
		if (obstacle_to_link(at, link->next_link, at->arguments[index]) != NULL || b->bit_count >= UINT16_MAX)
			continue;
		at->condition_count++;
		r = gather_link(b, link->next_link, at->arguments[index], b->bit_count++);
	}
	return r;
}

static int gather_step(struct probe_builder *b, struct course_step *at, size_t step)
{
	if (at->rule == NULL || obstacle_to_link(at, at->rule, at->arguments[0]) != NULL) {
		add_always(b, step);
		return at->rule == NULL ? 0 : gather_conditions(b, at);
	}
	at->is_probed = true;
	int r = gather_link(b, at->rule, at->arguments[0], step);
	return r != 0 ? r : gather_conditions(b, at);
}

int probe_looks_gather(struct probe_builder *b)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		const struct course *course = &b->plan->courses.phases[phase];
		b->probes->first_count[phase] = b->count_count;
		for (size_t i = 0; i < course->count; i++) {
			int r = gather_step(b, (struct course_step *)&course->steps[i], course->first_bit + i);
			if (r != 0)
				return r;
		}
	}
	b->probes->first_count[PHASE_LAST + 1] = b->count_count;
	return 0;
}

bool probe_look_can_be_asked(const struct probe_look *look)
{
	return look->argument.ptr != NULL && operator_is_pure(look->rule->operation.kind);
}

const char *probe_obstacle(const struct course_step *step)
{
	const struct rule *head = step->rule;
	const char *obstacle = obstacle_to_link(step, head, step->arguments[0]);
	if (obstacle != NULL ||
	    probe_look_can_be_asked(&(struct probe_look){.rule = head, .argument = step->arguments[0]}))
		return obstacle;
	return step->arguments[0].ptr == NULL ? "compares with what requests set"
					      : "an operator that is not asked ahead";
}
