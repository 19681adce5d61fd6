/*
 * Elements, of which parts are made, and the frame around them, with what belongs to one session: the form's token and
 * the news of the last order. Reports have elements of their own (report/writer.h).
 */
#include "screen/page.h"

#include "base/error.h"
#include "report/html.h"
#include "report/words.h"
#include "screen/assets.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NARROW_COLUMNS = 3 }; /* of a table that fits any window */

/* ---- the record of incidents ---- */

static const char *fault_text(int r)
{
	switch (r) {
	case CASE_STORE_NEWER:
		return "a later version of Guia wrote it";
	case CASE_STORE_DAMAGED:
		return "it is damaged";
	case CASE_STORE_NONE:
		return "there is none";
	case -EAGAIN:
		return "the watch has not said where it is";
	default:
		return strerror(-r);
	}
}

void page_open(struct page *page)
{
	int r = sight_store(page->sight, &page->store);
	page->fault = r != 0 ? fault_text(r) : NULL;
}

void page_close(struct page *page)
{
	case_store_close(page->store);
	page->store = NULL;
}

void page_fault(const struct page *page)
{
	buffer_text(page->out, "<p class=\"warning\">");
	html_add_with(page->out, page_text(page, SAY_NO_HISTORY), page->fault);
	buffer_text(page->out, "</p>\n");
}

/* ---- elements ---- */

void page_element(const struct page *page, const char *name, const char *text)
{
	buffer_printf(page->out, "<%s>", name);
	html_add(page->out, text);
	buffer_printf(page->out, "</%s>\n", name);
}

void page_note(const struct page *page, const char *text)
{
	buffer_text(page->out, "<p class=\"note\">");
	html_add(page->out, text);
	buffer_text(page->out, "</p>\n");
}

void page_note_number(const struct page *page, enum say text, unsigned long number)
{
	buffer_text(page->out, "<p class=\"note\">");
	html_add_number(page->out, page_text(page, text), number);
	buffer_text(page->out, "</p>\n");
}

void page_link(const struct page *page, const char *path, const char *text)
{
	buffer_text(page->out, "<a href=\"");
	html_add(page->out, path);
	if (page->chosen)
		buffer_printf(page->out, "?lang=%s", language_tag(page->language));
	buffer_text(page->out, "\">");
	html_add(page->out, text);
	buffer_text(page->out, "</a>");
}

void page_table(const struct page *page, const char *const *titles, size_t count, size_t numbers)
{
	/* Where it is wider than the window it is moved along by keyboard. */
	buffer_text(page->out, count > NARROW_COLUMNS ? "<div class=\"wide\" tabindex=\"0\">" : "<div>");
	buffer_text(page->out, "<table><thead><tr>");
	for (size_t i = 0; i < count; i++) {
		buffer_text(page->out, i >= numbers ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
		html_add(page->out, titles[i]);
		buffer_text(page->out, "</th>");
	}
	buffer_text(page->out, "</tr></thead><tbody>\n");
}

void page_table_end(const struct page *page)
{
	buffer_text(page->out, "</tbody></table></div>\n");
}

void page_cell(const struct page *page, bool number, const char *text)
{
	buffer_text(page->out, number ? "<td class=\"n\">" : "<td>");
	html_add(page->out, text);
	buffer_text(page->out, "</td>");
}

void page_cell_with(const struct page *page, const char *format, const char *value)
{
	buffer_text(page->out, "<td>");
	html_add_with(page->out, format, value);
	buffer_text(page->out, "</td>");
}

const char *page_site(const struct page *page, const char *name)
{
	return name[0] != '\0' ? name : phrase(PHRASE_NO_SITE, page->language);
}

struct plot_tools page_plot_tools(const struct page *page)
{
	return (struct plot_tools){page_text(page, SAY_CLOSER), page_text(page, SAY_FARTHER),
				   page_text(page, SAY_ALL_OF_IT), page_text(page, SAY_PLOT_HINT)};
}

void page_rate(const struct page *page, double per_s, char words[64])
{
	if (per_s < 10)
		decimal_words(per_s, page->language, words);
	else
		number_words((uint64_t)(per_s + 0.5), words);
}

void page_clock(uint64_t wall_ms, char words[64])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc = {0};
	(void)gmtime_r(&seconds, &utc);
	(void)strftime(words, WORDS_BYTES, "%Y-%m-%d %H:%M:%S UTC", &utc);
}

/* ---- the frame ---- */

static void add_languages(const struct page *page, const struct page_frame *frame)
{
	buffer_text(page->out, "<nav class=\"languages\" aria-label=\"");
	html_add(page->out, page_text(page, SAY_LANGUAGE));
	buffer_text(page->out, "\">");
	for (enum language l = 0; l < LANGUAGES; l++) {
		buffer_text(page->out, "<a href=\"");
		html_add(page->out, frame->path);
		buffer_printf(page->out, "?lang=%s\" lang=\"%s\" hreflang=\"%s\"%s>%s</a>\n", language_tag(l),
			      language_tag(l), language_tag(l), l == page->language ? " aria-current=\"true\"" : "",
			      language_name(l));
	}
	buffer_text(page->out, "</nav>\n");
}

static void add_pages(const struct page *page)
{
	buffer_text(page->out, "<nav aria-label=\"");
	html_add(page->out, page_text(page, SAY_PAGES));
	buffer_text(page->out, "\">");
	page_link(page, "/", page_text(page, SAY_OVERVIEW));
	buffer_text(page->out, " ");
	page_link(page, "/incidents", page_text(page, SAY_INCIDENTS));
	buffer_text(page->out, " ");
	page_link(page, "/measures", page_text(page, SAY_MEASURES));
	buffer_text(page->out, "</nav>\n");
}

/* Without a script the whole page comes anew. */
static void add_live(const struct page *page)
{
	static const char uplot[] = "<link rel=\"stylesheet\" href=\"/uPlot.min.css\">\n"
				    "<script src=\"/uPlot.iife.min.js\" defer></script>\n"
				    "<script src=\"/plot.js\" defer></script>\n";
	buffer_text(page->out, "<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>\n");
	if (asset_find("/uPlot.iife.min.js") != NULL)
		buffer_text(page->out, uplot);
	buffer_text(page->out, "<script src=\"/screen.js\" defer></script>\n");
}

static void add_head(const struct page *page, const struct page_frame *frame, const char *more)
{
	buffer_printf(page->out,
		      "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
		      language_tag(page->language));
	html_add(page->out, frame->title);
	buffer_printf(page->out, " · Guia</title>\n<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n%s",
		      more);
	if (frame->up_to_date != NULL)
		add_live(page);
	buffer_text(page->out, "<link rel=\"stylesheet\" href=\"/screen.css\">\n</head>\n");
}

static void add_news(const struct page *page, struct session *session)
{
	if (session == NULL || session->news[0] == '\0')
		return;
	buffer_printf(page->out, "<p class=\"news\" role=\"%s\">", session->news_good ? "status" : "alert");
	html_add_with(page->out, page_text(page, session->news_good ? SAY_ORDER_DONE : SAY_ORDER_REFUSED),
		      session->news);
	buffer_text(page->out, "</p>\n");
	session->news[0] = '\0';
}

static void add_form(const struct page *page, const struct page_frame *frame)
{
	page_element(page, "h2", page_text(page, SAY_IN_FORCE_NOW));
	buffer_text(page->out, "<form id=\"order\" method=\"post\" action=\"/orders\">"
			       "<input type=\"hidden\" name=\"csrf\" value=\"");
	html_add(page->out, frame->session->csrf);
	buffer_text(page->out, "\"><input type=\"hidden\" name=\"back\" value=\"");
	html_add(page->out, frame->path);
	buffer_printf(page->out, "\"><input type=\"hidden\" name=\"lang\" value=\"%s\"></form>\n",
		      page->chosen ? language_tag(page->language) : "");
	buffer_text(page->out, "<p><label for=\"why\">");
	html_add(page->out, page_text(page, SAY_REASON));
	buffer_text(page->out, "</label> <input id=\"why\" name=\"why\" form=\"order\" maxlength=\"120\" "
			       "autocomplete=\"off\"></p>\n");
}

static void add_parts(const struct page *page, const struct page_frame *frame)
{
	for (size_t i = 0; i < frame->part_count; i++) {
		if (frame->parts[i].has_buttons)
			add_form(page, frame);
		buffer_printf(page->out, "<section id=\"%s\">\n", frame->parts[i].id);
		frame->parts[i].add(page);
		buffer_text(page->out, "</section>\n");
	}
}

void page_add(const struct page *page, const struct page_frame *frame)
{
	add_head(page, frame, "");
	buffer_text(page->out, "<body");
	if (frame->up_to_date != NULL) {
		buffer_text(page->out, " data-live=\"");
		html_add(page->out, frame->up_to_date);
		buffer_printf(page->out, "?lang=%s\" data-lost=\"", language_tag(page->language));
		html_add(page->out, page_text(page, SAY_LIVE_LOST));
		buffer_text(page->out, "\"");
	}
	buffer_text(page->out, ">\n<a class=\"skip\" href=\"#content\">");
	html_add(page->out, page_text(page, SAY_SKIP));
	buffer_text(page->out, "</a>\n<header>\n<strong class=\"name\">Guia</strong>\n");
	if (frame->session != NULL)
		add_pages(page);
	add_languages(page, frame);
	buffer_text(page->out, "</header>\n<main id=\"content\">\n");
	add_news(page, frame->session);
	page_element(page, "h1", frame->title);
	if (frame->up_to_date != NULL)
		buffer_text(page->out, "<p id=\"lost\" role=\"status\"></p>\n");
	add_parts(page, frame);
	buffer_text(page->out, "</main>\n</body>\n</html>\n");
}

/* A frame with one sentence in it, which may lead somewhere. */
static void add_bare(const struct page *page, enum say title, const char *head, enum say text, const char *leads_to)
{
	const struct page_frame frame = {.title = page_text(page, title), .path = "/"};
	add_head(page, &frame, head);
	buffer_text(page->out, "<body>\n<header>\n<strong class=\"name\">Guia</strong>\n");
	add_languages(page, &frame);
	buffer_text(page->out, "</header>\n<main id=\"content\">\n");
	page_element(page, "h1", frame.title);
	buffer_text(page->out, "<p>");
	if (leads_to != NULL)
		page_link(page, leads_to, page_text(page, text));
	else
		html_add(page->out, page_text(page, text));
	buffer_text(page->out, "</p>\n</main>\n</body>\n</html>\n");
}

void page_say(const struct page *page, enum say title, enum say text)
{
	add_bare(page, title, "", text, NULL);
}

void page_welcome(const struct page *page)
{
	add_bare(page, SAY_WELCOME, "<meta http-equiv=\"refresh\" content=\"0; url=/\">\n", SAY_GO_ON, "/");
}
