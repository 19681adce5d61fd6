/* ctl:option=value, one row per option. */
#include "seclang/draft.h"

#include <errno.h>

enum ctl_form {
	FORM_SWITCH,    /* On, Off */
	FORM_ENGINE,    /* On, Off, DetectionOnly */
	FORM_AUDIT,     /* On, Off, RelevantOnly */
	FORM_PROCESSOR, /* URLENCODED, MULTIPART, JSON, XML */
	FORM_NUMBER,
	FORM_TEXT,
	FORM_IDS,
	FORM_IDS_TARGET,  /* 1-9;ARGS:x */
	FORM_TEXT_TARGET, /* tag;ARGS:x */
};

static const struct ctl_row {
	const char *name;
	enum ctl_kind kind;
	enum ctl_form form;
} rows[] = {
	{"auditEngine", CTL_AUDIT_ENGINE, FORM_AUDIT},
	{"auditLogParts", CTL_AUDIT_LOG_PARTS, FORM_TEXT},
	{"debugLogLevel", CTL_DEBUG_LOG_LEVEL, FORM_NUMBER},
	{"forceRequestBodyVariable", CTL_FORCE_REQUEST_BODY_VARIABLE, FORM_SWITCH},
	{"parseXmlIntoArgs", CTL_PARSE_XML_INTO_ARGS, FORM_SWITCH},
	{"requestBodyAccess", CTL_REQUEST_BODY_ACCESS, FORM_SWITCH},
	{"requestBodyLimit", CTL_REQUEST_BODY_LIMIT, FORM_NUMBER},
	{"requestBodyProcessor", CTL_REQUEST_BODY_PROCESSOR, FORM_PROCESSOR},
	{"responseBodyAccess", CTL_RESPONSE_BODY_ACCESS, FORM_SWITCH},
	{"responseBodyLimit", CTL_RESPONSE_BODY_LIMIT, FORM_NUMBER},
	{"ruleEngine", CTL_RULE_ENGINE, FORM_ENGINE},
	{"ruleRemoveById", CTL_RULE_REMOVE_BY_ID, FORM_IDS},
	{"ruleRemoveByMsg", CTL_RULE_REMOVE_BY_MSG, FORM_TEXT},
	{"ruleRemoveByTag", CTL_RULE_REMOVE_BY_TAG, FORM_TEXT},
	{"ruleRemoveTargetById", CTL_RULE_REMOVE_TARGET_BY_ID, FORM_IDS_TARGET},
	{"ruleRemoveTargetByMsg", CTL_RULE_REMOVE_TARGET_BY_MSG, FORM_TEXT_TARGET},
	{"ruleRemoveTargetByTag", CTL_RULE_REMOVE_TARGET_BY_TAG, FORM_TEXT_TARGET},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const char *row_name_at(size_t index)
{
	return index < ROW_COUNT ? rows[index].name : NULL;
}

struct ctl_value {
	struct compiler *compiler;
	struct slice text;
	size_t offset;
	struct ctl *ctl;
};

static int bad_value(const struct ctl_value *v, const char *hint)
{
	return compiler_error(v->compiler, v->offset, hint, "\"%.*s\" is no value for this ctl", SLICE_ARG(v->text));
}

static int read_mode(const struct ctl_value *v, const char *third, enum switch_mode third_mode)
{
	if (slice_equal_nocase(v->text, SLICE("On")))
		v->ctl->mode = SWITCH_ON;
	else if (slice_equal_nocase(v->text, SLICE("Off")))
		v->ctl->mode = SWITCH_OFF;
	else if (third != NULL && slice_equal_nocase(v->text, slice_from_string(third)))
		v->ctl->mode = third_mode;
	else
		return bad_value(v, third == NULL ? "write On or Off" : "write On, Off, or the engine's third state");
	return 0;
}

static int read_processor(const struct ctl_value *v)
{
	static const struct {
		const char *name;
		enum body_processor processor;
	} processors[] = {
		{"URLENCODED", BODY_URLENCODED}, {"MULTIPART", BODY_MULTIPART}, {"JSON", BODY_JSON}, {"XML", BODY_XML}};
	for (size_t i = 0; i < sizeof(processors) / sizeof(processors[0]); i++) {
		if (!slice_equal_nocase(v->text, slice_from_string(processors[i].name)))
			continue;
		v->ctl->processor = processors[i].processor;
		return 0;
	}
	return bad_value(v, "write URLENCODED, MULTIPART, JSON or XML");
}

/* What follows the semicolon: one target. */
static int read_target(const struct ctl_value *v, struct slice text)
{
	struct target_list list = {0};
	int r = targets_parse(v->compiler, text, v->offset + (size_t)(text.ptr - v->text.ptr), &list);
	if (r == 0 && list.count != 1)
		return bad_value(v, "name one variable after the semicolon");
	if (r == 0)
		v->ctl->target = list.items[0];
	return r;
}

static int read_targeted(const struct ctl_value *v, bool ids)
{
	struct slice what;
	struct slice target = slice_cut(v->text, ';', &what);
	if (target.len == 0)
		return bad_value(v, "write WHAT;VARIABLE, for example 942100;ARGS:q");
	if (ids && !parse_id_range(what, &v->ctl->ids))
		return bad_value(v, "write an id or a range of ids before the semicolon");
	int r = ids ? 0 : macro_parse(v->compiler, what, v->offset, &v->ctl->text);
	return r != 0 ? r : read_target(v, target);
}

static int read_value(const struct ctl_value *v, enum ctl_form form)
{
	uint64_t number;
	switch (form) {
	case FORM_SWITCH:
		return read_mode(v, NULL, SWITCH_UNSET);
	case FORM_ENGINE:
		return read_mode(v, "DetectionOnly", SWITCH_DETECTION_ONLY);
	case FORM_AUDIT:
		return read_mode(v, "RelevantOnly", SWITCH_RELEVANT_ONLY);
	case FORM_PROCESSOR:
		return read_processor(v);
	case FORM_NUMBER:
		if (!parse_number(v->text, &number))
			return bad_value(v, "write a number");
		v->ctl->number = (int64_t)number;
		return 0;
	case FORM_IDS:
		return parse_id_range(v->text, &v->ctl->ids) ? 0 : bad_value(v, "write an id or a range of ids");
	case FORM_IDS_TARGET:
		return read_targeted(v, true);
	case FORM_TEXT_TARGET:
		return read_targeted(v, false);
	case FORM_TEXT:
		break;
	}
	return macro_parse(v->compiler, v->text, v->offset, &v->ctl->text);
}

int ctl_parse(struct compiler *compiler, struct slice text, size_t offset, struct action *ret_action)
{
	struct slice name;
	struct slice value = slice_trim(slice_cut(text, '=', &name));
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (!slice_equal_nocase(slice_trim(name), slice_from_string(rows[i].name)))
			continue;
		struct action action = {.kind = ACTION_CTL, .ctl = {.kind = rows[i].kind}};
		struct ctl_value v = {compiler, value, offset + (size_t)(value.ptr - text.ptr), &action.ctl};
		int r = read_value(&v, rows[i].form);
		if (r == 0)
			*ret_action = action;
		return r;
	}
	const char *hint = compiler_suggest(compiler, name, row_name_at, "ctl:");
	return compiler_error(compiler, offset, hint, "unknown ctl option \"%.*s\"", SLICE_ARG(name));
}
