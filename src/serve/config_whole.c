/*
 * All hosts are sorted, to find one that two sites have. Lists of networks are read here to be checked only: whoever
 * uses them reads them again.
 */
#include "serve/config_whole.h"

#include "base/address.h"
#include "base/error.h"
#include "base/file.h"
#include "base/prefix_list.h"
#include "mitigate/mode_register.h"
#include "serve/valid.h"
#include "wire/outbox.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static int complain(struct diagnostics *diagnostics, const char *hint, const char *message, struct slice text)
{
	diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, (struct source_place){"", 0, 0, slice_make("", 0)}, hint,
			message, SLICE_ARG(text));
	return CONFIG_INVALID;
}

int config_add_listen(struct slice text, struct diagnostics *diagnostics, struct serve_config *config)
{
	const char *should = valid_listen(text);
	if (should != NULL)
		return complain(diagnostics, should, "--listen `%.*s` is no address", text);
	return text_list_add(&config->listen, text);
}

int config_add_site(struct slice text, struct diagnostics *diagnostics, struct serve_config *config)
{
	static const char *const hint = "--site www.example.gov.mo=http://127.0.0.1:9000";
	struct slice hosts, host;
	struct slice origin = slice_cut(text, '=', &hosts);
	struct site site;
	config_site_init(&site, config);
	if (valid_origin(origin) != NULL)
		return complain(diagnostics, hint, "the origin in --site `%.*s` is no http:// or https:// address",
				text);
	while (hosts.len > 0) {
		hosts = slice_cut(hosts, ',', &host);
		if (valid_host(host) != NULL)
			return complain(diagnostics, hint, "the host in --site `%.*s` is no host name", text);
		int r = text_list_add(&site.hosts, host);
		if (r != 0)
			return r;
	}
	if (site.hosts.count == 0)
		return complain(diagnostics, hint, "--site `%.*s` has no host", text);
	site.origin = origin;
	return config_site_add(config, &site);
}

/* A host, and whose it is. */
struct claim {
	struct slice host;
	const struct site *site;
};

static int claim_compare(const void *a, const void *b)
{
	const struct claim *left = a, *right = b;
	int order = slice_compare(left->host, right->host);
	return order != 0 ? order : (left->site > right->site) - (left->site < right->site);
}

static int check_twice(const struct serve_config *config, struct diagnostics *diagnostics)
{
	size_t count = 0, at = 0;
	for (size_t i = 0; i < config->site_count; i++)
		count += config->sites[i].hosts.count;
	struct claim *claims = arena_zalloc(config->arena, count, sizeof(*claims));
	if (claims == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < config->site_count; i++)
		for (size_t j = 0; j < config->sites[i].hosts.count; j++)
			claims[at++] = (struct claim){config->sites[i].hosts.items[j], &config->sites[i]};
	qsort(claims, count, sizeof(*claims), claim_compare);
	for (size_t i = 1; i < count; i++)
		if (slice_equal(claims[i - 1].host, claims[i].host)) {
			diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, claims[i].site->place, "keep one of the two",
					"the host %.*s has two sites", SLICE_ARG(claims[i].host));
			return CONFIG_INVALID;
		}
	return 0;
}

/* A proxy of ours is refused nowhere but at the gate. */
static int spare_proxies(struct serve_config *config)
{
	size_t count = 0;
	struct prefix *proxies = arena_zalloc(config->arena, config->trusted_proxies.count + 1, sizeof(*proxies));
	if (proxies == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < config->trusted_proxies.count; i++)
		count += network_prefix(config->trusted_proxies.items[i], &proxies[count]);
	return operators_spare(&config->operators, proxies, count, config->arena);
}

/* What the watch asks of operators by itself is about these. */
static int check_addresses(const struct serve_config *config, struct diagnostics *diagnostics)
{
	for (size_t i = 0; config->operators.count > 0 && i < config->addresses.count; i++)
		if (!operators_own(&config->operators, config->addresses.items[i]))
			return complain(diagnostics, "an operator takes rules for its `prefixes` only",
					"of `addresses` %.*s is in no operator's `prefixes`",
					config->addresses.items[i]);
	return 0;
}

static int check_home_list(struct slice path, struct diagnostics *diagnostics)
{
	char name[PATH_MAX], place[PATH_MAX + 32], most[96];
	struct buffer text = buffer_make(NULL);
	struct prefix *prefixes = NULL;
	size_t count, line = 0;
	snprintf(name, sizeof(name), "%.*s", SLICE_ARG(path));
	int r = file_read(name, PREFIX_LIST_BYTES_MOST, &text);
	if (r == -EFBIG)
		r = PREFIX_LIST_LONG;
	else if (r == 0)
		r = prefix_list_read(buffer_slice(&text), SITE_HOMES_MOST, &prefixes, &count, &line);
	free(prefixes);
	buffer_free(&text);
	if (r <= 0) /* one that cannot be read is told of with all other files */
		return r == -ENOMEM ? r : 0;
	if (line > 0)
		snprintf(place, sizeof(place), "%s:%zu", name, line);
	else
		snprintf(place, sizeof(place), "%s", name);
	if (r == PREFIX_LIST_LONG) {
		snprintf(most, sizeof(most), "%d networks and %d MB at most: write neighbours as one network",
			 SITE_HOMES_MOST, PREFIX_LIST_BYTES_MOST >> 20);
		return complain(diagnostics, most, "%.*s: too long for a list of `home_lists`",
				slice_from_string(place));
	}
	return complain(diagnostics, prefix_list_fault(r), "%.*s: wrong in a list of `home_lists`",
			slice_from_string(place));
}

static int check_homes(const struct serve_config *config, struct diagnostics *diagnostics)
{
	char number[16];
	int r = 0;
	snprintf(number, sizeof(number), "%d", MODE_HOMES_MOST);
	for (size_t i = 0; r == 0 && i < config->home_lists.count; i++)
		r = check_home_list(config->home_lists.items[i], diagnostics);
	if (r != 0)
		return r;
	return config->home_networks.count <= MODE_HOMES_MOST
		       ? 0
		       : complain(diagnostics, "write neighbours as one network",
				  "of `home_networks` there may be %.*s at most", slice_from_string(number));
}

int config_finish(struct serve_config *config, bool as_root, struct diagnostics *diagnostics)
{
	bool tls = config->listen_tls.count > 0;
	if (config->site_count == 0)
		return complain(diagnostics, "--site HOST=ORIGIN, or -c guia.yaml", "there is no site to serve%.*s",
				SLICE(""));
	for (size_t i = 0; i < config->site_count; i++) {
		struct site *site = &config->sites[i];
		if (site->certificate.len == 0) {
			site->certificate = config->certificate;
			site->key = config->key;
		}
		tls = tls || site->certificate.len > 0;
	}
	int r = check_twice(config, diagnostics);
	r = r != 0 ? r : spare_proxies(config);
	r = r != 0 ? r : check_homes(config, diagnostics);
	r = r != 0 ? r : check_addresses(config, diagnostics);
	if (r == 0 && config->listen.count == 0)
		r = text_list_add(&config->listen, as_root ? SLICE("80") : SLICE("8080"));
	if (r == 0 && tls && config->listen_tls.count == 0)
		r = text_list_add(&config->listen_tls, as_root ? SLICE("443") : SLICE("8443"));
	return r;
}

void config_count_sites(const struct serve_config *config, struct diagnostics *diagnostics)
{
	enum {
		TOLD_APART = OUTBOX_SITES - 2
	}; /* those of no site are told apart, and those of names that no site has */
	if (config->site_count <= TOLD_APART)
		return;
	const struct site *first = &config->sites[TOLD_APART];
	diagnostics_add(diagnostics, DIAGNOSTIC_WARNING, first->place,
			"have another machine guard some of them: there an attack on one of them is seen for itself",
			"the watch tells %d sites apart and there are %zu: from %.*s on they are watched together, as "
			"requests of no site",
			TOLD_APART, config->site_count, SLICE_ARG(first->hosts.items[0]));
}
