/*
 * All text goes through html.h. A list has its table begun by the first row that the store hands out, so that an empty
 * one has none.
 */
#include "report/writer.h"

#include "report/html.h"
#include "report/words.h"

#include <math.h>

enum {
	ROWS = 12,          /* of each list of what came most often */
	NARROW_COLUMNS = 3, /* of a table that fits any window: a wider one is moved along, by keyboard too */
};

const char *writer_say(const struct writer *w, enum phrase which)
{
	return phrase(which, w->language);
}

void writer_element(const struct writer *w, const char *name, const char *text)
{
	buffer_printf(w->out, "<%s>", name);
	html_add(w->out, text);
	buffer_printf(w->out, "</%s>\n", name);
}

void writer_note(const struct writer *w, enum phrase which)
{
	buffer_text(w->out, "<p class=\"note\">");
	html_add(w->out, writer_say(w, which));
	buffer_text(w->out, "</p>\n");
}

void writer_cell(const struct writer *w, bool number, const char *text)
{
	buffer_text(w->out, number ? "<td class=\"n\">" : "<td>");
	html_add(w->out, text);
	buffer_text(w->out, "</td>");
}

void writer_number_cell(const struct writer *w, uint64_t number)
{
	char words[WORDS_BYTES];
	number_words(number, words);
	writer_cell(w, true, words);
}

/* `numbers`: from which column on they are numbers. */
void writer_table(const struct writer *w, const enum phrase *titles, size_t count, size_t numbers)
{
	buffer_text(w->out, count > NARROW_COLUMNS ? "<div class=\"wide\" tabindex=\"0\">" : "<div>");
	buffer_text(w->out, "<table><thead><tr>");
	for (size_t i = 0; i < count; i++) {
		buffer_text(w->out, i >= numbers ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
		html_add(w->out, writer_say(w, titles[i]));
		buffer_text(w->out, "</th>");
	}
	buffer_text(w->out, "</tr></thead><tbody>\n");
}

void writer_table_end(const struct writer *w)
{
	buffer_text(w->out, "</tbody></table></div>\n");
}

void writer_fact(const struct writer *w, enum phrase what, const char *format, const char *words)
{
	buffer_text(w->out, "<tr><th scope=\"row\">");
	html_add(w->out, writer_say(w, what));
	buffer_text(w->out, "</th><td>");
	html_add_with(w->out, format, words);
	buffer_text(w->out, "</td></tr>\n");
}

struct list {
	const struct writer *writer;
	enum phrase title;
	size_t rows;
};

static bool list_row(void *context, const struct case_tally *tally)
{
	struct list *list = context;
	const struct writer *w = list->writer;
	const enum phrase titles[] = {list->title, PHRASE_REQUESTS};
	if (list->rows++ == 0)
		writer_table(w, titles, 2, 1);
	buffer_text(w->out, "<tr>");
	writer_cell(w, false, tally->key);
	writer_number_cell(w, (uint64_t)fmax(tally->requests, 0));
	buffer_text(w->out, "</tr>\n");
	return true;
}

int writer_list(const struct writer *w, enum phrase title, const char *dimension)
{
	struct list list = {w, title, 0};
	int r = case_store_tallies(w->store, w->record->id, dimension, ROWS, list_row, &list);
	if (list.rows > 0) {
		writer_table_end(w);
		return r;
	}
	writer_element(w, "h3", writer_say(w, title));
	writer_element(w, "p", writer_say(w, PHRASE_NOT_YET_KNOWN));
	return r;
}
