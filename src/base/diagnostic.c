/*
 * What a list holds is as it was given; it is escaped when it is shown. Only whole characters of UTF-8 that are no
 * controls go out as they are, and the caret is placed by the width of what is shown.
 */
#include "base/diagnostic.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	LIST_CAP_BYTES = 4 * 1024 * 1024,
	SOURCE_LINE_SHOWN = 160, /* bytes */
	MESSAGE_BYTES = 1024,
};

void diagnostics_init(struct diagnostics *list)
{
	*list = (struct diagnostics){0};
	arena_init(&list->arena, LIST_CAP_BYTES, 0);
}

void diagnostics_destroy(struct diagnostics *list)
{
	arena_destroy(&list->arena);
	diagnostics_init(list);
}

bool diagnostics_failed(const struct diagnostics *list)
{
	return list->errors > 0 || list->lost;
}

static void append(struct diagnostics *list, struct diagnostic *diagnostic)
{
	if (list->last == NULL)
		list->first = diagnostic;
	else
		list->last->next = diagnostic;
	list->last = diagnostic;
	list->errors += diagnostic->severity == DIAGNOSTIC_ERROR;
	list->warnings += diagnostic->severity == DIAGNOSTIC_WARNING;
}

void diagnostics_add(struct diagnostics *list, enum diagnostic_severity severity, struct source_place place,
		     const char *hint, const char *format, ...)
{
	char message[MESSAGE_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);

	struct diagnostic *diagnostic = arena_zalloc(&list->arena, 1, sizeof(*diagnostic));
	if (diagnostic == NULL) {
		list->lost = true;
		return;
	}
	diagnostic->severity = severity;
	diagnostic->line = place.line;
	diagnostic->column = place.column;
	diagnostic->file = arena_string(&list->arena, slice_from_string(place.file));
	diagnostic->message = arena_string(&list->arena, slice_from_string(message));
	diagnostic->hint = arena_string(&list->arena, slice_from_string(hint));
	diagnostic->source_line = arena_string(&list->arena, place.source_line);
	if (diagnostic->file == NULL || diagnostic->message == NULL || diagnostic->hint == NULL ||
	    diagnostic->source_line == NULL) {
		list->lost = true;
		return;
	}
	append(list, diagnostic);
}

/* How many bytes of a text that ends in NUL are one character that a terminal may be shown (RFC 3629); 0 if none. */
static size_t shown_length(const uint8_t *text)
{
	size_t len = text[0] < 0x80   ? 1
		     : text[0] < 0xc2 ? 0
		     : text[0] < 0xe0 ? 2
		     : text[0] < 0xf0 ? 3
		     : text[0] < 0xf5 ? 4
				      : 0;
	if (len == 1)
		return text[0] >= 0x20 && text[0] != 0x7f;
	for (size_t i = 1; i < len; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	bool control = text[0] == 0xc2 && text[1] < 0xa0;
	bool overlong = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
	bool outside = (text[0] == 0xed && text[1] >= 0xa0) || (text[0] == 0xf4 && text[1] >= 0x90);
	return control || overlong || outside ? 0 : len;
}

static void add_escaped(struct buffer *out, const char *text, size_t limit)
{
	const uint8_t *bytes = (const uint8_t *)text;
	for (size_t i = 0, len; bytes[i] != '\0' && i<limit; i += len> 0 ? len : 1) {
		len = shown_length(bytes + i);
		if (bytes[i] == '\t')
			buffer_byte(out, ' ');
		else if (len == 0)
			buffer_printf(out, "\\x%02x", bytes[i]);
		else
			buffer_add(out, slice_make(bytes + i, len));
	}
}

/* How many characters the first bytes of a text are, as they are shown. */
static size_t shown_width(const char *text, size_t limit)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t width = 0;
	for (size_t i = 0, len; i < limit && bytes[i] != '\0'; i += len > 0 ? len : 1) {
		len = shown_length(bytes + i);
		width += len > 0 || bytes[i] == '\t' ? 1 : strlen("\\xHH");
	}
	return width;
}

static void add_caret(const struct diagnostic *diagnostic, struct buffer *out)
{
	if (diagnostic->source_line[0] == '\0')
		return;
	buffer_text(out, "\n  ");
	add_escaped(out, diagnostic->source_line, SOURCE_LINE_SHOWN);
	if (diagnostic->column > 0 && diagnostic->column <= SOURCE_LINE_SHOWN)
		buffer_printf(out, "\n  %*s", (int)shown_width(diagnostic->source_line, diagnostic->column - 1) + 1,
			      "^");
}

void diagnostic_format(const struct diagnostic *diagnostic, struct buffer *out)
{
	static const char *const severity_names[] = {
		[DIAGNOSTIC_NOTE] = "note",
		[DIAGNOSTIC_WARNING] = "warning",
		[DIAGNOSTIC_ERROR] = "error",
	};
	if (diagnostic->file[0] != '\0') {
		add_escaped(out, diagnostic->file, SIZE_MAX);
		if (diagnostic->line != 0)
			buffer_printf(out, ":%u:%u", diagnostic->line, diagnostic->column);
		buffer_text(out, ": ");
	}
	buffer_printf(out, "%s: ", severity_names[diagnostic->severity]);
	add_escaped(out, diagnostic->message, SIZE_MAX);
	add_caret(diagnostic, out);
	if (diagnostic->hint[0] != '\0') {
		buffer_text(out, "\n  hint: ");
		add_escaped(out, diagnostic->hint, SIZE_MAX);
	}
	buffer_byte(out, '\n');
}
