/*
 * The parts in their order, each a function; what the screen shows too is in files of its own (course.c, the *_part.c).
 * Where the store fails it is not asked for the parts behind, and the document is ended all the same.
 */
#include "report/report.h"

#include "base/error.h"
#include "report/actor_part.h"
#include "report/course.h"
#include "report/html.h"
#include "report/packets_part.h"
#include "report/words.h"
#include "report/writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
	":root{color-scheme:light dark;--paper:#fff;--ink:#1a1a1a;--faint:#444;--line:#ccc;--grid:#ddd;--blue:#1f4e79}"
	"@media screen and "
	"(prefers-color-scheme:dark){:root{--paper:#15181b;--ink:#e8e8e8;--faint:#b8bcc0;--line:#41474d;"
	"--grid:#33383d;--blue:#8fbdea}}"
	"body{font:15px/1.5 system-ui,\"Noto Sans CJK TC\",sans-serif;color:var(--ink);background:var(--paper);"
	"margin:0 auto;padding:1.5em;max-width:52em}"
	"h1{font-size:1.7em;margin:0 0 .2em}"
	"h2{font-size:1.2em;margin:1.6em 0 .4em;border-bottom:1px solid var(--faint)}"
	"h3{font-size:1em;margin:1em 0 .2em}"
	"table{border-collapse:collapse;width:100%;margin:.5em 0}"
	"th,td{text-align:left;vertical-align:top;padding:.2em .6em .2em 0;border-bottom:1px solid var(--line)}"
	"td{overflow-wrap:anywhere;min-width:5em}"
	"td.n,th.n{text-align:right;white-space:nowrap;overflow-wrap:normal;min-width:0;"
	"font-variant-numeric:tabular-nums}"
	"th.n{white-space:normal}"
	".wide{overflow-x:auto}"
	".note{color:var(--faint)}"
	"figure{margin:1em 0}figcaption{font-weight:600}svg{width:100%;height:auto}"
	"svg text{font-size:11px;fill:var(--faint)}"
	".right{text-anchor:end}.middle{text-anchor:middle}"
	".grid{stroke:var(--grid);fill:none}.line{stroke:var(--blue);stroke-width:1.8;fill:none}"
	".mark{stroke:var(--ink);stroke-dasharray:4 3;fill:none}"
	".legend{list-style:none;padding:0;margin:0;display:flex;flex-wrap:wrap;gap:.2em 1.2em}.legend svg{width:16px}"
	"@page{size:A4;margin:16mm}"
	"@media print{body{padding:0;font-size:10.5pt}h2,h3{break-after:avoid}tr,figure{break-inside:avoid}"
	"thead{display:table-header-group}}";

/* ---- the summary ---- */

static const char *const brackets[LANGUAGES][2] = {
	[LANGUAGE_ENGLISH] = {" (", ")"}, [LANGUAGE_PORTUGUESE] = {" (", ")"}, [LANGUAGE_CHINESE] = {"（", "）"}};

static void add_moment(const struct writer *w, enum phrase what, uint64_t at_ms)
{
	char when[WORDS_BYTES], after[WORDS_BYTES];
	if (at_ms == 0) {
		writer_fact(w, what, "%s", writer_say(w, PHRASE_NOT_YET_KNOWN));
		return;
	}
	time_words(at_ms, when);
	buffer_text(w->out, "<tr><th scope=\"row\">");
	html_add(w->out, writer_say(w, what));
	buffer_text(w->out, "</th><td>");
	html_add(w->out, when);
	if (at_ms > w->record->onset_ms) {
		duration_words(at_ms - w->record->onset_ms, w->language, after);
		buffer_text(w->out, brackets[w->language][0]);
		html_add_with(w->out, writer_say(w, PHRASE_AFTER), after);
		buffer_text(w->out, brackets[w->language][1]);
	}
	buffer_text(w->out, "</td></tr>\n");
}

static void add_summary(const struct writer *w)
{
	const struct case_record *record = w->record;
	bool is_flood = record->kind == CASE_FLOOD;
	char words[WORDS_BYTES];
	writer_element(w, "h2", writer_say(w, PHRASE_SUMMARY));
	buffer_text(w->out, "<table><tbody>\n");
	writer_fact(w, PHRASE_KIND_OF, "%s", phrase_of_kind(record->kind, w->language));
	writer_fact(w, PHRASE_PHASE, "%s", phrase_of_phase(record->kind, record->phase, w->language));
	add_moment(w, PHRASE_ONSET, record->onset_ms);
	add_moment(w, PHRASE_DETECTED, record->opened_ms);
	add_moment(w, is_flood ? PHRASE_HELD : PHRASE_ALL_REFUSED, record->held_ms);
	if (is_flood)
		add_moment(w, PHRASE_RESTORED, record->restored_ms);
	add_moment(w, PHRASE_OVER, record->over_ms);
	if (record->reopened > 0) {
		number_words(record->reopened, words);
		writer_fact(w, PHRASE_RETURNED, "%s", words);
	}
	number_words((uint64_t)fmax(record->peak, 0), words);
	writer_fact(w, PHRASE_WORST, writer_say(w, PHRASE_PER_SECOND), words);
	buffer_text(w->out, "</tbody></table>\n");
}

/* ---- sites ---- */

static const char *site_name(const struct writer *w, size_t number)
{
	const char *name = number < w->record->site_count ? w->record->sites[number].name : "";
	return name[0] != '\0' ? name : writer_say(w, PHRASE_NO_SITE);
}

static void add_site(const struct writer *w, size_t number)
{
	const struct case_site *site = &w->record->sites[number];
	char words[WORDS_BYTES];
	buffer_text(w->out, "<tr>");
	writer_cell(w, false, site_name(w, number));
	writer_number_cell(w, site->sums.passed);
	writer_number_cell(w, site->sums.copies);
	writer_number_cell(w, site->sums.blocked);
	writer_number_cell(w, site->sums.limited);
	writer_number_cell(w, site->sums.signature);
	writer_number_cell(w, site->sums.crowded_out);
	buffer_text(w->out, "<td class=\"n\">");
	html_add(w->out,
		 share_words(&site->visitors, w->language, words) ? words : writer_say(w, PHRASE_NOT_YET_KNOWN));
	if (site->worst_percent < 100) {
		buffer_text(w->out, "<br>");
		html_add_number(w->out, writer_say(w, PHRASE_AT_WORST), site->worst_percent);
	}
	buffer_text(w->out, "</td></tr>\n");
}

static void add_sites(const struct writer *w)
{
	static const enum phrase titles[] = {PHRASE_SITE,    PHRASE_PASSED,           PHRASE_COPIES,
					     PHRASE_BLOCKED, PHRASE_LIMITED,          PHRASE_SIGNATURE,
					     PHRASE_NO_SLOT, PHRASE_VISITORS_ANSWERED};
	writer_element(w, "h2", writer_say(w, PHRASE_SITES));
	writer_table(w, titles, sizeof(titles) / sizeof(titles[0]), 1);
	for (size_t i = 0; i < w->record->site_count; i++)
		add_site(w, i);
	writer_table_end(w);
}

/* ---- what was refused ---- */

static void add_measure(const struct writer *w, size_t number)
{
	const struct case_mitigation *mitigation = &w->record->mitigations[number];
	char since[WORDS_BYTES], until[WORDS_BYTES];
	bool bans = strcmp(mitigation->kind, "bans") == 0;
	const char *what = mitigation->what[0] != '\0' ? mitigation->what
			   : bans                      ? writer_say(w, PHRASE_BANS)
						       : writer_say(w, PHRASE_SHEDDING);
	time_words(mitigation->since_ms, since);
	time_words(mitigation->until_ms, until);
	buffer_text(w->out, "<tr>");
	buffer_printf(w->out, "<td>%zu. ", number + 1);
	html_add(w->out, what);
	buffer_text(w->out, "</td>");
	writer_cell(w, false, site_name(w, mitigation->site));
	buffer_text(w->out, "<td>");
	html_add(w->out, since);
	buffer_text(w->out, " ");
	html_add(w->out, writer_say(w, PHRASE_TO));
	buffer_text(w->out, " ");
	html_add(w->out, until);
	buffer_text(w->out, "</td>");
	writer_number_cell(w, mitigation->hits);
	buffer_text(w->out, "</tr>\n");
}

static void add_common(const struct writer *w)
{
	static const enum phrase titles[] = {PHRASE_MEASURE, PHRASE_SITE, PHRASE_IN_FORCE, PHRASE_REFUSED};
	writer_element(w, "h2", writer_say(w, PHRASE_COMMON));
	if (w->record->mitigation_count == 0) {
		writer_element(w, "p", writer_say(w, PHRASE_NOT_YET_KNOWN));
		return;
	}
	writer_note(w, PHRASE_COMMON_NOTE);
	writer_table(w, titles, 4, 3);
	for (size_t i = 0; i < w->record->mitigation_count; i++)
		add_measure(w, i);
	writer_table_end(w);
}

/* ---- sources ---- */

static int add_sources(const struct writer *w)
{
	static const struct {
		enum phrase title;
		const char *dimension;
	} lists[] = {{PHRASE_ADDRESSES, "source"},  {PHRASE_NETWORKS, "network"}, {PHRASE_OPERATORS, "operator"},
		     {PHRASE_COUNTRIES, "country"}, {PHRASE_PATHS, "path"},       {PHRASE_AGENTS, "agent"}};
	bool is_flood = w->record->kind == CASE_FLOOD;
	int r = 0;
	writer_element(w, "h2", writer_say(w, PHRASE_SOURCES));
	writer_note(w, is_flood ? PHRASE_SOURCES_OF_ALL : PHRASE_SOURCES_OF_THESE);
	writer_note(w, PHRASE_SOURCES_NOTE);
	buffer_text(w->out, "<p class=\"note\">");
	html_add_with(w->out, writer_say(w, PHRASE_PLACES),
		      w->record->places[0] != '\0' ? w->record->places : writer_say(w, PHRASE_NOT_YET_KNOWN));
	buffer_text(w->out, "</p>\n");
	/* Of a flood single addresses are not named: visitors' are among them. */
	for (size_t i = is_flood; i < sizeof(lists) / sizeof(lists[0]) && r == 0; i++)
		r = writer_list(w, lists[i].title, lists[i].dimension);
	return r;
}

/* ---- visitors, actions, and what is not known ---- */

static void add_effect(const struct writer *w)
{
	struct case_visitors visitors = case_record_visitors(w->record);
	char words[WORDS_BYTES];
	writer_element(w, "h2", writer_say(w, PHRASE_EFFECT));
	if (w->record->kind != CASE_FLOOD) {
		writer_element(w, "p", writer_say(w, PHRASE_EFFECT_UNCOUNTED));
		return;
	}
	if (!share_words(&visitors, w->language, words)) {
		writer_element(w, "p", writer_say(w, PHRASE_NOT_YET_KNOWN));
		return;
	}
	buffer_text(w->out, "<p>");
	html_add_with(w->out, writer_say(w, PHRASE_EFFECT_FIGURE), words);
	buffer_text(w->out, "</p>\n");
	writer_note(w, PHRASE_EFFECT_NOTE);
}

static void left_out_row(const struct writer *w, uint64_t left_out)
{
	buffer_text(w->out, "<tr><td colspan=\"3\">");
	html_add_number(w->out, writer_say(w, PHRASE_ACTIONS_LEFT_OUT), left_out);
	buffer_text(w->out, "</td></tr>\n");
}

static bool action_row(void *context, const struct case_entry *entry, uint64_t left_out)
{
	static const enum phrase by[CASE_ENTRY_KINDS] = {PHRASE_BY_PHASE, PHRASE_BY_GUIA, PHRASE_BY_PERSON};
	const struct writer *w = context;
	char when[WORDS_BYTES];
	if (left_out > 0)
		left_out_row(w, left_out);
	time_words(entry->at_ms, when);
	buffer_text(w->out, "<tr>");
	writer_cell(w, false, when);
	writer_cell(w, false, writer_say(w, by[entry->kind]));
	writer_cell(w, false, entry->text);
	buffer_text(w->out, "</tr>\n");
	return true;
}

static int add_actions(const struct writer *w)
{
	static const enum phrase titles[] = {PHRASE_TIME, PHRASE_KIND, PHRASE_TEXT};
	writer_element(w, "h2", writer_say(w, PHRASE_ACTIONS));
	writer_note(w, PHRASE_ACTIONS_NOTE);
	writer_table(w, titles, 3, 3);
	int r = case_store_entry_ends(w->store, w->record->id, action_row, (void *)w);
	writer_table_end(w);
	return r;
}

static void add_unknown(const struct writer *w)
{
	struct case_visitors visitors = case_record_visitors(w->record);
	struct case_requests sums = case_record_sums(w->record);
	bool is_flood = w->record->kind == CASE_FLOOD, signature = false;
	for (size_t i = 0; i < w->record->mitigation_count; i++)
		signature = signature || w->record->mitigations[i].what[0] != '\0';
	const struct {
		enum phrase what;
		bool asked;
	} items[] = {{PHRASE_UNKNOWN_WHO, true},
		     {PHRASE_UNKNOWN_FORGED, true},
		     {PHRASE_UNKNOWN_SIGNATURE, is_flood && !signature},
		     {PHRASE_UNKNOWN_SUCCESS, !is_flood && sums.passed > 0},
		     {PHRASE_UNKNOWN_PLACES, w->record->places[0] == '\0'},
		     {PHRASE_UNKNOWN_VISITORS, is_flood && visitors.asked < CASE_VISITORS_TELL},
		     {PHRASE_UNKNOWN_END, w->record->phase != CASE_OVER}};
	writer_element(w, "h2", writer_say(w, PHRASE_UNKNOWN));
	buffer_text(w->out, "<ul>\n");
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (items[i].asked)
			writer_element(w, "li", writer_say(w, items[i].what));
	buffer_text(w->out, "</ul>\n");
}

static void add_method(const struct writer *w)
{
	writer_element(w, "h2", writer_say(w, PHRASE_METHOD));
	buffer_text(w->out, "<ul>\n");
	bool is_flood = w->record->kind == CASE_FLOOD;
	enum phrase first = is_flood ? PHRASE_METHOD_COUNTS : PHRASE_METHOD_GROUPS;
	enum phrase last = is_flood ? PHRASE_METHOD_TIMES : PHRASE_METHOD_KEPT;
	for (enum phrase what = first; what <= last; what++)
		writer_element(w, "li", writer_say(w, what));
	buffer_text(w->out, "</ul>\n");
}

/* ---- the document ---- */

static void add_head(const struct writer *w, uint64_t now_ms)
{
	char when[WORDS_BYTES];
	time_words(now_ms, when);
	buffer_printf(w->out,
		      "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width\">\n"
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
		      "'unsafe-inline'\">\n"
		      "<title>",
		      language_tag(w->language));
	html_add_number(w->out, writer_say(w, PHRASE_TITLE), (unsigned long)w->record->id);
	buffer_printf(w->out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>", style);
	html_add_number(w->out, writer_say(w, PHRASE_TITLE), (unsigned long)w->record->id);
	buffer_text(w->out, "</h1>\n<p class=\"note\">");
	html_add_with(w->out, writer_say(w, PHRASE_MADE), when);
	buffer_text(w->out, " ");
	html_add(w->out, writer_say(w, PHRASE_ALL_UTC));
	buffer_text(w->out, "</p>\n");
}

int report_add(struct case_store *store, const struct case_record *record, enum language language, uint64_t now_ms,
	       struct buffer *out)
{
	const struct writer w = {store, record, language, out};
	add_head(&w, now_ms);
	add_summary(&w);
	writer_element(&w, "h2", writer_say(&w, PHRASE_COURSE));
	int r = report_course_add(store, record, language, NULL, out);
	add_sites(&w);
	add_effect(&w);
	packets_part_add(&w);
	if (record->kind == CASE_FLOOD)
		add_common(&w);
	else
		r = r != 0 ? r : actor_part_add(&w);
	r = r != 0 ? r : add_sources(&w);
	r = r != 0 ? r : add_actions(&w);
	add_unknown(&w);
	add_method(&w);
	buffer_text(out, "</main>\n</body>\n</html>\n");
	return r != 0 ? r : out->error;
}
