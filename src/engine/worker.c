/*
 * One for requests has room for values under way and what is remembered; one for work at load has scratch and
 * expressions only. Idle transactions end with their worker.
 */
#include "engine/worker.h"

#include "engine/remembered.h"
#include "engine/transaction.h"

#include <errno.h>
#include <stdlib.h>

static int make_common(struct worker *worker)
{
	int r = scan_scratch_create(&worker->scan_scratch);
	return r != 0 ? r : regex_cache_create(WORKER_EXPRESSIONS, &worker->expressions);
}

int worker_create_to_load(struct worker **ret_worker)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	if (worker == NULL)
		return -ENOMEM;
	if (make_common(worker) != 0 || regex_scratch_create_to_load(&worker->regex_scratch) != 0) {
		worker_free(worker);
		return -ENOMEM;
	}
	*ret_worker = worker;
	return 0;
}

int worker_create(const struct guia_worker_options *options, struct worker **ret_worker)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	if (worker == NULL)
		return -ENOMEM;
	worker->options = *options;
	worker->redact_memo = redact_memo_new();
	worker->message_number = remembered_new_number();
	if (make_common(worker) != 0 || regex_scratch_create(&worker->regex_scratch) != 0 ||
	    worker->redact_memo == NULL || remembered_create(&worker->remembered) != 0 ||
	    arena_reserve_create(&worker->reserve) != 0 ||
	    region_map(WORKER_LEVELS * WORKER_LEVEL_BUFFERS * WORKER_LEVEL_BYTES, &worker->level_room) != 0) {
		worker_free(worker);
		return -ENOMEM;
	}
	if (options->reference_path)
		regex_scratch_rely_on_pcre2(worker->regex_scratch);
	*ret_worker = worker;
	return 0;
}

void worker_free(struct worker *worker)
{
	if (worker == NULL)
		return;
	while (worker->idle != NULL) {
		struct transaction *t = worker->idle;
		worker->idle = t->next_idle;
		arena_destroy(&t->arena);
		tx_destroy(&t->tx);
		free(t);
	}
	scan_scratch_free(worker->scan_scratch);
	regex_scratch_free(worker->regex_scratch);
	regex_cache_free(worker->expressions);
	remembered_free(worker->remembered);
	free(worker->redact_memo);
	arena_reserve_free(worker->reserve);
	region_unmap(&worker->level_room);
	free(worker);
}

/* The groups of every unit that a rule of the set belongs to; a unit met again costs a lookup, no memory. */
int worker_prepare(struct worker *worker, const struct plan *plan)
{
	const struct ruleset *ruleset = plan->ruleset;
	const struct unit *fitted = NULL;
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		for (const struct rule *rule = ruleset->rules[i]; rule != NULL; rule = rule->next_link) {
			const struct unit *unit = rule->unit;
			if (unit == NULL || unit == fitted)
				continue;
			fitted = unit;
			for (size_t g = 0; g < unit->scan_group_count; g++) {
				int r = scan_scratch_fit(worker->scan_scratch, unit->scan_groups[g].set);
				if (r != 0)
					return r;
			}
		}
	}
	return 0;
}
