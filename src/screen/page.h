/*
 * What all pages have in common. A page is a frame around parts; a part that lives is an element with an id, whose
 * content is sent anew when it changes. Parts hold nothing of a session's, so that all who look see the same ones:
 * their buttons belong to the one form of the frame, which carries the session's token.
 */
#ifndef GUIA_SCREEN_PAGE_H
#define GUIA_SCREEN_PAGE_H

#include "report/plot.h"
#include "screen/phrases.h"
#include "screen/sessions.h"
#include "screen/sight.h"

struct page {
	const struct sight *sight;
	enum language language;
	bool chosen; /* the language was, so links say it on */
	struct buffer *out;
	struct case_store *store;         /* where incidents are on record; NULL: it cannot be read */
	const char *fault;                /* why not; NULL where it can */
	const struct case_record *record; /* whose page it is; NULL: nobody's */
	uint64_t before;                  /* incidents are listed from this one on, without it; 0: all */
};

struct page_part {
	const char *id;
	void (*add)(const struct page *page);
	bool has_buttons; /* the frame's form stands before it, under its heading */
};

enum { PAGE_PARTS = 9 };

struct page_frame {
	const char *title;
	const char *path;        /* of itself */
	const char *up_to_date;  /* where its live parts come from; NULL: it does not live */
	struct session *session; /* NULL: whoever is not let in */
	const struct page_part *parts;
	size_t part_count;
};

void page_add(const struct page *page, const struct page_frame *frame);

/* A page that says one thing. */
void page_say(const struct page *page, enum say title, enum say text);

/* For who has just been let in: leads on to the overview, by itself after a moment. */
void page_welcome(const struct page *page);

/* Opens the record of incidents, anew for each page: one that is damaged is put aside while we run. */
void page_open(struct page *page);
void page_close(struct page *page);
/* Says why the record cannot be read. */
void page_fault(const struct page *page);

/* ---- elements ---- */

static inline const char *page_text(const struct page *page, enum say which)
{
	return say(which, page->language);
}

void page_element(const struct page *page, const char *name, const char *text);
void page_note(const struct page *page, const char *text);
/* The same of a text with a number in it. */
void page_note_number(const struct page *page, enum say text, unsigned long number);
/* <a href>, with the language said on. */
void page_link(const struct page *page, const char *path, const char *text);
/* A table's head; from the `numbers`-th column on they are numbers. */
void page_table(const struct page *page, const char *const *titles, size_t count, size_t numbers);
void page_table_end(const struct page *page);
void page_cell(const struct page *page, bool number, const char *text);
void page_cell_with(const struct page *page, const char *format, const char *value);
/* A site's name, or that it is none's. */
const char *page_site(const struct page *page, const char *name);
struct plot_tools page_plot_tools(const struct page *page);
/* "1.2", "340", "12 000": as precise as is of use. */
void page_rate(const struct page *page, double per_s, char words[64]);
/* "2024-07-10 20:00:05 UTC" */
void page_clock(uint64_t wall_ms, char words[64]);

#endif
