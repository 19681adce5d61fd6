#include "substitute.h"

#include "http/multipart.h"
#include "http/uri.h"
#include "http/xml_names.h"
#include "match/sqli.h"
#include "match/xss.h"

#include <stdio.h>

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

/* A line that lies in the body gets its end back; one that was folded is a copy and has none there, either. */
static struct slice with_line_end(struct slice line, struct slice body)
{
	if (line.ptr < body.ptr || line.ptr >= body.ptr + body.len)
		return line;
	size_t from = (size_t)(line.ptr - body.ptr);
	size_t newline = slice_find_byte(body, '\n', from);
	return newline < body.len ? slice_sub(body, from, newline + 1) : line;
}

int __real_multipart_parse(struct slice content_type, struct slice body, const struct multipart_options *options,
			   struct arena *arena, struct multipart *ret_multipart);
int __wrap_multipart_parse(struct slice content_type, struct slice body, const struct multipart_options *options,
			   struct arena *arena, struct multipart *ret_multipart);
int __wrap_multipart_parse(struct slice content_type, struct slice body, const struct multipart_options *options,
			   struct arena *arena, struct multipart *ret_multipart)
{
	int r = __real_multipart_parse(content_type, body, options, arena, ret_multipart);
	struct field_list *lines = &ret_multipart->part_headers;
	if (r >= 0 && (in_place & SUBSTITUTE_PART_HEADER))
		for (size_t i = 0; i < lines->count; i++)
			lines->items[i].value = with_line_end(lines->items[i].value, body);
	return r;
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
