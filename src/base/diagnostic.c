#include "base/diagnostic.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	LIST_CAP_BYTES = 4 * 1024 * 1024,
	SOURCE_LINE_SHOWN = 160,
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
	char message[1024];
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

static void add_escaped(struct buffer *out, const char *text, size_t limit)
{
	for (size_t i = 0; text[i] != '\0' && i < limit; i++) {
		uint8_t c = (uint8_t)text[i];
		if (c == '\t')
			buffer_byte(out, ' ');
		else if (c < 0x20 || c == 0x7f)
			buffer_printf(out, "\\x%02x", c);
		else
			buffer_byte(out, c);
	}
}

static void add_caret(const struct diagnostic *diagnostic, struct buffer *out)
{
	if (diagnostic->source_line[0] == '\0')
		return;
	buffer_text(out, "\n  ");
	add_escaped(out, diagnostic->source_line, SOURCE_LINE_SHOWN);
	if (diagnostic->column > 0 && diagnostic->column <= SOURCE_LINE_SHOWN)
		buffer_printf(out, "\n  %*s", (int)diagnostic->column, "^");
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
		buffer_printf(out, ":%u:%u: ", diagnostic->line, diagnostic->column);
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
