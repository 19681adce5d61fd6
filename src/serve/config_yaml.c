/*
 * A table of keys for each map, with a kind, a place and an example; read_value() branches by the kind. Reading goes on
 * behind a fault, so that all are told at once. Files that are named are only noted: prepare.c looks for them.
 */
#include "serve/config_yaml.h"

#include "base/error.h"
#include "evidence/retention.h"
#include "screen/screen.h"
#include "serve/endpoint.h"
#include "serve/valid.h"
#include "upstream/operator.h"

#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

/* The file that is being read, for complaints and for relative paths. */
struct source {
	struct serve_config *config;
	struct yaml_source yaml;
};

enum key_kind {
	KEY_BOOL,
	KEY_NUMBER,
	KEY_FOLDER,
	KEY_PATH,
	KEY_PATHS,
	KEY_HOSTS,
	KEY_ORIGIN,
	KEY_LISTEN,
	KEY_NETWORKS,
	KEY_PREFIXES,
	KEY_COUNTRIES,
	KEY_ADDRESSES,
	KEY_SITES,
	KEY_OPERATORS,
	KEY_INTERFACE,
	KEY_EVIDENCE,
	KEY_RETENTION,
	KEY_AUTHORITY,
	KEY_SCREEN,
};

#define TOP(member)  offsetof(struct serve_config, member)
#define SITE(member) offsetof(struct site, member)

static const struct yaml_key top_keys[] = {
	{"sites", KEY_SITES, 0, "sites: [{host: www.example.gov.mo, origin: \"http://127.0.0.1:9000\"}]", 0, 0, false},
	{"listen", KEY_LISTEN, TOP(listen), "listen: 0.0.0.0:80", 0, 0, false},
	{"listen_tls", KEY_LISTEN, TOP(listen_tls), "listen_tls: 0.0.0.0:443", 0, 0, false},
	{"trusted_proxies", KEY_NETWORKS, TOP(trusted_proxies), "trusted_proxies: [10.0.0.0/8]", 0, 0, false},
	{"home_networks", KEY_PREFIXES, TOP(home_networks), "home_networks: [192.0.2.0/24, \"2001:db8::/32\"]", 0, 0,
	 false},
	{"home_countries", KEY_COUNTRIES, TOP(home_countries), "home_countries: [MO]", 0, 0, false},
	{"home_lists", KEY_PATHS, TOP(home_lists), "home_lists: ministries.txt", 0, 0, false},
	{"rules", KEY_PATHS, TOP(rules), "rules: my-rules.conf", 0, 0, false},
	{"rules_before", KEY_PATHS, TOP(rules_before), "rules_before: exclusions.conf", 0, 0, false},
	{"detect", KEY_BOOL, TOP(detect), "detect: true", 0, 0, false},
	{"https_only", KEY_BOOL, TOP(https_only), "https_only: false", 0, 0, false},
	{"certificate", KEY_PATH, TOP(certificate), "certificate: fullchain.pem", 0, 0, false},
	{"key", KEY_PATH, TOP(key), "key: privkey.pem", 0, 0, false},
	{"run_dir", KEY_FOLDER, TOP(run_dir), "run_dir: /var/lib/guia", 0, 0, false},
	{"cache_dir", KEY_FOLDER, TOP(cache_dir), "cache_dir: /var/cache/guia", 0, 0, false},
	{"workers", KEY_NUMBER, TOP(workers), "workers: 4", 1, 512, false},
	{"drain_seconds", KEY_NUMBER, TOP(drain_seconds), "drain_seconds: 10", 1, 3600, false},
	{"body_limit_mb", KEY_NUMBER, TOP(body_limit_mb), "body_limit_mb: 13", 1, 10240, false},
	{"operators", KEY_OPERATORS, TOP(operators), "operators: [{name: ctm, peer: 203.0.113.1, ...}]", 0, 0, false},
	{"addresses", KEY_ADDRESSES, TOP(addresses), "addresses: [192.0.2.10, \"2001:db8::10\"]", 0, 0, false},
	{"upstream_dir", KEY_FOLDER, TOP(upstream_dir), "upstream_dir: " UPSTREAM_DIR, 0, 0, false},
	{"link_mbit", KEY_NUMBER, TOP(link_mbit), "link_mbit: 1000", 1, LINK_MBIT_MOST, false},
	{"screen", KEY_SCREEN, 0, "screen: 127.0.0.1:9180", 0, 0, false},
	{"link_interface", KEY_INTERFACE, TOP(link_interface), "link_interface: eth0", 0, 0, false},
	{"evidence", KEY_EVIDENCE, TOP(evidence),
	 "evidence: {folder: /var/lib/guia-evidence, authority: \"http://tsa.example.mo/\"}", 0, 0, false},
	{"retention", KEY_RETENTION, TOP(retention), "retention: {messages: 90, records: 90}", 0, 0, false},
};

static const struct yaml_key retention_keys[] = {
	{"messages", KEY_NUMBER, offsetof(struct retention_config, messages), "messages: 90", 0, RETENTION_DAYS_MOST,
	 false},
	{"records", KEY_NUMBER, offsetof(struct retention_config, records), "records: 90", 0, RETENTION_DAYS_MOST,
	 false},
};

static const struct yaml_key evidence_keys[] = {
	{"folder", KEY_FOLDER, offsetof(struct evidence_config, folder), "folder: /var/lib/guia-evidence", 0, 0, false},
	{"export_certificate", KEY_PATH, offsetof(struct evidence_config, certificate),
	 "export_certificate: export.crt", 0, 0, false},
	{"authority", KEY_AUTHORITY, offsetof(struct evidence_config, authority),
	 "authority: \"http://tsa.example.mo/\"", 0, 0, false},
};

static const struct yaml_key site_keys[] = {
	{"host", KEY_HOSTS, SITE(hosts), "host: www.example.gov.mo", 0, 0, false},
	{"origin", KEY_ORIGIN, SITE(origin), "origin: \"http://127.0.0.1:9000\"", 0, 0, false},
	{"detect", KEY_BOOL, SITE(detect), "detect: true", 0, 0, false},
	{"rules", KEY_PATHS, SITE(rules), "rules: site-rules.conf", 0, 0, false},
	{"rules_before", KEY_PATHS, SITE(rules_before), "rules_before: site-exclusions.conf", 0, 0, false},
	{"https_only", KEY_BOOL, SITE(https_only), "https_only: false", 0, 0, false},
	{"certificate", KEY_PATH, SITE(certificate), "certificate: fullchain.pem", 0, 0, false},
	{"key", KEY_PATH, SITE(key), "key: privkey.pem", 0, 0, false},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int complain(const struct source *s, struct source_place place, const char *hint, const char *what,
		    struct slice name, const char *rest)
{
	diagnostics_add(s->yaml.diagnostics, DIAGNOSTIC_ERROR, place, hint, "%s%.*s%s", what, SLICE_ARG(name), rest);
	return CONFIG_INVALID;
}

/* An absolute path; relative ones start at the configuration's folder. */
static int resolve(const struct source *s, struct slice path, struct slice *ret_path)
{
	char folder[PATH_MAX] = "";
	const char *slash = strrchr(s->yaml.file, '/');
	if (path.ptr[0] == '/')
		return arena_copy(s->yaml.arena, path, ret_path);
	snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - s->yaml.file) + 1 : 1,
		 slash != NULL ? s->yaml.file : ".");
	char *real = realpath(folder, NULL);
	struct buffer out = buffer_make(s->yaml.arena);
	buffer_printf(&out, "%s/%.*s", real != NULL ? real : "", SLICE_ARG(path));
	free(real);
	buffer_byte(&out, '\0');
	if (out.error == 0)
		*ret_path = slice_sub(buffer_slice(&out), 0, out.len - 1);
	return out.error;
}

typedef const char *valid_fn(struct slice text);

/* Text, and not another type's word: null, a boolean, a number. */
static bool is_text(const struct yaml_node *node)
{
	bool flag;
	int64_t number;
	if (node->kind != YAML_SCALAR)
		return false;
	return node->quoted ||
	       (!slice_equal_nocase(node->text, SLICE("null")) && !slice_equal(node->text, SLICE("~")) &&
		yaml_bool(node, &flag) != 0 && yaml_integer(node, &number) != 0);
}

/* It is looked for once all is read. */
static int note_file(const struct source *s, const struct yaml_node *node, const struct yaml_key *key,
		     struct slice path)
{
	struct config_file *file = arena_zalloc(s->yaml.arena, 1, sizeof(*file));
	if (file == NULL || (file->path = arena_string(s->yaml.arena, path)) == NULL)
		return -ENOMEM;
	file->key = key->name;
	file->place = yaml_place(node, s->yaml.file, s->yaml.text);
	if (s->config->last_file == NULL)
		s->config->first_file = file;
	else
		s->config->last_file->next = file;
	s->config->last_file = file;
	return 0;
}

static int read_path(const struct source *s, const struct yaml_node *node, const struct yaml_key *key,
		     struct slice *ret)
{
	const char *should = is_text(node) ? valid_path(node->text) : "a path";
	if (should != NULL)
		return yaml_key_wrong(&s->yaml, node, key, should);
	struct slice path;
	int r = resolve(s, node->text, &path);
	if (r != 0)
		return r;
	/* The folder is part of what is rendered. */
	should = valid_path(path);
	if (should != NULL)
		return yaml_key_wrong(&s->yaml, node, key, should);
	*ret = path;
	return key->kind == KEY_FOLDER ? 0 : note_file(s, node, key, path);
}

static int read_item(const struct source *s, const struct yaml_node *node, const struct yaml_key *key,
		     struct text_list *list)
{
	static valid_fn *const valid[] = {
		[KEY_HOSTS] = valid_host,      [KEY_LISTEN] = valid_listen,     [KEY_NETWORKS] = valid_network,
		[KEY_PREFIXES] = valid_prefix, [KEY_COUNTRIES] = valid_country, [KEY_ADDRESSES] = valid_address};
	struct slice text = SLICE("");
	if (key->kind == KEY_PATHS) {
		int r = read_path(s, node, key, &text);
		return r != 0 ? r : text_list_add(list, text);
	}
	bool good = key->kind == KEY_LISTEN ? node->kind == YAML_SCALAR : is_text(node);
	const char *should = good ? valid[key->kind](node->text) : "text, or a list of texts";
	if (should == NULL &&
	    (key->kind == KEY_LISTEN ? endpoint_list_has(list, node->text) : text_list_has(list, node->text)))
		should = "named once";
	return should != NULL ? yaml_key_wrong(&s->yaml, node, key, should) : text_list_add(list, node->text);
}

/* One text, or a list of them. */
static int read_list(const struct source *s, const struct yaml_node *node, const struct yaml_key *key,
		     struct text_list *list)
{
	if (node->kind != YAML_LIST)
		return read_item(s, node, key, list);
	int worst = 0;
	for (const struct yaml_node *item = node->first; item != NULL && worst >= 0; item = item->next) {
		int r = read_item(s, item, key, list);
		worst = r != 0 ? r : worst;
	}
	return worst;
}

static int read_sites(const struct source *s, const struct yaml_node *list, const struct yaml_key *key);
static int read_evidence(const struct source *s, const struct yaml_node *map, const struct yaml_key *key);
static int read_retention(const struct source *s, const struct yaml_node *map, const struct yaml_key *key);

/* A password's file is relative to the configuration's folder, as all paths are; its reader is another user than ours.
 */
static int read_operators(const struct source *s, const struct yaml_node *node, struct operator_list *list)
{
	int r = operators_read(node, &s->yaml, list);
	for (size_t i = 0; r == 0 && i < list->count; i++) {
		struct slice path, named = slice_from_string(list->items[i].password_file);
		if (named.len == 0)
			continue;
		r = resolve(s, named, &path);
		list->items[i].password_file = (const char *)path.ptr;
	}
	return r;
}

static int read_interface(const struct source *s, const struct yaml_node *node, const struct yaml_key *key,
			  struct slice *ret)
{
	bool good = is_text(node) && node->text.len > 0 && node->text.len < IFNAMSIZ;
	for (size_t i = 0; good && i < node->text.len; i++)
		good = node->text.ptr[i] > ' ' && node->text.ptr[i] < 0x7f && node->text.ptr[i] != '/';
	if (!good || slice_equal(node->text, SLICE(".")) || slice_equal(node->text, SLICE("..")))
		return yaml_key_wrong(&s->yaml, node, key, "the name of a network interface");
	*ret = node->text;
	return 0;
}

/* An address, or `off`. */
static int read_screen(const struct source *s, const struct yaml_node *node, const struct yaml_key *key)
{
	bool on = false;
	bool word = node->kind == YAML_SCALAR && !node->quoted && yaml_bool(node, &on) == 0;
	const char *should = word || node->kind != YAML_SCALAR ? NULL : screen_listen_valid(node->text);
	if ((word && on) || should != NULL || node->kind != YAML_SCALAR)
		return yaml_key_wrong(&s->yaml, node, key,
				      should != NULL ? should : "an address of this machine alone, or `off`");
	s->config->screen_off = word;
	s->config->screen = word ? SLICE("") : node->text;
	return 0;
}

static int read_value(const struct source *s, const struct yaml_node *node, const struct yaml_key *key, void *member)
{
	switch (key->kind) {
	case KEY_BOOL:
		return yaml_bool(node, member) == 0 ? 0 : yaml_key_wrong(&s->yaml, node, key, "true or false");
	case KEY_NUMBER:
		return yaml_key_number(&s->yaml, node, key, member);
	case KEY_FOLDER:
	case KEY_PATH:
		return read_path(s, node, key, member);
	case KEY_ORIGIN:
	case KEY_AUTHORITY: {
		valid_fn *valid = key->kind == KEY_ORIGIN ? valid_origin : valid_authority;
		const char *should = node->kind == YAML_SCALAR ? valid(node->text) : "text";
		if (should != NULL)
			return yaml_key_wrong(&s->yaml, node, key, should);
		*(struct slice *)member = node->text;
		return 0;
	}
	case KEY_SITES:
		return read_sites(s, node, key);
	case KEY_EVIDENCE:
		return read_evidence(s, node, key);
	case KEY_RETENTION:
		return read_retention(s, node, key);
	case KEY_OPERATORS:
		return read_operators(s, node, member);
	case KEY_INTERFACE:
		return read_interface(s, node, key, member);
	case KEY_SCREEN:
		return read_screen(s, node, key);
	default:
		return read_list(s, node, key, member);
	}
}

/* All of a map's keys, so that every fault is told at once. */
static int read_map(const struct source *s, const struct yaml_node *map, const struct yaml_key *keys, size_t count,
		    void *object)
{
	int worst = 0;
	for (const struct yaml_node *node = map->first; node != NULL && worst >= 0; node = node->next) {
		const struct yaml_key *key = yaml_key_find(node->key, keys, count);
		int r = key == NULL ? yaml_key_unknown(&s->yaml, node, keys, count)
				    : read_value(s, node, key, (char *)object + key->offset);
		worst = r != 0 ? r : worst;
	}
	return worst;
}

static int read_evidence(const struct source *s, const struct yaml_node *map, const struct yaml_key *key)
{
	if (map->kind != YAML_MAP)
		return yaml_key_wrong(&s->yaml, map, key, "a map with `folder`, `authority` or both");
	return read_map(s, map, evidence_keys, COUNT(evidence_keys), &s->config->evidence);
}

static int read_retention(const struct source *s, const struct yaml_node *map, const struct yaml_key *key)
{
	if (map->kind != YAML_MAP)
		return yaml_key_wrong(&s->yaml, map, key, "a map with `messages`, `records` or both, in days");
	return read_map(s, map, retention_keys, COUNT(retention_keys), &s->config->retention);
}

static int read_site(const struct source *s, const struct yaml_node *node, const struct yaml_key *key)
{
	struct serve_config *config = s->config;
	struct site site;
	if (node->kind != YAML_MAP)
		return yaml_key_wrong(&s->yaml, node, key, "a list of maps with `host` and `origin`");
	config_site_init(&site, config);
	const struct yaml_node *host = yaml_get(node, "host"), *origin = yaml_get(node, "origin");
	site.place = yaml_place(host != NULL ? host : node, s->yaml.file, s->yaml.text);
	site.origin_place = yaml_place(origin != NULL ? origin : node, s->yaml.file, s->yaml.text);
	int r = read_map(s, node, site_keys, COUNT(site_keys), &site);
	if (r != 0)
		return r;
	if (site.hosts.count == 0 || site.origin.len == 0)
		return complain(s, yaml_place(node, s->yaml.file, s->yaml.text), key->hint, "a site needs `",
				site.hosts.count == 0 ? SLICE("host") : SLICE("origin"), "`");
	if ((site.certificate.len == 0) != (site.key.len == 0))
		return complain(s, yaml_place(node, s->yaml.file, s->yaml.text), "certificate and key go together",
				"a site needs `", site.key.len == 0 ? SLICE("key") : SLICE("certificate"), "` too");
	return config_site_add(config, &site);
}

static int read_sites(const struct source *s, const struct yaml_node *list, const struct yaml_key *key)
{
	int worst = 0;
	if (list->kind != YAML_LIST || list->count == 0)
		return yaml_key_wrong(&s->yaml, list, key, "a list of sites");
	for (const struct yaml_node *node = list->first; node != NULL && worst >= 0; node = node->next) {
		int r = read_site(s, node, key);
		worst = r != 0 ? r : worst;
	}
	return worst;
}

/* Of the keys at the top: what does not go with each other. */
static int check_together(const struct source *s, const struct yaml_node *root)
{
	const struct yaml_node *certificate = yaml_get(root, "certificate"), *key = yaml_get(root, "key");
	const struct yaml_node *tls = yaml_get(root, "listen_tls");
	if ((certificate == NULL) != (key == NULL))
		return complain(s, yaml_key_place(key == NULL ? certificate : key, s->yaml.file, s->yaml.text),
				"certificate and key go together", "`",
				key == NULL ? SLICE("key") : SLICE("certificate"), "` is missing");
	for (size_t i = 0; i < s->config->listen_tls.count; i++)
		if (endpoint_list_has(&s->config->listen, s->config->listen_tls.items[i]))
			return complain(s, yaml_place(tls, s->yaml.file, s->yaml.text), "TLS needs a port of its own",
					"`listen` has ", s->config->listen_tls.items[i], " too");
	return 0;
}

int config_parse(struct slice text, const char *file, struct diagnostics *diagnostics, struct serve_config *config)
{
	struct yaml_node *root = NULL;
	struct source source = {config, {file, text, config->arena, diagnostics}};
	config->file = file;
	int r = yaml_parse(text, file, config->arena, diagnostics, &root);
	if (r != 0)
		return r < 0 ? r : CONFIG_INVALID;
	if (root == NULL || root->kind != YAML_MAP)
		return complain(&source, (struct source_place){file, 1, 1, slice_make("", 0)}, top_keys[0].hint,
				"the configuration must be a map with `sites`", SLICE(""), "");
	/* What sites start from, wherever it stands. */
	const struct yaml_node *detect = yaml_get(root, "detect"), *https_only = yaml_get(root, "https_only");
	if (detect != NULL)
		(void)yaml_bool(detect, &config->detect);
	if (https_only != NULL)
		(void)yaml_bool(https_only, &config->https_only);
	r = read_map(&source, root, top_keys, COUNT(top_keys), config);
	return r != 0 ? r : check_together(&source, root);
}
