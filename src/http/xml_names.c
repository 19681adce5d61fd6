/*
 * No parser: from '<' to '<', comments, CDATA, instructions and declarations are passed over by the marks at their
 * ends; in any other tag the letters outside quotes are replaced.
 */
#include "http/xml_names.h"

#include <errno.h>

/* Productions of XML 1.0 (fifth edition) by the marks at their beginning and end. */
static const struct {
	struct slice begin;
	struct slice end;
} passed_over[] = {
	{SLICE_INIT("<!--"), SLICE_INIT("-->")},
	{SLICE_INIT("<![CDATA["), SLICE_INIT("]]>")},
	{SLICE_INIT("<?"), SLICE_INIT("?>")},
};

/* Behind `mark`, which is looked for from `at`, or the end. */
static size_t behind(struct slice s, struct slice mark, size_t at)
{
	size_t found = slice_find(s, mark, at);
	return found < s.len ? found + mark.len : s.len;
}

/* Behind a comment, CDATA section or instruction that begins at `at`; `at` itself where none does. */
static size_t behind_opaque(struct slice s, size_t at)
{
	for (size_t i = 0; i < sizeof(passed_over) / sizeof(passed_over[0]); i++)
		if (slice_starts_with(slice_after(s, at), passed_over[i].begin))
			return behind(s, passed_over[i].end, at + passed_over[i].begin.len);
	return at;
}

static size_t behind_quoted(struct slice s, size_t at)
{
	size_t end = slice_find_byte(s, s.ptr[at], at + 1);
	return end < s.len ? end + 1 : s.len;
}

/* Behind the declaration that begins at `at`, with the declarations inside it. */
static size_t behind_declaration(struct slice s, size_t at)
{
	for (size_t depth = 0; at < s.len;) {
		size_t opaque = behind_opaque(s, at);
		if (opaque > at) {
			at = opaque;
			continue;
		}
		uint8_t c = s.ptr[at];
		at = c == '"' || c == '\'' ? behind_quoted(s, at) : at + 1;
		depth += c == '<';
		if (c == '>' && --depth == 0)
			break;
	}
	return at;
}

/* Hides what stands outside quotes between `<` and `>`; behind that. */
static size_t hide_tag(struct slice s, size_t at, uint8_t *hidden)
{
	while (at < s.len && s.ptr[at] != '>') {
		if (s.ptr[at] == '"' || s.ptr[at] == '\'') {
			at = behind_quoted(s, at);
			continue;
		}
		if (byte_is_alpha(s.ptr[at]))
			hidden[at] = 'x';
		at++;
	}
	return at;
}

/* UTF-16, UCS-4, EBCDIC (XML 1.0, appendix F): the bytes of < and > mean something else there. */
static bool is_no_ascii(struct slice document)
{
	struct slice start = slice_sub(document, 0, 4);
	return slice_find_byte(start, '\0', 0) < start.len || slice_starts_with(start, SLICE("\xfe\xff")) ||
	       slice_starts_with(start, SLICE("\xff\xfe")) || slice_starts_with(start, SLICE("\x4c\x6f\xa7\x94"));
}

int xml_hide_names(struct slice document, struct arena *arena, struct slice *ret_hidden)
{
	uint8_t *hidden = arena_alloc(arena, document.len);
	if (hidden == NULL)
		return -ENOMEM;
	memcpy(hidden, document.ptr, document.len);
	*ret_hidden = slice_make(hidden, document.len);
	if (is_no_ascii(document))
		return 0;
	for (size_t at = 0; (at = slice_find_byte(document, '<', at)) < document.len;) {
		size_t opaque = behind_opaque(document, at);
		if (opaque > at)
			at = opaque;
		else if (at + 1 < document.len && document.ptr[at + 1] == '!')
			at = behind_declaration(document, at);
		else
			at = hide_tag(document, at, hidden);
	}
	return 0;
}
