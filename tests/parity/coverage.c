/* Whether requests made our engine match the rules that can match, against the list that the oracle has of them. */
#include "coverage.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRED_PERMIL = 950, LINE_BYTES = 512 };

static int by_id(const void *a, const void *b)
{
	const struct coverage_rule *x = a;
	const struct coverage_rule *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

static struct coverage_rule *find(struct coverage *coverage, int64_t id)
{
	struct coverage_rule key = {.id = id};
	return bsearch(&key, coverage->rules, coverage->count, sizeof(key), by_id);
}

void coverage_add_rules(struct coverage *coverage, const struct oracle *oracle)
{
	static int64_t ids[COVERAGE_RULES_MAX];
	size_t given = oracle_rule_ids(oracle, ids, COVERAGE_RULES_MAX);
	for (size_t i = 0; i < given && i < COVERAGE_RULES_MAX && coverage->count < COVERAGE_RULES_MAX; i++) {
		if (find(coverage, ids[i]) != NULL)
			continue;
		coverage->rules[coverage->count++] = (struct coverage_rule){.id = ids[i]};
		qsort(coverage->rules, coverage->count, sizeof(coverage->rules[0]), by_id);
	}
}

void coverage_note(struct coverage *coverage, const struct outcome *outcome)
{
	for (size_t i = 0; i < outcome->match_count; i++) {
		struct coverage_rule *rule = find(coverage, outcome->matches[i].rule_id);
		if (rule != NULL && outcome->matches[i].completed)
			rule->fired = true;
	}
}

/* Marks in `silent` what a line's glob names, and prints the line with the ids. */
static void read_line(const struct coverage *coverage, char *line, bool *silent)
{
	struct slice glob;
	struct slice reason = slice_trim(slice_cut(slice_from_string(line), ' ', &glob));
	char pattern[LINE_BYTES];
	snprintf(pattern, sizeof(pattern), "%.*s", SLICE_ARG(glob));
	printf("# cannot match: %.*s:", SLICE_ARG(reason));
	for (size_t i = 0; i < coverage->count; i++) {
		char id[24];
		snprintf(id, sizeof(id), "%" PRId64, coverage->rules[i].id);
		if (fnmatch(pattern, id, 0) != 0)
			continue;
		silent[i] = true;
		printf(coverage->rules[i].fired ? " %s (matched!)" : " %s", id);
	}
	putchar('\n');
}

static bool read_silent(const struct coverage *coverage, const char *path, bool *silent)
{
	FILE *file = fopen(path, "r");
	char line[LINE_BYTES];
	if (file == NULL) {
		printf("# %s cannot be read\n", path);
		return false;
	}
	while (fgets(line, sizeof(line), file) != NULL)
		if (line[0] != '#' && line[0] != '\n')
			read_line(coverage, line, silent);
	fclose(file);
	return true;
}

bool coverage_report(const struct coverage *coverage, const char *silent_file)
{
	static bool silent[COVERAGE_RULES_MAX];
	size_t able = 0, fired = 0, wrong = 0;
	if (!read_silent(coverage, silent_file, silent))
		return false;
	printf("# never matched:");
	for (size_t i = 0; i < coverage->count; i++) {
		able += !silent[i];
		fired += !silent[i] && coverage->rules[i].fired;
		wrong += silent[i] && coverage->rules[i].fired;
		if (!silent[i] && !coverage->rules[i].fired)
			printf(" %" PRId64, coverage->rules[i].id);
	}
	printf("\n# %zu of %zu rules that can match did (%.1f %%); %zu in all\n", fired, able,
	       able == 0 ? 0.0 : 100.0 * (double)fired / (double)able, coverage->count);
	return wrong == 0 && fired * 1000 >= able * FIRED_PERMIL;
}
