/*
 * What is usual, and which site a host is. The file is read by config_yaml.c, the command line and the whole by
 * config_whole.c. All is the arena's but the array of sites.
 */
#include "serve/config.h"

#include "base/error.h"
#include "base/vector.h"
#include "evidence/retention.h"

#include <stdlib.h>

enum {
	DRAIN_SECONDS = 10,
	BODY_LIMIT_MB = 13, /* what the recommended rules take */
};

void config_init(struct serve_config *config, struct arena *arena)
{
	*config = (struct serve_config){.arena = arena,
					.file = "",
					.https_only = true,
					.drain_seconds = DRAIN_SECONDS,
					.retention = {RETENTION_DAYS, RETENTION_DAYS}};
	struct text_list *lists[] = {&config->listen,        &config->listen_tls,     &config->trusted_proxies,
				     &config->home_networks, &config->home_countries, &config->home_lists,
				     &config->addresses,     &config->rules,          &config->rules_before};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		lists[i]->arena = arena;
}

void config_free(struct serve_config *config)
{
	free(config->sites);
	config->sites = NULL;
}

void config_site_init(struct site *site, const struct serve_config *config)
{
	*site = (struct site){.detect = config->detect,
			      .https_only = config->https_only,
			      .place = {.file = ""},
			      .origin_place = {.file = ""}};
	site->hosts.arena = site->rules.arena = site->rules_before.arena = config->arena;
}

int config_site_add(struct serve_config *config, const struct site *site)
{
	if (vector_grow((void **)&config->sites, &config->site_capacity, config->site_count, sizeof(*site)) != 0)
		return -ENOMEM;
	config->sites[config->site_count++] = *site;
	return 0;
}

int64_t config_body_limit_mb(const struct serve_config *config)
{
	return config->body_limit_mb > 0 ? config->body_limit_mb : BODY_LIMIT_MB;
}

struct slice config_upstream_dir(const struct serve_config *config)
{
	return config->upstream_dir.len > 0 ? config->upstream_dir : SLICE(UPSTREAM_DIR);
}

/* Whether a `*.` name covers the host. */
static bool covers(struct slice name, struct slice host)
{
	return slice_starts_with(name, SLICE("*.")) && slice_ends_with(host, slice_after(name, 1)) &&
	       host.len > name.len - 1;
}

const struct site *config_find_site(const struct serve_config *config, struct slice host)
{
	const struct site *found = NULL;
	size_t longest = 0;
	for (size_t i = 0; i < config->site_count; i++) {
		const struct text_list *hosts = &config->sites[i].hosts;
		for (size_t j = 0; j < hosts->count; j++) {
			if (slice_equal(hosts->items[j], host))
				return &config->sites[i];
			if (covers(hosts->items[j], host) && hosts->items[j].len > longest) {
				longest = hosts->items[j].len;
				found = &config->sites[i];
			}
		}
	}
	return found;
}
