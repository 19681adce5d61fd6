/*
 * A tick knows the share alone, and tells soon that the link is full; a feed each second knows visitors as well, and
 * also tells that it is not any more. What counts is only what lasts. Where no width is known, suspect() is in turn()'s
 * place.
 */
#include "upstream/link.h"

void link_meter_init(struct link_meter *meter)
{
	*meter = (struct link_meter){.usual = -1};
}

/* What is usual is learned only while the link is not busy: an attack is not. */
static void visitors_take(struct link_meter *meter, double visitors)
{
	meter->falling = meter->usual >= LINK_VISITORS_LEAST && visitors < meter->usual / 2;
	if (meter->full || meter->may_be_full || meter->share >= LINK_BUSY_PERCENT)
		return;
	if (meter->usual < 0)
		meter->usual = visitors;
	else
		meter->usual += (visitors - meter->usual) / LINK_USUAL_SECONDS;
}

static void turn(struct link_meter *meter)
{
	bool filled = meter->share >= LINK_FULL_PERCENT || (meter->falling && meter->share >= LINK_BUSY_PERCENT);
	bool other = meter->full ? meter->share < LINK_BUSY_PERCENT : filled;
	meter->seconds = other ? meter->seconds + 1 : 0;
	if (meter->seconds < (meter->full ? (unsigned)LINK_CLEAR_SECONDS : (unsigned)LINK_FULL_SECONDS))
		return;
	meter->full = !meter->full;
	meter->seconds = 0;
}

/* A width that nobody told shows by what comes through, which does not grow any more. */
static void suspect(struct link_meter *meter, double bytes_a_second)
{
	double before = meter->bytes_a_second, off = bytes_a_second - before, flat = before * LINK_FLAT_PERCENT / 100;
	bool much = bytes_a_second >= LINK_BYTES_LEAST && meter->usual_bytes > 0 &&
		    bytes_a_second >= LINK_MORE_TIMES * meter->usual_bytes;
	bool fills = much && meter->falling && (meter->may_be_full || (off <= flat && off >= -flat));
	meter->bytes_a_second = bytes_a_second;
	if (!much && !meter->falling)
		meter->usual_bytes += (bytes_a_second - meter->usual_bytes) /
				      (meter->usual_bytes > 0 ? (double)LINK_USUAL_SECONDS : 1);
	meter->seconds = fills != meter->may_be_full ? meter->seconds + 1 : 0;
	if (meter->seconds < (meter->may_be_full ? (unsigned)LINK_CLEAR_SECONDS : (unsigned)LINK_MAYBE_SECONDS))
		return;
	meter->may_be_full = fills;
	meter->seconds = 0;
}

static double share_of(uint64_t bytes, uint64_t ms, uint64_t link_mbit)
{
	return (double)bytes * 8 / 1000 / (double)ms / (double)link_mbit * 100;
}

void link_meter_feed(struct link_meter *meter, uint64_t now_ms, uint64_t bytes, uint64_t link_mbit, double visitors)
{
	uint64_t passed_ms = now_ms - meter->at_ms;
	/* A counter that went back is another's, or began anew. */
	bool known = meter->at_ms != 0 && now_ms > meter->at_ms && bytes >= meter->bytes;
	uint64_t came = bytes - meter->bytes;
	meter->at_ms = now_ms;
	meter->bytes = bytes;
	if (!known)
		return;
	meter->share = link_mbit > 0 ? share_of(came, passed_ms, link_mbit) : 0;
	visitors_take(meter, visitors);
	if (link_mbit > 0)
		turn(meter);
	else
		suspect(meter, (double)came * 1000 / (double)passed_ms);
}

void link_meter_tick(struct link_meter *meter, uint64_t now_ms, uint64_t bytes, uint64_t link_mbit)
{
	uint64_t passed_ms = now_ms - meter->tick_ms, came = bytes - meter->tick_bytes;
	bool known = meter->tick_ms != 0 && now_ms > meter->tick_ms && bytes >= meter->tick_bytes && link_mbit != 0;
	meter->tick_ms = now_ms;
	meter->tick_bytes = bytes;
	bool filled = known && share_of(came, passed_ms, link_mbit) >= LINK_FULL_PERCENT;
	meter->filled_ms = filled ? meter->filled_ms + passed_ms : 0;
	if (meter->full || meter->filled_ms < LINK_FULL_MS)
		return;
	meter->full = true;
	meter->seconds = 0;
}

/* ---- what the kernel tells ---- */

static struct slice word(struct slice *line)
{
	struct slice first;
	*line = slice_trim(*line);
	size_t len = 0;
	while (len < line->len && !byte_is_space(line->ptr[len]))
		len++;
	first = slice_sub(*line, 0, len);
	*line = slice_after(*line, len);
	return first;
}

bool link_default_read(struct slice routes, struct slice *ret_name)
{
	struct slice line;
	while (routes.len > 0) {
		routes = slice_cut(routes, '\n', &line);
		struct slice name = word(&line), destination = word(&line);
		(void)word(&line); /* the gateway */
		(void)word(&line); /* flags, and three that are not used */
		for (unsigned i = 0; i < 3; i++)
			(void)word(&line);
		if (slice_equal(destination, SLICE("00000000")) && slice_equal(word(&line), SLICE("00000000"))) {
			*ret_name = name;
			return true;
		}
	}
	return false;
}

bool link_counter_read(struct slice counters, struct slice name, struct link_counter *ret_counter)
{
	struct slice line, before;
	while (counters.len > 0) {
		counters = slice_cut(counters, '\n', &line);
		size_t colon = slice_find_byte(line, ':', 0);
		before = slice_trim(slice_sub(line, 0, colon));
		if (colon == line.len || !slice_equal(before, name))
			continue;
		line = slice_after(line, colon + 1);
		struct slice bytes = word(&line), packets = word(&line);
		return slice_number(bytes, UINT64_MAX, &ret_counter->bytes) &&
		       slice_number(packets, UINT64_MAX, &ret_counter->packets);
	}
	return false;
}
