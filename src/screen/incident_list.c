/* So many to a page; the next page begins below the last number of this one. The header is incident.h. */
#include "report/html.h"
#include "report/words.h"
#include "screen/incident.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { ROWS = 50 };

struct list {
	const struct page *page;
	size_t rows;
	uint64_t last;
};

static void add_number(const struct page *page, uint64_t id)
{
	char path[64], number[24];
	snprintf(path, sizeof(path), "/incidents/%" PRIu64, id);
	snprintf(number, sizeof(number), "%" PRIu64, id);
	buffer_text(page->out, "<td>");
	page_link(page, path, number);
	buffer_text(page->out, "</td>");
}

static void add_lasting(const struct page *page, const struct case_record *record)
{
	char words[WORDS_BYTES];
	bool on = record->phase != CASE_OVER;
	uint64_t end_ms = on ? page->sight->wall_ms : record->over_ms;
	duration_words((end_ms > record->onset_ms ? end_ms - record->onset_ms : 0) / 1000 * 1000, page->language,
		       words);
	page_cell_with(page, on ? page_text(page, SAY_STILL_ON) : "%s", words);
}

static void add_site_names(const struct page *page, const struct case_record *record)
{
	size_t attacked = 0;
	buffer_text(page->out, "<td>");
	for (size_t i = 0; i < record->site_count; i++) {
		if (record->sites[i].onset_ms == 0)
			continue;
		buffer_text(page->out, attacked++ > 0 ? ", " : "");
		html_add(page->out, record->sites[i].name[0] != '\0' ? record->sites[i].name
								     : phrase(PHRASE_NO_SITE, page->language));
	}
	buffer_text(page->out, "</td>");
}

static bool add_row(void *context, const struct case_record *record)
{
	struct list *list = context;
	const struct page *page = list->page;
	struct case_visitors visitors = case_record_visitors(record);
	char words[WORDS_BYTES], path[64];
	list->rows++;
	list->last = record->id;
	buffer_text(page->out, "<tr>");
	add_number(page, record->id);
	time_words(record->onset_ms, words);
	page_cell(page, false, words);
	page_cell(page, false, phrase_of_kind(record->kind, page->language));
	page_cell(page, false, phrase_of_phase(record->kind, record->phase, page->language));
	add_lasting(page, record);
	add_site_names(page, record);
	number_words((uint64_t)fmax(record->peak, 0), words);
	page_cell(page, true, words);
	page_cell(page, true,
		  share_words(&visitors, page->language, words) ? words : phrase(PHRASE_NOT_YET_KNOWN, page->language));
	snprintf(path, sizeof(path), "/incidents/%" PRIu64 "/report", record->id);
	buffer_text(page->out, "<td>");
	page_link(page, path, page_text(page, SAY_OPEN_REPORT));
	buffer_text(page->out, "</td></tr>\n");
	return true;
}

static void add_older(const struct page *page, uint64_t last)
{
	char path[64];
	snprintf(path, sizeof(path), "/incidents/before/%" PRIu64, last);
	buffer_text(page->out, "<p>");
	page_link(page, path, page_text(page, SAY_OLDER));
	buffer_text(page->out, "</p>\n");
}

static void add_list(const struct page *page)
{
	const enum language l = page->language;
	const char *const titles[] = {page_text(page, SAY_NUMBER),     phrase(PHRASE_ONSET, l),
				      phrase(PHRASE_KIND_OF, l),       phrase(PHRASE_PHASE, l),
				      page_text(page, SAY_LASTED),     phrase(PHRASE_SITES, l),
				      phrase(PHRASE_WORST, l),         phrase(PHRASE_VISITORS_ANSWERED, l),
				      page_text(page, SAY_OPEN_REPORT)};
	struct list list = {page, 0, 0};
	if (page->store == NULL) {
		page_fault(page);
		return;
	}
	page_table(page, titles, sizeof(titles) / sizeof(titles[0]), sizeof(titles) / sizeof(titles[0]));
	int r = case_store_records(page->store, page->before, ROWS, add_row, &list);
	page_table_end(page);
	if (r == 0 && list.rows == 0)
		page_note(page, page_text(page, SAY_NO_INCIDENTS));
	if (r == 0 && list.rows == ROWS && list.last > 1)
		add_older(page, list.last);
}

const struct page_part incident_list_parts[] = {{"list", add_list, false}};
const size_t incident_list_part_count = 1;
