/*
 * The parts are listed at the end. Those of a flood are here; where an intrusion has another it is intrusion.c's. What
 * is so now comes from the watch's answers, all else from the record.
 */
#include "screen/incident.h"

#include "report/course.h"
#include "report/html.h"
#include "report/packets_part.h"
#include "report/words.h"
#include "screen/answer.h"
#include "screen/in_force.h"
#include "screen/intrusion.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const json_t *site_now(const struct page *page, const char *name)
{
	const json_t *site;
	size_t i;
	json_array_foreach(json_object_get(page->sight->asker.answers[ASKER_STATUS], "sites"), i,
			   site) if (strcmp(answer_text(site, "site"), name) == 0) return site;
	return NULL;
}

static bool is_on(const struct page *page)
{
	return page->record->phase != CASE_OVER;
}

/* ---- the facts ---- */

static void add_fact(const struct page *page, enum phrase what, const char *text)
{
	buffer_text(page->out, "<div><dt>");
	html_add(page->out, phrase(what, page->language));
	buffer_text(page->out, "</dt><dd>");
	html_add(page->out, text);
	buffer_text(page->out, "</dd></div>\n");
}

static void add_moment(const struct page *page, enum phrase what, uint64_t at_ms)
{
	char when[WORDS_BYTES], after[WORDS_BYTES];
	if (at_ms == 0) {
		add_fact(page, what, is_on(page) ? page_text(page, SAY_NOT_YET) : "–");
		return;
	}
	time_words(at_ms, when);
	buffer_text(page->out, "<div><dt>");
	html_add(page->out, phrase(what, page->language));
	buffer_text(page->out, "</dt><dd>");
	html_add(page->out, when);
	if (at_ms > page->record->onset_ms) {
		duration_words(at_ms - page->record->onset_ms, page->language, after);
		buffer_text(page->out, "<br>");
		html_add_with(page->out, phrase(PHRASE_AFTER, page->language), after);
	}
	buffer_text(page->out, "</dd></div>\n");
}

static void add_facts(const struct page *page)
{
	const struct case_record *record = page->record;
	bool flood = record->kind == CASE_FLOOD;
	char words[WORDS_BYTES], path[64];
	struct case_visitors visitors = case_record_visitors(record);
	buffer_text(page->out, "<dl class=\"facts\">\n");
	add_fact(page, PHRASE_KIND_OF, phrase_of_kind(record->kind, page->language));
	add_fact(page, PHRASE_PHASE, phrase_of_phase(record->kind, record->phase, page->language));
	add_moment(page, PHRASE_ONSET, record->onset_ms);
	add_moment(page, PHRASE_DETECTED, record->opened_ms);
	/* Of an intrusion that is not refused any more it would mislead that it once was. */
	add_moment(page, flood ? PHRASE_HELD : PHRASE_ALL_REFUSED,
		   flood || record->phase != CASE_RISING ? record->held_ms : 0);
	if (flood)
		add_moment(page, PHRASE_RESTORED, record->restored_ms);
	add_moment(page, PHRASE_OVER, record->over_ms);
	number_words((uint64_t)fmax(record->peak, 0), words);
	if (flood)
		add_fact(page, PHRASE_WORST, words);
	if (flood)
		add_fact(page, PHRASE_VISITORS_ANSWERED,
			 share_words(&visitors, page->language, words) ? words
								       : phrase(PHRASE_NOT_YET_KNOWN, page->language));
	buffer_text(page->out, "</dl>\n<p>");
	snprintf(path, sizeof(path), "/incidents/%" PRIu64 "/report", record->id);
	page_link(page, path, page_text(page, SAY_OPEN_REPORT));
	buffer_text(page->out, "</p>\n");
}

/* ---- who is affected ---- */

static void add_sentence_with(const struct page *page, enum say format, const char *value)
{
	html_add_with(page->out, page_text(page, format), value);
	buffer_byte(page->out, ' ');
}

static void add_share(const struct page *page, const struct case_site *site)
{
	struct case_visitors visitors = {site->visitors.asked / CASE_VISITORS_SECONDS,
					 site->visitors.answered / CASE_VISITORS_SECONDS};
	char words[WORDS_BYTES];
	if (!share_words(&visitors, page->language, words)) {
		html_add(page->out, page_text(page, SAY_AFFECTED_UNKNOWN));
		return;
	}
	add_sentence_with(page, SAY_AFFECTED_SHARE, words);
	if (site->worst_percent < 100)
		html_add_number(page->out, page_text(page, SAY_AFFECTED_WORST), site->worst_percent);
	else
		html_add(page->out, page_text(page, SAY_AFFECTED_NOBODY));
}

static void add_affected_site(const struct page *page, const struct case_site *site)
{
	const json_t *probe = json_object_get(site_now(page, site->name), "probe");
	bool attacked = site->attacked && is_on(page);
	char words[WORDS_BYTES];
	buffer_text(page->out, "<li>");
	add_sentence_with(page,
			  attacked              ? SAY_AFFECTED_NOW
			  : site->onset_ms != 0 ? SAY_AFFECTED_WAS
						: SAY_AFFECTED_TAKEN,
			  page_site(page, site->name));
	if (is_on(page) && probe != NULL && !answer_truth(probe, "up"))
		add_sentence_with(page, SAY_AFFECTED_DOWN, "");
	add_share(page, site);
	if (site->sums.copies > 0) {
		number_words(site->sums.copies, words);
		buffer_byte(page->out, ' ');
		add_sentence_with(page, SAY_AFFECTED_COPIES, words);
	}
	buffer_text(page->out, "</li>\n");
}

static void add_affected(const struct page *page)
{
	page_element(page, "h2", page_text(page, SAY_AFFECTED));
	if (page->record->kind != CASE_FLOOD) {
		intrusion_affected(page);
		return;
	}
	buffer_text(page->out, "<ul>\n");
	for (size_t i = 0; i < page->record->site_count; i++)
		add_affected_site(page, &page->record->sites[i]);
	buffer_text(page->out, "</ul>\n");
	page_note(page, phrase(PHRASE_EFFECT_NOTE, page->language));
}

static void add_if_nothing(const struct page *page)
{
	static const enum say words[CASE_PHASES] = {[CASE_ONSET] = SAY_IF_OPEN,
						    [CASE_RISING] = SAY_IF_OPEN,
						    [CASE_HELD] = SAY_IF_HELD,
						    [CASE_SUBSIDING] = SAY_IF_FALLING,
						    [CASE_OVER] = SAY_IF_OVER};
	const struct sight *sight = page->sight;
	page_element(page, "h2", page_text(page, SAY_IF_NOTHING));
	if (page->record->kind == CASE_FLOOD)
		page_element(page, "p", page_text(page, words[page->record->phase]));
	else
		intrusion_if_nothing(page);
	if (json_array_size(json_object_get(sight->asker.answers[ASKER_BANS], "orders")) > 0 ||
	    json_array_size(json_object_get(sight->asker.answers[ASKER_MODES], "modes")) > 0)
		page_element(page, "p", page_text(page, SAY_IF_ORDERS));
}

/* ---- its course, sites and timeline ---- */

static void add_course(const struct page *page)
{
	if (page->record->kind != CASE_FLOOD)
		return;
	const struct plot_tools tools = page_plot_tools(page);
	page_element(page, "h2", phrase(PHRASE_COURSE, page->language));
	(void)report_course_add(page->store, page->record, page->language, &tools, page->out);
}

static void add_packets(const struct page *page)
{
	const struct writer w = {page->store, page->record, page->language, page->out};
	packets_part_add(&w);
}

static void add_number_cell(const struct page *page, uint64_t number)
{
	char words[WORDS_BYTES];
	number_words(number, words);
	page_cell(page, true, words);
}

static void add_measure(const struct page *page, size_t number)
{
	const struct case_mitigation *m = &page->record->mitigations[number];
	const char *site = m->site < page->record->site_count ? page->record->sites[m->site].name : "";
	const char *what = m->what[0] != '\0'             ? m->what
			   : strcmp(m->kind, "bans") == 0 ? phrase(PHRASE_BANS, page->language)
							  : phrase(PHRASE_SHEDDING, page->language);
	char since[WORDS_BYTES], until[WORDS_BYTES];
	time_words(m->since_ms, since);
	time_words(m->until_ms, until);
	buffer_printf(page->out, "<tr><td>%zu</td>", number + 1);
	page_cell(page, false, what);
	page_cell(page, false, page_site(page, site));
	page_cell(page, false, since);
	page_cell(page, false, until);
	add_number_cell(page, m->hits);
	buffer_text(page->out, "</tr>\n");
}

static void add_measures(const struct page *page)
{
	const enum language l = page->language;
	const char *const titles[] = {page_text(page, SAY_NUMBER), phrase(PHRASE_MEASURE, l),
				      phrase(PHRASE_SITE, l),      phrase(PHRASE_IN_FORCE, l),
				      page_text(page, SAY_UNTIL),  phrase(PHRASE_REFUSED, l)};
	if (page->record->kind != CASE_FLOOD) {
		intrusion_tried(page);
		return;
	}
	page_element(page, "h2", phrase(PHRASE_COMMON, l));
	if (page->record->mitigation_count == 0) {
		page_note(page, phrase(PHRASE_NOT_YET_KNOWN, l));
		return;
	}
	page_note(page, phrase(PHRASE_COMMON_NOTE, l));
	page_table(page, titles, 6, 5);
	for (size_t i = 0; i < page->record->mitigation_count; i++)
		add_measure(page, i);
	page_table_end(page);
}

static void add_site(const struct page *page, const struct case_site *site)
{
	const uint64_t numbers[] = {site->sums.passed,  site->sums.copies,    site->sums.blocked,
				    site->sums.limited, site->sums.signature, site->sums.crowded_out};
	buffer_text(page->out, "<tr>");
	page_cell(page, false, page_site(page, site->name));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		add_number_cell(page, numbers[i]);
	buffer_text(page->out, "</tr>\n");
}

static void add_sites(const struct page *page)
{
	const enum language l = page->language;
	const char *const titles[] = {phrase(PHRASE_SITE, l),    phrase(PHRASE_PASSED, l),  phrase(PHRASE_COPIES, l),
				      phrase(PHRASE_BLOCKED, l), phrase(PHRASE_LIMITED, l), phrase(PHRASE_SIGNATURE, l),
				      phrase(PHRASE_NO_SLOT, l)};
	page_element(page, "h2", phrase(PHRASE_SITES, l));
	if (page->record->kind != CASE_FLOOD) {
		intrusion_sites(page);
		return;
	}
	page_table(page, titles, 7, 1);
	for (size_t i = 0; i < page->record->site_count; i++)
		add_site(page, &page->record->sites[i]);
	page_table_end(page);
}

static void add_left_out(const struct page *page, uint64_t left_out)
{
	buffer_text(page->out, "<tr><td colspan=\"3\">");
	html_add_number(page->out, phrase(PHRASE_ACTIONS_LEFT_OUT, page->language), left_out);
	buffer_text(page->out, "</td></tr>\n");
}

static bool add_entry(void *context, const struct case_entry *entry, uint64_t left_out)
{
	static const enum phrase by[CASE_ENTRY_KINDS] = {PHRASE_BY_PHASE, PHRASE_BY_GUIA, PHRASE_BY_PERSON};
	const struct page *page = context;
	char when[WORDS_BYTES];
	if (left_out > 0)
		add_left_out(page, left_out);
	time_words(entry->at_ms, when);
	buffer_text(page->out, "<tr>");
	page_cell(page, false, when);
	page_cell(page, false, phrase(by[entry->kind], page->language));
	page_cell(page, false, entry->text);
	buffer_text(page->out, "</tr>\n");
	return true;
}

static void add_timeline(const struct page *page)
{
	const enum language l = page->language;
	const char *const titles[] = {phrase(PHRASE_TIME, l), phrase(PHRASE_KIND, l), phrase(PHRASE_TEXT, l)};
	page_element(page, "h2", phrase(PHRASE_ACTIONS, l));
	page_note(page, phrase(PHRASE_ACTIONS_NOTE, l));
	page_table(page, titles, 3, 3);
	(void)case_store_entry_ends(page->store, page->record->id, add_entry, (void *)page);
	page_table_end(page);
}

const struct page_part incident_parts[] = {
	{"facts", add_facts, false},      {"affected", add_affected, false}, {"if-nothing", add_if_nothing, false},
	{"in-force", in_force_add, true}, {"course", add_course, false},     {"measures", add_measures, false},
	{"packets", add_packets, false},  {"sites", add_sites, false},       {"timeline", add_timeline, false},
};
const size_t incident_part_count = sizeof(incident_parts) / sizeof(incident_parts[0]);

_Static_assert(sizeof(incident_parts) / sizeof(incident_parts[0]) <= PAGE_PARTS, "a page has room for them");
