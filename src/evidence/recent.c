#include "evidence/recent.h"

#include "base/vector.h"
#include "evidence/leaf.h"

#include <stdlib.h>

static uint64_t number_of(const struct leaf *leaf, const char *name)
{
	const struct leaf_value *value = leaf_get(leaf, name);
	return value != NULL ? value->number : 0;
}

static int take_block(struct recent *recent, const struct leaf *leaf)
{
	uint64_t at_ms = number_of(leaf, "at");
	recent->newest_ms = at_ms > recent->newest_ms ? at_ms : recent->newest_ms;
	recent->sampled = recent->sampled || leaf_get(leaf, "one_of") != NULL;
	if (leaf_get(leaf, "number") == NULL)
		return 0;
	int r = vector_grow((void **)&recent->requests, &recent->room, recent->count, sizeof(*recent->requests));
	if (r == 0)
		recent->requests[recent->count++] =
			(struct recent_request){number_of(leaf, "number"), (uint32_t)number_of(leaf, "worker"),
						(uint32_t)number_of(leaf, "port")};
	return r;
}

/* Those of a second are told once it is over; sums of what belongs to no request while it is on. */
static void take_refusals(struct recent *recent, const struct leaf *leaf)
{
	const struct leaf_value *rule = leaf_get(leaf, "rule");
	uint64_t second = number_of(leaf, "second");
	bool is_sum = rule != NULL && (slice_starts_with(rule->bytes, SLICE("connections ")) ||
				       slice_starts_with(rule->bytes, SLICE("packets ")));
	second -= is_sum && second > 0;
	recent->told_second = second > recent->told_second ? second : recent->told_second;
}

/* Calls `each` for every record. */
static int walk(const struct tail *tail, int (*each)(struct recent *recent, const struct leaf *leaf),
		struct recent *recent)
{
	int r = 0;
	for (const struct bundle *bundle = tail->first; r == 0 && bundle != NULL; bundle = bundle->next) {
		struct reader records = reader_make(buffer_slice(&bundle->bytes));
		struct slice record;
		struct leaf leaf;
		while (r == 0 && bundle_next(&records, &record))
			if (leaf_read(record, &leaf) != LEAF_MALFORMED)
				r = each(recent, &leaf);
	}
	return r;
}

static int see_last(struct recent *recent, const struct leaf *leaf)
{
	recent->last_ms = leaf->time_ms;
	recent->closed = leaf->kind == LEAF_CLOSE;
	return 0;
}

static int see_recent(struct recent *recent, const struct leaf *leaf)
{
	if (leaf->time_ms < recent->from_ms)
		return 0;
	if (leaf->kind == LEAF_REFUSALS)
		take_refusals(recent, leaf);
	return leaf->kind == LEAF_BLOCK ? take_block(recent, leaf) : 0;
}

static int compare(const void *left, const void *right)
{
	const struct recent_request *a = left, *b = right;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if (a->worker != b->worker)
		return a->worker < b->worker ? -1 : 1;
	return (a->port > b->port) - (a->port < b->port);
}

int recent_read(const struct tail *tail, struct recent *ret_recent)
{
	*ret_recent = (struct recent){.from_ms = 0};
	(void)walk(tail, see_last, ret_recent);
	ret_recent->from_ms = ret_recent->last_ms > RECENT_MS ? ret_recent->last_ms - RECENT_MS : 0;
	int r = walk(tail, see_recent, ret_recent);
	if (ret_recent->count > 0)
		qsort(ret_recent->requests, ret_recent->count, sizeof(*ret_recent->requests), compare);
	return r;
}

void recent_free(struct recent *recent)
{
	free(recent->requests);
	*recent = (struct recent){.from_ms = 0};
}

bool recent_has(const struct recent *recent, uint32_t worker, uint64_t number, uint16_t port)
{
	const struct recent_request wanted = {number, worker, port};
	return recent->count > 0 && bsearch(&wanted, recent->requests, recent->count, sizeof(wanted), compare) != NULL;
}
