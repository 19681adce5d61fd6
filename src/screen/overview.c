/*
 * The parts are listed at the end. Incidents come from the store; all else is in memory already (sight.h). Tiles are
 * sorted by how badly off the sites are.
 */
#include "screen/overview.h"

#include "report/html.h"
#include "report/words.h"
#include "screen/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILES_MAX = 1024, COLUMNS = 180, ROWS = 6, INTRUSIONS_LOOKED_AT = 20 };

static const json_t *sites_of(const struct page *page)
{
	return json_object_get(page->sight->asker.answers[ASKER_STATUS], "sites");
}

/* Requests that name no site of ours are shown only where they are under attack. */
static bool is_shown(const json_t *site)
{
	const char *name = answer_text(site, "site");
	return sight_state(site) == SITE_ATTACKED || json_object_get(site, "probe") != NULL ||
	       (name[0] != '\0' && strcmp(name, "-") != 0);
}

/* ---- the sentence ---- */

static void add_counts(const struct page *page, const size_t counts[SITE_STATES])
{
	static const struct {
		enum site_state state;
		enum say words;
	} rows[] = {
		{SITE_ATTACKED, SAY_SITES_ATTACKED}, {SITE_DOWN, SAY_SITES_DOWN}, {SITE_DEGRADED, SAY_SITES_DEGRADED}};
	size_t told = 0, all = 0;
	buffer_text(page->out, "<p class=\"sentence\" role=\"status\">");
	for (size_t i = 0; i < SITE_STATES; i++)
		all += counts[i];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (counts[rows[i].state] > 0) {
			buffer_text(page->out, told++ > 0 ? " " : "");
			html_add_number(page->out, page_text(page, rows[i].words), counts[rows[i].state]);
		}
	if (told == 0)
		html_add(page->out, page_text(page, all > 0 ? SAY_ALL_UP : SAY_NO_SITES));
	buffer_text(page->out, "</p>\n");
}

static void add_warnings(const struct page *page)
{
	const json_t *status = page->sight->asker.answers[ASKER_STATUS];
	const char *fault = answer_text(json_object_get(status, "watch"), "fault");
	char when[WORDS_BYTES];
	if (status == NULL || !sight_is_fresh(page->sight)) {
		buffer_text(page->out, "<p class=\"warning\" role=\"alert\">");
		page_clock(page->sight->status_wall_ms, when);
		if (status == NULL)
			html_add(page->out, page_text(page, SAY_WATCH_UNHEARD));
		else
			html_add_with(page->out, page_text(page, SAY_WATCH_SILENT), when);
		buffer_text(page->out, "</p>\n");
	}
	if (fault[0] != '\0') {
		buffer_text(page->out, "<p class=\"warning\">");
		html_add_with(page->out, page_text(page, SAY_GATE_SILENT), fault);
		buffer_text(page->out, "</p>\n");
	}
}

/* "UDP above the edge's budget, 120 000 packets a second; held: measures are in force" */
static void add_flood(const struct page *page, const json_t *flood)
{
	enum packet_flood_kind kind = packet_flood_find(answer_text(flood, "kind"));
	char words[WORDS_BYTES];
	if (!answer_truth(flood, "on") || kind == PACKET_FLOODS)
		return;
	number_words((uint64_t)answer_number(flood, "per_s"), words);
	buffer_text(page->out, "<p class=\"warning packets\">");
	html_add(page->out, phrase_of_packets(kind, page->language));
	html_add(page->out, page_text(page, SAY_COMMA));
	html_add_with(page->out, page_text(page, SAY_PACKETS_PER_S), words);
	html_add(page->out, page_text(page, SAY_SEMICOLON));
	html_add(page->out, page_text(page, answer_truth(flood, "held") ? SAY_HELD : SAY_NOT_HELD));
	buffer_text(page->out, "<br>");
	html_add(page->out, answer_text(flood, "destinations"));
	buffer_text(page->out, " ");
	html_add(page->out, answer_text(flood, "ports"));
	buffer_text(page->out, "<br>");
	html_add(page->out, page_text(page, SAY_PACKETS_FORGED));
	buffer_text(page->out, "</p>\n");
}

static void add_packets(const struct page *page)
{
	const json_t *floods = json_object_get(page->sight->asker.answers[ASKER_STATUS], "packets"), *flood;
	size_t i;
	json_array_foreach(floods, i, flood) add_flood(page, flood);
}

static void add_sentence(const struct page *page)
{
	size_t counts[SITE_STATES] = {0}, i;
	const json_t *site;
	json_array_foreach(sites_of(page), i, site) if (is_shown(site)) counts[sight_state(site)]++;
	add_counts(page, counts);
	add_packets(page);
	add_warnings(page);
}

static void add_now(const struct page *page)
{
	char when[WORDS_BYTES];
	if (page->sight->status_wall_ms == 0)
		return;
	page_clock(page->sight->status_wall_ms, when);
	buffer_text(page->out, "<p class=\"note\">");
	html_add_with(page->out, page_text(page, SAY_AS_OF), when);
	buffer_text(page->out, "</p>\n");
}

/* ---- the incident that is on ---- */

static void add_links(const struct page *page, uint64_t id)
{
	char path[64];
	buffer_text(page->out, "<p>");
	snprintf(path, sizeof(path), "/incidents/%llu", (unsigned long long)id);
	page_link(page, path, page_text(page, SAY_OPEN_PAGE));
	buffer_text(page->out, " ");
	snprintf(path, sizeof(path), "/incidents/%llu/report", (unsigned long long)id);
	page_link(page, path, page_text(page, SAY_OPEN_REPORT));
	buffer_text(page->out, "</p>\n");
}

/* "Onset 20:00:05 UTC, for 3 min" and "visitors served again 12 s after the onset". */
static void add_clock(const struct page *page, const struct case_record *record)
{
	char words[WORDS_BYTES];
	bool on = record->phase != CASE_OVER;
	page_clock(record->onset_ms, words);
	buffer_text(page->out, "<p>");
	html_add(page->out, phrase(PHRASE_ONSET, page->language));
	buffer_text(page->out, " ");
	html_add(page->out, words);
	html_add(page->out, page_text(page, SAY_COMMA));
	buffer_text(page->out, "<strong class=\"clock\">");
	uint64_t end_ms = on ? page->sight->wall_ms : record->over_ms;
	duration_words((end_ms > record->onset_ms ? end_ms - record->onset_ms : 0) / 1000 * 1000, page->language,
		       words);
	html_add_with(page->out, on ? page_text(page, SAY_FOR) : "%s", words);
	buffer_text(page->out, "</strong>");
	html_add(page->out, page_text(page, SAY_SEMICOLON));
	if (record->restored_ms > record->onset_ms) {
		duration_words(record->restored_ms - record->onset_ms, page->language, words);
		html_add_with(page->out, page_text(page, SAY_SERVED_AFTER), words);
	} else {
		html_add(page->out, page_text(page, on ? SAY_NOT_SERVED_YET : SAY_SERVED_UNKNOWN));
	}
	buffer_text(page->out, "</p>\n");
}

static void add_record(const struct page *page, const struct case_record *record)
{
	bool on = record->phase != CASE_OVER;
	buffer_printf(page->out, "<div class=\"%s\">\n<h2>", on ? "incident on" : "incident");
	html_add(page->out, page_text(page, on ? SAY_NOW_ON : SAY_LAST_ONE));
	html_add(page->out, page_text(page, SAY_COLON));
	html_add_number(page->out, page_text(page, SAY_INCIDENT), (unsigned long)record->id);
	html_add(page->out, page_text(page, SAY_COMMA));
	html_add(page->out, phrase_of_phase(record->kind, record->phase, page->language));
	buffer_text(page->out, "</h2>\n");
	add_clock(page, record);
	add_links(page, record->id);
	buffer_text(page->out, "</div>\n");
}

struct intrusions_seen {
	const struct page *page;
	size_t rows;
};

/* "Incident 5: scan: ..., rising, since ..." */
static bool add_intrusion(void *context, const struct case_record *record)
{
	struct intrusions_seen *seen = context;
	const struct page *page = seen->page;
	char path[64], when[WORDS_BYTES];
	if (record->kind == CASE_FLOOD || record->phase == CASE_OVER)
		return true;
	if (seen->rows++ == 0) {
		page_element(page, "h2", page_text(page, SAY_INTRUSIONS_ON));
		buffer_text(page->out, "<ul>\n");
	}
	snprintf(path, sizeof(path), "/incidents/%llu", (unsigned long long)record->id);
	page_clock(record->onset_ms, when);
	buffer_text(page->out, "<li>");
	page_link(page, path, phrase_of_kind(record->kind, page->language));
	html_add(page->out, page_text(page, SAY_COMMA));
	html_add(page->out, phrase_of_phase(record->kind, record->phase, page->language));
	html_add(page->out, page_text(page, SAY_COMMA));
	html_add_with(page->out, page_text(page, SAY_SINCE), when);
	buffer_text(page->out, "</li>\n");
	return true;
}

static void add_intrusions(const struct page *page)
{
	struct intrusions_seen seen = {page, 0};
	(void)case_store_records(page->store, 0, INTRUSIONS_LOOKED_AT, add_intrusion, &seen);
	if (seen.rows > 0)
		buffer_text(page->out, "</ul>\n");
}

static void add_incident(const struct page *page)
{
	struct case_record *record = page->store != NULL ? malloc(sizeof(*record)) : NULL;
	int r = record != NULL ? case_store_latest_flood(page->store, record) : 0;
	if (page->store == NULL)
		page_fault(page);
	else if (record != NULL && r == 0)
		add_record(page, record);
	else if (r == CASE_STORE_NONE)
		page_note(page, page_text(page, SAY_NO_INCIDENT));
	if (page->store != NULL)
		add_intrusions(page);
	free(record);
}

/* ---- tiles ---- */

struct tile {
	const json_t *site;
	enum site_state state;
};

static int by_need(const void *left, const void *right)
{
	const struct tile *a = left, *b = right;
	if (a->state != b->state)
		return a->state > b->state ? -1 : 1;
	return strcmp(answer_text(a->site, "site"), answer_text(b->site, "site"));
}

static void add_line_with(const struct page *page, enum say format, const char *value)
{
	buffer_text(page->out, "<span>");
	html_add_with(page->out, page_text(page, format), value);
	buffer_text(page->out, "</span>\n");
}

static void add_attack(const struct page *page, const json_t *site)
{
	char words[WORDS_BYTES];
	uint64_t onset_ms = sight_onset(site), now_ms = page->sight->wall_ms;
	const json_t *episode = json_object_get(site, "episode");
	duration_words((now_ms > onset_ms ? now_ms - onset_ms : 0) / 1000 * 1000, page->language, words);
	buffer_text(page->out, "<span class=\"clock\">");
	html_add_with(page->out, page_text(page, SAY_FOR), words);
	buffer_text(page->out, "</span>\n");
	bool held = strcmp(answer_text(episode, "state"), "mitigated") == 0;
	page_element(page, "span", page_text(page, held ? SAY_HELD : SAY_NOT_HELD));
}

static void add_mode(const struct page *page, const json_t *site)
{
	const char *mode = answer_text(json_object_get(site, "mode"), "mode");
	if (strcmp(mode, "guarded") == 0)
		page_element(page, "span", page_text(page, SAY_MODE_GUARDED));
	if (strcmp(mode, "local") == 0)
		page_element(page, "span", page_text(page, SAY_MODE_LOCAL));
}

static void add_tile(const struct page *page, const struct tile *tile)
{
	static const struct {
		const char *name;
		const char *shape; /* within 16 by 16 */
		enum say word;
	} looks[SITE_STATES] = {
		[SITE_UNWATCHED] = {"unwatched", "<circle cx=\"8\" cy=\"8\" r=\"6\" class=\"hollow\"/>", SAY_UNWATCHED},
		[SITE_UP] = {"up", "<circle cx=\"8\" cy=\"8\" r=\"7\"/>", SAY_UP},
		[SITE_DEGRADED] = {"degraded", "<path d=\"M8 1L15 15H1Z\"/>", SAY_DEGRADED},
		[SITE_DOWN] = {"down", "<path d=\"M3 1L8 6 13 1 15 3 10 8 15 13 13 15 8 10 3 15 1 13 6 8 1 3Z\"/>",
			       SAY_DOWN},
		[SITE_ATTACKED] = {"attacked", "<path d=\"M8 0L16 8 8 16 0 8Z\"/>", SAY_ATTACKED},
	};
	const json_t *probe = json_object_get(tile->site, "probe");
	const char *name = answer_text(tile->site, "site");
	char words[WORDS_BYTES];
	buffer_printf(page->out, "<li class=\"tile %s\"><h3>", looks[tile->state].name);
	html_add(page->out, name[0] != '\0' && strcmp(name, "-") != 0 ? name : phrase(PHRASE_NO_SITE, page->language));
	buffer_printf(page->out,
		      "</h3>\n<span class=\"state\"><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\">%s</svg> ",
		      looks[tile->state].shape);
	html_add(page->out, page_text(page, looks[tile->state].word));
	buffer_text(page->out, "</span>\n");
	if (tile->state == SITE_ATTACKED)
		add_attack(page, tile->site);
	add_mode(page, tile->site);
	if (probe != NULL && answer_truth(probe, "up")) {
		snprintf(words, sizeof(words), "%.0f ms", answer_number(probe, "ms"));
		add_line_with(page, SAY_ANSWERS_IN, words);
	} else if (probe != NULL && tile->state == SITE_ATTACKED) {
		page_element(page, "span", page_text(page, SAY_DOWN));
	}
	page_rate(page, answer_number(tile->site, "requests_per_s"), words);
	add_line_with(page, SAY_REQUESTS_PER_S, words);
	buffer_text(page->out, "</li>\n");
}

static void add_tiles(const struct page *page)
{
	struct tile *tiles = calloc(TILES_MAX, sizeof(*tiles));
	const json_t *site;
	size_t i, count = 0;
	json_array_foreach(sites_of(page), i, site) if (tiles != NULL && count < TILES_MAX && is_shown(site))
		tiles[count++] = (struct tile){site, sight_state(site)};
	if (count > 0)
		qsort(tiles, count, sizeof(*tiles), by_need);
	page_element(page, "h2", phrase(PHRASE_SITES, page->language));
	buffer_text(page->out, "<ul class=\"tiles\">\n");
	for (i = 0; i < count; i++)
		add_tile(page, &tiles[i]);
	buffer_text(page->out, "</ul>\n");
	free(tiles);
}

/* ---- the course ---- */

static void add_mark(const struct page *page, const struct course_mark *mark)
{
	char when[WORDS_BYTES];
	page_clock(mark->at_ms, when);
	buffer_printf(page->out, "<li value=\"%u\">", mark->number);
	html_add(page->out, when);
	buffer_text(page->out, " ");
	html_add(page->out, mark->site);
	html_add(page->out, page_text(page, SAY_COLON));
	html_add(page->out, mark->text[0] != '\0' ? mark->text : phrase(PHRASE_BANS, page->language));
	buffer_text(page->out, "</li>\n");
}

static void add_course(const struct page *page)
{
	const struct course *course = &page->sight->course;
	struct plot_mark marks[COURSE_MARKS];
	uint64_t at_ms[COLUMNS], step_ms = 1000;
	double *values = calloc(COLUMNS, COURSE_KINDS * sizeof(*values));
	size_t count = values != NULL ? course_steps(course, COLUMNS, at_ms, values, &step_ms) : 0;
	for (size_t i = 0; i < course->mark_count; i++)
		marks[i] = (struct plot_mark){course->marks[i].at_ms, course->marks[i].number};
	const enum language l = page->language;
	const struct plot_tools tools = page_plot_tools(page);
	const struct plot plot = {.id = "requests",
				  .title = phrase(PHRASE_REQUESTS_PLOT, l),
				  .layers = PLOT_LAYERS,
				  .names = {phrase(PHRASE_PASSED, l), phrase(PHRASE_BLOCKED, l),
					    phrase(PHRASE_LIMITED, l), phrase(PHRASE_SIGNATURE, l),
					    phrase(PHRASE_NO_SLOT, l), phrase(PHRASE_OTHER, l)},
				  .step_ms = step_ms,
				  .count = count,
				  .at_ms = at_ms,
				  .values = values,
				  .marks = marks,
				  .mark_count = course->mark_count,
				  .tools = &tools};
	page_element(page, "h2", phrase(PHRASE_COURSE, l));
	if (count > 0)
		plot_add(page->out, &plot);
	else
		page_note(page, phrase(PHRASE_NOT_YET_KNOWN, l));
	if (course->mark_count > 0) {
		page_element(page, "h3", page_text(page, SAY_MEASURES_NUMBERED));
		buffer_text(page->out, "<ol class=\"marks\">\n");
		for (size_t i = 0; i < course->mark_count; i++)
			add_mark(page, &course->marks[i]);
		buffer_text(page->out, "</ol>\n");
	}
	free(values);
}

_Static_assert((int)PLOT_LAYERS == (int)COURSE_KINDS, "a layer each");

/* ---- what comes most ---- */

static void add_row(const struct page *page, enum sight_kind kind, const json_t *item)
{
	char key[QUIET_KEY_BYTES], words[WORDS_BYTES];
	double quiet = 0;
	sight_key(kind, item, key);
	buffer_text(page->out, "<tr>");
	page_cell(page, false, key);
	page_rate(page, answer_number(item, "per_s"), words);
	page_cell(page, true, words);
	bool known = quiet_rate(&page->sight->quiet, kind, key, &quiet);
	page_rate(page, quiet, words);
	page_cell(page, true,
		  !known         ? phrase(PHRASE_NOT_YET_KNOWN, page->language)
		  : quiet < 0.05 ? page_text(page, SAY_NOT_SEEN)
				 : words);
	buffer_text(page->out, "</tr>\n");
}

static void add_kind(const struct page *page, enum sight_kind kind, const char *title)
{
	const json_t *list = json_object_get(page->sight->asker.answers[ASKER_TOP], sight_kind_name(kind)), *item;
	const char *const titles[] = {title, page_text(page, SAY_NOW_PER_S), page_text(page, SAY_QUIET_PER_S)};
	size_t i;
	buffer_text(page->out, "<div>");
	if (json_array_size(list) == 0) {
		page_element(page, "h3", title);
		page_note(page, page_text(page, SAY_NOTHING_CAME));
	} else {
		page_table(page, titles, 3, 1);
		json_array_foreach(list, i, item) if (i < ROWS) add_row(page, kind, item);
		page_table_end(page);
	}
	buffer_text(page->out, "</div>\n");
}

static void add_attacks(const struct page *page)
{
	const enum language l = page->language;
	const char *const titles[SIGHT_KINDS] = {
		[SIGHT_SOURCE] = page_text(page, SAY_ADDRESSES), [SIGHT_NETWORK] = phrase(PHRASE_NETWORKS, l),
		[SIGHT_OPERATOR] = phrase(PHRASE_OPERATORS, l),  [SIGHT_COUNTRY] = phrase(PHRASE_COUNTRIES, l),
		[SIGHT_PATH] = phrase(PHRASE_PATHS, l),          [SIGHT_TOOL] = page_text(page, SAY_TOOLS),
		[SIGHT_RULE] = page_text(page, SAY_RULES)};
	const json_t *places = json_object_get(page->sight->asker.answers[ASKER_TOP], "places");
	page_element(page, "h2", page_text(page, SAY_ATTACKS));
	page_note(page, page_text(page, SAY_ATTACKS_NOTE));
	if (answer_text(places, "vendor")[0] != '\0') {
		char source[256];
		snprintf(source, sizeof(source), "%.150s, %.20s", answer_text(places, "vendor"),
			 answer_text(places, "made"));
		buffer_text(page->out, "<p class=\"note\">");
		html_add_with(page->out, phrase(PHRASE_PLACES, l), source);
		buffer_text(page->out, "</p>\n");
	}
	buffer_text(page->out, "<div class=\"kinds\">\n");
	for (enum sight_kind kind = 0; kind < SIGHT_KINDS; kind++)
		add_kind(page, kind, titles[kind]);
	buffer_text(page->out, "</div>\n");
}

const struct page_part overview_parts[] = {
	{"sentence", add_sentence, false}, {"now", add_now, false},       {"incident", add_incident, false},
	{"tiles", add_tiles, false},       {"course", add_course, false}, {"attacks", add_attacks, false},
};
const size_t overview_part_count = sizeof(overview_parts) / sizeof(overview_parts[0]);
