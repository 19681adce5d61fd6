/*
 * Lines are in an open-addressed table; telling takes out what is past and lays the rest anew. Of each site it is known
 * what counters had at first and what was told since: what they have more than both, events did not tell.
 */
#include "watch/tally.h"

#include "base/error.h"
#include "base/hash.h"

#include <stdlib.h>

enum { PLACES = 8192, LINES_MOST = PLACES / 2 };

struct site_tally {
	bool known;
	uint64_t counted[EVENT_VERDICTS][EVENT_REASONS]; /* by the gate when it was first looked at */
	uint64_t told[EVENT_VERDICTS][EVENT_REASONS];    /* since */
};

/* Open addressing; a total of 0 is free. */
struct tally {
	size_t count;
	struct tally_line lines[PLACES];
	struct tally_line kept[LINES_MOST];
	struct site_tally sites[SITES_MAX];
};

int tally_create(struct tally **ret_tally)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	if (tally == NULL)
		return -ENOMEM;
	*ret_tally = tally;
	return 0;
}

void tally_free(struct tally *tally)
{
	free(tally);
}

static size_t place_of(const struct tally_line *line)
{
	uint64_t mixed = (line->second * 31 + line->site) * 64 + line->verdict * 16u + line->reason;
	mixed = (mixed ^ line->rule) * HASH_SPREAD;
	return (size_t)(mixed >> 32) % PLACES;
}

static bool alike(const struct tally_line *a, const struct tally_line *b)
{
	return a->second == b->second && a->site == b->site && a->verdict == b->verdict && a->reason == b->reason &&
	       a->rule == b->rule;
}

/* There is a free place. */
static void add(struct tally *tally, const struct tally_line *line)
{
	size_t at = place_of(line);
	while (tally->lines[at].total != 0 && !alike(&tally->lines[at], line))
		at = (at + 1) % PLACES;
	if (tally->lines[at].total != 0) {
		tally->lines[at].total += line->total;
		return;
	}
	tally->lines[at] = *line;
	tally->count++;
}

void tally_tell(struct tally *tally, uint64_t second, tally_tell_fn *tell, void *context)
{
	size_t kept = 0;
	if (tally->count == 0)
		return;
	for (size_t at = 0; at < PLACES; at++) {
		const struct tally_line *line = &tally->lines[at];
		if (line->total != 0 && line->second < second)
			tell(context, line);
		else if (line->total != 0)
			tally->kept[kept++] = *line;
	}
	memset(tally->lines, 0, sizeof(tally->lines));
	tally->count = 0;
	for (size_t i = 0; i < kept; i++)
		add(tally, &tally->kept[i]);
}

void tally_add(struct tally *tally, uint16_t site, const struct event *event, bool counted, tally_tell_fn *tell,
	       void *context)
{
	const struct event_end *end = &event->end;
	const struct tally_line line = {event->wall_ms / 1000, site, end->verdict, end->reason, true, end->rule, 1};
	if (end->verdict >= EVENT_VERDICTS || end->reason >= EVENT_REASONS || end->reason == EVENT_NO_REASON)
		return;
	if (tally->count == LINES_MOST)
		tally_tell(tally, UINT64_MAX, tell, context);
	add(tally, &line);
	if (counted && site < SITES_MAX)
		tally->sites[site].told[end->verdict][end->reason]++;
}

static void compare_one(struct site_tally *site, struct tally_line line, uint64_t then, bool lost, tally_tell_fn *tell,
			void *context)
{
	uint64_t *counted = &site->counted[line.verdict][line.reason], *told = &site->told[line.verdict][line.reason];
	if (then <= *counted + *told)
		return;
	line.total = then - *counted - *told;
	if (!lost) {
		*counted += line.total; /* they ended while the counters were first looked at */
		return;
	}
	*told += line.total;
	tell(context, &line);
}

void tally_compare(struct tally *tally, uint16_t site, const struct site_sums *then, bool lost, uint64_t second,
		   tally_tell_fn *tell, void *context)
{
	struct site_tally *of = &tally->sites[site];
	if (!of->known)
		memcpy(of->counted, then->ended, sizeof(of->counted));
	of->known = true;
	for (uint8_t verdict = 0; verdict < EVENT_VERDICTS; verdict++)
		for (uint8_t reason = EVENT_NO_REASON + 1; reason < EVENT_REASONS; reason++)
			compare_one(of,
				    (struct tally_line){
					    .second = second, .site = site, .verdict = verdict, .reason = reason},
				    then->ended[verdict][reason], lost, tell, context);
}
