/*
 * One walk over the tail's bundles, then sorted, to be searched by halves. Texts of totals are copied into one buffer
 * whose size is known before, so that none moves.
 */
#include "evidence/recent.h"

#include "base/vector.h"
#include "evidence/leaf.h"

#include <stdlib.h>

enum { FIRST_SEEN = 1 }; /* of a walk: no further */

static uint64_t number_of(const struct leaf *leaf, const char *name)
{
	const struct leaf_value *value = leaf_get(leaf, name);
	return value != NULL ? value->number : 0;
}

/* Sampling is of a second: where that of the newest request was sampled, those behind it are all to come. */
static void see_sampled(struct recent *recent, uint64_t at_ms, bool stands_for_others)
{
	uint64_t second_end_ms = at_ms - at_ms % 1000 + 999;
	recent->newest_ms = at_ms > recent->newest_ms ? at_ms : recent->newest_ms;
	if (stands_for_others && second_end_ms > recent->sampled_ms)
		recent->sampled_ms = second_end_ms;
}

static int take_block(struct recent *recent, const struct leaf *leaf)
{
	see_sampled(recent, number_of(leaf, "at"), leaf_get(leaf, "one_of") != NULL);
	if (leaf_get(leaf, "number") == NULL)
		return 0;
	int r = vector_grow((void **)&recent->requests, &recent->request_room, recent->request_count,
			    sizeof(*recent->requests));
	if (r == 0)
		recent->requests[recent->request_count++] =
			(struct recent_request){number_of(leaf, "number"), (uint32_t)number_of(leaf, "worker"),
						(uint32_t)number_of(leaf, "port")};
	return r;
}

static struct slice text_of(const struct leaf *leaf, const char *name)
{
	const struct leaf_value *value = leaf_get(leaf, name);
	return value != NULL ? value->bytes : slice_make(NULL, 0);
}

/* Its texts are where they were read; texts_keep takes them from there. */
static int take_refusals(struct recent *recent, const struct leaf *leaf)
{
	int r = vector_grow((void **)&recent->totals, &recent->total_room, recent->total_count,
			    sizeof(*recent->totals));
	if (r == 0)
		recent->totals[recent->total_count++] =
			(struct recent_total){text_of(leaf, "site"), text_of(leaf, "rule"), number_of(leaf, "second"),
					      number_of(leaf, "total")};
	return r;
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

static int see_record(struct recent *recent, const struct leaf *leaf)
{
	recent->last_ms = leaf->time_ms;
	recent->closed = leaf->kind == LEAF_CLOSE;
	if (leaf->kind == LEAF_REFUSALS)
		return take_refusals(recent, leaf);
	return leaf->kind == LEAF_BLOCK ? take_block(recent, leaf) : 0;
}

static int see_first(struct recent *recent, const struct leaf *leaf)
{
	recent->from_ms = leaf->time_ms;
	return FIRST_SEEN;
}

static int compare_requests(const void *left, const void *right)
{
	const struct recent_request *a = left, *b = right;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if (a->worker != b->worker)
		return a->worker < b->worker ? -1 : 1;
	return (a->port > b->port) - (a->port < b->port);
}

static int compare_totals(const void *left, const void *right)
{
	const struct recent_total *a = left, *b = right;
	if (a->second != b->second)
		return a->second < b->second ? -1 : 1;
	int site = slice_compare(a->site, b->site);
	return site != 0 ? site : slice_compare(a->rule, b->rule);
}

/* Those that are alike, one behind the other, become one. */
static void totals_merge(struct recent *recent)
{
	size_t kept = 0;
	for (size_t i = 0; i < recent->total_count; i++) {
		if (kept > 0 && compare_totals(&recent->totals[kept - 1], &recent->totals[i]) == 0)
			recent->totals[kept - 1].told += recent->totals[i].told;
		else
			recent->totals[kept++] = recent->totals[i];
	}
	recent->total_count = kept;
}

static void text_keep(struct buffer *texts, struct slice *text)
{
	size_t at = texts->len;
	buffer_add(texts, *text);
	*text = slice_make(texts->ptr + at, text->len);
}

/* Out of the records, which do not stay. */
static int texts_keep(struct recent *recent)
{
	size_t bytes = 0;
	for (size_t i = 0; i < recent->total_count; i++)
		bytes += recent->totals[i].site.len + recent->totals[i].rule.len;
	int r = buffer_reserve(&recent->texts, bytes); /* so that none moves */
	for (size_t i = 0; r == 0 && i < recent->total_count; i++) {
		text_keep(&recent->texts, &recent->totals[i].site);
		text_keep(&recent->texts, &recent->totals[i].rule);
	}
	return r;
}

int recent_read(const struct tail *tail, struct recent *ret_recent)
{
	*ret_recent = (struct recent){.texts = buffer_make(NULL)};
	if (tail->before.size > 0)
		(void)walk(tail, see_first, ret_recent);
	int r = walk(tail, see_record, ret_recent);
	if (ret_recent->sampled_ms > ret_recent->newest_ms)
		ret_recent->sampled_ms = ret_recent->newest_ms;
	if (ret_recent->request_count > 0)
		qsort(ret_recent->requests, ret_recent->request_count, sizeof(*ret_recent->requests), compare_requests);
	if (ret_recent->total_count > 0)
		qsort(ret_recent->totals, ret_recent->total_count, sizeof(*ret_recent->totals), compare_totals);
	totals_merge(ret_recent);
	r = r != 0 ? r : texts_keep(ret_recent);
	if (r != 0)
		ret_recent->total_count = 0;
	return r;
}

void recent_free(struct recent *recent)
{
	free(recent->requests);
	free(recent->totals);
	buffer_free(&recent->texts);
	*recent = (struct recent){.from_ms = 0};
}

bool recent_has(const struct recent *recent, uint32_t worker, uint64_t number, uint16_t port)
{
	const struct recent_request wanted = {number, worker, port};
	return recent->request_count > 0 &&
	       bsearch(&wanted, recent->requests, recent->request_count, sizeof(wanted), compare_requests) != NULL;
}

uint64_t recent_untold(struct recent *recent, struct slice site, struct slice rule, uint64_t second, uint64_t total)
{
	const struct recent_total wanted = {.site = site, .rule = rule, .second = second};
	struct recent_total *of = recent->total_count > 0 ? bsearch(&wanted, recent->totals, recent->total_count,
								    sizeof(wanted), compare_totals)
							  : NULL;
	uint64_t told = of == NULL ? 0 : of->told < total ? of->told : total;
	if (of != NULL)
		of->told -= told;
	return total - told;
}
