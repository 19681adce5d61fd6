/*
 * A job of background.c. The writer tells of no single record when it is sealed: a deletion's word counts as sealed
 * when nothing as old waits any more, at several looks in a row.
 */
#include "watch/custodian.h"

#include "base/clock.h"
#include "base/error.h"
#include "evidence/holds.h"
#include "watch/background.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	LOOK_MS = 100,    /* from one look at whether the word is sealed to the next, ... */
	LOOKS_MOST = 150, /* ... so often at most, ... */
	LOOKS_GOOD = 3,   /* ... and so often in a row it has to be */
};
#define EVERY_NS (UINT64_C(3600) * CLOCK_NS_PER_S)

struct custodian {
	struct background *background;
	const char *folder;
	struct writer *writer;
	struct retention_policy policy;
	uint64_t next_ns;
	bool under_way;
	int told;
	/* the thread's while it is under way */
	uint64_t wall_ms;
	struct retention_sums sums;
	int result;
};

/* The word of a deletion is on the disk before anything is deleted: nothing older than it waits to be sealed. */
static bool say(void *context, const char *of, uint64_t from, uint64_t to, const char *why)
{
	const struct custodian *custodian = context;
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(slice_from_string(of)), leaf_number(from),
							    leaf_number(to), leaf_text(slice_from_string(why))};
	uint64_t put_ns = clock_monotonic_ns();
	unsigned good = 0;
	if (!writer_put(custodian->writer, LEAF_DELETION, values))
		return false;
	for (unsigned look = 0; look < LOOKS_MOST && good < LOOKS_GOOD; look++) {
		usleep(LOOK_MS * 1000);
		struct writer_state state = writer_state(custodian->writer);
		bool sealed =
			state.open && state.error == 0 && state.unsealed_ms < (clock_monotonic_ns() - put_ns) / 1000000;
		good = sealed ? good + 1 : 0;
	}
	return good == LOOKS_GOOD;
}

static void run(void *context)
{
	struct custodian *custodian = context;
	custodian->result = retention_run(&disk_kernel, custodian->folder, &custodian->policy, custodian->wall_ms, say,
					  custodian, &custodian->sums);
}

int custodian_begin(const char *folder, struct writer *writer, const struct retention_policy *policy,
		    struct custodian **ret_custodian)
{
	struct custodian *custodian = calloc(1, sizeof(*custodian));
	if (custodian == NULL)
		return -ENOMEM;
	*custodian = (struct custodian){.folder = folder, .writer = writer, .policy = *policy};
	int r = background_start(&custodian->background);
	if (r != 0) {
		free(custodian);
		return r;
	}
	*ret_custodian = custodian;
	return 0;
}

void custodian_end(struct custodian *custodian)
{
	if (custodian == NULL)
		return;
	(void)background_stop(custodian->background);
	free(custodian);
}

static void tell(struct custodian *custodian)
{
	const struct retention_sums *sums = &custodian->sums;
	if (custodian->result != 0 && custodian->result != custodian->told)
		fprintf(stderr, "guia: watch: %s: what is old cannot be deleted, or not all of it: %s\n",
			custodian->folder,
			custodian->result == HOLDS_DAMAGED ? "its holds are damaged" : strerror(-custodian->result));
	custodian->told = custodian->result;
	if (sums->parcels + sums->bundles > 0)
		fprintf(stderr,
			"guia: watch: deleted for their age: %" PRIu64 " parcels of messages, %" PRIu64
			" bundles of records\n",
			sums->parcels, sums->bundles);
}

void custodian_second(struct custodian *custodian, uint64_t now_ns, uint64_t wall_ms)
{
	if (custodian == NULL)
		return;
	if (custodian->under_way && background_take(custodian->background) != NULL) {
		custodian->under_way = false;
		tell(custodian);
	}
	if (custodian->under_way || now_ns < custodian->next_ns)
		return;
	custodian->next_ns = now_ns + EVERY_NS;
	custodian->wall_ms = wall_ms;
	custodian->under_way = true;
	background_give(custodian->background, run, custodian);
}
