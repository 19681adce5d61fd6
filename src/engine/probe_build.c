#include "engine/probe.h"

#include "base/vector.h"
#include "codec/byte_kind.h"
#include "match/compare.h"
#include "engine/quiet.h"
#include "engine/remembered.h"
#include "match/scan.h"

#include <errno.h>
#include <stdlib.h>

/* How the values of a variable may be asked ahead of the phase's rules; those not named never. */
enum shape { SHAPE_CHANGES, SHAPE_SCALAR, SHAPE_COLLECTION, SHAPE_XML };

static const uint8_t shapes[VARIABLE_COUNT] = {
	[VARIABLE_ARGS] = SHAPE_COLLECTION,
	[VARIABLE_ARGS_GET] = SHAPE_COLLECTION,
	[VARIABLE_ARGS_GET_NAMES] = SHAPE_COLLECTION,
	[VARIABLE_ARGS_NAMES] = SHAPE_COLLECTION,
	[VARIABLE_ARGS_POST] = SHAPE_COLLECTION,
	[VARIABLE_ARGS_POST_NAMES] = SHAPE_COLLECTION,
	[VARIABLE_AUTH_TYPE] = SHAPE_SCALAR,
	[VARIABLE_FILES] = SHAPE_COLLECTION,
	[VARIABLE_FILES_COMBINED_SIZE] = SHAPE_SCALAR,
	[VARIABLE_FILES_NAMES] = SHAPE_COLLECTION,
	[VARIABLE_FILES_SIZES] = SHAPE_COLLECTION,
	[VARIABLE_FILES_TMP_CONTENT] = SHAPE_COLLECTION,
	[VARIABLE_FILES_TMPNAMES] = SHAPE_COLLECTION,
	[VARIABLE_INBOUND_DATA_ERROR] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_BOUNDARY_QUOTED] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_BOUNDARY_WHITESPACE] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_CRLF_LF_LINES] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_DATA_AFTER] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_DATA_BEFORE] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_FILE_LIMIT_EXCEEDED] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_FILENAME] = SHAPE_COLLECTION,
	[VARIABLE_MULTIPART_HEADER_FOLDING] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_INVALID_HEADER_FOLDING] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_INVALID_PART] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_INVALID_QUOTING] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_LF_LINE] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_MISSING_SEMICOLON] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_NAME] = SHAPE_COLLECTION,
	[VARIABLE_MULTIPART_PART_HEADERS] = SHAPE_COLLECTION,
	[VARIABLE_MULTIPART_SEMICOLON_MISSING] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_STRICT_ERROR] = SHAPE_SCALAR,
	[VARIABLE_MULTIPART_UNMATCHED_BOUNDARY] = SHAPE_SCALAR,
	[VARIABLE_OUTBOUND_DATA_ERROR] = SHAPE_SCALAR,
	[VARIABLE_PATH_INFO] = SHAPE_SCALAR,
	[VARIABLE_QUERY_STRING] = SHAPE_SCALAR,
	[VARIABLE_REMOTE_ADDR] = SHAPE_SCALAR,
	[VARIABLE_REMOTE_HOST] = SHAPE_SCALAR,
	[VARIABLE_REQBODY_ERROR] = SHAPE_SCALAR,
	[VARIABLE_REQBODY_ERROR_MSG] = SHAPE_SCALAR,
	[VARIABLE_REQBODY_PROCESSOR_ERROR] = SHAPE_SCALAR,
	[VARIABLE_REQBODY_PROCESSOR_ERROR_MSG] = SHAPE_SCALAR,
	[VARIABLE_REQUEST_BASENAME] = SHAPE_SCALAR,
	[VARIABLE_REQUEST_BODY] = SHAPE_SCALAR,
	[VARIABLE_REQUEST_BODY_LENGTH] = SHAPE_SCALAR,
	[VARIABLE_REQUEST_COOKIES] = SHAPE_COLLECTION,
	[VARIABLE_REQUEST_COOKIES_NAMES] = SHAPE_COLLECTION,
	[VARIABLE_REQUEST_FILENAME] = SHAPE_SCALAR,
	[VARIABLE_REQUEST_HEADERS] = SHAPE_COLLECTION,
	[VARIABLE_REQUEST_HEADERS_NAMES] = SHAPE_COLLECTION,
	[VARIABLE_REQUEST_LINE] = SHAPE_SCALAR,
	[VARIABLE_REQUEST_METHOD] = SHAPE_SCALAR,
	[VARIABLE_REQUEST_PROTOCOL] = SHAPE_SCALAR,
	[VARIABLE_REQUEST_URI] = SHAPE_SCALAR,
	[VARIABLE_REQUEST_URI_RAW] = SHAPE_SCALAR,
	[VARIABLE_RESPONSE_BODY] = SHAPE_SCALAR,
	[VARIABLE_RESPONSE_CONTENT_LENGTH] = SHAPE_SCALAR,
	[VARIABLE_RESPONSE_CONTENT_TYPE] = SHAPE_SCALAR,
	[VARIABLE_RESPONSE_HEADERS] = SHAPE_COLLECTION,
	[VARIABLE_RESPONSE_HEADERS_NAMES] = SHAPE_COLLECTION,
	[VARIABLE_RESPONSE_PROTOCOL] = SHAPE_SCALAR,
	[VARIABLE_RESPONSE_STATUS] = SHAPE_SCALAR,
	[VARIABLE_SERVER_ADDR] = SHAPE_SCALAR,
	[VARIABLE_SERVER_NAME] = SHAPE_SCALAR,
	[VARIABLE_SERVER_PORT] = SHAPE_SCALAR,
	[VARIABLE_STATUS] = SHAPE_SCALAR,
	[VARIABLE_URLENCODED_ERROR] = SHAPE_SCALAR,
	[VARIABLE_XML] = SHAPE_XML,
	[VARIABLE_GUIA_MEMORY_EXCEEDED] = SHAPE_SCALAR,
	[VARIABLE_GUIA_SCAN_ERROR] = SHAPE_SCALAR,
};

bool probe_is_steady(enum variable variable)
{
	return shapes[variable] == SHAPE_SCALAR || shapes[variable] == SHAPE_COLLECTION;
}

/* Arguments are in two or three collections; they are asked once, as members of the widest. */
struct home {
	enum variable variable;
	uint8_t parts; /* bits: 0 neither, 1 from the query, 2 from the body */
};

static struct home home_of(enum variable variable)
{
	switch ((int)variable) {
	case VARIABLE_ARGS:
		return (struct home){VARIABLE_ARGS, 7};
	case VARIABLE_ARGS_GET:
		return (struct home){VARIABLE_ARGS, 2};
	case VARIABLE_ARGS_POST:
		return (struct home){VARIABLE_ARGS, 4};
	case VARIABLE_ARGS_NAMES:
		return (struct home){VARIABLE_ARGS_NAMES, 7};
	case VARIABLE_ARGS_GET_NAMES:
		return (struct home){VARIABLE_ARGS_NAMES, 2};
	case VARIABLE_ARGS_POST_NAMES:
		return (struct home){VARIABLE_ARGS_NAMES, 4};
	default:
		return (struct home){variable, 1};
	}
}

/* One link's look at one target. */
struct look {
	struct home home;
	const struct rule *rule;
	struct slice argument; /* of its operator; ptr NULL: not known */
	const struct target *target;
	uint16_t step; /* of a head; or a condition of a chain */
	uint8_t phase; /* the head's: links have none */
};

struct builder {
	struct plan *plan;
	struct look *looks;
	size_t look_count;
	size_t look_capacity;
	struct probe_count *counts;
	size_t count_count;
	size_t count_capacity;
	uint64_t *always;
	size_t bit_count; /* of steps and conditions */
	bool captures_are_fresh;
	struct probes *probes;
};

/* ---- gathering ---- */

static void add_always(struct builder *b, size_t step)
{
	b->always[step / 64] |= (uint64_t)1 << step % 64;
}

static bool asks_a_number(enum operator_kind kind)
{
	return kind == OPERATOR_EQ || kind == OPERATOR_GE || kind == OPERATOR_GT || kind == OPERATOR_LE ||
	       kind == OPERATOR_LT;
}

static bool excludes(const struct rule *rule, enum variable variable)
{
	for (size_t i = 0; i < rule->target_count; i++)
		if (rule->targets[i].excluded && rule->targets[i].variable == variable)
			return true;
	return false;
}

/* What is excluded or taken away makes a number smaller: such counts are not asked ahead. */
static const char *obstacle_to_count(const struct course_step *at, const struct look *look)
{
	const struct rule *rule = look->rule;
	const struct target *target = look->target;
	if (shapes[target->variable] != SHAPE_COLLECTION)
		return target->variable == VARIABLE_TX ? "reads TX" : "counts what may change while rules run";
	if (at->loses_targets || excludes(rule, target->variable))
		return "counts what is partly excluded";
	if (rule->transform_count > 0 || rule->multi_match || !asks_a_number(rule->operation.kind) ||
	    look->argument.ptr == NULL)
		return "counts, but does not compare with a fixed number";
	bool plain = target->selector_kind == SELECTOR_NONE ||
		     (target->selector_kind == SELECTOR_NAME && home_of(target->variable).variable == target->variable);
	return plain ? NULL : "counts by an expression, or in a part of ARGS";
}

/* Why a link cannot be asked ahead for the sake of a target; NULL if it can. */
static const char *obstacle_to_look(const struct course_step *at, const struct look *look)
{
	const struct target *target = look->target;
	if (target->counted)
		return obstacle_to_count(at, look);
	enum shape shape = shapes[target->variable];
	if (shape == SHAPE_XML)
		return target->selector_kind == SELECTOR_NONE || target->selector.len == 0
			       ? "reads XML without an XPath"
			       : NULL;
	if (shape != SHAPE_CHANGES)
		return NULL;
	return target->variable == VARIABLE_TX ? "reads TX" : "reads what may change while rules run";
}

static int add_count(struct builder *b, const struct look *look)
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
		.phase = look->phase,
	};
	return 0;
}

static int add_look(struct builder *b, const struct look *look)
{
	int r = vector_grow((void **)&b->looks, &b->look_capacity, b->look_count, sizeof(*b->looks));
	if (r != 0)
		return r;
	b->looks[b->look_count++] = *look;
	return 0;
}

static struct look look_of(const struct course_step *at, const struct rule *rule, struct slice argument,
			   const struct target *target, size_t step)
{
	return (struct look){home_of(target->variable), rule, argument, target, (uint16_t)step, at->rule->phase};
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
		struct look look = look_of(at, rule, argument, &rule->targets[i], 0);
		obstacle = rule->targets[i].excluded ? NULL : obstacle_to_look(at, &look);
	}
	return obstacle;
}

static int gather_link(struct builder *b, const struct course_step *at, const struct rule *rule, struct slice argument,
		       size_t step)
{
	int r = 0;
	for (size_t i = 0; i < rule->target_count && r == 0; i++) {
		const struct target *target = &rule->targets[i];
		struct look look = look_of(at, rule, argument, target, step);
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

static bool sets_something(const struct rule *rule)
{
	for (size_t i = 0; i < rule->action_count; i++)
		if (rule->actions[i].kind == ACTION_SETVAR)
			return true;
	return false;
}

/*
 * A chain whose later links can be asked ahead needs them as conditions. Only where verdicts are all that is wanted
 * (phase.c), and only as long as the links before leave nothing behind that others decide by.
 */
static int gather_conditions(struct builder *b, struct course_step *at)
{
	size_t index = 1;
	int r = 0;
	at->first_condition = (uint16_t)b->bit_count;
	for (const struct rule *link = at->rule; link->next_link != NULL && r == 0; link = link->next_link, index++) {
		if (sets_something(link) || (link->capture && !b->captures_are_fresh))
			break;
		if (obstacle_to_link(at, link->next_link, at->arguments[index]) != NULL || b->bit_count == UINT16_MAX)
			continue;
		at->condition_count++;
		r = gather_link(b, at, link->next_link, at->arguments[index], b->bit_count++);
	}
	return r;
}

static int gather_step(struct builder *b, struct course_step *at, size_t step)
{
	if (at->rule == NULL || obstacle_to_link(at, at->rule, at->arguments[0]) != NULL) {
		add_always(b, step);
		return at->rule == NULL ? 0 : gather_conditions(b, at);
	}
	at->is_probed = true;
	int r = gather_link(b, at, at->rule, at->arguments[0], step);
	return r != 0 ? r : gather_conditions(b, at);
}

static int gather(struct builder *b)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		const struct course *course = &b->plan->courses.phases[phase];
		for (size_t i = 0; i < course->count; i++) {
			int r = gather_step(b, (struct course_step *)&course->steps[i], course->first_bit + i);
			if (r != 0)
				return r;
		}
	}
	return 0;
}

/* ---- a set ---- */

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

static bool can_be_asked(const struct look *look)
{
	enum operator_kind kind = look->rule->operation.kind;
	return look->argument.ptr != NULL && kind != OPERATOR_GEO_LOOKUP && kind != OPERATOR_RBL &&
	       kind != OPERATOR_VALIDATE_SCHEMA && kind != OPERATOR_VALIDATE_DTD;
}

const char *probe_obstacle(const struct course_step *step)
{
	const struct rule *head = step->rule;
	const char *obstacle = obstacle_to_link(step, head, step->arguments[0]);
	if (obstacle != NULL || can_be_asked(&(struct look){.rule = head, .argument = step->arguments[0]}))
		return obstacle;
	return step->arguments[0].ptr == NULL ? "compares with what requests set"
					      : "an operator that is not asked ahead";
}

static int add_question(struct maker *m, const struct look *look, uint8_t node)
{
	for (size_t i = 0; i < m->question_count; i++) {
		struct probe_question *known = &m->questions[i];
		if (known->rule == look->rule && known->step == look->step) {
			known->nodes |= (uint64_t)1 << node;
			return 0;
		}
	}
	int r = vector_grow((void **)&m->questions, &m->question_capacity, m->question_count, sizeof(*m->questions));
	if (r == 0)
		m->questions[m->question_count++] =
			(struct probe_question){look->rule, look->argument, (uint64_t)1 << node, look->step};
	return r;
}

static int add_confirmation(struct maker *m, const struct look *look, uint8_t node, uint16_t *ret_confirm)
{
	int r = vector_grow((void **)&m->confirmations, &m->confirmation_capacity, m->confirmation_count,
			    sizeof(*m->confirmations));
	if (r != 0)
		return r;
	m->confirmations[m->confirmation_count++] =
		(struct probe_question){look->rule, look->argument, (uint64_t)1 << node, look->step};
	*ret_confirm = (uint16_t)m->confirmation_count;
	return 0;
}

static int add_bit(struct maker *m, const struct look *look, uint8_t node)
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
		};
	return r;
}

static int add_through(struct maker *m, const struct look *look, uint16_t plan_node)
{
	int node = local_node(m, plan_node);
	if (node < 0 || !can_be_asked(look))
		return add_step(m, look->step);
	return look->target->scan_group != SCAN_GROUP_NONE ? add_bit(m, look, (uint8_t)node)
							   : add_question(m, look, (uint8_t)node);
}

/* With multiMatch a rule looks at each step on the way. */
static int add_to_set(struct maker *m, const struct look *look)
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

static int finish_scan(struct maker *m, size_t index, struct probe_scan *scan)
{
	size_t count;
	scan->bit_count = scan->words * 64;
	uint16_t *first = arena_zalloc(m->arena, scan->bit_count + 1, sizeof(*first));
	if (first == NULL || take_bits(m, index, false, &scan->bits, &count) != 0 ||
	    take_bits(m, index, true, &scan->clear, &scan->clear_count) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < m->bit_count; i++)
		if (m->bits[i].scan == index)
			scan->nodes |= (uint64_t)1 << m->bits[i].bit.node;
	for (size_t bit = 0, at = 0; bit <= scan->bit_count; bit++) {
		while (at < count && scan->bits[at].bit < bit)
			at++;
		first[bit] = (uint16_t)at;
	}
	scan->first_of_bit = first;
	return 0;
}

static void *kept(struct arena *arena, const void *items, size_t bytes)
{
	void *copy = arena_alloc(arena, bytes + 1);
	if (copy != NULL && bytes > 0)
		memcpy(copy, items, bytes);
	return copy;
}

/* A node may change a value if it or a node before it may. */
static void find_touched(const struct maker *m, struct probe_set *set)
{
	uint32_t triggers[PROBE_NODES_MAX];
	for (size_t i = 0; i < m->node_count; i++) {
		triggers[i] = m->nodes[i].triggers | (i == 0 ? 0 : triggers[m->nodes[i].parent]);
		for (size_t kind = 0; kind < PROBE_KINDS; kind++)
			if ((triggers[i] >> kind & 1) != 0)
				set->touched[kind] |= (uint64_t)1 << i;
	}
}

static int finish_set(struct maker *m, struct probe_set *set)
{
	find_touched(m, set);
	set->nodes = kept(m->arena, m->nodes, m->node_count * sizeof(*m->nodes));
	set->node_count = (uint8_t)m->node_count;
	set->questions = kept(m->arena, m->questions, m->question_count * sizeof(*m->questions));
	set->question_count = m->question_count;
	set->steps = kept(m->arena, m->steps, m->step_count * sizeof(*m->steps));
	set->step_count = m->step_count;
	set->confirmations = kept(m->arena, m->confirmations, m->confirmation_count * sizeof(*m->confirmations));
	set->scan_count = m->scan_count;
	if (set->nodes == NULL || set->questions == NULL || set->steps == NULL || set->confirmations == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < m->question_count; i++)
		set->asked |= m->questions[i].nodes;
	for (size_t i = 0; i < m->scan_count; i++) {
		if (finish_scan(m, i, &m->scans[i]) != 0)
			return -ENOMEM;
		set->asked |= m->scans[i].nodes;
	}
	set->scans = kept(m->arena, m->scans, m->scan_count * sizeof(*m->scans));
	return set->scans == NULL ? -ENOMEM : 0;
}

static bool is_of_set(const struct look *look, enum variable variable, unsigned part, const struct look *name)
{
	if (look->home.variable != variable || (look->home.parts >> part & 1) == 0)
		return false;
	bool named = look->target->selector_kind == SELECTOR_NAME || look->target->selector_kind == SELECTOR_XPATH ||
		     shapes[variable] == SHAPE_XML;
	if (name == NULL || !named)
		return !named && name == NULL;
	return slice_equal_nocase(look->target->selector, name->target->selector) &&
	       (shapes[variable] != SHAPE_XML || look->rule->namespaces == name->rule->namespaces);
}

/* The set of a part's values: of one name, beyond what is asked of all, or (name NULL) of all. NULL if nobody looks. */
static int make_set(struct builder *b, enum variable variable, unsigned part, const struct look *name,
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

/* ---- a family ---- */

static bool names_same(const struct look *a, const struct look *b, enum variable variable)
{
	return slice_equal_nocase(a->target->selector, b->target->selector) &&
	       (shapes[variable] != SHAPE_XML || a->rule->namespaces == b->rule->namespaces);
}

/* The looks that are the first to select a name. */
static int find_names(struct builder *b, enum variable variable, const struct look ***ret_names, size_t *ret_count)
{
	const struct look **names = calloc(b->look_count + 1, sizeof(*names));
	size_t count = 0;
	if (names == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < b->look_count; i++) {
		const struct look *look = &b->looks[i];
		if (look->home.variable != variable || look->target->selector_kind == SELECTOR_NONE ||
		    look->target->selector_kind == SELECTOR_REGEX || shapes[variable] == SHAPE_SCALAR)
			continue;
		size_t at = 0;
		while (at < count && !names_same(names[at], look, variable))
			at++;
		if (at == count)
			names[count++] = look;
	}
	*ret_names = names;
	*ret_count = count;
	return 0;
}

static int make_table(struct builder *b, struct probe_family *family)
{
	size_t size = 4;
	while (size < family->name_count * 2 + 1)
		size *= 2;
	uint16_t *table = arena_zalloc(&b->plan->arena, size, sizeof(*table));
	if (table == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < family->name_count; i++) {
		size_t at = hash_quick_nocase(&b->plan->hash_key, family->names[i]) & (size - 1);
		while (table[at] != 0)
			at = (at + 1) & (size - 1);
		table[at] = (uint16_t)(i + 1);
	}
	family->table = table;
	family->table_size = size;
	return 0;
}

static int make_named(struct builder *b, struct probe_family *family, const struct look *const *looks, size_t count)
{
	struct arena *arena = &b->plan->arena;
	struct slice *names = arena_zalloc(arena, count + 1, sizeof(*names));
	const struct target **targets = arena_zalloc(arena, count + 1, sizeof(*targets));
	const struct rule **rules = arena_zalloc(arena, count + 1, sizeof(*rules));
	const struct probe_set *(*named)[PROBE_PARTS] = arena_zalloc(arena, count + 1, sizeof(*named));
	if (names == NULL || targets == NULL || rules == NULL || named == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		names[i] = looks[i]->target->selector;
		targets[i] = looks[i]->target;
		rules[i] = looks[i]->rule;
		for (unsigned part = 0; part < PROBE_PARTS; part++) {
			int r = make_set(b, family->variable, part, looks[i], family->sets[part], &named[i][part]);
			if (r != 0)
				return r;
		}
	}
	family->names = names;
	family->targets = targets;
	family->rules = rules;
	family->named = (const struct probe_set *const(*)[PROBE_PARTS])named;
	family->name_count = count;
	family->first_count = b->probes->name_count;
	b->probes->name_count += count;
	return make_table(b, family);
}

static int make_family(struct builder *b, enum variable variable, struct probe_family *family)
{
	const struct look **names = NULL;
	size_t count = 0;
	int r = 0;
	family->variable = variable;
	for (unsigned part = 0; part < PROBE_PARTS && r == 0; part++)
		r = make_set(b, variable, part, NULL, NULL, &family->sets[part]);
	if (r == 0)
		r = find_names(b, variable, &names, &count);
	if (r == 0)
		r = make_named(b, family, names, count);
	free(names);
	return r;
}

static bool is_looked_at(const struct builder *b, enum variable variable)
{
	for (size_t i = 0; i < b->look_count; i++)
		if (b->looks[i].home.variable == variable)
			return true;
	return false;
}

static int make_some(struct builder *b, bool scalars, struct probe_family *families, size_t *count)
{
	int r = 0;
	for (unsigned v = 0; v < VARIABLE_COUNT && r == 0; v++)
		if ((shapes[v] == SHAPE_SCALAR) == scalars && is_looked_at(b, v))
			r = make_family(b, v, &families[(*count)++]);
	return r;
}

static const struct probe_family *family_of(const struct probes *probes, enum variable variable)
{
	for (size_t i = 0; i < probes->family_count; i++)
		if (probes->families[i].variable == variable)
			return &probes->families[i];
	return NULL;
}

static bool is_in_pair(const struct probes *probes, enum variable variable)
{
	for (size_t i = 0; i < PROBE_PAIRS; i++)
		if (probes->pairs[i].value_variable == variable || probes->pairs[i].name_variable == variable)
			return true;
	return false;
}

static int make_pairs(struct builder *b)
{
	static const enum variable variables[PROBE_PAIRS][2] = {
		{VARIABLE_REQUEST_HEADERS, VARIABLE_REQUEST_HEADERS_NAMES},
		{VARIABLE_REQUEST_COOKIES, VARIABLE_REQUEST_COOKIES_NAMES},
		{VARIABLE_ARGS, VARIABLE_ARGS_NAMES},
		{VARIABLE_RESPONSE_HEADERS, VARIABLE_RESPONSE_HEADERS_NAMES},
	};
	struct probes *probes = b->probes;
	for (size_t i = 0; i < PROBE_PAIRS; i++) {
		probes->pairs[i] = (struct probe_pair){
			.values = family_of(probes, variables[i][0]),
			.names = family_of(probes, variables[i][1]),
			.value_variable = variables[i][0],
			.name_variable = variables[i][1],
		};
		for (size_t part = 0; part < PROBE_PARTS; part++)
			probes->pairs[i].numbers[part] = remembered_new_number();
	}
	uint8_t *singles = arena_alloc(&b->plan->arena, probes->family_count + 1);
	if (singles == NULL)
		return -ENOMEM;
	for (size_t i = probes->scalar_count; i < probes->family_count; i++)
		if (!is_in_pair(probes, probes->families[i].variable))
			singles[probes->single_count++] = (uint8_t)i;
	probes->singles = singles;
	return 0;
}

/* Before which phases a scalar may have got another value. */
static uint8_t phases_of(enum variable variable)
{
	switch ((int)variable) {
	case VARIABLE_REQUEST_METHOD:
	case VARIABLE_REQUEST_URI:
	case VARIABLE_REQUEST_URI_RAW:
	case VARIABLE_REQUEST_FILENAME:
	case VARIABLE_REQUEST_BASENAME:
	case VARIABLE_REQUEST_LINE:
	case VARIABLE_REQUEST_PROTOCOL:
	case VARIABLE_QUERY_STRING:
	case VARIABLE_PATH_INFO:
	case VARIABLE_REMOTE_ADDR:
	case VARIABLE_REMOTE_HOST:
	case VARIABLE_SERVER_ADDR:
	case VARIABLE_SERVER_PORT:
	case VARIABLE_SERVER_NAME:
	case VARIABLE_AUTH_TYPE:
		return 1u << PHASE_REQUEST_HEADERS;
	case VARIABLE_RESPONSE_CONTENT_TYPE:
	case VARIABLE_RESPONSE_PROTOCOL:
	case VARIABLE_RESPONSE_STATUS:
	case VARIABLE_STATUS:
		return 1u << PHASE_RESPONSE_HEADERS | 1u << PHASE_LOGGING;
	case VARIABLE_RESPONSE_BODY:
	case VARIABLE_RESPONSE_CONTENT_LENGTH:
	case VARIABLE_OUTBOUND_DATA_ERROR:
		return 1u << PHASE_RESPONSE_BODY | 1u << PHASE_LOGGING;
	case VARIABLE_GUIA_MEMORY_EXCEEDED:
	case VARIABLE_GUIA_SCAN_ERROR:
		return (1u << (PHASE_LAST + 1)) - 1;
	default: /* of the request's body */
		return 1u << PHASE_REQUEST_BODY | 1u << PHASE_LOGGING;
	}
}

static int make_families(struct builder *b)
{
	size_t count = 0;
	for (unsigned v = 0; v < VARIABLE_COUNT; v++)
		count += is_looked_at(b, v);
	struct probe_family *families = arena_zalloc(&b->plan->arena, count, sizeof(*families));
	if (families == NULL)
		return -ENOMEM;
	b->probes->families = families;
	int r = make_some(b, true, families, &b->probes->family_count);
	b->probes->scalar_count = b->probes->family_count;
	if (r == 0)
		r = make_some(b, false, families, &b->probes->family_count);
	for (size_t i = 0; i < b->probes->scalar_count; i++)
		b->probes->scalar_phases[i] = phases_of(families[i].variable);
	return r != 0 ? r : make_pairs(b);
}

/* ---- all ---- */

static int32_t name_of_count(const struct builder *b, const struct target *target)
{
	if (target->selector_kind != SELECTOR_NAME)
		return -1;
	for (size_t f = 0; f < b->probes->family_count; f++) {
		const struct probe_family *family = &b->probes->families[f];
		for (size_t n = 0; family->variable == target->variable && n < family->name_count; n++)
			if (slice_equal_nocase(family->names[n], target->selector))
				return (int32_t)(family->first_count + n);
	}
	return -1;
}

/* Room for all steps and conditions: a chain has as many as it has links behind its head. */
static size_t words_at_most(const struct plan *plan)
{
	size_t bits = plan->courses.bit_count;
	for (size_t i = 0; i < plan->ruleset->rule_count; i++)
		for (const struct rule *rule = plan->ruleset->rules[i]; rule != NULL; rule = rule->next_link)
			bits++;
	return bits / 64 + 1;
}

static const uint64_t *lean_of(struct builder *b)
{
	size_t words = words_at_most(b->plan);
	uint64_t *lean = kept(&b->plan->arena, b->always, words * sizeof(*lean));
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST && lean != NULL; phase++) {
		const struct course *course = &b->plan->courses.phases[phase];
		for (size_t i = 0; i < course->count; i++)
			if (course->steps[i].settled != NULL && course->steps[i].settled->write_count == 0 &&
			    course->steps[i].jump_place == UINT32_MAX)
				lean[(course->first_bit + i) / 64] &= ~((uint64_t)1 << (course->first_bit + i) % 64);
	}
	return lean;
}

static int finish(struct builder *b)
{
	for (size_t i = 0; i < b->count_count; i++)
		b->counts[i].name = name_of_count(b, b->counts[i].target);
	b->probes->counts = kept(&b->plan->arena, b->counts, b->count_count * sizeof(*b->counts));
	b->probes->count_count = b->count_count;
	b->probes->always = b->always;
	b->probes->lean = lean_of(b);
	b->probes->words = (b->bit_count + 63) / 64;
	b->plan->probes = b->probes;
	return b->probes->counts == NULL || b->probes->lean == NULL ? -ENOMEM : 0;
}

int probe_build(struct plan *plan)
{
	struct builder b = {.plan = plan};
	b.probes = arena_zalloc(&plan->arena, 1, sizeof(*b.probes));
	b.always = arena_zalloc(&plan->arena, words_at_most(plan), sizeof(*b.always));
	b.bit_count = plan->courses.bit_count;
	int r = b.probes == NULL || b.always == NULL ? -ENOMEM : quiet_captures(plan, &b.captures_are_fresh);
	if (r == 0)
		r = gather(&b);
	if (r == 0)
		r = make_families(&b);
	if (r == 0)
		r = finish(&b);
	free(b.looks);
	free(b.counts);
	return r;
}
