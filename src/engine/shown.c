/*
 * Small lists of the newest, gone through one by one: values shown, long names judged, texts without secrets. What they
 * hold counts until a rule names one more secret.
 */
#include "engine/shown.h"

#include "codec/text.h"
#include "engine/variable.h"
#include "ruleset/wording.h"

enum { ROOM = 64 };                                 /* for what redaction adds */
enum { KEPT_LEAST = 256 };                          /* bytes of a text that are worth comparing the next with */
enum { JUDGED_LEAST = 64, JUDGED_MOST = 4 * 1024 }; /* bytes of names that are kept */
enum { LOG_VALUE = 100, VALUE_LOOKED_AT = 4096, DOCUMENT_LOOKED_AT = 64 << 10 };

static bool is_of(const struct shown *shown, const struct matched *matched, struct slice original,
		  const struct transaction *t)
{
	return shown->original.ptr == original.ptr && shown->original.len == original.len &&
	       shown->matched.variable == matched->variable && shown->matched.counted == matched->counted &&
	       shown->matched.key.ptr == matched->key.ptr && shown->matched.key.len == matched->key.len &&
	       shown->names == t->redact.extra_count && shown->phase == t->phase;
}

struct shown *shown_get(struct transaction *t, const struct matched *matched, struct slice original)
{
	for (size_t i = 0; i < SHOWN_KEPT && t->shown[i] != NULL; i++)
		if (is_of(t->shown[i], matched, original, t))
			return t->shown[i];
	struct shown *shown = arena_alloc(&t->arena, sizeof(*shown));
	if (shown == NULL)
		return NULL;
	*shown = (struct shown){
		.matched = *matched,
		.original = original,
		.names = t->redact.extra_count,
		.phase = t->phase,
		.name = variable_full_name(t, matched),
	};
	memmove(t->shown + 1, t->shown, sizeof(t->shown) - sizeof(t->shown[0]));
	t->shown[0] = shown;
	return shown;
}

/* A document's values are known by its names, which neither REQUEST_BODY nor XML show: in doubt they are secret. */
static bool document_holds_secret(struct transaction *t)
{
	struct slice body = t->request_body.bytes;
	struct buffer out = buffer_make(&t->arena);
	if (body.len > DOCUMENT_LOOKED_AT)
		return true;
	redact_body(&t->redact, SLICE("text/xml"), body, &out);
	return out.error != 0 || !slice_equal(buffer_slice(&out), body);
}

static bool is_secret_document(struct transaction *t, struct slice name)
{
	bool document =
		t->xml != NULL && (slice_equal(name, SLICE("REQUEST_BODY")) || slice_starts_with(name, SLICE("XML")));
	return document && document_holds_secret(t);
}

static void keep_judged(struct transaction *t, struct slice name, bool secret)
{
	uint8_t *copy = arena_alloc(&t->arena, name.len);
	if (copy == NULL)
		return;
	memcpy(copy, name.ptr, name.len);
	memmove(t->judged_names + 1, t->judged_names, sizeof(t->judged_names) - sizeof(t->judged_names[0]));
	t->judged_names[0] = (struct judged_name){slice_make(copy, name.len), t->redact.extra_count, secret};
}

bool shown_name_says_secret(struct transaction *t, struct slice name)
{
	bool kept = name.len >= JUDGED_LEAST && name.len <= JUDGED_MOST;
	for (size_t i = 0; i < JUDGED_NAMES && kept; i++) {
		const struct judged_name *known = &t->judged_names[i];
		if (known->names == t->redact.extra_count && slice_equal(known->name, name))
			return known->secret;
	}
	bool secret = redact_name_is_secret(&t->redact, name);
	if (kept)
		keep_judged(t, name, secret);
	return secret;
}

bool shown_name_is_secret(struct transaction *t, struct slice name)
{
	return shown_name_says_secret(t, name) || is_secret_document(t, name);
}

bool shown_is_secret(struct transaction *t, struct shown *shown)
{
	if (!shown->judged) {
		shown->judged = true;
		shown->secret_by_name = shown_name_says_secret(t, shown->name);
		shown->secret = shown->secret_by_name || is_secret_document(t, shown->name);
	}
	return shown->secret;
}

/* Whether redact_value() knows of names in such a value. */
static bool is_structured(enum variable variable)
{
	switch ((int)variable) {
	case VARIABLE_REQUEST_URI:
	case VARIABLE_REQUEST_URI_RAW:
	case VARIABLE_REQUEST_LINE:
	case VARIABLE_QUERY_STRING:
	case VARIABLE_REQUEST_HEADERS:
	case VARIABLE_RESPONSE_HEADERS:
	case VARIABLE_REQUEST_BODY:
	case VARIABLE_RESPONSE_BODY:
	case VARIABLE_FULL_REQUEST:
		return true;
	default:
		return false;
	}
}

/* By what the variable holds, and then as free text: a body need not be what it looks like. */
static struct slice redacted(struct transaction *t, const struct shown *shown)
{
	struct slice value = slice_sub(shown->original, 0, VALUE_LOOKED_AT);
	if (is_structured(shown->matched.variable)) {
		struct buffer structured = buffer_make(&t->arena);
		buffer_reserve(&structured, value.len + ROOM);
		redact_value(&t->redact, shown->name, value, &structured);
		value = structured.error != 0 ? SLICE("") : buffer_slice(&structured);
	}
	return shown_text(t, SLICE(""), SLICE(""), value);
}

static struct slice without_secrets(struct transaction *t, struct slice variable, struct slice value, struct slice text)
{
	struct buffer out = buffer_make(&t->arena);
	bool secret = variable.len > 0 && shown_name_says_secret(t, variable);
	buffer_reserve(&out, text.len + ROOM);
	redact_text_judged(&t->redact, secret ? variable : SLICE(""), value, text, &out);
	return out.error != 0 || out.len == 0 ? SLICE("") : buffer_slice(&out);
}

struct slice shown_text(struct transaction *t, struct slice variable, struct slice value, struct slice text)
{
	bool keeps = text.len == 0 || (variable.len == 0 && redact_text_keeps(&t->redact, text, 0));
	return keeps ? text : without_secrets(t, variable, value, text);
}

/* How much of its end it has in common with one that holds no secrets. */
static size_t known_end(const struct transaction *t, struct slice text)
{
	size_t most = 0;
	for (size_t i = 0; i < KEPT_TEXTS && t->kept_texts[i].text.len > 0; i++) {
		if (t->kept_texts[i].names != t->redact.extra_count)
			continue;
		size_t end = slice_common_end(t->kept_texts[i].text, text);
		most = end > most ? end : most;
	}
	return most;
}

/* What rules tell of one value ends alike, in each of the forms that they look at. */
static bool keeps(struct transaction *t, struct slice text)
{
	size_t known = known_end(t, text);
	if (!redact_text_keeps(&t->redact, text, known))
		return false;
	if (text.len - known >= KEPT_LEAST) {
		memmove(t->kept_texts + 1, t->kept_texts, sizeof(t->kept_texts) - sizeof(t->kept_texts[0]));
		t->kept_texts[0] = (struct kept_text){text, t->redact.extra_count};
	}
	return true;
}

struct slice shown_whole(struct transaction *t, struct log_text *text)
{
	if (text->told.ptr == NULL)
		text->told = keeps(t, text->raw) ? text->raw : without_secrets(t, SLICE(""), SLICE(""), text->raw);
	return text->told;
}

struct slice shown_beginning(struct transaction *t, const struct log_text *text, size_t limit, size_t *ret_left)
{
	struct buffer out = buffer_make(&t->arena);
	*ret_left = 0;
	if (text->told.ptr != NULL)
		return text->told;
	buffer_reserve(&out, limit + ROOM);
	*ret_left = redact_text_beginning(&t->redact, text->raw, limit, &out);
	return out.error != 0 ? SLICE("") : buffer_slice(&out);
}

struct slice shown_value(struct transaction *t, struct shown *shown)
{
	if (shown->value.ptr != NULL)
		return shown->value;
	struct slice value = shown_is_secret(t, shown) ? SLICE("[redacted]") : redacted(t, shown);
	struct buffer out = buffer_make(&t->arena);
	buffer_reserve(&out, LOG_VALUE + ROOM);
	size_t len = text_add_log_limited(&out, value, LOG_VALUE);
	if (len > LOG_VALUE)
		wording_add_omitted(&out, len - LOG_VALUE);
	shown->value = out.error != 0 ? SLICE("") : buffer_slice(&out);
	return shown->value;
}
