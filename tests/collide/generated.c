/*
 * Random rule sets, each asked random requests by the engine's three ways (paths.h), which must agree. A difference is
 * told with the smallest rules and requests that still show it.
 *
 *   generated FIRST COUNT [RULES]    the seeds of COUNT rule sets; or, with a file of rules, of as many sets of
 * requests
 *
 * Prints TAP.
 */
#include "random.h"

#include "base/error.h"
#include "base/file.h"
#include "generate.h"
#include "paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DISTINCT = 12, /* requests of a rule set */
	ASKED = 30,    /* drawn from them: what is remembered must be right, too */
	TOLD = 10,
	RULES_BYTES = 1 << 20,
};

struct trial {
	struct arena arena;
	struct generated_rules rules;
	struct slice wires[DISTINCT];
	struct ftw_answer answers[DISTINCT];
	uint8_t asked[ASKED];
	size_t asked_count;
};

/* A file as statements: a line with those that a backslash or `chain` joins to it. */
static void read_rules(struct trial *trial, const char *path)
{
	struct buffer text = buffer_make(&trial->arena);
	if (file_read(path, RULES_BYTES, &text) != 0)
		abort();
	struct slice left = buffer_slice(&text);
	bool joined = false;
	for (struct slice line; left.len > 0;) {
		const uint8_t *begin = left.ptr;
		left = slice_cut(left, '\n', &line);
		struct slice whole = slice_make(begin, line.len + 1);
		struct slice *last = &trial->rules.statements[trial->rules.count];
		bool goes_on = joined || (line.len > 0 && line.ptr[0] == '\t');
		if (goes_on && trial->rules.count > 0) {
			last[-1].len += whole.len;
		} else if (line.len > 0 && line.ptr[0] != '#') {
			if (trial->rules.count == GENERATE_STATEMENTS)
				abort();
			*last = whole;
			trial->rules.count++;
		}
		joined = line.len > 0 && line.ptr[line.len - 1] == '\\';
	}
}

static void make_trial(struct trial *trial, uint64_t seed, const char *rules_file)
{
	uint64_t state = seed * 0x2545f4914f6cdd1du + 1;
	if (rules_file == NULL)
		generate_rules(&state, &trial->arena, &trial->rules);
	else
		read_rules(trial, rules_file);
	for (size_t i = 0; i < DISTINCT; i++)
		generate_request(&state, &trial->arena, &trial->wires[i], &trial->answers[i]);
	for (size_t i = 0; i < ASKED; i++)
		trial->asked[i] = (uint8_t)random_below(&state, DISTINCT);
	trial->asked_count = ASKED;
}

static int origin(void *context, const struct request *request, struct arena *arena, struct ftw_answer *ret_answer)
{
	(void)request;
	(void)arena;
	*ret_answer = *(const struct ftw_answer *)context;
	return 0;
}

static struct guia_pool *open_pool(void)
{
	struct guia_pool_options options = {0};
	struct guia_pool *pool;
	if (guia_pool_new(&options, &pool) != 0)
		abort();
	return pool;
}

static bool ask(struct paths *paths, struct slice wire, struct ftw_answer *answer, struct buffer *difference)
{
	struct arena arena;
	struct request request;
	bool agree = true;
	arena_init(&arena, 64 << 20, 0);
	if (exchange_read_leniently(wire, &arena, &request) == 0)
		agree = paths_agree(paths, &request, origin, answer, &arena, difference);
	arena_destroy(&arena);
	return agree;
}

enum outcome { TRIAL_AGREES, TRIAL_DIFFERS, TRIAL_REFUSED };

/* Asks the requests in turn, up to the first that differs: there the trial is cut. */
static enum outcome run(struct trial *trial, bool quiet, struct buffer *difference)
{
	struct paths paths;
	struct guia_pool *pool = open_pool();
	struct buffer text = buffer_make(NULL);
	for (size_t i = 0; i < trial->rules.count; i++)
		buffer_add(&text, trial->rules.statements[i]);
	buffer_byte(&text, '\0');
	struct guia_source source = {GUIA_SOURCE_TEXT, (const char *)text.ptr, "random", 1};
	enum outcome outcome = paths_open(&paths, pool, &source, quiet) == 0 ? TRIAL_AGREES : TRIAL_REFUSED;
	for (size_t i = 0; outcome == TRIAL_AGREES && i < trial->asked_count; i++) {
		size_t which = trial->asked[i];
		if (!ask(&paths, trial->wires[which], &trial->answers[which], difference)) {
			outcome = TRIAL_DIFFERS;
			trial->asked_count = i + 1;
		}
	}
	paths_close(&paths);
	buffer_free(&text);
	guia_pool_free(pool);
	return outcome;
}

static bool still_differs(struct trial *trial)
{
	struct buffer difference = buffer_make(NULL);
	struct trial copy = *trial;
	bool differs = run(&copy, true, &difference) == TRIAL_DIFFERS;
	buffer_free(&difference);
	if (differs)
		trial->asked_count = copy.asked_count;
	return differs;
}

static bool without_statement(struct trial *trial, size_t at)
{
	struct trial less = *trial;
	less.rules.count--;
	memmove(&less.rules.statements[at], &less.rules.statements[at + 1],
		(less.rules.count - at) * sizeof(struct slice));
	bool differs = still_differs(&less);
	if (differs)
		*trial = less;
	return differs;
}

static bool without_request(struct trial *trial, size_t at)
{
	struct trial less = *trial;
	less.asked_count--;
	memmove(&less.asked[at], &less.asked[at + 1], less.asked_count - at);
	bool differs = still_differs(&less);
	if (differs)
		*trial = less;
	return differs;
}

/* A statement without one of its parts: from one comma or bar to the next. */
static bool without_part(struct trial *trial, size_t at)
{
	struct slice whole = trial->rules.statements[at];
	for (size_t from = whole.len; from-- > 0;) {
		if (whole.ptr[from] != ',' && whole.ptr[from] != '|')
			continue;
		size_t to = from + 1;
		while (to < whole.len && strchr(",|\"", whole.ptr[to]) == NULL)
			to++;
		struct trial less = *trial;
		struct buffer text = buffer_make(&trial->arena);
		buffer_add(&text, slice_sub(whole, 0, from));
		buffer_add(&text, slice_after(whole, to));
		less.rules.statements[at] = buffer_slice(&text);
		less.arena = trial->arena;
		bool differs = still_differs(&less);
		struct arena arena = trial->arena;
		if (differs)
			*trial = less;
		trial->arena = arena;
		if (differs)
			return true;
	}
	return false;
}

static void shrink(struct trial *trial)
{
	for (bool smaller = true; smaller;) {
		smaller = false;
		for (size_t i = trial->rules.count; i-- > 0;)
			smaller |= without_statement(trial, i);
		for (size_t i = trial->asked_count; i-- > 0;)
			smaller |= trial->asked_count > i && trial->asked_count > 1 && without_request(trial, i);
	}
	for (size_t i = 0; i < trial->rules.count; i++)
		while (without_part(trial, i))
			;
}

static void tell(struct trial *trial, uint64_t seed)
{
	struct buffer difference = buffer_make(NULL);
	shrink(trial);
	(void)run(trial, true, &difference);
	printf("# seed %llu\n%.*s", (unsigned long long)seed, SLICE_ARG(buffer_slice(&difference)));
	for (size_t i = 0; i < trial->rules.count; i++) {
		struct slice left = trial->rules.statements[i];
		for (struct slice line; left.len > 0; printf("# %.*s\n", SLICE_ARG(line)))
			left = slice_cut(left, '\n', &line);
	}
	for (size_t i = 0; i < trial->asked_count; i++) {
		const struct ftw_answer *answer = &trial->answers[trial->asked[i]];
		paths_tell(trial->wires[trial->asked[i]]);
		printf("# answered %u [%.*s]\n", answer->status, SLICE_ARG(answer->body));
	}
	fflush(stdout);
	buffer_free(&difference);
}

int main(int argc, char **argv)
{
	uint64_t first = argc >= 3 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t count = argc >= 3 ? strtoull(argv[2], NULL, 10) : 0;
	size_t differ = 0;
	size_t refused = 0;
	if (count == 0)
		return 2;
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct trial trial = {0};
		struct buffer difference = buffer_make(NULL);
		arena_init(&trial.arena, 1 << 30, 0);
		make_trial(&trial, seed, argc > 3 ? argv[3] : NULL);
		enum outcome outcome = run(&trial, false, &difference);
		refused += outcome == TRIAL_REFUSED;
		if (outcome == TRIAL_DIFFERS && differ++ < TOLD)
			tell(&trial, seed);
		buffer_free(&difference);
		arena_destroy(&trial.arena);
	}
	/* Rules that are refused test nothing: the generator knows the language. */
	bool ok = differ == 0 && refused == 0;
	printf("1..1\n%sok 1 - %llu random rule sets by all paths: %zu differ, %zu do not compile\n", ok ? "" : "not ",
	       (unsigned long long)count, differ, refused);
	return !ok;
}
