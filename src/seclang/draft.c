/*
 * The last step of a rule. A link takes id and phase from its head; what the phase's defaults give is added, and what
 * logs always say of the rule is written out (ruleset/wording.c).
 */
#include "seclang/draft.h"

#include "ruleset/wording.h"

#include <errno.h>

struct draft draft_begin(enum rule_kind kind)
{
	/* ModSecurity 2's manual says phase 2; libmodsecurity takes phase 1. */
	return (struct draft){.rule = {.kind = kind, .phase = PHASE_REQUEST_HEADERS, .severity = SEVERITY_UNSET}};
}

static bool resolve(enum choice own, enum choice of_phase)
{
	return own != CHOICE_DEFAULT ? own == CHOICE_YES : of_phase != CHOICE_NO;
}

/* The phase's transformations come first, unless the rule says t:none. */
static int merge_transforms(struct compiler *c, const struct draft *draft, const struct phase_defaults *defaults,
			    struct rule *rule)
{
	size_t inherited = draft->transforms_reset ? 0 : defaults->transforms.count;
	size_t count = inherited + draft->transforms.count;
	enum transform *list = arena_zalloc(c->arena, count + 1, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	memcpy(list, defaults->transforms.items, inherited * sizeof(*list));
	memcpy(list + inherited, draft->transforms.items, draft->transforms.count * sizeof(*list));
	int64_t pipeline = pool_pipeline(c->pool, list, count);
	if (pipeline < 0)
		return (int)pipeline;
	rule->transforms = list;
	rule->transform_count = count;
	rule->pipeline = (uint32_t)pipeline;
	return 0;
}

static void merge_disruption(const struct draft *draft, const struct phase_defaults *defaults, struct rule *rule)
{
	rule->block_action = defaults->disruptive == DISRUPTIVE_NONE ? DISRUPTIVE_PASS : defaults->disruptive;
	if (rule->disruptive == DISRUPTIVE_NONE && draft->has_block)
		rule->disruptive = DISRUPTIVE_BLOCK;
	/* The status is no disruptive action: libmodsecurity lets it count for every rule of the phase. */
	if (rule->status == 0)
		rule->status = defaults->status;
	if (rule->disruptive != DISRUPTIVE_BLOCK)
		return;
	if (rule->redirect_url.text.len == 0)
		rule->redirect_url = defaults->redirect_url;
}

int draft_finish(struct compiler *compiler, struct draft *draft, const struct phase_defaults *defaults,
		 const struct rule *head, struct rule **ret_rule)
{
	struct rule *rule = arena_alloc(compiler->arena, sizeof(*rule));
	if (rule == NULL)
		return -ENOMEM;
	*rule = draft->rule;
	if (head != NULL) {
		rule->id = head->id;
		rule->phase = head->phase;
	}
	int r = merge_transforms(compiler, draft, defaults, rule);
	if (r != 0)
		return r;
	merge_disruption(draft, defaults, rule);
	rule->log = resolve(draft->log, defaults->log);
	rule->audit_log = resolve(draft->audit_log, defaults->audit_log);
	rule->targets = draft->targets.items;
	rule->target_count = draft->targets.count;
	rule->actions = draft->actions;
	rule->action_count = draft->action_count;
	rule->tags = draft->tags;
	rule->tag_count = draft->tag_count;
	rule->namespaces = draft->namespaces;
	rule->namespace_count = draft->namespace_count;
	*ret_rule = rule;
	return wording_make(compiler->arena, head == NULL ? rule : head, rule);
}
