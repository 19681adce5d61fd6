#include "watch/pairing.h"

#include "base/error.h"
#include "base/hash.h"
#include "wire/outbox.h"

#include <stdlib.h>

enum {
	WAITING_MOST = 16384,
	MARKS = 65536, /* in sets of MARK_WAYS: the oldest of a set makes room */
	MARK_WAYS = 8,
	MARK_MS = 2000,
};

/* Of a request: that its finding came, or where its event waits. */
struct mark {
	uint64_t request;
	uint64_t at_ms;
	unsigned box;
	bool used;
	bool waits;
	uint64_t place; /* in the order of waiting events, from the first ever */
};

struct waiting {
	struct pairing_event event;
	uint64_t at_ms;
	bool paired;
};

struct pairing {
	pairing_alone_fn *alone;
	void *context;
	uint64_t first, next; /* of those that wait */
	struct waiting waiting[WAITING_MOST];
	struct mark marks[MARKS];
};

int pairing_create(pairing_alone_fn *alone, void *context, struct pairing **ret_pairing)
{
	struct pairing *pairing = calloc(1, sizeof(*pairing));
	if (pairing == NULL)
		return -ENOMEM;
	pairing->alone = alone;
	pairing->context = context;
	*ret_pairing = pairing;
	return 0;
}

void pairing_free(struct pairing *pairing)
{
	free(pairing);
}

static struct mark *set_of(struct pairing *pairing, unsigned box, uint64_t request)
{
	uint64_t mixed = (request * OUTBOX_FILES + box) * HASH_SPREAD;
	return &pairing->marks[(size_t)(mixed >> 32) % (MARKS / MARK_WAYS) * MARK_WAYS];
}

static struct mark *find(struct pairing *pairing, unsigned box, uint64_t request, uint64_t now_ms)
{
	struct mark *set = set_of(pairing, box, request);
	for (unsigned i = 0; i < MARK_WAYS; i++)
		if (set[i].used && set[i].request == request && set[i].box == box && now_ms - set[i].at_ms < MARK_MS)
			return &set[i];
	return NULL;
}

static void set_mark(struct pairing *pairing, struct mark mark)
{
	struct mark *set = set_of(pairing, mark.box, mark.request), *place = set;
	for (unsigned i = 0; i < MARK_WAYS; i++)
		if (!set[i].used || (place->used && set[i].at_ms < place->at_ms))
			place = &set[i];
	mark.used = true;
	*place = mark;
}

static void tell_first(struct pairing *pairing)
{
	const struct waiting *first = &pairing->waiting[pairing->first++ % WAITING_MOST];
	if (!first->paired)
		pairing->alone(pairing->context, &first->event);
}

void pairing_event(struct pairing *pairing, const struct pairing_event *event, uint64_t now_ms)
{
	struct mark *mark = find(pairing, event->box, event->event.request, now_ms);
	if (mark != NULL && !mark->waits) {
		mark->used = false;
		return;
	}
	if (pairing->next - pairing->first == WAITING_MOST)
		tell_first(pairing);
	pairing->waiting[pairing->next % WAITING_MOST] = (struct waiting){*event, now_ms, false};
	set_mark(pairing, (struct mark){.request = event->event.request,
					.at_ms = now_ms,
					.box = event->box,
					.waits = true,
					.place = pairing->next});
	pairing->next++;
}

void pairing_finding(struct pairing *pairing, unsigned box, uint64_t request, uint64_t now_ms)
{
	struct mark *mark = find(pairing, box, request, now_ms);
	if (mark == NULL) {
		set_mark(pairing, (struct mark){.request = request, .at_ms = now_ms, .box = box});
		return;
	}
	if (mark->waits && mark->place >= pairing->first)
		pairing->waiting[mark->place % WAITING_MOST].paired = true;
	mark->used = false;
}

void pairing_step(struct pairing *pairing, uint64_t now_ms)
{
	while (pairing->first < pairing->next &&
	       now_ms - pairing->waiting[pairing->first % WAITING_MOST].at_ms >= PAIRING_WAIT_MS)
		tell_first(pairing);
}
