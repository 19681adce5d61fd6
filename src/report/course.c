/*
 * The store gives points summed up to steps, so wide that some 360 of them fill a plot. Both plots are drawn over the
 * same points and with the same marks.
 */
#include "report/course.h"

#include "base/error.h"
#include "report/html.h"
#include "report/plot.h"

#include <math.h>
#include <stdlib.h>

enum { COLUMNS = 360 }; /* of a plot */

struct plotted {
	uint64_t step_ms;
	size_t count;
	uint64_t at_ms[COLUMNS + 2];
	double requests[(COLUMNS + 2) * PLOT_LAYERS];
	double visitors[COLUMNS + 2];
};

static bool take_point(void *context, const struct case_point *point)
{
	struct plotted *plotted = context;
	const struct case_requests *r = &point->requests;
	const uint64_t layers[PLOT_LAYERS] = {r->passed,    r->blocked,     r->limited,
					      r->signature, r->crowded_out, r->other};
	double seconds = (double)plotted->step_ms / 1000;
	if (plotted->count == COLUMNS + 2)
		return false;
	plotted->at_ms[plotted->count] = point->at_ms;
	for (size_t i = 0; i < PLOT_LAYERS; i++)
		plotted->requests[plotted->count * PLOT_LAYERS + i] = (double)layers[i] / seconds;
	plotted->visitors[plotted->count] =
		point->visitors.asked < CASE_VISITORS_TELL
			? NAN
			: (double)point->visitors.answered * 100 / (double)point->visitors.asked;
	plotted->count++;
	return true;
}

static uint64_t end_of(const struct case_record *record)
{
	uint64_t end = record->over_ms > record->opened_ms ? record->over_ms : record->opened_ms;
	for (size_t i = 0; i < record->site_count; i++)
		end = record->sites[i].until_ms > end ? record->sites[i].until_ms : end;
	return end;
}

static size_t marks_of(const struct case_record *record, struct plot_mark marks[PLOT_MARKS])
{
	for (size_t i = 0; i < record->mitigation_count; i++)
		marks[i] = (struct plot_mark){record->mitigations[i].since_ms, (unsigned)i + 1};
	return record->mitigation_count;
}

_Static_assert((int)PLOT_MARKS >= (int)CASE_MITIGATIONS, "each measure may be marked");

static void add_paragraph(struct buffer *out, const char *class, const char *text)
{
	buffer_printf(out, "<p class=\"%s\">", class);
	html_add(out, text);
	buffer_text(out, "</p>\n");
}

static void add_plots(const struct case_record *record, const struct plotted *plotted, enum language language,
		      const struct plot_tools *tools, struct buffer *out)
{
	struct plot_mark marks[PLOT_MARKS];
	struct plot requests = {.id = "requests",
				.title = phrase(PHRASE_REQUESTS_PLOT, language),
				.layers = PLOT_LAYERS,
				.names = {phrase(PHRASE_PASSED, language), phrase(PHRASE_BLOCKED, language),
					  phrase(PHRASE_LIMITED, language), phrase(PHRASE_SIGNATURE, language),
					  phrase(PHRASE_NO_SLOT, language), phrase(PHRASE_OTHER, language)},
				.step_ms = plotted->step_ms,
				.count = plotted->count,
				.at_ms = plotted->at_ms,
				.values = plotted->requests,
				.marks = marks,
				.mark_count = marks_of(record, marks),
				.tools = tools};
	struct plot visitors = requests;
	visitors.id = "visitors";
	visitors.title = phrase(PHRASE_VISITORS_PLOT, language);
	visitors.layers = 1;
	visitors.values = plotted->visitors;
	visitors.at_most = 100;
	plot_add(out, &requests);
	if (record->kind == CASE_FLOOD)
		plot_add(out, &visitors);
	if (record->mitigation_count > 0)
		add_paragraph(out, "note", phrase(PHRASE_MARKS, language));
}

int report_course_add(struct case_store *store, const struct case_record *record, enum language language,
		      const struct plot_tools *tools, struct buffer *out)
{
	uint64_t span_ms = end_of(record) - record->opened_ms;
	struct plotted *plotted = calloc(1, sizeof(*plotted));
	if (plotted == NULL)
		return -ENOMEM;
	plotted->step_ms = (span_ms / COLUMNS / 1000 + 1) * 1000;
	int r = case_store_points(store, record->id, CASE_SITES, plotted->step_ms, take_point, plotted);
	if (r == 0 && plotted->count > 0)
		add_plots(record, plotted, language, tools, out);
	else
		add_paragraph(out, "note", phrase(PHRASE_NOT_YET_KNOWN, language));
	free(plotted);
	return r;
}
