/* Our functions against what libmodsecurity does in their place: each __wrap_ does one or the other, as it is told. */
#include "substitute.h"

#include "base/buffer.h"
#include "codec/transform.h"
#include "http/json.h"
#include "http/multipart.h"
#include "http/uri.h"
#include "http/xml_entity.h"
#include "http/xml_names.h"
#include "match/phrases.h"
#include "match/regex.h"
#include "match/sqli.h"
#include "match/xss.h"

#include "guia.h"

#include <errno.h>
#include <stdlib.h>

static unsigned in_place;

void substitute(unsigned substitutions)
{
	in_place = substitutions;
}

/* ---- libinjection, as Debian's libmodsecurity exports it ---- */

int libinjection_sqli(const char *text, size_t len, char fingerprint[]);
int libinjection_xss(const char *text, size_t len);

bool __real_sqli_detect(struct slice value, struct sqli_fingerprint *ret_fingerprint);
bool __wrap_sqli_detect(struct slice value, struct sqli_fingerprint *ret_fingerprint);
bool __wrap_sqli_detect(struct slice value, struct sqli_fingerprint *ret_fingerprint)
{
	if (!(in_place & SUBSTITUTE_SQLI))
		return __real_sqli_detect(value, ret_fingerprint);
	char fingerprint[9] = "";
	if (value.len == 0 || libinjection_sqli((const char *)value.ptr, value.len, fingerprint) == 0)
		return false;
	if (ret_fingerprint != NULL)
		memcpy(ret_fingerprint->text, fingerprint, sizeof(ret_fingerprint->text));
	return true;
}

bool __real_xss_detect(struct slice value);
bool __wrap_xss_detect(struct slice value);
bool __wrap_xss_detect(struct slice value)
{
	if (!(in_place & SUBSTITUTE_XSS))
		return __real_xss_detect(value);
	return value.len > 0 && libinjection_xss((const char *)value.ptr, value.len) != 0;
}

/* ---- what is read ---- */

int __real_xml_hide_names(struct slice document, struct arena *arena, struct slice *ret_hidden);
int __wrap_xml_hide_names(struct slice document, struct arena *arena, struct slice *ret_hidden);
int __wrap_xml_hide_names(struct slice document, struct arena *arena, struct slice *ret_hidden)
{
	if (!(in_place & SUBSTITUTE_DOCUMENT))
		return __real_xml_hide_names(document, arena, ret_hidden);
	*ret_hidden = document;
	return 0;
}

void __real_xml_refuse_entities(xmlSAXHandler *sax);
void __wrap_xml_refuse_entities(xmlSAXHandler *sax);
void __wrap_xml_refuse_entities(xmlSAXHandler *sax)
{
	if (!(in_place & SUBSTITUTE_ENTITIES))
		__real_xml_refuse_entities(sax);
}

/* A line that lies in the body gets its end back; one that was folded is a copy and has none there, either. */
static struct slice with_line_end(struct slice line, struct slice body)
{
	if (line.ptr < body.ptr || line.ptr >= body.ptr + body.len)
		return line;
	size_t from = (size_t)(line.ptr - body.ptr);
	size_t newline = slice_find_byte(body, '\n', from);
	return newline < body.len ? slice_sub(body, from, newline + 1) : line;
}

static int join_lines(struct field *field, struct arena *arena)
{
	struct buffer joined = buffer_make(arena);
	struct slice value = field->value;
	for (size_t i = 0; i < value.len; i++) {
		bool crlf = value.ptr[i] == '\r' && i + 1 < value.len && value.ptr[i + 1] == '\n';
		if (!crlf && value.ptr[i] != '\n')
			buffer_byte(&joined, value.ptr[i]);
	}
	field->value = buffer_slice(&joined);
	return joined.error;
}

int __real_multipart_parse(struct slice content_type, struct slice body, const struct multipart_options *options,
			   struct arena *arena, struct multipart *ret_multipart);
int __wrap_multipart_parse(struct slice content_type, struct slice body, const struct multipart_options *options,
			   struct arena *arena, struct multipart *ret_multipart);
int __wrap_multipart_parse(struct slice content_type, struct slice body, const struct multipart_options *options,
			   struct arena *arena, struct multipart *ret_multipart)
{
	struct multipart_options changed = *options;
	changed.unambiguous = options->unambiguous && !(in_place & SUBSTITUTE_AMBIGUOUS);
	int r = __real_multipart_parse(content_type, body, &changed, arena, ret_multipart);
	struct field_list *lines = &ret_multipart->part_headers;
	if (r >= 0 && (in_place & SUBSTITUTE_PART_HEADER))
		for (size_t i = 0; i < lines->count; i++)
			lines->items[i].value = with_line_end(lines->items[i].value, body);
	struct field_list *arguments = &ret_multipart->arguments;
	if (r >= 0 && (in_place & SUBSTITUTE_LINES))
		for (size_t i = 0; i < arguments->count; i++)
			if (join_lines(&arguments->items[i], arena) != 0)
				return -ENOMEM;
	return r;
}

int __real_json_parse(struct slice body, const struct json_options *options, struct field_list *list,
		      struct slice *ret_error);
int __wrap_json_parse(struct slice body, const struct json_options *options, struct field_list *list,
		      struct slice *ret_error);
int __wrap_json_parse(struct slice body, const struct json_options *options, struct field_list *list,
		      struct slice *ret_error)
{
	struct json_options changed = *options;
	changed.empty_containers = options->empty_containers && !(in_place & SUBSTITUTE_EMPTY);
	return __real_json_parse(body, &changed, list, ret_error);
}

int __real_uri_parse(struct slice raw, struct arena *arena, struct uri *ret_uri);
int __wrap_uri_parse(struct slice raw, struct arena *arena, struct uri *ret_uri);
int __wrap_uri_parse(struct slice raw, struct arena *arena, struct uri *ret_uri)
{
	int r = __real_uri_parse(raw, arena, ret_uri);
	if (r != 0 || !(in_place & SUBSTITUTE_QUESTION_MARK))
		return r;
	struct slice path = slice_sub(ret_uri->filename, 0, slice_find_byte(ret_uri->filename, '?', 0));
	size_t from = path.len;
	while (from > 0 && path.ptr[from - 1] != '/' && path.ptr[from - 1] != '\\')
		from--;
	ret_uri->filename = path;
	ret_uri->basename = from > 0 ? slice_after(path, from) : slice_make("", 0);
	return 0;
}

/* ---- what is made of a value ---- */

bool __real_transform_css_decode(const struct transform_context *context, struct slice in, uint8_t *out,
				 size_t *ret_len);
bool __wrap_transform_css_decode(const struct transform_context *context, struct slice in, uint8_t *out,
				 size_t *ret_len);
bool __wrap_transform_css_decode(const struct transform_context *context, struct slice in, uint8_t *out,
				 size_t *ret_len)
{
	bool changed = __real_transform_css_decode(context, in, out, ret_len);
	if (!(in_place & SUBSTITUTE_CSS))
		return changed;
	struct slice decoded = changed ? slice_make(out, *ret_len) : in;
	size_t length = slice_find_byte(decoded, '\0', 0);
	if (length == decoded.len)
		return changed;
	if (!changed)
		memcpy(out, in.ptr, length);
	*ret_len = length;
	return true;
}

/* libmodsecurity's acmp.h is not installed. */
struct acmp;
struct acmp_cursor {
	struct acmp *parser;
	void *node;
};
struct acmp *acmp_create(int flags);
int acmp_add_pattern(struct acmp *parser, const char *pattern, void *callback, void *data, size_t len);
int acmp_prepare(struct acmp *parser);
int acmp_process_quick(struct acmp_cursor *cursor, const char **match, const char *data, size_t len);

enum { AUTOMATONS_MAX = 512 };

/* The automaton of a list, made when it is first asked for; it stays as long as the process. */
static struct acmp *automaton(const struct phrases *phrases)
{
	static struct {
		const struct phrases *phrases;
		struct acmp *acmp;
	} made[AUTOMATONS_MAX];
	size_t i = 0;
	for (; i < AUTOMATONS_MAX && made[i].phrases != NULL; i++)
		if (made[i].phrases == phrases)
			return made[i].acmp;
	struct acmp *acmp = i < AUTOMATONS_MAX ? acmp_create(0) : NULL;
	if (acmp == NULL)
		return NULL;
	for (size_t k = 0; k < phrases_count(phrases); k++) {
		struct slice phrase = phrases_at(phrases, k);
		acmp_add_pattern(acmp, (const char *)phrase.ptr, NULL, NULL, phrase.len);
	}
	acmp_prepare(acmp);
	made[i].phrases = phrases;
	made[i].acmp = acmp;
	return acmp;
}

bool __real_phrases_match(const struct phrases *phrases, struct slice value, struct phrase_match *ret_match);
bool __wrap_phrases_match(const struct phrases *phrases, struct slice value, struct phrase_match *ret_match);
bool __wrap_phrases_match(const struct phrases *phrases, struct slice value, struct phrase_match *ret_match)
{
	struct acmp_cursor cursor = {.parser = in_place & SUBSTITUTE_PHRASES ? automaton(phrases) : NULL};
	if (cursor.parser == NULL)
		return __real_phrases_match(phrases, value, ret_match);
	const char *text = NULL;
	if (acmp_process_quick(&cursor, &text, (const char *)value.ptr, value.len) < 0 || text == NULL)
		return false;
	if (ret_match != NULL)
		*ret_match = (struct phrase_match){.text = slice_from_string(text)};
	return true;
}

/* The rule looks for: <h1 style="margin-bottom: 0">webadmin.php</h1>. With a backslash for the first quote it finds
 * nothing. */
int __real_guia_response_body(struct guia_transaction *transaction, struct guia_slice bytes, bool stays);
int __wrap_guia_response_body(struct guia_transaction *transaction, struct guia_slice bytes, bool stays);
int __wrap_guia_response_body(struct guia_transaction *transaction, struct guia_slice bytes, bool stays)
{
	static const struct slice needle = SLICE_INIT("<h1 style=\"margin-bottom: 0\">webadmin.php</h1>");
	struct slice body = slice_make(bytes.ptr, bytes.len);
	uint8_t *copy = in_place & SUBSTITUTE_QUOTE ? malloc(body.len + 1) : NULL;
	if (copy == NULL)
		return __real_guia_response_body(transaction, bytes, stays);
	memcpy(copy, body.ptr, body.len);
	for (size_t at = 0; (at = slice_find(body, needle, at)) < body.len; at += needle.len)
		memcpy(copy + at, "<h1 style=\\", 11);
	int r = __real_guia_response_body(transaction, (struct guia_slice){copy, body.len}, false);
	free(copy);
	return r;
}

/* ---- the limits of PCRE itself, of which nobody is told ---- */

int __real_regex_match(const struct regex *regex, struct regex_scratch *scratch, struct slice value, size_t start,
		       const struct regex_limits *limits, struct regex_span *ret_groups, size_t *count);
int __wrap_regex_match(const struct regex *regex, struct regex_scratch *scratch, struct slice value, size_t start,
		       const struct regex_limits *limits, struct regex_span *ret_groups, size_t *count);
int __wrap_regex_match(const struct regex *regex, struct regex_scratch *scratch, struct slice value, size_t start,
		       const struct regex_limits *limits, struct regex_span *ret_groups, size_t *count)
{
	if (!(in_place & SUBSTITUTE_LIMITS))
		return __real_regex_match(regex, scratch, value, start, limits, ret_groups, count);
	int r = __real_regex_match(regex, scratch, value, start, NULL, ret_groups, count);
	return r == REGEX_LIMIT ? REGEX_NONE : r;
}
