/* A rule's list of actions: "id:1,phase:2,t:lowercase,msg:'...'", one row per action. */
#include "seclang/draft.h"

#include <errno.h>

struct argument {
	struct compiler *compiler;
	struct draft *draft;
	struct slice text; /* after the colon, without quotes */
	size_t offset;     /* of text in the word */
	int value;         /* the row's own */
};

enum argument_rule { WITHOUT, MAY_HAVE, MUST_HAVE, REFUSED };

typedef int action_fn(const struct argument *argument);

static int bad_argument(const struct argument *a, const char *hint)
{
	return compiler_error(a->compiler, a->offset, hint, "\"%.*s\" is not understood here", SLICE_ARG(a->text));
}

static int read_id(const struct argument *a)
{
	uint64_t id;
	if (!parse_number(a->text, &id) || id == 0)
		return bad_argument(a, "an id is a number from 1 on");
	a->draft->rule.id = (int64_t)id;
	return 0;
}

static int read_phase(const struct argument *a)
{
	static const struct {
		const char *name;
		uint8_t phase;
	} names[] = {{"1", 1}, {"2", 2}, {"3", 3}, {"4", 4}, {"5", 5}, {"request", 2}, {"response", 4}, {"logging", 5}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!slice_equal_nocase(a->text, slice_from_string(names[i].name)))
			continue;
		a->draft->rule.phase = names[i].phase;
		a->draft->has_phase = true;
		return 0;
	}
	return bad_argument(a, "a phase is 1 to 5, request, response or logging");
}

static const char *transform_name_at(size_t index)
{
	return index < TRANSFORM_COUNT ? transform_name((enum transform)index) : NULL;
}

static int transform_unknown(const struct argument *a)
{
	const char *hint = compiler_suggest(a->compiler, a->text, transform_name_at, "t:");
	return compiler_error(a->compiler, a->offset, hint, "unknown transformation \"%.*s\"", SLICE_ARG(a->text));
}

static int read_transform(const struct argument *a)
{
	struct transform_list *list = &a->draft->transforms;
	enum transform transform;
	if (transform_find(a->text, &transform) != 0)
		return transform_unknown(a);
	if (transform == TRANSFORM_NONE) {
		list->count = 0;
		a->draft->transforms_reset = true;
		return 0;
	}
	if (list->count == TRANSFORMS_MAX)
		return compiler_error(a->compiler, a->offset, NULL, "more than %d transformations", TRANSFORMS_MAX);
	list->items[list->count++] = transform;
	return 0;
}

static int read_disruptive(const struct argument *a)
{
	a->draft->rule.disruptive = (enum disruptive)a->value;
	return 0;
}

static int read_block(const struct argument *a)
{
	a->draft->has_block = true;
	return 0;
}

static int read_allow(const struct argument *a)
{
	enum disruptive *disruptive = &a->draft->rule.disruptive;
	if (a->text.len == 0)
		*disruptive = DISRUPTIVE_ALLOW;
	else if (slice_equal_nocase(a->text, SLICE("phase")))
		*disruptive = DISRUPTIVE_ALLOW_PHASE;
	else if (slice_equal_nocase(a->text, SLICE("request")))
		*disruptive = DISRUPTIVE_ALLOW_REQUEST;
	else
		return bad_argument(a, "write allow, allow:phase or allow:request");
	return 0;
}

static int read_redirect(const struct argument *a)
{
	a->draft->rule.disruptive = DISRUPTIVE_REDIRECT;
	return macro_parse(a->compiler, a->text, a->offset, &a->draft->rule.redirect_url);
}

static int read_status(const struct argument *a)
{
	uint64_t status;
	if (!parse_number(a->text, &status) || status < 100 || status > 599)
		return bad_argument(a, "a status is a number from 100 to 599");
	a->draft->rule.status = (uint16_t)status;
	return 0;
}

static int read_log(const struct argument *a)
{
	a->draft->log = (enum choice)a->value;
	return 0;
}

static int read_audit_log(const struct argument *a)
{
	a->draft->audit_log = (enum choice)a->value;
	return 0;
}

static int read_capture(const struct argument *a)
{
	a->draft->rule.capture = true;
	return 0;
}

static int read_multi_match(const struct argument *a)
{
	a->draft->rule.multi_match = true;
	return 0;
}

static int read_chain(const struct argument *a)
{
	a->draft->has_chain = true;
	return 0;
}

static int read_skip(const struct argument *a)
{
	uint64_t count;
	if (!parse_number(a->text, &count) || count > UINT32_MAX)
		return bad_argument(a, "write how many rules to skip");
	a->draft->rule.skip = (uint32_t)count;
	return 0;
}

static int read_skip_after(const struct argument *a)
{
	return compiler_copy(a->compiler, a->text, &a->draft->rule.skip_after);
}

static int read_severity(const struct argument *a)
{
	static const char *const names[] = {"EMERGENCY", "ALERT",  "CRITICAL", "ERROR",
					    "WARNING",   "NOTICE", "INFO",     "DEBUG"};
	uint64_t number;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!slice_equal_nocase(a->text, slice_from_string(names[i])))
			continue;
		a->draft->rule.severity = (uint8_t)i;
		return 0;
	}
	if (!parse_number(a->text, &number) || number > 7)
		return bad_argument(a,
				    "a severity is 0 to 7, or EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, ...");
	a->draft->rule.severity = (uint8_t)number;
	return 0;
}

static int read_small(const struct argument *a, uint8_t *ret_number)
{
	uint64_t number;
	if (!parse_number(a->text, &number) || number > UINT8_MAX)
		return bad_argument(a, "write a number");
	*ret_number = (uint8_t)number;
	return 0;
}

static int read_maturity(const struct argument *a)
{
	return read_small(a, &a->draft->rule.maturity);
}

static int read_accuracy(const struct argument *a)
{
	return read_small(a, &a->draft->rule.accuracy);
}

static int read_message(const struct argument *a)
{
	return macro_parse(a->compiler, a->text, a->offset, &a->draft->rule.message);
}

static int read_log_data(const struct argument *a)
{
	return macro_parse(a->compiler, a->text, a->offset, &a->draft->rule.log_data);
}

static int read_revision(const struct argument *a)
{
	return compiler_copy(a->compiler, a->text, &a->draft->rule.revision);
}

static int read_version(const struct argument *a)
{
	return compiler_copy(a->compiler, a->text, &a->draft->rule.version);
}

/* The CRS says a rule's paranoia level in a tag. */
static int read_tag(const struct argument *a)
{
	static const struct slice prefix = SLICE_INIT("paranoia-level/");
	struct draft *d = a->draft;
	if (a->text.len == prefix.len + 1 && slice_starts_with(a->text, prefix) &&
	    byte_is_digit(a->text.ptr[prefix.len]))
		d->rule.paranoia_level = (uint8_t)(a->text.ptr[prefix.len] - '0');
	int r = compiler_grow(a->compiler, (void **)&d->tags, &d->tag_capacity, d->tag_count, sizeof(*d->tags));
	if (r == 0)
		r = macro_parse(a->compiler, a->text, a->offset, &d->tags[d->tag_count]);
	if (r == 0)
		d->tag_count++;
	return r;
}

static int action_add(const struct argument *a, struct action action)
{
	struct draft *d = a->draft;
	int r = compiler_grow(a->compiler, (void **)&d->actions, &d->action_capacity, d->action_count,
			      sizeof(*d->actions));
	if (r == 0)
		d->actions[d->action_count++] = action;
	return r;
}

static int read_setvar(const struct argument *a)
{
	struct action action;
	int r = setvar_parse(a->compiler, a->text, a->offset, &action);
	return r != 0 ? r : action_add(a, action);
}

static int read_ctl(const struct argument *a)
{
	struct action action;
	int r = ctl_parse(a->compiler, a->text, a->offset, &action);
	return r != 0 ? r : action_add(a, action);
}

/* initcol:ip=%{REMOTE_ADDR} */
static int read_initcol(const struct argument *a)
{
	struct action action = {.kind = ACTION_INITCOL};
	struct slice name;
	struct slice key = slice_cut(a->text, '=', &name);
	if (key.len == 0 || variable_find(name, &action.setvar.collection) != 0 ||
	    variable_infos[action.setvar.collection].shape != VARIABLE_STORED)
		return bad_argument(a, "write initcol:ip=%{REMOTE_ADDR}; also global, resource, session, user");
	int r = macro_parse(a->compiler, key, a->offset + name.len + 1, &action.text);
	return r != 0 ? r : action_add(a, action);
}

/* expirevar:ip.x=60, deprecatevar:session.score=60/300: a variable as setvar names it, and a text. */
static int read_aged_variable(const struct argument *a)
{
	struct action action;
	if (slice_find_byte(a->text, '=', 0) == a->text.len)
		return bad_argument(a, "write ip.name=60 for expirevar, ip.name=1/60 for deprecatevar");
	int r = setvar_parse(a->compiler, a->text, a->offset, &action);
	if (r != 0)
		return r;
	action.kind = (enum action_kind)a->value;
	action.text = action.setvar.value;
	return action_add(a, action);
}

static int read_setenv(const struct argument *a)
{
	struct action action = {.kind = ACTION_SETENV, .setvar = {.tx_slot = SLOT_NONE}};
	struct slice name;
	struct slice value = slice_cut(a->text, '=', &name);
	int r = macro_parse(a->compiler, name, a->offset, &action.setvar.name);
	if (r == 0)
		r = macro_parse(a->compiler, value, a->offset + name.len + 1, &action.setvar.value);
	return r != 0 ? r : action_add(a, action);
}

static int read_text_action(const struct argument *a)
{
	struct action action = {.kind = (enum action_kind)a->value};
	int r = macro_parse(a->compiler, a->text, a->offset, &action.text);
	return r != 0 ? r : action_add(a, action);
}

static int read_xmlns(const struct argument *a)
{
	struct draft *d = a->draft;
	struct slice prefix;
	struct slice uri = slice_cut(a->text, '=', &prefix);
	if (uri.len == 0)
		return bad_argument(a, "write xmlns:prefix=uri");
	int r = compiler_grow(a->compiler, (void **)&d->namespaces, &d->namespace_capacity, d->namespace_count,
			      sizeof(*d->namespaces));
	if (r == 0)
		r = compiler_copy(a->compiler, prefix, &d->namespaces[d->namespace_count].prefix);
	if (r == 0)
		r = compiler_copy(a->compiler, uri, &d->namespaces[d->namespace_count].uri);
	if (r == 0)
		d->namespace_count++;
	return r;
}

static const struct action_row {
	const char *name;
	enum argument_rule rule;
	action_fn *read;
	int value;
	const char *reason; /* of REFUSED */
} rows[] = {
	{"accuracy", MUST_HAVE, read_accuracy, 0, NULL},
	{"allow", MAY_HAVE, read_allow, 0, NULL},
	{"append", REFUSED, NULL, 0, "ModSecurity v3 does not implement it"},
	{"auditlog", WITHOUT, read_audit_log, CHOICE_YES, NULL},
	{"block", WITHOUT, read_block, 0, NULL},
	{"capture", WITHOUT, read_capture, 0, NULL},
	{"chain", WITHOUT, read_chain, 0, NULL},
	{"ctl", MUST_HAVE, read_ctl, 0, NULL},
	{"deny", WITHOUT, read_disruptive, DISRUPTIVE_DENY, NULL},
	{"deprecatevar", MUST_HAVE, read_aged_variable, ACTION_DEPRECATEVAR, NULL},
	{"drop", WITHOUT, read_disruptive, DISRUPTIVE_DROP, NULL},
	{"exec", REFUSED, NULL, 0, "it runs a program or a Lua script for each match"},
	{"expirevar", MUST_HAVE, read_aged_variable, ACTION_EXPIREVAR, NULL},
	{"id", MUST_HAVE, read_id, 0, NULL},
	{"initcol", MUST_HAVE, read_initcol, 0, NULL},
	{"log", WITHOUT, read_log, CHOICE_YES, NULL},
	{"logdata", MUST_HAVE, read_log_data, 0, NULL},
	{"maturity", MUST_HAVE, read_maturity, 0, NULL},
	{"msg", MUST_HAVE, read_message, 0, NULL},
	{"multiMatch", WITHOUT, read_multi_match, 0, NULL},
	{"noauditlog", WITHOUT, read_audit_log, CHOICE_NO, NULL},
	{"nolog", WITHOUT, read_log, CHOICE_NO, NULL},
	{"pass", WITHOUT, read_disruptive, DISRUPTIVE_PASS, NULL},
	{"pause", REFUSED, NULL, 0, "ModSecurity v3 does not implement it; a gate must not wait"},
	{"phase", MUST_HAVE, read_phase, 0, NULL},
	{"prepend", REFUSED, NULL, 0, "ModSecurity v3 does not implement it"},
	{"proxy", REFUSED, NULL, 0, "ModSecurity v3 does not implement it"},
	{"redirect", MUST_HAVE, read_redirect, 0, NULL},
	{"rev", MUST_HAVE, read_revision, 0, NULL},
	{"sanitiseArg", MUST_HAVE, read_text_action, ACTION_SANITISE_ARG, NULL},
	{"sanitiseMatched", WITHOUT, read_text_action, ACTION_SANITISE_MATCHED, NULL},
	{"sanitiseMatchedBytes", MAY_HAVE, read_text_action, ACTION_SANITISE_MATCHED_BYTES, NULL},
	{"sanitiseRequestHeader", MUST_HAVE, read_text_action, ACTION_SANITISE_REQUEST_HEADER, NULL},
	{"sanitiseResponseHeader", MUST_HAVE, read_text_action, ACTION_SANITISE_RESPONSE_HEADER, NULL},
	{"setenv", MUST_HAVE, read_setenv, 0, NULL},
	{"setrsc", MUST_HAVE, read_text_action, ACTION_SETRSC, NULL},
	{"setsid", MUST_HAVE, read_text_action, ACTION_SETSID, NULL},
	{"setuid", MUST_HAVE, read_text_action, ACTION_SETUID, NULL},
	{"setvar", MUST_HAVE, read_setvar, 0, NULL},
	{"severity", MUST_HAVE, read_severity, 0, NULL},
	{"skip", MUST_HAVE, read_skip, 0, NULL},
	{"skipAfter", MUST_HAVE, read_skip_after, 0, NULL},
	{"status", MUST_HAVE, read_status, 0, NULL},
	{"t", MUST_HAVE, read_transform, 0, NULL},
	{"tag", MUST_HAVE, read_tag, 0, NULL},
	{"ver", MUST_HAVE, read_version, 0, NULL},
	{"xmlns", MUST_HAVE, read_xmlns, 0, NULL},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const char *row_name_at(size_t index)
{
	return index < ROW_COUNT ? rows[index].name : NULL;
}

static const struct action_row *row_find(struct slice name)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (slice_equal_nocase(name, slice_from_string(rows[i].name)))
			return &rows[i];
	return NULL;
}

static int action_unknown(struct compiler *c, struct slice name, size_t offset)
{
	const char *hint = compiler_suggest(c, name, row_name_at, "");
	return compiler_error(c, offset, hint, "unknown action \"%.*s\"", SLICE_ARG(name));
}

static int action_parse(struct argument *a, struct slice name)
{
	const struct action_row *row = row_find(name);
	size_t offset = a->offset;
	if (row == NULL)
		return action_unknown(a->compiler, name, offset);
	if (row->rule == REFUSED)
		return compiler_error(a->compiler, offset, row->reason, "the action %s is refused", row->name);
	if (row->rule == MUST_HAVE && a->text.len == 0)
		return compiler_error(a->compiler, offset, NULL, "the action %s wants an argument", row->name);
	if (row->rule == WITHOUT && a->text.len > 0)
		return compiler_error(a->compiler, offset, NULL, "the action %s takes no argument", row->name);
	a->value = row->value;
	return row->read(a);
}

/* Where the action that begins at `at` ends: a comma outside of '...'. A quote counts only where an argument begins. */
static size_t action_end(struct slice text, size_t at)
{
	bool inside = false;
	for (; at < text.len; at++) {
		uint8_t c = text.ptr[at];
		if (inside && c == '\\')
			at++;
		else if (c == '\'' && (inside || text.ptr[at - (at > 0)] == ':' || text.ptr[at - (at > 0)] == '='))
			inside = !inside;
		else if (c == ',' && !inside)
			return at;
	}
	return text.len;
}

/* Takes '...' off and \' for '. In place where nothing is escaped. */
static int unquote(struct compiler *c, struct slice *text, size_t *offset)
{
	if (text->len == 0 || text->ptr[0] != '\'')
		return 0;
	size_t close = 1;
	while (close < text->len && text->ptr[close] != '\'')
		close += text->ptr[close] == '\\' ? 2 : 1;
	if (close >= text->len)
		return compiler_error(c, *offset, NULL, "this quote is never closed");
	if (close + 1 < text->len)
		return compiler_error(c, *offset + close + 1, NULL, "a comma is missing here");
	*text = slice_sub(*text, 1, text->len - 1);
	++*offset;
	if (slice_find(*text, SLICE("\\'"), 0) == text->len)
		return 0;
	struct buffer out = buffer_make(c->arena);
	for (size_t i = 0; i < text->len; i++)
		if (text->ptr[i] != '\\' || i + 1 == text->len || text->ptr[i + 1] != '\'')
			buffer_byte(&out, text->ptr[i]);
	*text = buffer_slice(&out);
	return out.error;
}

int actions_parse(struct compiler *compiler, struct draft *draft)
{
	struct slice text = compiler->word->text;
	int r = 0;
	for (size_t at = 0; at <= text.len && r == 0;) {
		size_t end = action_end(text, at);
		struct slice part = slice_trim(slice_sub(text, at, end));
		at = end + 1;
		if (part.len == 0)
			return compiler_error(compiler, (size_t)(part.ptr - text.ptr), "is there a comma too many?",
					      "an action is missing here");
		struct slice name;
		struct slice value = slice_trim(slice_cut(part, ':', &name));
		name = slice_trim(name);
		struct argument argument = {.compiler = compiler, .draft = draft, .text = value};
		argument.offset = (size_t)((value.len > 0 ? value.ptr : name.ptr) - text.ptr);
		r = unquote(compiler, &argument.text, &argument.offset);
		if (r == 0)
			r = action_parse(&argument, name);
	}
	return r;
}
