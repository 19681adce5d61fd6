/* Files of rules in the order in which they are named, each once, and behind them what they name (rule_files.h). */
#include "serve/digests.h"

#include "codec/text.h"
#include "evidence/file_digest.h"
#include "serve/rule_files.h"

#include <stdio.h>

static int add(struct text_list *list, const char *of, const char *path)
{
	struct merkle_hash digest;
	uint8_t hex[2 * MERKLE_HASH_BYTES];
	struct buffer text = buffer_make(list->arena);
	if (path == NULL || path[0] == '\0' || file_digest(path, &digest) != 0)
		return 0;
	buffer_printf(&text, "%s ", of);
	buffer_add(&text, slice_make(hex, hex_encode(slice_make(digest.bytes, sizeof(digest.bytes)), hex)));
	buffer_printf(&text, " %s", path);
	return text.error != 0 ? text.error : text_list_add(list, buffer_slice(&text));
}

static int begin_with(struct text_list *files, const struct text_list *named)
{
	int r = 0;
	for (size_t i = 0; i < named->count && r == 0; i++)
		if (!text_list_has(files, named->items[i]))
			r = text_list_add(files, named->items[i]);
	return r;
}

/* Those of all sites first, then of each; the recommended ones where nothing else is said. */
static int list_rules(const struct serve_config *config, const struct serve_parts *parts, struct text_list *files)
{
	int r = begin_with(files, &config->rules_before);
	if (r == 0 && config->rules.count == 0 && parts->rules != NULL)
		r = text_list_add(files, slice_from_string(parts->rules));
	r = r != 0 ? r : begin_with(files, &config->rules);
	for (size_t i = 0; i < config->site_count && r == 0; i++) {
		r = begin_with(files, &config->sites[i].rules_before);
		r = r != 0 ? r : begin_with(files, &config->sites[i].rules);
	}
	return r != 0 ? r : rule_files_follow(files);
}

int digests_list(const struct serve_config *config, const struct serve_parts *parts, const struct run_dir *dir,
		 struct text_list *list)
{
	char path[PATH_MAX];
	struct text_list files = {.arena = list->arena};
	snprintf(path, sizeof(path), "%s/nginx.conf", dir->path);
	int r = add(list, "configuration", config->file);
	r = r != 0 ? r : add(list, "nginx", path);
	r = r != 0 ? r : add(list, "module", parts->module);
	r = r != 0 ? r : list_rules(config, parts, &files);
	for (size_t i = 0; i < files.count && r == 0; i++) {
		snprintf(path, sizeof(path), "%.*s", SLICE_ARG(files.items[i]));
		r = add(list, "rules", path);
	}
	return r;
}
