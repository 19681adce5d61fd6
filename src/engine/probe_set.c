/* Sets: the looks at values of one name put together, so that a value goes through each transformation and scan once.
 */
#include "engine/probe_build.h"

#include "base/vector.h"
#include "codec/byte_kind.h"
#include "engine/operator.h"
#include "engine/remembered.h"
#include "engine/worker.h"
#include "match/scan.h"

#include <errno.h>
#include <stdlib.h>

/* What a set is made of, before its sizes are known. */
struct maker {
	struct arena *arena;
	const struct plan *plan;
	struct probe_node nodes[PROBE_NODES_MAX];
	uint16_t plan_nodes[PROBE_NODES_MAX];
	size_t node_count;
	struct probe_scan *scans;
	size_t scan_count;
	size_t scan_capacity;
	struct made_bit {
		size_t scan;
		struct probe_bit bit;
		bool clear;
		const struct probe_look *look;
	} * bits;
	size_t bit_count;
	size_t bit_capacity;
	struct probe_question *questions;
	size_t question_count;
	size_t question_capacity;
	struct probe_question *confirmations;
	size_t confirmation_count;
	size_t confirmation_capacity;
	uint16_t *steps;
	size_t step_count;
	size_t step_capacity;
	uint64_t without_dots; /* nodes at which something is asked that may match a value without two dots in a row */
};

/* The set's number of a node of the plan's tree, its ancestors added first; -1 if there is no room. */
static int local_node(struct maker *m, uint16_t plan_node)
{
	for (size_t i = 0; i < m->node_count; i++)
		if (m->plan_nodes[i] == plan_node)
			return (int)i;
	const struct plan_node *node = &m->plan->nodes[plan_node];
	int parent = plan_node == 0 ? 0 : local_node(m, node->parent);
	if (parent < 0 || m->node_count == PROBE_NODES_MAX)
		return -1;
	m->plan_nodes[m->node_count] = plan_node;
	m->nodes[m->node_count] = (struct probe_node){
		.parent = (uint8_t)parent,
		.transform = node->transform,
		.triggers = plan_node == 0 ? 0 : transform_triggers(node->transform),
	};
	return (int)m->node_count++;
}

static int add_step(struct maker *m, uint16_t step)
{
	int r = vector_grow((void **)&m->steps, &m->step_capacity, m->step_count, sizeof(*m->steps));
	if (r == 0)
		m->steps[m->step_count++] = step;
	return r;
}

static int scan_of(struct maker *m, const struct scan_set *set, size_t *ret_scan)
{
	for (size_t i = 0; i < m->scan_count; i++) {
		if (m->scans[i].set == set) {
			*ret_scan = i;
			return 0;
		}
	}
	int r = vector_grow((void **)&m->scans, &m->scan_capacity, m->scan_count, sizeof(*m->scans));
	if (r != 0)
		return r;
	m->scans[m->scan_count] =
		(struct probe_scan){.set = set, .words = scan_set_words(set), .min_width = scan_set_min_width(set)};
	*ret_scan = m->scan_count++;
	return 0;
}

static int add_question(struct maker *m, const struct probe_look *look, uint8_t node)
{
	/* Looks of one rule stand together. */
	m->without_dots |= (uint64_t)1 << node;
	struct probe_question *last = m->question_count == 0 ? NULL : &m->questions[m->question_count - 1];
	if (last != NULL && last->rule == look->rule && last->step == look->step) {
		last->nodes |= (uint64_t)1 << node;
		return 0;
	}
	int r = vector_grow((void **)&m->questions, &m->question_capacity, m->question_count, sizeof(*m->questions));
	if (r == 0)
		m->questions[m->question_count++] = (struct probe_question){.rule = look->rule,
									    .argument = look->argument,
									    .nodes = (uint64_t)1 << node,
									    .needs = operator_needs(look->rule),
									    .step = look->step};
	return r;
}

static int add_confirmation(struct maker *m, const struct probe_look *look, uint8_t node, uint16_t *ret_confirm)
{
	int r = vector_grow((void **)&m->confirmations, &m->confirmation_capacity, m->confirmation_count,
			    sizeof(*m->confirmations));
	if (r != 0)
		return r;
	m->confirmations[m->confirmation_count++] = (struct probe_question){
		.rule = look->rule, .argument = look->argument, .nodes = (uint64_t)1 << node, .step = look->step};
	*ret_confirm = (uint16_t)m->confirmation_count;
	return 0;
}

static int add_bit(struct maker *m, const struct probe_look *look, uint8_t node)
{
	const struct rule *rule = look->rule;
	const struct target *target = look->target;
	size_t scan;
	uint16_t confirm = 0;
	int r = scan_of(m, rule->unit->scan_groups[target->scan_group].set, &scan);
	if (r == 0 && !rule->operation.scan_exact)
		r = add_confirmation(m, look, node, &confirm);
	if (r == 0)
		r = vector_grow((void **)&m->bits, &m->bit_capacity, m->bit_count, sizeof(*m->bits));
	if (r == 0)
		m->bits[m->bit_count++] = (struct made_bit){
			.scan = scan,
			.bit = {target->scan_bit, node, look->step, confirm},
			.clear = rule->operation.negated,
			.look = look,
		};
	if (!rule->operation.needs_dots || rule->operation.negated)
		m->without_dots |= (uint64_t)1 << node;
	return r;
}

static int add_through(struct maker *m, const struct probe_look *look, uint16_t plan_node)
{
	int node = local_node(m, plan_node);
	bool certain = look->rule->operation.certain && !look->rule->operation.negated;
	if (node < 0 || certain || !probe_look_can_be_asked(look))
		return add_step(m, look->step);
	return look->target->scan_group != SCAN_GROUP_NONE ? add_bit(m, look, (uint8_t)node)
							   : add_question(m, look, (uint8_t)node);
}

/* With multiMatch a rule looks at each step on the way. */
static int add_to_set(struct maker *m, const struct probe_look *look)
{
	const struct rule *rule = look->rule;
	if (look->target->counted)
		return 0;
	uint16_t node = plan_node_of(m->plan, rule);
	int r = add_through(m, look, node);
	while (r == 0 && rule->multi_match && node != 0) {
		node = m->plan->nodes[node].parent;
		r = add_through(m, look, node);
	}
	return r;
}

static int by_bit(const void *a, const void *b)
{
	const struct probe_bit *left = a;
	const struct probe_bit *right = b;
	return left->bit != right->bit ? left->bit - right->bit : left->step - right->step;
}

/* A scan's bits of one kind, in the order of bits. */
static int take_bits(struct maker *m, size_t scan, bool clear, const struct probe_bit **ret_bits, size_t *ret_count)
{
	size_t count = 0;
	for (size_t i = 0; i < m->bit_count; i++)
		count += m->bits[i].scan == scan && m->bits[i].clear == clear;
	struct probe_bit *bits = arena_alloc(m->arena, count * sizeof(*bits));
	if (bits == NULL)
		return -ENOMEM;
	*ret_bits = bits;
	*ret_count = count;
	for (size_t i = 0; i < m->bit_count; i++)
		if (m->bits[i].scan == scan && m->bits[i].clear == clear)
			*bits++ = m->bits[i].bit;
	if (count > 0)
		qsort((void *)*ret_bits, count, sizeof(*bits), by_bit);
	return 0;
}

/* What a value is scanned for, node by node. */
static int find_slots(const struct maker *m, size_t index, struct probe_scan *scan)
{
	scan->slot_words = scan_set_slot_words(scan->set);
	uint64_t *slots = arena_zalloc(m->arena, (m->node_count + 1) * scan->slot_words, sizeof(*slots));
	uint64_t *all = slots == NULL ? NULL : slots + m->node_count * scan->slot_words;
	scan->slots = slots;
	scan->all_slots = all;
	for (size_t i = 0; slots != NULL && i < m->bit_count; i++) {
		if (m->bits[i].scan != index)
			continue;
		scan_set_want(scan->set, m->bits[i].bit.bit, slots + m->bits[i].bit.node * scan->slot_words);
		scan_set_want(scan->set, m->bits[i].bit.bit, all);
	}
	return slots == NULL || scan->slot_words > WORKER_SLOT_WORDS ? -ENOMEM : 0;
}

static bool is_list_of_phrases(const struct made_bit *made)
{
	enum operator_kind kind = made->look->rule->operation.kind;
	return !made->clear && (kind == OPERATOR_PM || kind == OPERATOR_PM_FROM_FILE);
}

static bool wants_database(const struct probe_scan *scan, uint16_t bit, uint64_t *room)
{
	size_t slot = scan_set_database_slot(scan->set);
	memset(room, 0, scan->slot_words * sizeof(*room));
	scan_set_want(scan->set, bit, room);
	return (room[slot / 64] >> slot % 64 & 1) != 0;
}

/* Looks of one rule stand together. */
static size_t add_phrases(const struct made_bit *made, struct probe_question *items, size_t count)
{
	uint64_t node = (uint64_t)1 << made->bit.node;
	struct probe_question *last = count == 0 ? NULL : &items[count - 1];
	if (last != NULL && last->rule == made->look->rule && last->step == made->bit.step) {
		last->nodes |= node;
		return count;
	}
	items[count] = (struct probe_question){
		.rule = made->look->rule, .argument = made->look->argument, .nodes = node, .step = made->bit.step};
	return count + 1;
}

/* Which lists of phrases the database holds, and at which nodes it is wanted for what is none. */
static int find_phrases(const struct maker *m, size_t index, struct probe_scan *scan)
{
	uint64_t *room = arena_alloc(m->arena, scan->slot_words * sizeof(*room));
	struct probe_question *items = arena_zalloc(m->arena, m->bit_count + 1, sizeof(*items));
	if (room == NULL || items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < m->bit_count; i++) {
		const struct made_bit *made = &m->bits[i];
		if (made->scan != index || !wants_database(scan, made->bit.bit, room))
			continue;
		if (is_list_of_phrases(made))
			scan->phrases_count = add_phrases(made, items, scan->phrases_count);
		else
			scan->not_phrases |= (uint64_t)1 << made->bit.node;
	}
	scan->phrases = probe_keep(m->arena, items, scan->phrases_count * sizeof(*items));
	return scan->phrases == NULL ? -ENOMEM : 0;
}

/* By what it can be told that there is no match. */
static int find_signs(const struct maker *m, struct probe_scan *scan)
{
	struct scan_signs *signs = arena_zalloc(m->arena, m->node_count + 1, sizeof(*signs));
	for (size_t i = 0; signs != NULL && i <= m->node_count; i++)
		scan_set_signs(scan->set, scan->slots + i * scan->slot_words, &signs[i]);
	scan->signs = signs;
	scan->all_signs = signs == NULL ? NULL : &signs[m->node_count];
	return signs == NULL ? -ENOMEM : 0;
}

static int finish_scan(struct maker *m, size_t index, struct probe_scan *scan)
{
	size_t count;
	scan->id = remembered_new_number();
	scan->bit_count = scan->words * 64;
	uint16_t *first = arena_zalloc(m->arena, scan->bit_count + 1, sizeof(*first));
	if (first == NULL || take_bits(m, index, false, &scan->bits, &count) != 0 ||
	    take_bits(m, index, true, &scan->clear, &scan->clear_count) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < m->bit_count; i++)
		if (m->bits[i].scan == index)
			scan->nodes |= (uint64_t)1 << m->bits[i].bit.node;
	if (find_slots(m, index, scan) != 0 || find_phrases(m, index, scan) != 0 || find_signs(m, scan) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < m->node_count; i++)
		if (scan_set_lowers(scan->set, scan->slots + i * scan->slot_words))
			scan->lowers |= (uint64_t)1 << i;
	for (size_t bit = 0, at = 0; bit <= scan->bit_count; bit++) {
		while (at < count && scan->bits[at].bit < bit)
			at++;
		first[bit] = (uint16_t)at;
	}
	scan->first_of_bit = first;
	return 0;
}

void *probe_keep(struct arena *arena, const void *items, size_t bytes)
{
	void *copy = arena_alloc(arena, bytes + 1);
	if (copy != NULL && bytes > 0)
		memcpy(copy, items, bytes);
	return copy;
}

/* The transformations, those that come first in a pipeline before those behind them. 0 or -ENOMEM. */
static int find_uses(const struct maker *m, struct probe_set *set)
{
	struct probe_use *uses = arena_zalloc(m->arena, m->node_count, sizeof(*uses));
	if (uses == NULL)
		return -ENOMEM;
	for (size_t i = 1; i < m->node_count; i++) {
		const struct probe_node *node = &m->nodes[i];
		uint64_t parent = (uint64_t)1 << node->parent, self = (uint64_t)1 << i;
		size_t use = 0;
		for (size_t k = 0; k < set->use_count; k++)
			uses[k].behind |= ((uses[k].at | uses[k].behind) & parent) != 0 ? self : 0;
		while (use < set->use_count && uses[use].transform != node->transform)
			use++;
		set->use_count += use == set->use_count;
		uses[use].transform = node->transform;
		uses[use].triggers = node->triggers;
		uses[use].at |= self;
	}
	set->uses = uses;
	return 0;
}

/* Of a long value that is lowered nobody reads the bytes but scans, most of which can do without. */
static void find_unread(const struct maker *m, struct probe_set *set)
{
	for (size_t i = 0; i < m->node_count; i++)
		if (m->nodes[i].transform == TRANSFORM_LOWERCASE)
			set->lowered_unread |= (uint64_t)1 << i;
	for (size_t i = 1; i < m->node_count; i++)
		set->lowered_unread &= ~((uint64_t)1 << m->nodes[i].parent);
	for (size_t i = 0; i < m->question_count; i++)
		set->lowered_unread &= ~m->questions[i].nodes;
	for (size_t i = 0; i < m->scan_count; i++)
		set->lowered_unread &= ~m->scans[i].nodes | m->scans[i].lowers;
}

static void find_what_is_behind(struct maker *m)
{
	for (size_t i = m->node_count; i-- > 1;)
		m->nodes[m->nodes[i].parent].behind |= m->nodes[i].behind | (uint64_t)1 << i;
}

static int finish_set(struct maker *m, struct probe_set *set)
{
	find_what_is_behind(m);
	if (find_uses(m, set) != 0)
		return -ENOMEM;
	set->nodes = probe_keep(m->arena, m->nodes, m->node_count * sizeof(*m->nodes));
	set->node_count = (uint8_t)m->node_count;
	set->questions = probe_keep(m->arena, m->questions, m->question_count * sizeof(*m->questions));
	set->question_count = m->question_count;
	set->steps = probe_keep(m->arena, m->steps, m->step_count * sizeof(*m->steps));
	set->step_count = m->step_count;
	set->confirmations = probe_keep(m->arena, m->confirmations, m->confirmation_count * sizeof(*m->confirmations));
	set->scan_count = m->scan_count;
	if (set->nodes == NULL || set->questions == NULL || set->steps == NULL || set->confirmations == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < m->question_count; i++)
		set->questioned |= m->questions[i].nodes;
	set->asked = set->questioned;
	for (size_t i = 0; i < m->scan_count; i++) {
		if (finish_scan(m, i, &m->scans[i]) != 0)
			return -ENOMEM;
		set->asked |= m->scans[i].nodes;
	}
	find_unread(m, set);
	if (probe_find_dots(set, m->without_dots, m->arena) != 0)
		return -ENOMEM;
	set->scans = probe_keep(m->arena, m->scans, m->scan_count * sizeof(*m->scans));
	if (set->scans != NULL)
		probe_find_what_matters(set);
	return set->scans == NULL ? -ENOMEM : 0;
}

static bool is_of_set(const struct probe_look *look, enum variable variable, unsigned part,
		      const struct probe_look *name)
{
	if (look->home.variable != variable || (look->home.parts >> part & 1) == 0)
		return false;
	bool named = look->target->selector_kind == SELECTOR_NAME || look->target->selector_kind == SELECTOR_XPATH ||
		     probe_shape_of(variable) == PROBE_SHAPE_XML;
	if (name == NULL || !named)
		return !named && name == NULL;
	return slice_equal_nocase(look->target->selector, name->target->selector) &&
	       (probe_shape_of(variable) != PROBE_SHAPE_XML || look->rule->namespaces == name->rule->namespaces);
}

int probe_set_make(struct probe_builder *b, enum variable variable, unsigned part, const struct probe_look *name,
		   const struct probe_set *base, const struct probe_set **ret_set)
{
	struct maker m = {.arena = &b->plan->arena, .plan = b->plan};
	bool any = false;
	int r = local_node(&m, 0) < 0 ? -ENOMEM : 0;
	for (size_t i = 0; i < b->look_count && r == 0; i++) {
		if (!is_of_set(&b->looks[i], variable, part, name))
			continue;
		any |= !b->looks[i].target->counted;
		r = add_to_set(&m, &b->looks[i]);
	}
	if (m.bit_count > UINT16_MAX || m.confirmation_count > UINT16_MAX)
		r = -E2BIG;
	struct probe_set *set = r == 0 && any ? arena_zalloc(m.arena, 1, sizeof(*set)) : NULL;
	if (set != NULL) {
		set->base = base;
		set->id = remembered_new_number();
		r = finish_set(&m, set);
	} else if (r == 0 && any) {
		r = -ENOMEM;
	}
	free(m.scans);
	free(m.bits);
	free(m.questions);
	free(m.confirmations);
	free(m.steps);
	*ret_set = set == NULL ? base : set;
	return r;
}
