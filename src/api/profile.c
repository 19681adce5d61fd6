/* guia_profile_*: the engine's profile, with what is known of the rules, under the public names. */
#include "api/profile.h"

#include "api/rules.h"
#include "engine/standing.h"

#include <errno.h>
#include <stdlib.h>

struct guia_profile {
	struct profile *engine;
	struct guia_rules *rules;
	struct standing *standings; /* by place in the rule set */
};

struct profile *profile_engine(struct guia_profile *profile)
{
	return profile->engine;
}

int guia_profile_new(struct guia_rules *rules, struct guia_profile **ret_profile)
{
	const struct plan *plan = rules_plan(rules);
	struct guia_profile *profile = calloc(1, sizeof(*profile));
	if (profile == NULL)
		return -ENOMEM;
	profile->rules = guia_rules_ref(rules);
	profile->standings = calloc(plan->ruleset->rule_count + 1, sizeof(*profile->standings));
	if (profile->standings == NULL || profile_create(plan, &profile->engine) != 0) {
		guia_profile_free(profile);
		return -ENOMEM;
	}
	standing_find(plan, profile->standings);
	*ret_profile = profile;
	return 0;
}

void guia_profile_free(struct guia_profile *profile)
{
	if (profile == NULL)
		return;
	profile_free(profile->engine);
	free(profile->standings);
	guia_rules_unref(profile->rules);
	free(profile);
}

void guia_profile_clear(struct guia_profile *profile)
{
	profile_clear(profile->engine);
}

uint64_t guia_profile_transactions(const struct guia_profile *profile)
{
	return profile->engine->transactions;
}

static const struct {
	enum guia_profile_part part;
	const char *name;
} stages[PROFILE_STAGES] = {
	[PROFILE_REQUEST_LINE] = {GUIA_PROFILE_PARSING, "request line"},
	[PROFILE_REQUEST_HEADERS] = {GUIA_PROFILE_PARSING, "request headers"},
	[PROFILE_BODY_NONE] = {GUIA_PROFILE_PARSING, "request body, as it is"},
	[PROFILE_BODY_FORM] = {GUIA_PROFILE_PARSING, "request body, URLENCODED"},
	[PROFILE_BODY_MULTIPART] = {GUIA_PROFILE_PARSING, "request body, MULTIPART"},
	[PROFILE_BODY_JSON] = {GUIA_PROFILE_PARSING, "request body, JSON"},
	[PROFILE_BODY_XML] = {GUIA_PROFILE_PARSING, "request body, XML"},
	[PROFILE_RESPONSE_HEADERS] = {GUIA_PROFILE_PARSING, "response headers"},
	[PROFILE_RESPONSE_BODY] = {GUIA_PROFILE_PARSING, "response body"},
	[PROFILE_RULES + PHASE_REQUEST_HEADERS] = {GUIA_PROFILE_RULES, "phase 1"},
	[PROFILE_RULES + PHASE_REQUEST_BODY] = {GUIA_PROFILE_RULES, "phase 2"},
	[PROFILE_RULES + PHASE_RESPONSE_HEADERS] = {GUIA_PROFILE_RULES, "phase 3"},
	[PROFILE_RULES + PHASE_RESPONSE_BODY] = {GUIA_PROFILE_RULES, "phase 4"},
	[PROFILE_RULES + PHASE_LOGGING] = {GUIA_PROFILE_RULES, "phase 5"},
	[PROFILE_LOG] = {GUIA_PROFILE_LOGGING, "log lines and audit record"},
};

static struct guia_profile_stage family_at(const struct profile *engine, size_t index)
{
	const struct profile_family *family = &engine->families[index];
	return (struct guia_profile_stage){
		.part = GUIA_PROFILE_CANDIDATES,
		.name = variable_infos[index].name,
		.count = family->cost.count,
		.ns = family->cost.ns,
		.known = family->known,
		.scans = family->scans,
		.questions = family->questions,
	};
}

/* Parsing, then the families, then rules and logging. */
bool guia_profile_stage_at(const struct guia_profile *profile, size_t index, struct guia_profile_stage *ret_stage)
{
	const struct profile *engine = profile->engine;
	const size_t families = VARIABLE_COUNT;
	if (index >= PROFILE_STAGES + families)
		return false;
	if (index >= PROFILE_RULES && index < PROFILE_RULES + families) {
		*ret_stage = family_at(engine, index - PROFILE_RULES);
		return true;
	}
	size_t stage = index < PROFILE_RULES ? index : index - families;
	*ret_stage = (struct guia_profile_stage){
		.part = stages[stage].part,
		.name = stages[stage].name == NULL ? "" : stages[stage].name,
		.count = engine->stages[stage].count,
		.ns = engine->stages[stage].ns,
	};
	return true;
}

bool guia_profile_rule_at(const struct guia_profile *profile, size_t index, struct guia_profile_rule *ret_rule)
{
	static const enum guia_standing standings[] = {
		[STANDING_NEVER] = GUIA_STANDING_NEVER,
		[STANDING_SETTLED] = GUIA_STANDING_SETTLED,
		[STANDING_CANDIDATE] = GUIA_STANDING_CANDIDATE,
		[STANDING_ALWAYS] = GUIA_STANDING_ALWAYS,
	};
	if (index >= profile->engine->rule_count)
		return false;
	const struct profile_rule *counted = &profile->engine->rules[index];
	const struct standing *standing = &profile->standings[index];
	*ret_rule = (struct guia_profile_rule){
		.id = counted->head->id,
		.marker = counted->head->kind == RULE_MARKER,
		.phase = counted->head->phase,
		.file = counted->head->file == NULL ? "" : counted->head->file,
		.line = counted->head->line,
		.standing = standings[standing->kind],
		.reason = standing->reason,
		.scanned_targets = standing->scanned,
		.inexact_targets = standing->scanned_inexactly,
		.asked_targets = standing->asked,
		.pcre2 = standing->by_pcre2,
		.evaluations = counted->evaluated.count,
		.matches = counted->matched,
		.evaluation_ns = counted->evaluated.ns,
		.questions = counted->asked.count,
		.question_ns = counted->asked.ns,
	};
	return true;
}
