/* What all parts of a report are made of: elements, tables, lists. */
#ifndef GUIA_REPORT_WRITER_H
#define GUIA_REPORT_WRITER_H

#include "casebook/store.h"
#include "report/phrases.h"

struct writer {
	struct case_store *store;
	const struct case_record *record;
	enum language language;
	struct buffer *out;
};

const char *writer_say(const struct writer *w, enum phrase which);

void writer_element(const struct writer *w, const char *name, const char *text);
void writer_note(const struct writer *w, enum phrase which);
void writer_cell(const struct writer *w, bool number, const char *text);
void writer_number_cell(const struct writer *w, uint64_t number);

/* `numbers`: from which column on they are numbers. */
void writer_table(const struct writer *w, const enum phrase *titles, size_t count, size_t numbers);
void writer_table_end(const struct writer *w);

/* A row of two: what, and `format` with its one %s. */
void writer_fact(const struct writer *w, enum phrase what, const char *format, const char *words);

/* What came most often, under a heading of its own. 0, or what the store answers. */
int writer_list(const struct writer *w, enum phrase title, const char *dimension);

#endif
