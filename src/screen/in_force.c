/*
 * One table from three of the watch's answers: mitigations in `status`, `modes`, and the orders in `bans`. A button's
 * value is "VERB WHAT", which orders.c takes apart.
 */
#include "screen/in_force.h"

#include "report/html.h"
#include "report/words.h"
#include "screen/answer.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

enum { BANS_SHOWN = 50 };

/* A button of the frame's form (page.h): its value is what it orders. */
static void add_button(const struct page *page, const char *verb, const char *what, enum say label)
{
	buffer_text(page->out, "<td><button form=\"order\" name=\"order\" value=\"");
	html_add(page->out, verb);
	buffer_byte(page->out, ' ');
	html_add(page->out, what);
	buffer_text(page->out, "\">");
	html_add_with(page->out, page_text(page, label), what);
	buffer_text(page->out, "</button></td></tr>\n");
}

static void add_person(const struct page *page, const json_t *order)
{
	uint64_t id = answer_count(order, "by");
	const struct passwd *user = getpwuid((uid_t)id);
	char number[24];
	snprintf(number, sizeof(number), "%llu", (unsigned long long)id);
	page_cell_with(page, user != NULL ? "%s" : page_text(page, SAY_USER), user != NULL ? user->pw_name : number);
}

/* Until when, by whom, and why. */
static void add_order(const struct page *page, const json_t *order)
{
	char words[WORDS_BYTES];
	uint64_t until_ms = answer_count(order, "until_ms");
	time_words(until_ms, words);
	page_cell(page, false, until_ms != 0 ? words : page_text(page, SAY_UNTIL_LIFTED));
	add_person(page, order);
	page_cell(page, false, answer_text(order, "why"));
}

static size_t add_mitigations(const struct page *page, const json_t *site)
{
	const json_t *mitigation;
	size_t i, count = 0;
	json_array_foreach(json_object_get(json_object_get(site, "episode"), "mitigations"), i, mitigation)
	{
		bool signature = strcmp(answer_text(mitigation, "kind"), "signature") == 0;
		const char *what = answer_text(mitigation, "what");
		char id[24];
		if (strcmp(answer_text(mitigation, "stage"), "in force") != 0)
			continue;
		count++;
		snprintf(id, sizeof(id), "%llu", (unsigned long long)answer_count(mitigation, "id"));
		buffer_text(page->out, "<tr>");
		page_cell(page, false,
			  signature ? page_text(page, SAY_A_SIGNATURE) : phrase(PHRASE_MEASURE, page->language));
		buffer_text(page->out, "<td>");
		html_add(page->out, answer_text(site, "site"));
		buffer_text(page->out, ": ");
		html_add(page->out, what[0] != '\0' ? what : phrase(PHRASE_BANS, page->language));
		buffer_text(page->out, "</td><td></td>");
		page_cell(page, false, phrase(PHRASE_BY_GUIA, page->language));
		buffer_text(page->out, "<td></td>");
		if (strcmp(answer_text(mitigation, "kind"), "shedding") != 0)
			add_button(page, "lift", id, SAY_LIFT_MEASURE);
		else
			buffer_text(page->out, "<td></td></tr>\n");
	}
	return count;
}

static void add_ban(const struct page *page, const json_t *order)
{
	bool allowed = strcmp(answer_text(order, "kind"), "allow") == 0;
	buffer_text(page->out, "<tr>");
	page_cell(page, false, page_text(page, allowed ? SAY_AN_ALLOWANCE : SAY_A_BAN));
	page_cell(page, false, answer_text(order, "prefix"));
	add_order(page, order);
	add_button(page, "unban", answer_text(order, "prefix"), allowed ? SAY_LIFT_ALLOWANCE : SAY_LIFT_BAN);
}

static void add_mode(const struct page *page, const json_t *mode)
{
	buffer_text(page->out, "<tr>");
	page_cell(page, false, page_text(page, SAY_A_MODE));
	buffer_text(page->out, "<td>");
	html_add(page->out, answer_text(mode, "site"));
	buffer_text(page->out, ": ");
	html_add(page->out, answer_text(mode, "mode"));
	buffer_text(page->out, "</td>");
	add_order(page, mode);
	add_button(page, "open", answer_text(mode, "site"), SAY_END_MODE);
}

void in_force_add(const struct page *page)
{
	const struct sight *sight = page->sight;
	const json_t *sites = json_object_get(sight->asker.answers[ASKER_STATUS], "sites");
	const json_t *bans = json_object_get(sight->asker.answers[ASKER_BANS], "orders");
	const json_t *modes = json_object_get(sight->asker.answers[ASKER_MODES], "modes"), *item;
	const char *const titles[] = {page_text(page, SAY_SORT), page_text(page, SAY_WHAT), page_text(page, SAY_UNTIL),
				      page_text(page, SAY_BY),   page_text(page, SAY_WHY),  page_text(page, SAY_UNDO)};
	size_t i, rows = 0;
	if (page->record != NULL && page->record->kind != CASE_FLOOD)
		page_note(page, page_text(page, SAY_NOT_BY_ITSELF));
	page_table(page, titles, 6, 6);
	json_array_foreach(sites, i, item) rows += add_mitigations(page, item);
	json_array_foreach(modes, i, item) add_mode(page, item);
	json_array_foreach(bans, i, item) if (i < BANS_SHOWN) add_ban(page, item);
	page_table_end(page);
	rows += json_array_size(modes) + json_array_size(bans);
	if (rows == 0)
		page_note(page, page_text(page, SAY_NOTHING_IN_FORCE));
	if (json_array_size(bans) > BANS_SHOWN)
		page_note_number(page, SAY_MORE_BANS, json_array_size(bans) - BANS_SHOWN);
}

const struct page_part in_force_parts[] = {{"in-force", in_force_add, true}};
const size_t in_force_part_count = 1;
