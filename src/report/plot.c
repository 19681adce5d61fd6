/*
 * SVG by printf, in a box of fixed size that scales. A layer is the area between two edges of steps, in which equal
 * neighbours are one; a single layer is a line, broken where nothing is known. For a script the values are there too,
 * as attributes.
 */
#include "report/plot.h"

#include "report/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

enum {
	WIDTH = 720,
	HEIGHT = 260,
	LEFT = 62,
	RIGHT = 12,
	TOP = 22,
	BOTTOM = 34,
	TICKS_Y = 4,
	TICKS_X = 6,
};

/* Patterns tell layers apart where colours do not: in print, and for many eyes. */
static const struct {
	const char *colour;
	const char *pattern; /* drawn over it, in a tile of 8 by 8 */
} layers[PLOT_LAYERS] = {
	{"#4c9f70", ""},
	{"#8c2d19", "<path d='M0 8L8 0' stroke='#fff' stroke-width='1.5'/>"},
	{"#d98e04", "<path d='M0 4H8' stroke='#fff' stroke-width='1.5'/>"},
	{"#33658a", "<path d='M0 0L8 8' stroke='#fff' stroke-width='1.5'/>"},
	{"#7d5ba6", "<circle cx='4' cy='4' r='1.6' fill='#fff'/>"},
	{"#9a9a9a", "<path d='M4 0V8' stroke='#fff' stroke-width='1.5'/>"},
};

static double value_at(const struct plot *plot, size_t row, size_t layer)
{
	return plot->values[row * plot->layers + layer];
}

static double height_to(const struct plot *plot, size_t row, size_t layers_below)
{
	double sum = 0;
	for (size_t i = 0; i < layers_below; i++)
		sum += value_at(plot, row, i);
	return sum;
}

/* 1, 2 or 5 times a power of ten, not below the value. */
static double round_up(double value)
{
	static const double steps[] = {1, 2, 2.5, 5, 10};
	double power = pow(10, floor(log10(value)));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i] * power >= value)
			return steps[i] * power;
	return value;
}

static double top_of(const struct plot *plot)
{
	double most = 1;
	for (size_t row = 0; row < plot->count && plot->at_most == 0; row++) {
		double sum = height_to(plot, row, plot->layers);
		most = sum > most ? sum : most;
	}
	return plot->at_most > 0 ? plot->at_most : round_up(most);
}

static uint64_t span_of(const struct plot *plot)
{
	return plot->at_ms[plot->count - 1] - plot->at_ms[0] + plot->step_ms;
}

static double x_of(const struct plot *plot, uint64_t at_ms)
{
	double share = (double)(at_ms - plot->at_ms[0]) / (double)span_of(plot);
	return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double y_of(double value, double top)
{
	return TOP + (1 - fmin(value / top, 1)) * (HEIGHT - TOP - BOTTOM);
}

/* ---- parts ---- */

static void add_patterns(struct buffer *out, const struct plot *plot)
{
	buffer_text(out, "<defs>");
	for (size_t i = 0; i < plot->layers; i++)
		buffer_printf(out,
			      "<pattern id=\"%s-%zu\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
			      "<rect width=\"8\" height=\"8\" fill=\"%s\"/>%s</pattern>",
			      plot->id, i, layers[i].colour, layers[i].pattern);
	buffer_text(out, "</defs>\n");
}

/* As many as the axis needs for what it says to be true. */
static int decimals_of(double top)
{
	int decimals = 0;
	for (double part = top / TICKS_Y; decimals < 3 && fabs(part - round(part)) > 1e-6; part *= 10)
		decimals++;
	return decimals;
}

static void add_axes(struct buffer *out, const struct plot *plot, double top)
{
	for (int i = 0; i <= TICKS_Y; i++) {
		double value = top * i / TICKS_Y, y = y_of(value, top);
		buffer_printf(out,
			      "<path d=\"M%d %.1fH%d\" class=\"grid\"/><text x=\"%d\" y=\"%.1f\" "
			      "class=\"right\">%.*f</text>\n",
			      LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4, decimals_of(top), value);
	}
	for (int i = 0; i <= TICKS_X; i++) {
		uint64_t at_ms = plot->at_ms[0] + span_of(plot) * (uint64_t)i / TICKS_X;
		time_t seconds = (time_t)(at_ms / 1000);
		struct tm parts;
		char when[16] = "";
		if (gmtime_r(&seconds, &parts) != NULL)
			(void)strftime(when, sizeof(when), "%H:%M:%S", &parts);
		buffer_printf(out, "<text x=\"%.1f\" y=\"%d\" class=\"%s\">%s</text>\n", x_of(plot, at_ms), HEIGHT - 14,
			      i == TICKS_X ? "right" : "middle", when);
	}
}

/* What a tenth of a unit apart is drawn as one. */
static bool is_level(const struct plot *plot, size_t row, size_t other, size_t layers, double top)
{
	return fabs(y_of(height_to(plot, row, layers), top) - y_of(height_to(plot, other, layers), top)) < 0.05;
}

static bool adjoins_next(const struct plot *plot, size_t row)
{
	return plot->at_ms[row + 1] - plot->at_ms[row] <= plot->step_ms;
}

/* An edge from left to right: steps that adjoin and are as high as the first of them are one. */
static void add_upper_edge(struct buffer *out, const struct plot *plot, size_t layers, double top)
{
	for (size_t row = 0, last; row < plot->count; row = last + 1) {
		for (last = row;
		     last + 1 < plot->count && adjoins_next(plot, last) && is_level(plot, row, last + 1, layers, top);)
			last++;
		buffer_printf(out, "%c%.1f %.1fH%.1f", row == 0 ? 'M' : 'L', x_of(plot, plot->at_ms[row]),
			      y_of(height_to(plot, row, layers), top), x_of(plot, plot->at_ms[last] + plot->step_ms));
	}
}

/* And one from right to left. */
static void add_lower_edge(struct buffer *out, const struct plot *plot, size_t layers, double top)
{
	for (size_t end = plot->count, first; end > 0; end = first) {
		for (first = end - 1;
		     first > 0 && adjoins_next(plot, first - 1) && is_level(plot, end - 1, first - 1, layers, top);)
			first--;
		buffer_printf(out, "L%.1f %.1fH%.1f", x_of(plot, plot->at_ms[end - 1] + plot->step_ms),
			      y_of(height_to(plot, end - 1, layers), top), x_of(plot, plot->at_ms[first]));
	}
}

static bool is_empty(const struct plot *plot, size_t layer)
{
	for (size_t row = 0; row < plot->count; row++)
		if (value_at(plot, row, layer) != 0)
			return false;
	return true;
}

/* A layer as an area of steps: each second is as wide as it lasted. */
static void add_layer(struct buffer *out, const struct plot *plot, size_t layer, double top)
{
	if (is_empty(plot, layer))
		return;
	buffer_text(out, "<path d=\"");
	add_upper_edge(out, plot, layer + 1, top);
	add_lower_edge(out, plot, layer, top);
	buffer_printf(out, "Z\" fill=\"url(#%s-%zu)\"/>\n", plot->id, layer);
}

/* A line, broken where nothing is known. */
static void add_line(struct buffer *out, const struct plot *plot, double top)
{
	bool on = false;
	buffer_text(out, "<path class=\"line\" d=\"");
	for (size_t row = 0; row < plot->count; row++) {
		double value = value_at(plot, row, 0);
		if (!isnan(value))
			buffer_printf(out, "%c%.1f %.1f", on ? 'L' : 'M',
				      x_of(plot, plot->at_ms[row] + plot->step_ms / 2), y_of(value, top));
		on = !isnan(value);
	}
	buffer_text(out, "\"/>\n");
}

static void add_marks(struct buffer *out, const struct plot *plot)
{
	for (size_t i = 0; i < plot->mark_count; i++) {
		uint64_t at_ms = plot->marks[i].at_ms;
		if (at_ms < plot->at_ms[0] || at_ms > plot->at_ms[0] + span_of(plot))
			continue;
		double x = x_of(plot, at_ms);
		buffer_printf(out,
			      "<path d=\"M%.1f %dV%d\" class=\"mark\"/><text x=\"%.1f\" y=\"%d\" "
			      "class=\"middle\">%u</text>\n",
			      x, TOP - 6, HEIGHT - BOTTOM, x, TOP - 9, plot->marks[i].number);
	}
}

static void add_legend(struct buffer *out, const struct plot *plot)
{
	buffer_text(out, "<ul class=\"legend\">");
	for (size_t i = 0; i < plot->layers; i++) {
		buffer_printf(
			out,
			"<li><svg width=\"16\" height=\"12\" aria-hidden=\"true\"><rect width=\"16\" height=\"12\" "
			"fill=\"url(#%s-%zu)\"/></svg> ",
			plot->id, i);
		html_add(out, plot->names[i]);
		buffer_text(out, "</li>");
	}
	buffer_text(out, "</ul>\n");
}

/* ---- for a script ---- */

/* As precise as is of use, and short: "1.2", "340"; "-" where nothing is known. */
static void add_value(struct buffer *out, double value)
{
	if (isnan(value))
		buffer_byte(out, '-');
	else
		buffer_printf(out, "%.*f", value < 10 && value != floor(value) ? 1 : 0, value);
}

/* Times in milliseconds, all but the first after the first; values row by row; marks as NUMBER@TIME, after the first
 * too. */
static void add_values(struct buffer *out, const struct plot *plot)
{
	buffer_printf(out, " data-layers=\"%zu\" data-most=\"%.0f\" data-step=\"%" PRIu64 "\" data-at=\"%" PRIu64,
		      plot->layers, plot->at_most, plot->step_ms, plot->at_ms[0]);
	for (size_t row = 1; row < plot->count; row++)
		buffer_printf(out, " %" PRIu64, plot->at_ms[row] - plot->at_ms[0]);
	buffer_text(out, "\" data-values=\"");
	for (size_t i = 0; i < plot->count * plot->layers; i++) {
		buffer_text(out, i > 0 ? " " : "");
		add_value(out, plot->values[i]);
	}
	buffer_text(out, "\" data-marks=\"");
	for (size_t i = 0; i < plot->mark_count; i++)
		buffer_printf(out, "%s%u@%" PRId64, i > 0 ? " " : "", plot->marks[i].number,
			      (int64_t)(plot->marks[i].at_ms - plot->at_ms[0]));
	buffer_byte(out, '"');
}

static void add_button(struct buffer *out, const char *value, const char *text)
{
	buffer_printf(out, "<button type=\"button\" value=\"%s\">", value);
	html_add(out, text);
	buffer_text(out, "</button> ");
}

static void add_tools(struct buffer *out, const struct plot *plot)
{
	buffer_text(out, "<p class=\"tools\" hidden>");
	add_button(out, "closer", plot->tools->closer);
	add_button(out, "farther", plot->tools->farther);
	add_button(out, "all", plot->tools->all);
	buffer_printf(out, "<span class=\"note\" id=\"%s-hint\">", plot->id);
	html_add(out, plot->tools->hint);
	buffer_text(out, "</span></p>\n");
}

void plot_add(struct buffer *out, const struct plot *plot)
{
	if (plot->count == 0)
		return;
	double top = top_of(plot);
	buffer_text(out, "<figure");
	if (plot->tools != NULL)
		add_values(out, plot);
	buffer_printf(out, "><figcaption id=\"%s\">", plot->id);
	html_add(out, plot->title);
	buffer_printf(out, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s\">\n", WIDTH,
		      HEIGHT, plot->id);
	add_patterns(out, plot);
	add_axes(out, plot, top);
	if (plot->layers == 1)
		add_line(out, plot, top);
	for (size_t i = 0; i < plot->layers && plot->layers > 1; i++)
		add_layer(out, plot, i, top);
	add_marks(out, plot);
	buffer_text(out, "</svg>\n");
	if (plot->layers > 1)
		add_legend(out, plot);
	if (plot->tools != NULL)
		add_tools(out, plot);
	buffer_text(out, "</figure>\n");
}
