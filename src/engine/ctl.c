/* ctl: rules that change how the rest of the transaction is inspected. */
#include "engine/action.h"
#include "engine/macro.h"
#include "engine/variable.h"

#include <errno.h>

static int choose_processor(struct transaction *t, enum body_processor processor)
{
	static const struct slice names[] = {
		[BODY_URLENCODED] = SLICE_INIT("URLENCODED"),
		[BODY_MULTIPART] = SLICE_INIT("MULTIPART"),
		[BODY_JSON] = SLICE_INIT("JSON"),
		[BODY_XML] = SLICE_INIT("XML"),
	};
	if (processor == BODY_PROCESSOR_NONE)
		return 0;
	/* JSON and XML go before what Content-Type says; the other two replace it. */
	if (processor == BODY_JSON || processor == BODY_XML)
		t->body_processor = processor;
	else
		t->body_type = processor;
	return variable_set(t, VARIABLE_REQBODY_PROCESSOR, names[processor]);
}

static int change_parts(struct transaction *t, const struct ctl *ctl, const struct rule *rule)
{
	struct audit_parts_change *change = arena_alloc(&t->arena, sizeof(*change));
	if (change == NULL)
		return -ENOMEM;
	*change = (struct audit_parts_change){.parts = macro_expand(t, &ctl->text, rule)};
	struct audit_parts_change **end = &t->audit_parts;
	while (*end != NULL)
		end = &(*end)->next;
	*end = change;
	return 0;
}

static int remove_rules(struct transaction *t, const struct ctl *ctl)
{
	struct removed_rules *removed = arena_alloc(&t->arena, sizeof(*removed));
	if (removed == NULL)
		return -ENOMEM;
	*removed = (struct removed_rules){ctl, t->removed_rules};
	t->removed_rules = removed;
	return 0;
}

static int remove_target(struct transaction *t, const struct ctl *ctl)
{
	struct removed_target *removed = arena_alloc(&t->arena, sizeof(*removed));
	if (removed == NULL)
		return -ENOMEM;
	*removed = (struct removed_target){ctl, t->removed_targets};
	t->removed_targets = removed;
	return 0;
}

int ctl_run(struct transaction *t, const struct ctl *ctl, const struct rule *rule)
{
	switch (ctl->kind) {
	case CTL_AUDIT_ENGINE:
		t->audit_engine = ctl->mode;
		return 0;
	case CTL_AUDIT_LOG_PARTS:
		return change_parts(t, ctl, rule);
	case CTL_DEBUG_LOG_LEVEL: /* the engine writes no debug log */
		return 0;
	case CTL_FORCE_REQUEST_BODY_VARIABLE:
		t->force_request_body = ctl->mode == SWITCH_ON;
		return 0;
	case CTL_PARSE_XML_INTO_ARGS:
		t->parse_xml_into_args = ctl->mode == SWITCH_ON ? 1 : ctl->mode == SWITCH_OFF ? 0 : 2;
		return 0;
	case CTL_REQUEST_BODY_ACCESS:
		t->request_body_access = ctl->mode == SWITCH_ON;
		return 0;
	case CTL_REQUEST_BODY_LIMIT:
		t->request_body.limit = (uint64_t)ctl->number;
		return 0;
	case CTL_REQUEST_BODY_PROCESSOR:
		return choose_processor(t, ctl->processor);
	case CTL_RESPONSE_BODY_ACCESS:
		t->response_body_access = ctl->mode == SWITCH_ON;
		return 0;
	case CTL_RESPONSE_BODY_LIMIT:
		t->response_body.limit = (uint64_t)ctl->number;
		return 0;
	case CTL_RULE_ENGINE:
		t->rule_engine = ctl->mode;
		return 0;
	case CTL_RULE_REMOVE_BY_ID:
	case CTL_RULE_REMOVE_BY_MSG:
	case CTL_RULE_REMOVE_BY_TAG:
		return remove_rules(t, ctl);
	case CTL_RULE_REMOVE_TARGET_BY_ID:
	case CTL_RULE_REMOVE_TARGET_BY_MSG:
	case CTL_RULE_REMOVE_TARGET_BY_TAG:
		return remove_target(t, ctl);
	case CTL_COUNT:
		break;
	}
	return 0;
}
