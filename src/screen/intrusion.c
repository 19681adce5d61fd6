/*
 * A kind of intrusion is a row of sayings, mostly in pairs: all was refused, or something got through. Commands are
 * proposed only with words that mean nothing more to a shell.
 */
#include "screen/intrusion.h"

#include "report/actor_part.h"
#include "report/html.h"
#include "report/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BANS_PROPOSED = 5 };

/* What a kind is called upon to say: of all that was refused, and where some was not. */
static const struct {
	enum say site;
	enum say refused_count, through_count;
	enum say refused, through;
	enum say if_refused, if_through;
	bool by_addresses; /* who asked did it; a leak is the site's own doing */
} kinds[CASE_KINDS] = {
	[CASE_SCAN] = {SAY_AFFECTED_SCAN, SAY_REFUSED_COUNT, SAY_THROUGH_COUNT, SAY_SCAN_REFUSED, SAY_SCAN_THROUGH,
		       SAY_IF_SCAN_REFUSED, SAY_IF_SCAN_THROUGH, true},
	[CASE_INJECTION] = {SAY_AFFECTED_INJECTION, SAY_REFUSED_COUNT, SAY_THROUGH_COUNT, SAY_INJECTION_REFUSED,
			    SAY_INJECTION_THROUGH, SAY_IF_INJECTION_REFUSED, SAY_IF_INJECTION_THROUGH, true},
	[CASE_LEAK] = {SAY_AFFECTED_LEAK, SAY_WITHHELD_COUNT, SAY_WENT_OUT_COUNT, SAY_LEAK_REFUSED, SAY_LEAK_THROUGH,
		       SAY_IF_LEAK_REFUSED, SAY_IF_LEAK_THROUGH, false},
	[CASE_SHELL] = {SAY_AFFECTED_SHELL, SAY_REFUSED_COUNT, SAY_THROUGH_COUNT, SAY_SHELL_REFUSED, SAY_SHELL_THROUGH,
			SAY_IF_SHELL_REFUSED, SAY_IF_SHELL_THROUGH, true},
};

static bool some_passed(const struct page *page)
{
	return case_record_sums(page->record).passed > 0;
}

/* ---- who is affected ---- */

static void add_count(const struct page *page, enum say format, uint64_t count)
{
	char words[WORDS_BYTES];
	number_words(count, words);
	html_add_with(page->out, page_text(page, format), words);
	buffer_byte(page->out, ' ');
}

static void add_site(const struct page *page, const struct case_site *site)
{
	const enum case_kind kind = page->record->kind;
	bool passed = site->sums.passed > 0;
	buffer_text(page->out, "<li>");
	html_add_with(page->out, page_text(page, kinds[kind].site), page_site(page, site->name));
	buffer_byte(page->out, ' ');
	add_count(page, kinds[kind].refused_count, site->sums.blocked);
	if (passed)
		add_count(page, kinds[kind].through_count, site->sums.passed);
	html_add(page->out, page_text(page, passed ? kinds[kind].through : kinds[kind].refused));
	buffer_text(page->out, "</li>\n");
}

void intrusion_affected(const struct page *page)
{
	buffer_text(page->out, "<ul>\n");
	for (size_t i = 0; i < page->record->site_count; i++)
		add_site(page, &page->record->sites[i]);
	buffer_text(page->out, "</ul>\n");
}

/* ---- if nothing is done ---- */

/* It may be pasted into a shell as it is. */
static bool is_plain(const char *word)
{
	size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_");
	return len > 0 && word[len] == '\0' && word[0] != '-';
}

static void add_command(const struct page *page, const char *command, enum say what)
{
	buffer_text(page->out, "<li><code>");
	html_add(page->out, command);
	buffer_text(page->out, "</code>");
	html_add(page->out, page_text(page, SAY_COLON));
	html_add(page->out, page_text(page, what));
	buffer_text(page->out, "</li>\n");
}

static bool propose_ban(void *context, const struct case_tally *tally)
{
	const struct page *page = context;
	char command[256];
	snprintf(command, sizeof(command), "guia ban %s --why 'incident %" PRIu64 "'", tally->key, page->record->id);
	if (is_plain(tally->key))
		add_command(page, command, SAY_ORDER_BAN);
	return true;
}

static void propose_closing(const struct page *page)
{
	char command[CASE_NAME_BYTES + 64];
	for (size_t i = 0; i < page->record->site_count; i++) {
		const struct case_site *site = &page->record->sites[i];
		snprintf(command, sizeof(command), "guia mode %s local --for 2h --why 'incident %" PRIu64 "'",
			 site->name, page->record->id);
		if (site->sums.passed > 0 && is_plain(site->name))
			add_command(page, command, SAY_ORDER_CLOSE);
	}
}

static void add_orders(const struct page *page)
{
	const enum case_kind kind = page->record->kind;
	char command[96];
	page_element(page, "h3", page_text(page, SAY_ORDERS_TO_GIVE));
	buffer_text(page->out, "<ul>\n");
	if (kind >= CASE_LEAK && page->record->phase != CASE_OVER)
		propose_closing(page);
	if (kinds[kind].by_addresses && page->record->phase != CASE_OVER)
		(void)case_store_tallies(page->store, page->record->id, "source", BANS_PROPOSED, propose_ban,
					 (void *)(uintptr_t)page);
	snprintf(command, sizeof(command), "guia evidence hold %" PRIu64 " --why '...'", page->record->id);
	add_command(page, command, SAY_ORDER_HOLD);
	buffer_text(page->out, "</ul>\n");
}

static enum say outlook(const struct page *page)
{
	const enum case_kind kind = page->record->kind;
	switch (page->record->phase) {
	case CASE_OVER:
		return SAY_IF_INTRUSION_OVER;
	case CASE_SUBSIDING:
		return SAY_IF_INTRUSION_FALLING;
	default:
		return some_passed(page) ? kinds[kind].if_through : kinds[kind].if_refused;
	}
}

void intrusion_if_nothing(const struct page *page)
{
	bool fades = page->record->phase == CASE_OVER || page->record->phase == CASE_SUBSIDING;
	page_element(page, "p", page_text(page, outlook(page)));
	if (fades && some_passed(page))
		page_element(page, "p", page_text(page, SAY_THROUGH_REMAINS));
	add_orders(page);
}

/* ---- what was tried ---- */

void intrusion_tried(const struct page *page)
{
	static const struct {
		enum phrase title;
		const char *dimension;
	} lists[] = {
		{PHRASE_RULES, "rule"}, {PHRASE_PATHS, "path"}, {PHRASE_ADDRESSES, "source"}, {PHRASE_AGENTS, "agent"}};
	const struct writer w = {page->store, page->record, page->language, page->out};
	page_element(page, "h2", page_text(page, page->record->kind == CASE_LEAK ? SAY_CAME_OUT : SAY_TRIED));
	(void)actor_facts_add(&w);
	buffer_text(page->out, "<div class=\"kinds\">\n");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		buffer_text(page->out, "<div>");
		(void)writer_list(&w, lists[i].title, lists[i].dimension);
		buffer_text(page->out, "</div>\n");
	}
	buffer_text(page->out, "</div>\n");
}

/* ---- sites ---- */

static void add_number_cell(const struct page *page, uint64_t number)
{
	char words[WORDS_BYTES];
	number_words(number, words);
	page_cell(page, true, words);
}

void intrusion_sites(const struct page *page)
{
	const char *const titles[] = {phrase(PHRASE_SITE, page->language), page_text(page, SAY_REFUSED_BY_RULES),
				      page_text(page, SAY_LET_THROUGH)};
	page_table(page, titles, 3, 1);
	for (size_t i = 0; i < page->record->site_count; i++) {
		const struct case_site *site = &page->record->sites[i];
		buffer_text(page->out, "<tr>");
		page_cell(page, false, page_site(page, site->name));
		add_number_cell(page, site->sums.blocked);
		add_number_cell(page, site->sums.passed);
		buffer_text(page->out, "</tr>\n");
	}
	page_table_end(page);
}
