/* Text in HTML and SVG: whatever it holds, it stays text, on one line, in the direction of its surroundings. */
#ifndef GUIA_REPORT_HTML_H
#define GUIA_REPORT_HTML_H

#include "base/buffer.h"

/* Escaped for elements and for attributes in quotes. Control bytes, and what is no UTF-8, are shown as \xHH. */
void html_add(struct buffer *out, const char *text);

/* `format` with its one %s or %lu replaced; the rest of it is escaped too. */
void html_add_with(struct buffer *out, const char *format, const char *value);
void html_add_number(struct buffer *out, const char *format, unsigned long value);

#endif
