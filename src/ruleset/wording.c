/*
 * Pieces are written one behind the other into one buffer and come to the arena together. A chain that does not log has
 * those of the audit record's list only.
 */
#include "ruleset/wording.h"

#include "codec/text.h"
#include "http/redact.h"

#include <errno.h>

/* Operators as ModSecurity's logs spell them: "Rx", "PmFromFile". */
static const char *const operator_names[OPERATOR_COUNT] = {
	[OPERATOR_BEGINS_WITH] = "BeginsWith",
	[OPERATOR_CONTAINS] = "Contains",
	[OPERATOR_CONTAINS_WORD] = "ContainsWord",
	[OPERATOR_DETECT_SQLI] = "DetectSQLi",
	[OPERATOR_DETECT_XSS] = "DetectXSS",
	[OPERATOR_ENDS_WITH] = "EndsWith",
	[OPERATOR_EQ] = "Eq",
	[OPERATOR_GE] = "Ge",
	[OPERATOR_GEO_LOOKUP] = "GeoLookup",
	[OPERATOR_GT] = "Gt",
	[OPERATOR_IP_MATCH] = "IpMatch",
	[OPERATOR_IP_MATCH_FROM_FILE] = "IpMatchFromFile",
	[OPERATOR_LE] = "Le",
	[OPERATOR_LT] = "Lt",
	[OPERATOR_NO_MATCH] = "NoMatch",
	[OPERATOR_PM] = "Pm",
	[OPERATOR_PM_FROM_FILE] = "PmFromFile",
	[OPERATOR_RBL] = "Rbl",
	[OPERATOR_RX] = "Rx",
	[OPERATOR_RX_GLOBAL] = "RxGlobal",
	[OPERATOR_STR_EQ] = "StrEq",
	[OPERATOR_STR_MATCH] = "StrMatch",
	[OPERATOR_UNCONDITIONAL_MATCH] = "UnconditionalMatch",
	[OPERATOR_VALIDATE_BYTE_RANGE] = "ValidateByteRange",
	[OPERATOR_VALIDATE_DTD] = "ValidateDTD",
	[OPERATOR_VALIDATE_SCHEMA] = "ValidateSchema",
	[OPERATOR_VALIDATE_URL_ENCODING] = "ValidateUrlEncoding",
	[OPERATOR_VALIDATE_UTF8_ENCODING] = "ValidateUtf8Encoding",
	[OPERATOR_VERIFY_CC] = "VerifyCC",
	[OPERATOR_VERIFY_CPF] = "VerifyCPF",
	[OPERATOR_VERIFY_SSN] = "VerifySSN",
	[OPERATOR_VERIFY_SVNR] = "VerifySVNR",
	[OPERATOR_WITHIN] = "Within",
};

void wording_add_omitted(struct buffer *out, size_t count)
{
	buffer_text(out, " (");
	buffer_number(out, (int64_t)count);
	buffer_text(out, " characters omitted)");
}

void wording_add_limited(struct buffer *out, struct slice text, size_t limit)
{
	buffer_add(out, slice_sub(text, 0, limit));
	if (text.len > limit)
		wording_add_omitted(out, text.len - limit);
}

void wording_add_escaped(struct buffer *out, enum wording_form form, struct slice text)
{
	if (form == WORDING_JSON)
		text_add_json_bytes(out, text);
	else
		text_add_log(out, text, true);
}

/* What a link's operator was asked, before escapes. */
static void add_match(struct buffer *out, const struct rule *rule, struct wording *wording)
{
	const struct rule_operator *operation = &rule->operation;
	wording->match_is_whole = true;
	if (operation->kind == OPERATOR_DETECT_SQLI || operation->kind == OPERATOR_DETECT_XSS) {
		buffer_text(out, operation->kind == OPERATOR_DETECT_SQLI ? "detected SQLi using libinjection."
									 : "detected XSS using libinjection.");
		return;
	}
	wording->match_is_whole = false;
	wording->parameter_varies = !macro_is_literal(&operation->argument);
	buffer_text(out, "Matched \"Operator `");
	buffer_text(out, operator_names[operation->kind]);
	buffer_text(out, "' with parameter `");
	if (wording->parameter_varies)
		return;
	wording_add_limited(out, operation->argument.text, WORDING_PARAMETER);
	buffer_text(out, WORDING_AGAINST);
}

static void add_number(struct buffer *out, const char *before, int64_t number)
{
	buffer_text(out, before);
	buffer_number(out, number);
}

static void add_quoted(struct buffer *out, enum wording_form form, const char *before, struct slice text)
{
	buffer_text(out, before);
	wording_add_escaped(out, form, text);
}

static void add_rule(struct buffer *out, enum wording_form form, const struct rule *rule)
{
	struct slice file = slice_from_string(rule->file);
	if (form == WORDING_JSON) {
		add_number(out, "\",\"ruleId\":\"", rule->id);
		add_quoted(out, form, "\",\"file\":\"", file);
		add_number(out, "\",\"lineNumber\":\"", rule->line);
		buffer_text(out, "\",\"data\":\"");
		return;
	}
	add_quoted(out, form, " [file \"", file);
	add_number(out, "\"] [line \"", rule->line);
	add_number(out, "\"] [id \"", rule->id);
	add_quoted(out, form, "\"] [rev \"", rule->revision);
	buffer_text(out, "\"] [msg \"");
}

static void add_version(struct buffer *out, enum wording_form form, const struct rule *rule)
{
	if (form == WORDING_JSON) {
		add_quoted(out, form, "\",\"ver\":\"", rule->version);
		add_quoted(out, form, "\",\"rev\":\"", rule->revision);
		buffer_text(out, "\",\"tags\":[");
		return;
	}
	add_quoted(out, form, "\"] [ver \"", rule->version);
	add_number(out, "\"] [maturity \"", rule->maturity);
	add_number(out, "\"] [accuracy \"", rule->accuracy);
	buffer_text(out, "\"]");
}

static void add_end(struct buffer *out, enum wording_form form, const struct rule *rule)
{
	if (form != WORDING_JSON)
		return;
	add_number(out, "],\"maturity\":\"", rule->maturity);
	add_number(out, "\",\"accuracy\":\"", rule->accuracy);
	buffer_text(out, "\"}}");
}

void wording_add_tag(struct buffer *out, enum wording_form form, bool first, struct slice tag)
{
	if (form == WORDING_JSON)
		add_quoted(out, form, first ? "\"" : ",\"", tag);
	else
		add_quoted(out, form, " [tag \"", tag);
	buffer_text(out, form == WORDING_JSON ? "\"" : "\"]");
}

/* Whether logs show the message just as it is written, where nobody has named more secrets. */
static bool is_shown_whole(const struct rule *rule)
{
	const struct redact_names none = {0};
	struct buffer shown = buffer_make(NULL);
	if (rule->message.text.len == 0 || !macro_is_literal(&rule->message))
		return rule->message.text.len == 0;
	redact_text(&none, SLICE(""), SLICE(""), rule->message.text, &shown);
	bool whole = shown.error == 0 && slice_equal(buffer_slice(&shown), rule->message.text);
	buffer_free(&shown);
	return whole;
}

static bool tags_vary(const struct rule *rule)
{
	for (size_t i = 0; i < rule->tag_count; i++)
		if (!macro_is_literal(&rule->tags[i]))
			return true;
	return false;
}

enum { PIECES = 2 + WORDING_FORMS * 6, ROOM = 512 /* to begin with */ };

/* Pieces one behind the other, until there is one memory for all. */
struct writing {
	const struct rule *rule;
	struct wording *wording;
	struct buffer out;
	struct slice *pieces[PIECES];
	size_t ends[PIECES];
	size_t count;
};

static void end_piece(struct writing *w, struct slice *ret_piece)
{
	w->pieces[w->count] = ret_piece;
	w->ends[w->count++] = w->out.len;
}

static void write_match(struct writing *w)
{
	struct buffer match = buffer_make(NULL);
	if (w->rule->kind != RULE_OPERATOR)
		return;
	buffer_reserve(&match, ROOM);
	add_match(&match, w->rule, w->wording);
	text_add_log(&w->out, buffer_slice(&match), false);
	end_piece(w, &w->wording->texts[WORDING_LOG].match);
	text_add_json_bytes(&w->out, buffer_slice(&match));
	end_piece(w, &w->wording->texts[WORDING_JSON].match);
	w->out.error = match.error != 0 ? match.error : w->out.error;
	buffer_free(&match);
}

static void write_link(struct writing *w)
{
	const struct rule *rule = w->rule;
	add_number(&w->out, "{\"id\":", rule->id);
	add_number(&w->out, ",\"depth\":", rule->chain_depth);
	add_number(&w->out, ",\"phase\":", rule->phase);
	buffer_text(&w->out, ",\"completed\":");
	end_piece(w, &w->wording->link);
	if (rule->kind != RULE_OPERATOR)
		return;
	buffer_text(&w->out, "\",\"operator\":\"");
	buffer_text(&w->out, operator_infos[rule->operation.kind].name);
	buffer_text(&w->out, rule->operation.negated ? "\",\"negated\":true" : "\",\"negated\":false");
	buffer_text(&w->out, ",\"transformations\":[");
	for (size_t i = 0; i < rule->transform_count; i++) {
		buffer_text(&w->out, i == 0 ? "\"" : ",\"");
		buffer_text(&w->out, transform_name(rule->transforms[i]));
		buffer_byte(&w->out, '"');
	}
	buffer_byte(&w->out, ']');
	end_piece(w, &w->wording->operation);
}

static void write_form(struct writing *w, enum wording_form form, bool shows_message)
{
	const struct rule *rule = w->rule;
	struct wording_text *text = &w->wording->texts[form];
	add_rule(&w->out, form, rule);
	end_piece(w, &text->rule);
	if (shows_message) {
		wording_add_escaped(&w->out, form, rule->message.text);
		end_piece(w, &text->message);
	}
	add_version(&w->out, form, rule);
	end_piece(w, &text->version);
	if (!tags_vary(rule)) {
		for (size_t i = 0; i < rule->tag_count; i++)
			wording_add_tag(&w->out, form, i == 0, rule->tags[i].text);
		end_piece(w, &text->tags);
	}
	add_end(&w->out, form, rule);
	end_piece(w, &text->end);
}

/* The pieces in the arena. */
static int keep(struct writing *w, struct arena *arena)
{
	uint8_t *bytes = w->out.error != 0 ? NULL : arena_alloc(arena, w->out.len + 1);
	if (bytes == NULL)
		return -ENOMEM;
	memcpy(bytes, w->out.ptr, w->out.len);
	for (size_t i = 0, from = 0; i < w->count; from = w->ends[i++])
		*w->pieces[i] = slice_make(bytes + from, w->ends[i] - from);
	return 0;
}

int wording_make(struct arena *arena, const struct rule *head, struct rule *rule)
{
	if (rule->kind == RULE_MARKER || (rule->wording != NULL && (rule->wording->for_log || !head->log)))
		return 0;
	struct wording *wording = arena_zalloc(arena, 1, sizeof(*wording));
	struct writing w = {.rule = rule, .wording = wording, .out = buffer_make(NULL)};
	if (wording == NULL)
		return -ENOMEM;
	wording->for_log = head->log;
	buffer_reserve(&w.out, head->log && rule == head ? 4 * ROOM : ROOM);
	write_link(&w);
	if (head->log)
		write_match(&w);
	if (head->log && rule == head) {
		bool shows_message = is_shown_whole(rule);
		for (enum wording_form form = 0; form < WORDING_FORMS; form++)
			write_form(&w, form, shows_message);
	}
	int r = keep(&w, arena);
	buffer_free(&w.out);
	if (r == 0)
		rule->wording = wording;
	return r;
}
