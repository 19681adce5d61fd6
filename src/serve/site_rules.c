/*
 * In this order: rules before, the site's and then all sites'; the recommended ones, or those for all sites; the limit
 * of bodies; the site's own; detection.
 */
#include "serve/site_rules.h"

#include <errno.h>

const char site_rules_detect[] = "SecRuleEngine DetectionOnly";

int site_rules_body_limit(const struct serve_config *config, struct arena *arena, const char **ret_directive)
{
	struct buffer text = buffer_make(arena);
	if (config->body_limit_mb > 0)
		buffer_printf(&text, "SecRequestBodyLimit %lld", (long long)config->body_limit_mb << 20);
	buffer_byte(&text, '\0');
	if (text.error == 0)
		*ret_directive = (const char *)text.ptr;
	return text.error;
}

static void add(struct site_rules *rules, enum guia_source_kind kind, const char *text, const char *name)
{
	rules->items[rules->count++] = (struct guia_source){.kind = kind, .text = text, .name = name, .line = 1};
}

static int add_files(struct site_rules *rules, const struct text_list *files, struct arena *arena)
{
	for (size_t i = 0; i < files->count; i++) {
		const char *path = arena_string(arena, files->items[i]);
		if (path == NULL)
			return -ENOMEM;
		add(rules, GUIA_SOURCE_FILE, path, NULL);
	}
	return 0;
}

int site_rules_list(const struct serve_config *config, const struct site *site, const char *recommended,
		    struct arena *arena, struct site_rules *ret_rules)
{
	size_t most = config->rules.count + config->rules_before.count + site->rules.count + site->rules_before.count;
	struct site_rules rules = {.items = arena_zalloc(arena, most + 3, sizeof(*rules.items))};
	const char *limit;
	if (rules.items == NULL || site_rules_body_limit(config, arena, &limit) != 0 ||
	    add_files(&rules, &site->rules_before, arena) != 0 || add_files(&rules, &config->rules_before, arena) != 0)
		return -ENOMEM;
	if (config->rules.count == 0)
		add(&rules, GUIA_SOURCE_FILE, recommended, NULL);
	if (add_files(&rules, &config->rules, arena) != 0)
		return -ENOMEM;
	if (limit[0] != '\0')
		add(&rules, GUIA_SOURCE_TEXT, limit, "body_limit_mb");
	if (add_files(&rules, &site->rules, arena) != 0)
		return -ENOMEM;
	if (site->detect)
		add(&rules, GUIA_SOURCE_TEXT, site_rules_detect, "detect");
	*ret_rules = rules;
	return 0;
}

bool site_rules_equal(const struct site_rules *a, const struct site_rules *b)
{
	bool equal = a->count == b->count;
	for (size_t i = 0; equal && i < a->count; i++)
		equal = a->items[i].kind == b->items[i].kind && strcmp(a->items[i].text, b->items[i].text) == 0;
	return equal;
}
