/* The rules a command was given, compiled, with its diagnostics told on stderr. */
#ifndef GUIA_CLI_ENGINE_H
#define GUIA_CLI_ENGINE_H

#include "guia.h"
#include "cli/command.h"

struct engine {
	struct guia_pool *pool;
	struct guia_rules *rules;
	struct guia_collection_store **store; /* one for this engine and its guests; NULL in it until it is asked for */
	struct guia_compile_stats stats;
	size_t warnings;
	bool guest; /* pool and store are another engine's */
};

/* Of the options --rules (any number; none: the recommended rules) and --cache. CLI_FINE, or an exit code. */
int engine_open(const struct cli_arguments *arguments, struct engine *ret_engine);
void engine_close(struct engine *engine);

/*
 * Of these sources, with what is compiled kept in `cache` (NULL: the usual place). `host` lends its pool and store, and
 * must be closed later; NULL: it has its own. CLI_FINE, or an exit code.
 */
int engine_open_sources(const struct guia_source *sources, size_t count, const char *cache, const struct engine *host,
			struct engine *ret_engine);

/* The engine's persistent collections: checking rules alone needs none. 0 or -errno. */
int engine_store(const struct engine *engine, struct guia_collection_store **ret_store);

/* A worker that is ready for the engine's rules. CLI_FINE, or an exit code. */
int engine_worker(const struct engine *engine, struct guia_worker **ret_worker);

#define ENGINE_OPTIONS                                                                                                 \
	{"rules", 'r', "FILE", "SecLang rules; may be given several times (default: the recommended rules)"},          \
	{                                                                                                              \
		"cache", 0, "DIR", "where compiled patterns are kept (default: $XDG_CACHE_HOME/guia)"                  \
	}

#endif
