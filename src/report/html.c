/*
 * In two layers: text_add_terminal() makes all bytes printable text, then the five characters that mean something are
 * escaped. Formats are cut at their one placeholder; printf never sees them.
 */
#include "report/html.h"

#include "codec/text.h"

#include <stdio.h>
#include <string.h>

static void add_escaped(struct buffer *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		switch (text.ptr[i]) {
		case '&':
			buffer_text(out, "&amp;");
			break;
		case '<':
			buffer_text(out, "&lt;");
			break;
		case '>':
			buffer_text(out, "&gt;");
			break;
		case '"':
			buffer_text(out, "&quot;");
			break;
		case '\'':
			buffer_text(out, "&#39;");
			break;
		default:
			buffer_byte(out, text.ptr[i]);
		}
}

static void add_slice(struct buffer *out, struct slice text)
{
	struct buffer plain = buffer_make(NULL);
	text_add_terminal(&plain, text);
	add_escaped(out, buffer_slice(&plain));
	if (plain.error != 0)
		out->error = plain.error;
	buffer_free(&plain);
}

void html_add(struct buffer *out, const char *text)
{
	add_slice(out, slice_from_string(text));
}

void html_add_with(struct buffer *out, const char *format, const char *value)
{
	struct slice text = slice_from_string(format);
	size_t at = slice_find_byte(text, '%', 0);
	if (at + 1 >= text.len) {
		add_slice(out, text);
		return;
	}
	size_t after = at + (format[at + 1] == 's' ? strlen("%s") : strlen("%lu"));
	add_slice(out, slice_make(text.ptr, at));
	html_add(out, value);
	add_slice(out, slice_make(text.ptr + after, text.len - after));
}

void html_add_number(struct buffer *out, const char *format, unsigned long value)
{
	char number[24];
	snprintf(number, sizeof(number), "%lu", value);
	html_add_with(out, format, number);
}
