/*
 * Table by table, most by a pass over the links of all rules. Courses and probes are built later, by course_build() and
 * probe_build(), as they look into what is made here.
 */
#include "engine/plan.h"

#include "match/geo.h"
#include "http/xml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { NODES_MAX = UINT16_MAX };

int plan_node_child(const struct plan *plan, uint16_t parent, enum transform transform)
{
	for (size_t i = (size_t)parent + 1; i < plan->node_count; i++)
		if (plan->nodes[i].parent == parent && plan->nodes[i].transform == transform)
			return (int)i;
	return -1;
}

/* Calls `each` for every link of every rule, until it fails. */
static int each_link(const struct ruleset *ruleset, int (*each)(void *context, const struct rule *rule), void *context)
{
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		for (const struct rule *rule = ruleset->rules[i]; rule != NULL; rule = rule->next_link) {
			int r = each(context, rule);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

struct tree_builder {
	struct plan *plan;
	struct plan_node *nodes;
	uint16_t *node_of_pipeline;
};

static int find_widths(void *context, const struct rule *rule)
{
	struct tree_builder *builder = context;
	builder->plan->node_count += rule->transform_count;
	if (rule->pipeline >= builder->plan->pipeline_count)
		builder->plan->pipeline_count = (size_t)rule->pipeline + 1;
	return 0;
}

static int add_pipeline(void *context, const struct rule *rule)
{
	struct tree_builder *builder = context;
	struct plan *plan = builder->plan;
	uint16_t at = 0;
	if (builder->node_of_pipeline[rule->pipeline] != 0)
		return 0;
	for (size_t i = 0; i < rule->transform_count; i++) {
		int child = plan_node_child(plan, at, rule->transforms[i]);
		if (child < 0) {
			if (plan->node_count == NODES_MAX)
				return -E2BIG;
			child = (int)plan->node_count++;
			builder->nodes[child] = (struct plan_node){at, (uint8_t)rule->transforms[i]};
		}
		at = (uint16_t)child;
	}
	builder->node_of_pipeline[rule->pipeline] = at;
	return 0;
}

static int build_tree(struct plan *plan)
{
	struct tree_builder builder = {.plan = plan};
	plan->node_count = 1;
	each_link(plan->ruleset, find_widths, &builder);
	/* An upper bound, for the distinct ones are found only now; the rest is given back with the heap. */
	struct plan_node *bound = calloc(plan->node_count, sizeof(*bound));
	builder.nodes = bound;
	builder.node_of_pipeline =
		arena_zalloc(&plan->arena, plan->pipeline_count + 1, sizeof(*builder.node_of_pipeline));
	plan->nodes = bound;
	plan->node_count = 1;
	int r = bound == NULL || builder.node_of_pipeline == NULL ? -ENOMEM
								  : each_link(plan->ruleset, add_pipeline, &builder);
	struct plan_node *nodes = r < 0 ? NULL : arena_alloc(&plan->arena, plan->node_count * sizeof(*nodes));
	if (nodes != NULL)
		memcpy(nodes, bound, plan->node_count * sizeof(*nodes));
	free(bound);
	plan->nodes = nodes;
	plan->node_of_pipeline = builder.node_of_pipeline;
	return nodes == NULL ? -ENOMEM : 0;
}

/*
 * Where the skipAfter of the rule at `place` leads: behind its marker, or UINT32_MAX where that is not to be found.
 * Links act from the innermost outwards, so the outermost that has one has the last word.
 */
static uint32_t find_jump(const struct ruleset *ruleset, unsigned phase, size_t place)
{
	struct slice name = {0};
	for (const struct rule *rule = ruleset->phases[phase].rules[place]; rule != NULL && name.len == 0;
	     rule = rule->next_link)
		name = rule->skip_after;
	if (name.len == 0)
		return UINT32_MAX;
	for (size_t i = place + 1; i < ruleset->phases[phase].count; i++) {
		const struct rule *rule = ruleset->phases[phase].rules[i];
		if (rule->kind == RULE_MARKER && slice_equal(rule->marker, name))
			return (uint32_t)i + 1;
	}
	return UINT32_MAX;
}

static int build_jumps(struct plan *plan)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		size_t count = plan->ruleset->phases[phase].count;
		uint32_t *jumps = arena_alloc(&plan->arena, (count + 1) * sizeof(*jumps));
		if (jumps == NULL)
			return -ENOMEM;
		for (size_t i = 0; i < count; i++)
			jumps[i] = find_jump(plan->ruleset, phase, i);
		plan->jumps[phase] = jumps;
	}
	return 0;
}

int plan_find_slot(const struct plan *plan, struct slice name)
{
	size_t mask = plan->slot_table_size - 1;
	for (size_t at = hash_quick_nocase(&plan->hash_key, name) & mask;; at = (at + 1) & mask) {
		uint32_t entry = plan->slot_table[at];
		if (entry == 0)
			return SLOT_NONE;
		if (slice_equal_nocase(slice_from_string(plan->ruleset->tx_names[entry - 1]), name))
			return (int)(entry - 1);
	}
}

static int build_slots(struct plan *plan)
{
	size_t size = 16;
	while (size < plan->ruleset->tx_slot_count * 2 + 1)
		size *= 2;
	uint32_t *table = arena_zalloc(&plan->arena, size, sizeof(*table));
	if (table == NULL)
		return -ENOMEM;
	plan->hash_key = hash_key_random();
	for (size_t slot = 0; slot < plan->ruleset->tx_slot_count; slot++) {
		struct slice name = slice_from_string(plan->ruleset->tx_names[slot]);
		size_t at = hash_quick_nocase(&plan->hash_key, name) & (size - 1);
		while (table[at] != 0)
			at = (at + 1) & (size - 1);
		table[at] = (uint32_t)slot + 1;
	}
	plan->slot_table = table;
	plan->slot_table_size = size;
	return 0;
}

/* The slot of the first name that the rules know. */
static int first_slot(const struct plan *plan, const char *name, const char *second, const char *third)
{
	int slot = plan_find_slot(plan, slice_from_string(name));
	if (slot == SLOT_NONE && second != NULL)
		slot = plan_find_slot(plan, slice_from_string(second));
	if (slot == SLOT_NONE && third != NULL)
		slot = plan_find_slot(plan, slice_from_string(third));
	return slot;
}

/* The Core Rule Set counts by paranoia level, in [inbound_|outbound_]anomaly_score_plN; other scores are sums of these.
 */
static uint8_t score_of(struct slice name)
{
	bool outbound = slice_starts_with_nocase(name, SLICE("outbound_"));
	if (outbound)
		name = slice_after(name, sizeof("outbound_") - 1);
	else if (slice_starts_with_nocase(name, SLICE("inbound_")))
		name = slice_after(name, sizeof("inbound_") - 1);
	if (!slice_starts_with_nocase(name, SLICE("anomaly_score_pl")))
		return PLAN_SCORE_NONE;
	return outbound ? PLAN_SCORE_OUTBOUND : PLAN_SCORE_INBOUND;
}

static int mark_scores(struct plan *plan)
{
	size_t count = plan->ruleset->tx_slot_count;
	uint8_t *scores = arena_zalloc(&plan->arena, count + 1, 1);
	if (scores == NULL)
		return -ENOMEM;
	for (size_t slot = 0; slot < count; slot++)
		scores[slot] = score_of(slice_from_string(plan->ruleset->tx_names[slot]));
	plan->score_of_slot = scores;
	return 0;
}

static void name_slots(struct plan *plan)
{
	for (int i = 0; i < PLAN_CAPTURES; i++) {
		char name[4];
		snprintf(name, sizeof(name), "%d", i);
		plan->capture_slots[i] = first_slot(plan, name, NULL, NULL);
	}
	plan->pcre_limits_slot = first_slot(plan, "MSC_PCRE_LIMITS_EXCEEDED", NULL, NULL);
	plan->scores.inbound =
		first_slot(plan, "blocking_inbound_anomaly_score", "anomaly_score", "inbound_anomaly_score");
	plan->scores.outbound = first_slot(plan, "blocking_outbound_anomaly_score", "outbound_anomaly_score", NULL);
	plan->scores.inbound_threshold = first_slot(plan, "inbound_anomaly_score_threshold", NULL, NULL);
	plan->scores.outbound_threshold = first_slot(plan, "outbound_anomaly_score_threshold", NULL, NULL);
}

static int count_schema(void *context, const struct rule *rule)
{
	struct plan *plan = context;
	if (rule->kind == RULE_OPERATOR && rule->operation.schema != NULL)
		plan->schema_count++;
	return 0;
}

static int load_schema(void *context, const struct rule *rule)
{
	struct plan *plan = context;
	const struct rule_operator *operation = &rule->operation;
	if (rule->kind != RULE_OPERATOR || operation->schema == NULL)
		return 0;
	struct plan_schema *schema = (struct plan_schema *)plan->schemas + plan->schema_count++;
	*schema = (struct plan_schema){.operation = operation};
	/* What cannot be read stays NULL: nothing is valid under it, and the rule matches. */
	if (operation->kind == OPERATOR_VALIDATE_SCHEMA)
		(void)xml_schema_load(operation->schema, &schema->schema);
	else
		(void)xml_dtd_load(operation->schema, &schema->dtd);
	return 0;
}

static int load_schemas(struct plan *plan)
{
	each_link(plan->ruleset, count_schema, plan);
	if (plan->schema_count == 0)
		return 0;
	plan->schemas = arena_zalloc(&plan->arena, plan->schema_count, sizeof(*plan->schemas));
	plan->schema_count = 0;
	return plan->schemas == NULL ? -ENOMEM : each_link(plan->ruleset, load_schema, plan);
}

const struct plan_schema *plan_find_schema(const struct plan *plan, const struct rule_operator *operation)
{
	for (size_t i = 0; i < plan->schema_count; i++)
		if (plan->schemas[i].operation == operation)
			return &plan->schemas[i];
	return NULL;
}

static bool macro_reads_body(const struct macro *macro)
{
	for (size_t i = 0; i < macro->part_count; i++)
		if (macro->parts[i].is_variable && plan_is_whole_body(macro->parts[i].variable))
			return true;
	return false;
}

/* Who reads a request's body as a whole. */
struct body_search {
	struct plan *plan;
	bool audited;   /* there may be an audit record, ... */
	bool in_record; /* ... and the body may be a part of it */
};

static bool action_reads_body(const struct action *action)
{
	if (action->kind == ACTION_CTL)
		return macro_reads_body(&action->ctl.text);
	if (action->kind != ACTION_INITCOL &&
	    (macro_reads_body(&action->setvar.name) || macro_reads_body(&action->setvar.value)))
		return true;
	return macro_reads_body(&action->text);
}

static void look_at_ctl(struct body_search *search, const struct ctl *ctl)
{
	struct slice text = ctl->text.text;
	search->audited |= ctl->kind == CTL_AUDIT_ENGINE && ctl->mode != SWITCH_OFF;
	search->in_record |= ctl->kind == CTL_AUDIT_LOG_PARTS && slice_find_nocase(text, SLICE("c"), 0) < text.len;
}

static bool macros_read_body(const struct rule *rule)
{
	bool reads = macro_reads_body(&rule->operation.argument) || macro_reads_body(&rule->redirect_url) ||
		     macro_reads_body(&rule->message) || macro_reads_body(&rule->log_data);
	for (size_t i = 0; i < rule->tag_count; i++)
		reads |= macro_reads_body(&rule->tags[i]);
	for (size_t i = 0; i < rule->action_count; i++)
		reads |= action_reads_body(&rule->actions[i]);
	return reads;
}

static int look_at_rule(void *context, const struct rule *rule)
{
	struct body_search *search = context;
	for (size_t i = 0; i < rule->target_count; i++)
		if (plan_is_whole_body(rule->targets[i].variable))
			search->plan->body_readers |= (uint8_t)(1u << rule->phase);
	/* What a macro takes may be kept for later phases. */
	if (macros_read_body(rule))
		search->plan->body_readers = UINT8_MAX;
	for (size_t i = 0; i < rule->action_count; i++)
		if (rule->actions[i].kind == ACTION_CTL)
			look_at_ctl(search, &rule->actions[i].ctl);
	return 0;
}

static void find_body_readers(struct plan *plan)
{
	const struct settings *settings = &plan->ruleset->settings;
	struct body_search search = {
		.plan = plan,
		.audited = settings->audit_engine == SWITCH_ON || settings->audit_engine == SWITCH_RELEVANT_ONLY,
		.in_record = (settings->audit_parts >> ('C' - 'A') & 1) != 0,
	};
	each_link(plan->ruleset, look_at_rule, &search);
	if (search.audited && search.in_record)
		plan->body_readers = UINT8_MAX;
}

static int open_geo(struct plan *plan)
{
	struct slice path = plan->ruleset->settings.geo_database;
	if (path.len == 0)
		return 0;
	char *name = arena_string(&plan->arena, path);
	int r = name == NULL ? -ENOMEM : geo_open(name, &plan->geo);
	/* The compiler has opened it, too; if it has gone since, @geoLookup does not match. */
	return r == -ENOMEM ? r : 0;
}

int plan_create(const struct ruleset *ruleset, struct plan **ret_plan)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	if (plan == NULL)
		return -ENOMEM;
	plan->ruleset = ruleset;
	arena_init_lasting(&plan->arena);
	int r = build_tree(plan);
	if (r == 0)
		r = build_jumps(plan);
	if (r == 0)
		r = build_slots(plan);
	if (r == 0)
		r = mark_scores(plan);
	if (r == 0)
		r = load_schemas(plan);
	if (r == 0)
		r = open_geo(plan);
	if (r < 0) {
		plan_free(plan);
		return r;
	}
	name_slots(plan);
	find_body_readers(plan);
	*ret_plan = plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->schema_count && plan->schemas != NULL; i++) {
		xml_schema_destroy(plan->schemas[i].schema);
		xml_dtd_destroy(plan->schemas[i].dtd);
	}
	geo_close(plan->geo);
	arena_destroy(&plan->arena);
	free(plan);
}
