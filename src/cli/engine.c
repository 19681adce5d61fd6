/*
 * Rules compiled by this process: a pool of what is compiled, a rule set in it, and one store of collections, made when
 * it is first asked for. A guest owns nothing but its rule set.
 */
#include "cli/engine.h"

#include "base/error.h"
#include "serve/paths.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	SOURCES_MAX = 32,
	STORE_BYTES = 16 << 20,
};

static void tell(void *context, const struct guia_diagnostic *diagnostic)
{
	size_t *warnings = context;
	*warnings += diagnostic->severity == GUIA_WARNING;
	fputs(diagnostic->text, stderr);
}

/* Compiles further sources into the engine's pool; diagnostics are told, errors make CLI_USER. */
static int compile(struct engine *engine, const struct guia_source *sources, size_t count,
		   struct guia_rules **ret_rules)
{
	int r = guia_rules_compile(engine->pool, sources, count, tell, &engine->warnings, ret_rules, &engine->stats);
	if (r == -EINVAL)
		return CLI_USER;
	return r == 0 ? CLI_FINE : cli_fail(CLI_ENVIRONMENT, "cannot compile the rules: %s", strerror(-r));
}

static int collect(const struct cli_arguments *arguments, const char *recommended, struct guia_source *sources,
		   size_t *count)
{
	const char *files[SOURCES_MAX + 1];
	int code = cli_values(arguments, "rules", SOURCES_MAX, files);
	if (code != CLI_FINE)
		return code;
	for (; files[*count] != NULL; (*count)++)
		sources[*count] = (struct guia_source){.kind = GUIA_SOURCE_FILE, .text = files[*count]};
	if (*count > 0)
		return CLI_FINE;
	if (recommended == NULL)
		return cli_fail(CLI_ENVIRONMENT,
				"the recommended rules are not beside this program: give --rules FILE");
	sources[(*count)++] = (struct guia_source){.kind = GUIA_SOURCE_FILE, .text = recommended};
	return CLI_FINE;
}

static int make_own(const char *cache, struct engine *engine)
{
	char *folder = paths_cache(cache);
	struct guia_pool_options options = {.cache_dir = folder};
	int r = guia_pool_new(&options, &engine->pool);
	free(folder);
	engine->store = calloc(1, sizeof(*engine->store));
	r = r == 0 && engine->store == NULL ? -ENOMEM : r;
	return r == 0 ? CLI_FINE : cli_fail(CLI_ENVIRONMENT, "%s", strerror(-r));
}

int engine_open_sources(const struct guia_source *sources, size_t count, const char *cache, const struct engine *host,
			struct engine *ret_engine)
{
	struct engine engine = {.guest = host != NULL};
	int code = CLI_FINE;
	if (host != NULL) {
		engine.pool = host->pool;
		engine.store = host->store;
	} else {
		code = make_own(cache, &engine);
	}
	if (code == CLI_FINE)
		code = compile(&engine, sources, count, &engine.rules);
	if (code == CLI_FINE)
		*ret_engine = engine;
	else
		engine_close(&engine);
	return code;
}

int engine_open(const struct cli_arguments *arguments, struct engine *ret_engine)
{
	struct guia_source sources[SOURCES_MAX];
	size_t count = 0;
	char *recommended = paths_recommended_rules();
	int code = collect(arguments, recommended, sources, &count);
	if (code == CLI_FINE)
		code = engine_open_sources(sources, count, cli_value(arguments, "cache"), NULL, ret_engine);
	free(recommended);
	return code;
}

void engine_close(struct engine *engine)
{
	guia_rules_unref(engine->rules);
	if (engine->guest)
		return;
	if (engine->store != NULL)
		guia_store_free_local(*engine->store);
	free(engine->store);
	guia_pool_free(engine->pool);
}

int engine_store(const struct engine *engine, struct guia_collection_store **ret_store)
{
	int r = *engine->store != NULL ? 0 : guia_store_new_local(STORE_BYTES, engine->store);
	*ret_store = *engine->store;
	return r;
}

int engine_worker(const struct engine *engine, struct guia_worker **ret_worker)
{
	struct guia_collection_store *store = NULL;
	struct guia_worker *worker = NULL;
	int r = engine_store(engine, &store);
	struct guia_worker_options options = {.store = store};
	r = r != 0 ? r : guia_worker_new(&options, &worker);
	if (r == 0)
		r = guia_worker_prepare(worker, engine->rules);
	if (r != 0) {
		guia_worker_free(worker);
		return cli_fail(CLI_ENVIRONMENT, "cannot prepare the engine: %s", strerror(-r));
	}
	*ret_worker = worker;
	return CLI_FINE;
}
