/* A row for each kind of flood that there was, from the record alone: the store is not asked. */
#include "report/packets_part.h"

#include "report/html.h"
#include "report/words.h"

#include <math.h>

/* Lists below each other in one cell. */
static void add_lists(const struct writer *w, const char *const *lists, size_t count)
{
	size_t added = 0;
	buffer_text(w->out, "<td>");
	for (size_t i = 0; i < count; i++) {
		if (lists[i][0] == '\0')
			continue;
		buffer_text(w->out, added++ > 0 ? "<br>" : "");
		html_add(w->out, lists[i]);
	}
	if (added == 0)
		html_add(w->out, writer_say(w, PHRASE_NOT_YET_KNOWN));
	buffer_text(w->out, "</td>");
}

static void add_row(const struct writer *w, enum packet_flood_kind kind)
{
	const struct case_packets *packets = &w->record->packets[kind];
	const char *const to[] = {packets->traits.destinations, packets->traits.ports};
	const char *const from[] = {packets->traits.networks};
	char since[WORDS_BYTES], until[WORDS_BYTES];
	time_words(packets->onset_ms, since);
	time_words(packets->until_ms, until);
	buffer_text(w->out, "<tr>");
	writer_cell(w, false, phrase_of_packets(kind, w->language));
	add_lists(w, to, 2);
	add_lists(w, from, 1);
	buffer_text(w->out, "<td>");
	html_add(w->out, since);
	buffer_text(w->out, " ");
	html_add(w->out, writer_say(w, PHRASE_TO));
	buffer_text(w->out, " ");
	html_add(w->out, until);
	buffer_text(w->out, "</td>");
	writer_number_cell(w, (uint64_t)fmax(packets->peak, 0));
	writer_number_cell(w, packets->packets);
	buffer_text(w->out, "</tr>\n");
}

void packets_part_add(const struct writer *w)
{
	static const enum phrase titles[] = {PHRASE_KIND_OF, PHRASE_PACKETS_TO, PHRASE_PACKETS_FROM,
					     PHRASE_TIME,    PHRASE_WORST,      PHRASE_PACKETS_COUNT};
	bool any = false;
	for (size_t i = 0; i < PACKET_FLOODS; i++)
		any = any || w->record->packets[i].onset_ms != 0;
	if (!any)
		return;
	writer_element(w, "h2", writer_say(w, PHRASE_PACKETS));
	writer_note(w, PHRASE_PACKETS_NOTE);
	writer_table(w, titles, sizeof(titles) / sizeof(titles[0]), 4);
	for (enum packet_flood_kind kind = 0; kind < PACKET_FLOODS; kind++)
		if (w->record->packets[kind].onset_ms != 0)
			add_row(w, kind);
	writer_table_end(w);
}
