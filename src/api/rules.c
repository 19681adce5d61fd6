/* The compile half of guia.h: pools and rule sets. */
#include "api/rules.h"

#include "api/convert.h"
#include "base/clock.h"
#include "engine/probe.h"
#include "engine/quiet.h"
#include "match/scan_cache.h"
#include "seclang/compile.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct guia_pool {
	struct pool *things;
	struct scan_cache *cache;   /* NULL: none */
	struct diagnostics opening; /* what there was to say about the cache; told at the first compilation */
};

struct guia_rules {
	atomic_uint references;
	struct arena arena;
	struct ruleset ruleset;
	struct plan *plan;
	const char *audit_log;
	const char *debug_log;
};

const char *guia_version(void)
{
	return GUIA_VERSION;
}

int guia_pool_new(const struct guia_pool_options *options, struct guia_pool **ret_pool)
{
	struct guia_pool *pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return -ENOMEM;
	diagnostics_init(&pool->opening);
	/* Without a cache everything works, only slower: what is wrong with it is a diagnostic. */
	if (options != NULL && options->cache_dir != NULL &&
	    scan_cache_open(options->cache_dir, &pool->opening, &pool->cache) != 0)
		pool->cache = NULL;
	int r = pool_create(pool->cache, &pool->things);
	if (r != 0) {
		guia_pool_free(pool);
		return r;
	}
	*ret_pool = pool;
	return 0;
}

void guia_pool_free(struct guia_pool *pool)
{
	if (pool == NULL)
		return;
	pool_free(pool->things);
	scan_cache_close(pool->cache);
	diagnostics_destroy(&pool->opening);
	free(pool);
}

size_t guia_pool_count(const struct guia_pool *pool)
{
	return pool_count(pool->things);
}

static int tell_one(const struct diagnostic *diagnostic, guia_diagnostic_fn *tell, void *context)
{
	struct buffer text = buffer_make(NULL);
	diagnostic_format(diagnostic, &text);
	buffer_byte(&text, '\0');
	int r = text.error;
	if (r == 0) {
		struct guia_diagnostic told = {
			.severity = (enum guia_severity)diagnostic->severity,
			.file = diagnostic->file,
			.line = diagnostic->line,
			.column = diagnostic->column,
			.message = diagnostic->message,
			.hint = diagnostic->hint,
			.text = (const char *)text.ptr,
		};
		tell(context, &told);
	}
	buffer_free(&text);
	return r;
}

static int tell_all(const struct diagnostics *list, guia_diagnostic_fn *tell, void *context)
{
	int r = 0;
	for (const struct diagnostic *d = list->first; d != NULL && tell != NULL && r == 0; d = d->next)
		r = tell_one(d, tell, context);
	return r;
}

static void rules_free(struct guia_rules *rules)
{
	plan_free(rules->plan);
	arena_destroy(&rules->arena);
	free(rules);
}

/* The engine counts rules, names and what is looked for in 16 bits: more are refused, none is left out. */
static int rules_plan_make(struct guia_rules *rules, struct diagnostics *diagnostics)
{
	int r = plan_create(&rules->ruleset, &rules->plan);
	r = r != 0 ? r : course_build(rules->plan);
	r = r != 0 ? r : probe_build(rules->plan);
	r = r != 0 ? r : quiet_find(rules->plan);
	if (r != -E2BIG)
		return r;
	diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, (struct source_place){.file = ""},
			"rules that differ in a word can be one, with @pmFromFile",
			"too many rules, or targets of them: one rule set holds about 65,000 of each");
	return -EINVAL;
}

static int rules_make(struct guia_pool *pool, const struct guia_source *sources, size_t count,
		      struct diagnostics *diagnostics, struct seclang_counts *counts, struct guia_rules **ret_rules)
{
	struct guia_rules *rules = calloc(1, sizeof(*rules));
	struct seclang_source *given = calloc(count + 1, sizeof(*given));
	int r = rules == NULL || given == NULL ? -ENOMEM : 0;
	for (size_t i = 0; i < count && r == 0; i++)
		given[i] = (struct seclang_source){sources[i].kind == GUIA_SOURCE_FILE, sources[i].text,
						   sources[i].name == NULL ? "" : sources[i].name, sources[i].line};
	if (r == 0) {
		atomic_init(&rules->references, 1);
		arena_init_lasting(&rules->arena);
		r = seclang_compile(pool->things, given, count, diagnostics, &rules->arena, &rules->ruleset, counts);
	}
	if (r == 0)
		r = rules_plan_make(rules, diagnostics);
	if (r == 0) {
		rules->audit_log = arena_string(&rules->arena, rules->ruleset.settings.audit_log);
		rules->debug_log = arena_string(&rules->arena, rules->ruleset.settings.debug_log);
		r = rules->audit_log == NULL || rules->debug_log == NULL ? -ENOMEM : 0;
	}
	free(given);
	if (r == 0)
		*ret_rules = rules;
	else if (rules != NULL)
		rules_free(rules);
	return r;
}

int guia_rules_compile(struct guia_pool *pool, const struct guia_source *sources, size_t source_count,
		       guia_diagnostic_fn *diagnostic, void *context, struct guia_rules **ret_rules,
		       struct guia_compile_stats *ret_stats)
{
	struct diagnostics diagnostics;
	struct seclang_counts counts;
	int64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	diagnostics_init(&diagnostics);
	int r = tell_all(&pool->opening, diagnostic, context);
	diagnostics_destroy(&pool->opening);
	struct guia_rules *rules = NULL;
	if (r == 0)
		r = rules_make(pool, sources, source_count, &diagnostics, &counts, &rules);
	int told = tell_all(&diagnostics, diagnostic, context);
	if (r == 0 && (told != 0 || diagnostics_failed(&diagnostics))) {
		guia_rules_unref(rules);
		r = told != 0 ? told : -EINVAL;
	}
	diagnostics_destroy(&diagnostics);
	if (r != 0)
		return r;
	*ret_rules = rules;
	if (ret_stats != NULL)
		*ret_stats = (struct guia_compile_stats){
			.rules = counts.rules,
			.links = counts.links,
			.removed = counts.removed,
			.files = counts.files,
			.patterns = counts.patterns,
			.exact_patterns = counts.exact_patterns,
			.databases = counts.databases,
			.databases_cached = counts.databases_cached,
			.elapsed_us = (uint64_t)(clock_ns(CLOCK_MONOTONIC) - start_ns) / CLOCK_NS_PER_US,
		};
	return 0;
}

struct guia_rules *guia_rules_ref(struct guia_rules *rules)
{
	atomic_fetch_add_explicit(&rules->references, 1, memory_order_relaxed);
	return rules;
}

void guia_rules_unref(struct guia_rules *rules)
{
	if (rules != NULL && atomic_fetch_sub_explicit(&rules->references, 1, memory_order_acq_rel) == 1)
		rules_free(rules);
}

const struct plan *rules_plan(const struct guia_rules *rules)
{
	return rules->plan;
}

bool guia_rules_secret_name_at(const struct guia_rules *rules, size_t index, struct guia_slice *ret_name)
{
	const struct settings *settings = &rules->ruleset.settings;
	if (index >= settings->redacted_name_count)
		return false;
	*ret_name = slice_out(settings->redacted_names[index]);
	return true;
}

void guia_rules_info(const struct guia_rules *rules, struct guia_rules_info *ret_info)
{
	const struct ruleset *ruleset = &rules->ruleset;
	const struct settings *s = &ruleset->settings;
	*ret_info = (struct guia_rules_info){
		.engine_off = s->rule_engine == SWITCH_OFF || s->rule_engine == SWITCH_UNSET,
		.detection_only = s->rule_engine == SWITCH_DETECTION_ONLY,
		.request_body_access = s->request_body_access,
		.response_body_access = s->response_body_access,
		.request_body_limit = s->request_body_limit,
		.request_body_limit_rejects = s->request_body_limit_rejects,
		.response_body_limit = s->response_body_limit,
		.response_body_limit_rejects = s->response_body_limit_rejects,
		.response_can_block = ruleset->phase_can_disrupt[PHASE_RESPONSE_HEADERS] ||
				      ruleset->phase_can_disrupt[PHASE_RESPONSE_BODY],
		.uses_collections = ruleset->uses_stored_collections,
		.audit_log = rules->audit_log,
		.debug_log = rules->debug_log,
	};
}
