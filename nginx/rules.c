/*
 * Directives become lists of sources, lists become rule sets, and all are compiled at the end. The pool is counted by
 * reference, and the process remembers the current one; once it holds what only earlier cycles needed the next cycle
 * begins another.
 */
#include "rules.h"

#include "writer.h"

#include <malloc.h>

/* Shared by the cycles alive at once: during a reload the old and the new one. */
struct gate_pool {
	struct guia_pool *pool;
	char *cache_dir; /* NULL: none */
	ngx_uint_t references;
	bool outdated; /* it holds what only earlier cycles needed: the next one begins afresh, and it can go */
};

/* Of this process. A cycle finds its predecessor's here; nginx offers no other way that survives a changed module list.
 */
static struct gate_pool *current_pool;

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void pool_release(struct gate_pool *pool)
{
	if (pool == NULL || --pool->references > 0)
		return;
	if (current_pool == pool)
		current_pool = NULL;
	guia_pool_free(pool->pool);
	free(pool->cache_dir);
	free(pool);
	/* The master lives for months: what a compilation needed goes back, and does not stay in holes of the heap. */
	(void)malloc_trim(0);
}

static struct gate_pool *pool_make(const char *cache_dir)
{
	struct gate_pool *pool = calloc(1, sizeof(*pool));
	struct guia_pool_options options = {.cache_dir = cache_dir};

	if (pool == NULL)
		return NULL;
	pool->references = 1;
	if (cache_dir != NULL && (pool->cache_dir = strdup(cache_dir)) == NULL)
		goto fail;
	if (guia_pool_new(&options, &pool->pool) != 0)
		goto fail;
	return pool;
fail:
	free(pool->cache_dir);
	free(pool);
	return NULL;
}

static struct gate_pool *pool_acquire(const char *cache_dir)
{
	if (current_pool != NULL && !current_pool->outdated && same_text(current_pool->cache_dir, cache_dir)) {
		current_pool->references++;
		return current_pool;
	}
	struct gate_pool *pool = pool_make(cache_dir);
	if (pool != NULL)
		current_pool = pool;
	return pool;
}

/* Rules, not a path: they have more than one line, or begin as a line of rules does. */
static bool text_is_rules(ngx_str_t text)
{
	size_t at = 0;

	if (ngx_strlchr(text.data, text.data + text.len, '\n') != NULL)
		return true;
	while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t'))
		at++;
	text.data += at;
	text.len -= at;
	if (text.len > 0 && text.data[0] == '#')
		return true;
	return ngx_strlchr(text.data, text.data + text.len, ' ') != NULL &&
	       ((text.len > 3 && ngx_strncasecmp(text.data, (u_char *)"Sec", 3) == 0) ||
		(text.len > 7 && ngx_strncasecmp(text.data, (u_char *)"Include", 7) == 0));
}

static ngx_uint_t count_lines(ngx_str_t text)
{
	ngx_uint_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	return lines;
}

/* A name with wildcards becomes a line of rules that includes what it matches. */
static ngx_int_t pattern_include(ngx_conf_t *cf, struct gate_source *source)
{
	ngx_str_t text;

	if (strpbrk((const char *)source->text.data, "*?[") == NULL)
		return NGX_OK;
	text.data = ngx_pnalloc(cf->pool, source->text.len + sizeof("Include \"\""));
	if (text.data == NULL)
		return NGX_ERROR;
	text.len = (size_t)(ngx_sprintf(text.data, "Include \"%V\"%Z", &source->text) - text.data) - 1;
	source->text = text;
	source->kind = GUIA_SOURCE_TEXT;
	return NGX_OK;
}

ngx_int_t gate_sources_add(ngx_conf_t *cf, ngx_array_t **list, ngx_str_t *arguments, ngx_uint_t count)
{
	ngx_uint_t line = cf->conf_file->line;

	if (*list == NULL && (*list = ngx_array_create(cf->pool, 4, sizeof(struct gate_source))) == NULL)
		return NGX_ERROR;
	/* nginx knows the line where the directive ends: count back over the arguments. */
	for (ngx_uint_t i = 0; i < count; i++)
		line -= ngx_min(line - 1, count_lines(arguments[i]));
	for (ngx_uint_t i = 0; i < count; i++) {
		struct gate_source *source = ngx_array_push(*list);
		if (source == NULL)
			return NGX_ERROR;
		source->text = arguments[i];
		source->conf_file = cf->conf_file->file.name;
		source->line = line;
		source->directive = cf->conf_file->line;
		source->kind = GUIA_SOURCE_TEXT;
		line += count_lines(arguments[i]);
		if (text_is_rules(arguments[i]))
			continue;
		source->kind = GUIA_SOURCE_FILE;
		if (ngx_conf_full_name(cf->cycle, &source->text, 1) != NGX_OK || pattern_include(cf, source) != NGX_OK)
			return NGX_ERROR;
	}
	return NGX_OK;
}

static ngx_int_t sources_append(ngx_array_t *to, const ngx_array_t *from)
{
	if (from == NULL || from->nelts == 0)
		return NGX_OK;
	void *room = ngx_array_push_n(to, from->nelts);
	if (room == NULL)
		return NGX_ERROR;
	ngx_memcpy(room, from->elts, from->nelts * from->size);
	return NGX_OK;
}

ngx_array_t *gate_sources_join(ngx_conf_t *cf, ngx_array_t *before, ngx_array_t *outer, ngx_array_t *after)
{
	if (before == NULL && after == NULL && outer != NULL)
		return outer;
	ngx_array_t *joined = ngx_array_create(cf->pool, 4, sizeof(struct gate_source));
	if (joined == NULL || sources_append(joined, before) != NGX_OK || sources_append(joined, outer) != NGX_OK ||
	    sources_append(joined, after) != NGX_OK)
		return NULL;
	return joined;
}

static bool text_equal(ngx_str_t a, ngx_str_t b)
{
	return a.len == b.len && ngx_memcmp(a.data, b.data, a.len) == 0;
}

/* Inline rules of different places differ: their diagnostics and logs name the place. */
static bool sources_equal(const ngx_array_t *a, const ngx_array_t *b)
{
	const struct gate_source *left = a->elts, *right = b->elts;

	if (a == b)
		return true;
	if (a->nelts != b->nelts)
		return false;
	for (ngx_uint_t i = 0; i < a->nelts; i++) {
		if (left[i].kind != right[i].kind || !text_equal(left[i].text, right[i].text))
			return false;
		if (left[i].kind == GUIA_SOURCE_TEXT &&
		    (left[i].line != right[i].line || !text_equal(left[i].conf_file, right[i].conf_file)))
			return false;
	}
	return true;
}

struct gate_ruleset *gate_ruleset_find(ngx_conf_t *cf, struct gate_main *main, ngx_array_t *sources)
{
	struct gate_ruleset **known = main->rulesets.elts, **slot, *ruleset;

	for (ngx_uint_t i = 0; i < main->rulesets.nelts; i++) {
		if (sources_equal(known[i]->sources, sources))
			return known[i];
	}
	ruleset = ngx_pcalloc(cf->pool, sizeof(*ruleset));
	slot = ngx_array_push(&main->rulesets);
	if (ruleset == NULL || slot == NULL)
		return NULL;
	ruleset->sources = sources;
	*slot = ruleset;
	return ruleset;
}

struct reporting {
	ngx_conf_t *cf;
	const ngx_array_t *sources;
	ngx_uint_t errors;
};

/* The source a diagnostic is about, or the last one: an included file does not say by whom. */
static const struct gate_source *source_of(const ngx_array_t *sources, const char *file)
{
	const struct gate_source *list = sources->elts;

	for (ngx_uint_t i = 0; i < sources->nelts; i++) {
		if (strcmp((const char *)list[i].text.data, file) == 0 ||
		    (list[i].kind == GUIA_SOURCE_TEXT && strcmp((const char *)list[i].conf_file.data, file) == 0))
			return &list[i];
	}
	return &list[sources->nelts - 1];
}

static void report(void *context, const struct guia_diagnostic *diagnostic)
{
	static const ngx_uint_t levels[] = {
		[GUIA_NOTE] = NGX_LOG_INFO, [GUIA_WARNING] = NGX_LOG_WARN, [GUIA_ERROR] = NGX_LOG_EMERG};
	struct reporting *reporting = context;
	const struct gate_source *source = source_of(reporting->sources, diagnostic->file);
	u_char place[NGX_MAX_CONF_ERRSTR], *end = place;

	if (diagnostic->file[0] != '\0')
		end = ngx_snprintf(end, sizeof(place), "%s:", diagnostic->file);
	if (diagnostic->line > 0)
		end = ngx_snprintf(end, (size_t)(place + sizeof(place) - end), "%ud:", diagnostic->line);
	if (diagnostic->column > 0)
		end = ngx_snprintf(end, (size_t)(place + sizeof(place) - end), "%ud:", diagnostic->column);
	reporting->errors += diagnostic->severity == GUIA_ERROR;
	ngx_log_error(levels[diagnostic->severity], reporting->cf->log, 0, "%*s%s%s%s%s in %V:%ui", end - place, place,
		      end > place ? " " : "", diagnostic->message, diagnostic->hint[0] != '\0' ? "; " : "",
		      diagnostic->hint, &source->conf_file, source->directive);
}

static ngx_int_t audit_open(ngx_conf_t *cf, struct gate_ruleset *ruleset)
{
	ngx_str_t name = {strlen(ruleset->info.audit_log), NULL};

	if (name.len == 0)
		return NGX_OK;
	name.data = ngx_pnalloc(cf->pool, name.len + 1);
	if (name.data == NULL)
		return NGX_ERROR;
	ngx_memcpy(name.data, ruleset->info.audit_log, name.len + 1);
	if (ngx_conf_full_name(cf->cycle, &name, 0) != NGX_OK)
		return NGX_ERROR;
	gate_writer_make_private(&name);
	ruleset->audit = ngx_conf_open_file(cf->cycle, &name);
	if (ruleset->audit == NULL)
		return NGX_ERROR;
	if (ruleset->audit->flush == NULL)
		ruleset->audit->flush = gate_writer_reopen_private;
	return NGX_OK;
}

static ngx_int_t ruleset_compile(ngx_conf_t *cf, struct gate_main *main, struct gate_ruleset *ruleset)
{
	const struct gate_source *list = ruleset->sources->elts;
	struct guia_source *sources = ngx_pcalloc(cf->temp_pool, ruleset->sources->nelts * sizeof(*sources));
	struct reporting reporting = {cf, ruleset->sources, 0};
	struct guia_compile_stats stats = {0};

	if (sources == NULL)
		return NGX_ERROR;
	for (ngx_uint_t i = 0; i < ruleset->sources->nelts; i++)
		sources[i] = (struct guia_source){(enum guia_source_kind)list[i].kind, (const char *)list[i].text.data,
						  (const char *)list[i].conf_file.data, (unsigned)list[i].line};
	int r = guia_rules_compile(main->pool->pool, sources, ruleset->sources->nelts, report, &reporting,
				   &ruleset->rules, &stats);
	if (r != 0) {
		if (reporting.errors == 0)
			ngx_log_error(NGX_LOG_EMERG, cf->log, (ngx_err_t)-r, "the rules cannot be compiled in %V:%ui",
				      &list[0].conf_file, list[0].directive);
		return NGX_ERROR;
	}
	guia_rules_info(ruleset->rules, &ruleset->info);
	ngx_log_error(NGX_LOG_INFO, cf->log, 0, "guia: %uz rules, %uz of %uz databases from the cache, %uL ms",
		      stats.rules, stats.databases_cached, stats.databases, stats.elapsed_us / 1000);
	return audit_open(cf, ruleset);
}

ngx_int_t gate_rulesets_compile(ngx_conf_t *cf, struct gate_main *main)
{
	struct gate_ruleset **rulesets = main->rulesets.elts;

	size_t held = 0;
	bool uses_collections = false;

	main->pool = pool_acquire(main->cache_dir.len > 0 ? (const char *)main->cache_dir.data : NULL);
	if (main->pool == NULL) {
		ngx_log_error(NGX_LOG_EMERG, cf->log, ngx_errno, "guia cannot start");
		return NGX_ERROR;
	}
	if (main->pool->references > 1)
		held = guia_pool_count(main->pool->pool);
	for (ngx_uint_t i = 0; i < main->rulesets.nelts; i++) {
		if (ruleset_compile(cf, main, rulesets[i]) != NGX_OK)
			return NGX_ERROR;
		uses_collections |= rulesets[i]->info.uses_collections;
	}
	/* Once, however many sites: it is one directive that is missing. */
	if (uses_collections && main->collections == NULL)
		ngx_log_error(NGX_LOG_WARN, cf->log, 0,
			      "the rules use persistent collections, which stay empty without guia_collections");
	/* What only the compilation needed goes back before workers are forked. */
	(void)malloc_trim(0);
	/* Rules have changed, so some of what was there is needed no more. */
	if (held > 0 && guia_pool_count(main->pool->pool) > held)
		main->pool->outdated = true;
	return NGX_OK;
}

void gate_main_cleanup(void *data)
{
	struct gate_main *main = data;
	struct gate_profile **profiles = main->profiles.elts;
	struct gate_ruleset **rulesets = main->rulesets.elts;

	/* A worker told to stop at once leaves with its requests: the kernel takes all back. */
	for (ngx_uint_t i = 0; i < main->profiles.nelts; i++) {
		if (profiles[i]->live > 0)
			return;
	}
	for (ngx_uint_t i = 0; i < main->profiles.nelts; i++) {
		guia_worker_free(profiles[i]->worker);
		guia_worker_free(profiles[i]->judge);
	}
	for (ngx_uint_t i = 0; i < main->rulesets.nelts; i++)
		guia_rules_unref(rulesets[i]->rules);
	pool_release(main->pool);
}
