/*
 * What the engine works out once from a rule set, so that no request has to: pipelines as a tree whose common
 * beginnings are shared, where skipAfter leads, TX names by text, and resources that are opened at load. Immutable
 * after creation, shared by threads.
 */
#ifndef GUIA_ENGINE_PLAN_H
#define GUIA_ENGINE_PLAN_H

#include "base/hash.h"
#include "engine/course.h"
#include "match/regex.h"
#include "ruleset/ruleset.h"

struct geo_database;
struct probes;

enum { PLAN_CAPTURES = REGEX_GROUPS_MAX };

/* A pipeline is a path from node 0, the value as it is. */
struct plan_node {
	uint16_t parent;
	uint8_t transform;
};

/* The fixed names of scores, for summaries; SLOT_NONE where the rules have none. */
struct plan_scores {
	int inbound;
	int outbound;
	int inbound_threshold;
	int outbound_threshold;
};

enum plan_score { PLAN_SCORE_NONE, PLAN_SCORE_INBOUND, PLAN_SCORE_OUTBOUND };

struct plan {
	const struct ruleset *ruleset;
	const struct plan_node *nodes;
	size_t node_count;
	const uint16_t *node_of_pipeline; /* by rule->pipeline */
	size_t pipeline_count;
	/* For each place in a phase's list, where skipAfter leads: an index in the list; UINT32_MAX: nowhere. */
	const uint32_t *jumps[PHASE_LAST + 1];
	/* TX names: an open-addressed table of slot + 1, its size a power of two. */
	struct hash_key hash_key;
	const uint32_t *slot_table;
	size_t slot_table_size;
	int capture_slots[PLAN_CAPTURES]; /* of TX:0, TX:1 ... */
	int pcre_limits_slot;             /* of TX:MSC_PCRE_LIMITS_EXCEEDED */
	struct plan_scores scores;
	const uint8_t *score_of_slot; /* enum plan_score, by slot: what a rule that found something adds to */
	struct geo_database *geo;     /* NULL: none */
	/* Documents that @validateSchema and @validateDTD compare with, by their operator. */
	const struct plan_schema *schemas;
	size_t schema_count;
	struct courses courses;                  /* what is left to be run of each phase */
	const struct probes *probes;             /* which steps a value makes candidates of */
	uint8_t body_readers;                    /* a bit for each phase that may read a request's body as a whole */
	const struct target *const *tx_watchers; /* TX:/.../ that may mean any name: quiet.c */
	size_t tx_watcher_count;
	struct arena arena; /* owns the tables */
};

struct xml_schema;
struct xml_dtd;

struct plan_schema {
	const struct rule_operator *operation;
	struct xml_schema *schema; /* NULL: it could not be read */
	struct xml_dtd *dtd;
};

/* The rule set must outlive the plan. 0, -ENOMEM, or -E2BIG: more than 16 bits can count. */
int plan_create(const struct ruleset *ruleset, struct plan **ret_plan);
void plan_free(struct plan *plan);

/* The node of a rule's whole pipeline. */
static inline uint16_t plan_node_of(const struct plan *plan, const struct rule *rule)
{
	return rule->pipeline < plan->pipeline_count ? plan->node_of_pipeline[rule->pipeline] : 0;
}

/* A node's child by transformation, or -1. */
int plan_node_child(const struct plan *plan, uint16_t parent, enum transform transform);

/* Whether the variable shows a request's body, or a file in it, as it came. */
static inline bool plan_is_whole_body(enum variable variable)
{
	return variable == VARIABLE_REQUEST_BODY || variable == VARIABLE_FULL_REQUEST ||
	       variable == VARIABLE_FULL_REQUEST_LENGTH || variable == VARIABLE_FILES_TMP_CONTENT;
}

/* SLOT_NONE if no rule knows the name. Case is ignored. */
int plan_find_slot(const struct plan *plan, struct slice name);

/* NULL if none. */
const struct plan_schema *plan_find_schema(const struct plan *plan, const struct rule_operator *operation);

#endif
