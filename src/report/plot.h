/*
 * A plot over time as SVG: layers on one another, or a single line. Colour is never alone: each layer has a pattern of
 * its own and stands in a legend; a table beside it may say the same to those who cannot see it.
 */
#ifndef GUIA_REPORT_PLOT_H
#define GUIA_REPORT_PLOT_H

#include "base/buffer.h"

#include <stdint.h>

enum { PLOT_LAYERS = 6, PLOT_MARKS = 64 };

struct plot_mark {
	uint64_t at_ms;
	unsigned number;
};

/* Words for a script that draws a plot anew, with values to be read and times to be looked at closer: without one none
 * of them is seen. */
struct plot_tools {
	const char *closer, *farther, *all;
	const char *hint; /* how it is worked by pointer and keyboard */
};

struct plot {
	const char *id; /* of its parts in the document */
	const char *title;
	size_t layers;
	const char *names[PLOT_LAYERS]; /* of a single layer none is shown */
	uint64_t step_ms;
	size_t count;
	const uint64_t *at_ms; /* ascending, a step or more apart */
	const double *values;  /* count rows of `layers`; NAN: not known */
	double at_most;        /* of the axis; 0: as is needed */
	const struct plot_mark *marks;
	size_t mark_count;
	const struct plot_tools *tools; /* its values are told too; NULL: they are not */
};

void plot_add(struct buffer *out, const struct plot *plot);

#endif
