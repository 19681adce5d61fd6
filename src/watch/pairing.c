/*
 * Events wait in a ring, in order. A mark in a set-associative table says of a request where its event waits, or that
 * its finding came first; old marks make room for new ones.
 */
#include "watch/pairing.h"

#include "base/error.h"
#include "base/hash.h"
#include "wire/outbox.h"

#include <stdlib.h>

enum {
	WAITING_MOST = 16384,
	MARKS = 65536, /* in sets of MARK_WAYS: the oldest of a set makes room */
	MARK_WAYS = 8,
};

/* Of a request: that its finding came, or where its event waits. A number is used again by a later worker. */
struct mark {
	uint64_t request;
	uint64_t at_ns;
	uint64_t age;   /* from 1: the order in which they were set; 0: none is here */
	uint64_t place; /* in the order of waiting events, from the first ever */
	unsigned box;
	bool waits;
};

struct waiting {
	struct pairing_event event;
	bool paired;
};

struct pairing {
	pairing_alone_fn *alone;
	void *context;
	uint64_t first, next; /* of those that wait */
	uint64_t round;       /* the first of those that came in this round */
	uint64_t marks_set;
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

static struct mark *find(struct pairing *pairing, unsigned box, uint64_t request, uint64_t at_ns)
{
	struct mark *set = set_of(pairing, box, request);
	for (unsigned i = 0; i < MARK_WAYS; i++)
		if (set[i].age != 0 && set[i].request == request && set[i].box == box && set[i].at_ns == at_ns)
			return &set[i];
	return NULL;
}

static void set_mark(struct pairing *pairing, struct mark mark)
{
	struct mark *set = set_of(pairing, mark.box, mark.request), *place = set;
	for (unsigned i = 1; i < MARK_WAYS; i++)
		if (set[i].age < place->age)
			place = &set[i];
	mark.age = ++pairing->marks_set;
	*place = mark;
}

static void tell_first(struct pairing *pairing)
{
	const struct waiting *first = &pairing->waiting[pairing->first++ % WAITING_MOST];
	if (!first->paired)
		pairing->alone(pairing->context, &first->event);
}

void pairing_event(struct pairing *pairing, const struct pairing_event *told)
{
	const struct event *event = &told->event;
	struct mark *mark = find(pairing, told->box, event->request, event->at_ns);
	if (mark != NULL && !mark->waits) {
		mark->age = 0;
		return;
	}
	if (pairing->next - pairing->first == WAITING_MOST)
		tell_first(pairing);
	pairing->waiting[pairing->next % WAITING_MOST] = (struct waiting){*told, false};
	set_mark(pairing, (struct mark){.request = event->request,
					.at_ns = event->at_ns,
					.box = told->box,
					.waits = true,
					.place = pairing->next});
	pairing->next++;
}

bool pairing_finding(struct pairing *pairing, unsigned box, uint64_t request, uint64_t at_ns)
{
	struct mark *mark = find(pairing, box, request, at_ns);
	if (mark == NULL) {
		set_mark(pairing, (struct mark){.request = request, .at_ns = at_ns, .box = box});
		return true;
	}
	if (!mark->waits) /* no gate sends it twice */
		return false;
	mark->age = 0;
	if (mark->place < pairing->first)
		return false;
	pairing->waiting[mark->place % WAITING_MOST].paired = true;
	return true;
}

void pairing_round(struct pairing *pairing)
{
	while (pairing->first < pairing->round)
		tell_first(pairing);
	pairing->round = pairing->next;
}

void pairing_end(struct pairing *pairing)
{
	while (pairing->first < pairing->next)
		tell_first(pairing);
}
