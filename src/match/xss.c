/*
 * Readings go on in turn, that which is least far first, and are joined where they stand alike. Tables of names are in
 * alphabetical order and entered by the first letter.
 */
#include "match/xss.h"

#include "match/xss_html.h"

enum verdict {
	HARMLESS,
	ALWAYS,   /* script whatever the value */
	URL,      /* the value is a URL, which may name a script */
	INDIRECT, /* the value names an attribute, as SVG animations do */
};

struct row {
	struct slice name; /* lower case */
	enum verdict verdict;
};

/* Elements that run, load or restyle. Anything whose name starts with svg or xsl counts too. */
static const struct slice elements[] = {
	SLICE_INIT("applet"), SLICE_INIT("base"),     SLICE_INIT("comment"), SLICE_INIT("embed"),
	SLICE_INIT("frame"),  SLICE_INIT("frameset"), SLICE_INIT("handler"), SLICE_INIT("iframe"),
	SLICE_INIT("import"), SLICE_INIT("isindex"),  SLICE_INIT("link"),    SLICE_INIT("listener"),
	SLICE_INIT("meta"),   SLICE_INIT("noscript"), SLICE_INIT("object"),  SLICE_INIT("script"),
	SLICE_INIT("style"),  SLICE_INIT("vmlframe"), SLICE_INIT("xml"),     SLICE_INIT("xss"),
};

static const struct row attributes[] = {
	{SLICE_INIT("action"), URL},
	{SLICE_INIT("attributename"), INDIRECT},
	{SLICE_INIT("background"), URL},
	{SLICE_INIT("by"), URL},
	{SLICE_INIT("dataformatas"), ALWAYS},
	{SLICE_INIT("datasrc"), ALWAYS},
	{SLICE_INIT("dynsrc"), URL},
	{SLICE_INIT("filter"), ALWAYS},
	{SLICE_INIT("folder"), URL},
	{SLICE_INIT("formaction"), URL},
	{SLICE_INIT("from"), URL},
	{SLICE_INIT("handler"), URL},
	{SLICE_INIT("href"), URL},
	{SLICE_INIT("lowsrc"), URL},
	{SLICE_INIT("poster"), URL},
	{SLICE_INIT("src"), URL},
	{SLICE_INIT("style"), ALWAYS},
	{SLICE_INIT("to"), URL},
	{SLICE_INIT("values"), URL},
	{SLICE_INIT("xlink:href"), URL},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Their beginnings are enough: java is followed by script in some browsers only after a line break. */
static const struct slice schemes[] = {
	SLICE_INIT("data"),
	SLICE_INIT("view-source"),
	SLICE_INIT("java"),
	SLICE_INIT("vbscript"),
};

/* Whether `text`, ASCII case and NULs ignored, is `name`. */
static bool is_name(struct slice text, struct slice name)
{
	size_t found = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == 0)
			continue;
		if (found == name.len || byte_lower(text.ptr[i]) != name.ptr[found])
			return false;
		found++;
	}
	return found == name.len;
}

/* Which rows of a table a name's first byte leaves: names are in alphabetical order. After NULs anything may come. */
struct rows {
	uint8_t from, to;
};

static const struct rows elements_of[256] = {
	[0] = {0, COUNT(elements)},
	['a'] = {0, 1},
	['b'] = {1, 2},
	['c'] = {2, 3},
	['e'] = {3, 4},
	['f'] = {4, 6},
	['h'] = {6, 7},
	['i'] = {7, 10},
	['l'] = {10, 12},
	['m'] = {12, 13},
	['n'] = {13, 14},
	['o'] = {14, 15},
	['s'] = {15, 17},
	['v'] = {17, 18},
	['x'] = {18, 20},
};

static const struct rows attributes_of[256] = {
	[0] = {0, COUNT(attributes)},
	['a'] = {0, 2},
	['b'] = {2, 4},
	['d'] = {4, 7},
	['f'] = {7, 11},
	['h'] = {11, 13},
	['l'] = {13, 14},
	['p'] = {14, 15},
	['s'] = {15, 17},
	['t'] = {17, 18},
	['v'] = {18, 19},
	['x'] = {19, 20},
};

static bool is_active_element(struct slice name)
{
	if (name.len < 3)
		return false;
	uint8_t first = byte_lower(name.ptr[0]);
	struct rows rows = elements_of[first];
	for (size_t i = rows.from; i < rows.to; i++)
		if (is_name(name, elements[i]))
			return true;
	return (first == 's' && slice_starts_with_nocase(name, SLICE("svg"))) ||
	       (first == 'x' && slice_starts_with_nocase(name, SLICE("xsl")));
}

/* Event handlers, and namespaces, which make any element of any name. */
static bool always_runs(struct slice name, uint8_t first)
{
	struct slice start = slice_sub(name, 0, 5);
	if (first == 'o')
		return byte_lower(name.ptr[1]) == 'n';
	return first == 'x' && (is_name(start, SLICE("xmlns")) || is_name(start, SLICE("xlink")));
}

static enum verdict judge_attribute(struct slice name)
{
	if (name.len < 2)
		return HARMLESS;
	uint8_t first = byte_lower(name.ptr[0]);
	if (name.len >= 5 && always_runs(name, first))
		return ALWAYS;
	struct rows rows = attributes_of[first];
	for (size_t i = rows.from; i < rows.to; i++)
		if (is_name(name, attributes[i].name))
			return attributes[i].verdict;
	return HARMLESS;
}

/* A numeric reference (&#65; &#x41;) at the start of `s`, its semicolon optional; a byte otherwise. */
static unsigned decode_one(struct slice s, size_t *ret_len)
{
	*ret_len = 1;
	if (s.len < 3 || s.ptr[0] != '&' || s.ptr[1] != '#')
		return s.ptr[0];
	unsigned base = byte_lower(s.ptr[2]) == 'x' ? 16 : 10;
	size_t start = base == 16 ? 3 : 2, at = start;
	unsigned value = 0;
	for (; at < s.len; at++) {
		int digit = byte_hex_value(s.ptr[at]);
		if (digit < 0 || (unsigned)digit >= base)
			break;
		value = value * base + (unsigned)digit;
		if (value > 0x1000ff)
			return '&';
	}
	if (at == start)
		return '&';
	*ret_len = at < s.len && s.ptr[at] == ';' ? at + 1 : at;
	return value;
}

/* Leading control bytes are skipped, NULs and line feeds anywhere. */
static bool starts_with_scheme(struct slice url, struct slice scheme)
{
	bool leading = true;
	size_t found = 0;
	while (url.len > 0 && found < scheme.len) {
		size_t len;
		unsigned c = decode_one(url, &len);
		url = slice_after(url, len);
		if (leading && c <= ' ')
			continue;
		leading = false;
		if (c == 0 || c == '\n')
			continue;
		if (c > 0xff || byte_lower((uint8_t)c) != scheme.ptr[found])
			return false;
		found++;
	}
	return found == scheme.len;
}

static bool is_active_url(struct slice url)
{
	while (url.len > 0 && (url.ptr[0] <= ' ' || url.ptr[0] >= 0x7f))
		url = slice_after(url, 1);
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (starts_with_scheme(url, schemes[i]))
			return true;
	return false;
}

static bool is_active_value(enum verdict attribute, struct slice value)
{
	switch (attribute) {
	case ALWAYS:
		return true;
	case URL:
		return is_active_url(value);
	case INDIRECT:
		return judge_attribute(value) != HARMLESS;
	case HARMLESS:
		break;
	}
	return false;
}

/* To Internet Explorer a ` ends a comment, and [if, xml, import and entity do something. */
static bool is_active_comment(struct slice text)
{
	if (slice_find_byte(text, '`', 0) < text.len)
		return true;
	if (text.len > 3 &&
	    (slice_starts_with_nocase(text, SLICE("[if")) || slice_starts_with_nocase(text, SLICE("xml"))))
		return true;
	struct slice start = slice_sub(text, 0, 6);
	return text.len > 5 && (is_name(start, SLICE("import")) || is_name(start, SLICE("entity")));
}

/* A reading of the value, as what stands in one context. */
struct course {
	struct xss_reader reader;
	enum verdict attribute; /* of the attribute that was read last: its value may come */
};

static bool token_runs(struct course *c, const struct xss_token *token)
{
	enum verdict before = c->attribute;
	c->attribute = HARMLESS;
	switch (token->kind) {
	case XSS_DOCTYPE:
		return true;
	case XSS_TAG_OPEN:
		return is_active_element(token->text);
	case XSS_ATTRIBUTE:
		c->attribute = judge_attribute(token->text);
		return false;
	case XSS_VALUE:
		return is_active_value(before, token->text);
	case XSS_COMMENT:
		return is_active_comment(token->text);
	case XSS_DATA:
	case XSS_TAG_END:
	case XSS_TAG_CLOSE:
		break;
	}
	return false;
}

/* Whether both will read the same from here on. */
static bool same_course(const struct course *a, const struct course *b)
{
	return a->reader.at == b->reader.at && a->reader.state == b->reader.state &&
	       a->reader.closing == b->reader.closing && a->attribute == b->attribute &&
	       (a->reader.state != XSS_IN_QUOTED || a->reader.quote == b->reader.quote);
}

/* That which is least far. */
static size_t last_course(const struct course *courses, size_t count)
{
	size_t last = 0;
	for (size_t i = 1; i < count; i++)
		if (courses[i].reader.at < courses[last].reader.at)
			last = i;
	return last;
}

/*
 * Readings go on side by side, and those that meet are one from there on: who meets is found, as the one behind comes
 * to where the other stands. Most meet after a few bytes.
 */
static bool any_runs(struct course *courses, size_t count)
{
	while (count > 0) {
		size_t at = last_course(courses, count);
		struct xss_token token;
		bool over = !xss_token_read(&courses[at].reader, &token);
		if (!over && token_runs(&courses[at], &token))
			return true;
		for (size_t i = 0; i < count && !over; i++)
			over = i != at && same_course(&courses[i], &courses[at]);
		if (over)
			courses[at] = courses[--count];
	}
	return false;
}

static bool has_tag(struct slice value)
{
	return slice_find_byte(value, '<', 0) < value.len;
}

bool xss_possible(struct slice value)
{
	return has_tag(value) || slice_find_byte(value, '=', 0) < value.len;
}

bool xss_detect(struct slice value)
{
	static const uint8_t quotes[] = {'\'', '"', '`'};
	struct course courses[XSS_BACK_QUOTED + 1];
	size_t count = 0;
	if (!xss_possible(value))
		return false;
	if (has_tag(value))
		courses[count++].reader = xss_reader_make(value, XSS_TEXT);
	courses[count++].reader = xss_reader_make(value, XSS_UNQUOTED);
	for (size_t i = 0; i < COUNT(quotes); i++)
		if (slice_find_byte(value, quotes[i], 0) < value.len)
			courses[count++].reader =
				xss_reader_make(value, (enum xss_context)(XSS_SINGLE_QUOTED + (int)i));
	for (size_t i = 0; i < count; i++)
		courses[i].attribute = HARMLESS;
	return any_runs(courses, count);
}
