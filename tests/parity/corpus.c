/* What our engine is asked against libmodsecurity: rule tests as our own parser reads them, and lines of visits. */
#include "corpus.h"

#include "base/error.h"
#include "base/vector.h"
#include "ftw/origin.h"
#include "ftw/suite.h"
#include "ftw/wire.h"
#include "http/request.h"
#include "visits.h"

#include <fts.h>
#include <stdlib.h>

enum { ARENA_BYTES = 1 << 30 };

void corpus_init(struct corpus *corpus)
{
	*corpus = (struct corpus){0};
	arena_init(&corpus->arena, ARENA_BYTES, 0);
}

void corpus_destroy(struct corpus *corpus)
{
	free(corpus->items);
	free(corpus->names);
	arena_destroy(&corpus->arena);
}

static size_t take_headers(const struct field_list *from, struct sample_header *to)
{
	size_t count = 0;
	for (; count < from->count && count < SAMPLE_HEADERS_MAX; count++)
		to[count] = (struct sample_header){from->items[count].name, from->items[count].value};
	return count;
}

static int reserve(struct corpus *corpus)
{
	size_t before = corpus->capacity;
	size_t capacity = before;
	int r = vector_grow((void **)&corpus->names, &capacity, corpus->count, sizeof(*corpus->names));
	if (r == 0)
		r = vector_grow((void **)&corpus->items, &corpus->capacity, corpus->count, sizeof(*corpus->items));
	return r;
}

static int keep(void *context, const char *name, const struct sample *sample)
{
	struct corpus *corpus = context;
	int r = reserve(corpus);
	if (r != 0)
		return r;
	corpus->names[corpus->count] = name;
	corpus->items[corpus->count++] = *sample;
	return 0;
}

static int keep_request(struct corpus *corpus, const char *name, const struct request *request)
{
	struct ftw_answer answer;
	int r = ftw_origin_answer(request->method, request->uri, request->body, &corpus->arena, &answer);
	if (r != 0)
		return r;
	struct sample sample = {
		.method = request->method,
		.uri = request->unparsed_uri,
		.version = request->version,
		.body = request->body,
		.response_status = answer.status,
		.response_body = answer.body,
	};
	sample.header_count = take_headers(&request->headers, sample.headers);
	sample.response_header_count = take_headers(&answer.headers, sample.response_headers);
	return keep(corpus, name, &sample);
}

/* Requests that nginx answers by itself, before any rule sees them, are left out. */
static int add_stage(struct corpus *corpus, const char *name, const struct ftw_stage *stage)
{
	struct request_parser_options options = request_parser_defaults();
	options.underscores_in_headers = true;
	options.ignore_invalid_headers = false;
	options.large_buffer_bytes = 1 << 20;
	options.body_limit_bytes = 0;
	struct slice wire;
	struct request request;
	int r = ftw_wire_request(&stage->input, SLICE(""), &corpus->arena, &wire);
	if (r != 0)
		return r > 0 ? -EINVAL : r;
	r = request_parse(wire, &options, &corpus->arena, &request);
	if (r == REQUEST_REFUSED)
		return 0;
	return r != 0 ? r : keep_request(corpus, name, &request);
}

static int add_suite(struct corpus *corpus, const char *path, struct diagnostics *diagnostics)
{
	struct ftw_suite suite;
	char *name = arena_string(&corpus->arena, slice_from_string(path));
	int r = name == NULL ? -ENOMEM : ftw_suite_load(name, &corpus->arena, diagnostics, &suite);
	if (r != 0)
		return r > 0 ? -EINVAL : r;
	for (const struct ftw_test *test = suite.tests; test != NULL && r == 0; test = test->next)
		for (const struct ftw_stage *stage = test->stages; stage != NULL && r == 0; stage = stage->next)
			r = add_stage(corpus, test->id, stage);
	return r;
}

static int add_file(struct corpus *corpus, const char *path, struct diagnostics *diagnostics)
{
	if (slice_ends_with(slice_from_string(path), SLICE(".yaml")))
		return add_suite(corpus, path, diagnostics);
	if (slice_ends_with(slice_from_string(path), SLICE(".visits")))
		return visits_read(path, &corpus->arena, keep, corpus);
	return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

int corpus_load(struct corpus *corpus, const char *folder)
{
	char *paths[] = {(char *)folder, NULL};
	FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	if (walk == NULL)
		return -errno;
	struct diagnostics diagnostics;
	diagnostics_init(&diagnostics);
	int r = 0;
	for (FTSENT *entry; r == 0 && (entry = fts_read(walk)) != NULL;) {
		if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
			r = -entry->fts_errno;
		else if (entry->fts_info == FTS_F)
			r = add_file(corpus, entry->fts_path, &diagnostics);
	}
	diagnostics_destroy(&diagnostics);
	fts_close(walk);
	return r;
}
