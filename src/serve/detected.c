/*
 * A JSON record a line, by Jansson, summed up in an object. For a site's line the rules with most requests are taken
 * out of it one by one.
 */
#include "serve/detected.h"

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	RULES_SHOWN = 5,
};

/* Rules that only add up what others found. */
static bool only_adds_up(const char *id)
{
	static const char *const files[] = {"949", "959", "980"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strncmp(id, files[i], 3) == 0)
			return true;
	return false;
}

static void add_one(json_t *counts, const char *name)
{
	json_int_t count = json_integer_value(json_object_get(counts, name));
	json_object_set_new(counts, name, json_integer(count + 1));
}

/* Once a rule and request, however often it matched. */
static void count_rules(json_t *messages, json_t *rules)
{
	json_t *seen = json_object(), *message;
	size_t i;
	json_array_foreach(messages, i, message)
	{
		const char *id = json_string_value(json_object_get(json_object_get(message, "details"), "ruleId"));
		if (id == NULL || only_adds_up(id) || json_object_get(seen, id) != NULL)
			continue;
		json_object_set_new(seen, id, json_true());
		add_one(rules, id);
	}
	json_decref(seen);
}

/* `sites` is {SITE: {"requests": N, "rules": {ID: N}}}. */
static void count_record(const json_t *record, json_t *sites)
{
	json_t *transaction = json_object_get(record, "transaction");
	json_t *ours = json_object_get(record, "guia");
	if (ours == NULL)
		ours = json_object_get(transaction, "guia");
	const char *name = json_string_value(json_object_get(ours, "site"));
	if (name == NULL || !json_is_true(json_object_get(ours, "would_block")))
		return;
	json_t *site = json_object_get(sites, name);
	if (site == NULL) {
		site = json_pack("{s:i, s:{}}", "requests", 0, "rules");
		json_object_set_new(sites, name, site);
	}
	add_one(site, "requests");
	count_rules(json_object_get(transaction, "messages"), json_object_get(site, "rules"));
}

/* The rule with the most requests; it is taken out. */
static bool take_most(json_t *rules, char id[32], json_int_t *ret_count)
{
	const char *name;
	json_t *count;
	*ret_count = 0;
	json_object_foreach(rules, name, count)
	{
		if (json_integer_value(count) <= *ret_count)
			continue;
		*ret_count = json_integer_value(count);
		snprintf(id, 32, "%s", name);
	}
	if (*ret_count > 0)
		json_object_del(rules, id);
	return *ret_count > 0;
}

static void say_site(const char *name, json_t *site, const struct notice *notice)
{
	struct buffer list = buffer_make(NULL);
	json_t *rules = json_object_get(site, "rules");
	char id[32];
	json_int_t count, requests = json_integer_value(json_object_get(site, "requests"));
	for (int i = 0; i < RULES_SHOWN && take_most(rules, id, &count); i++)
		buffer_printf(&list, "%s rule %s in %lld", i > 0 ? "," : "", id, (long long)count);
	if (json_object_size(rules) > 0)
		buffer_printf(&list, ", and %zu more rules", json_object_size(rules));
	notice_say(notice, "detect: %s would have blocked %lld request%s:%.*s", name, (long long)requests,
		   requests == 1 ? "" : "s", SLICE_ARG(buffer_slice(&list)));
	buffer_free(&list);
}

int detected_say(const char *audit_log, const struct notice *notice)
{
	FILE *file = fopen(audit_log, "re");
	if (file == NULL)
		return errno == ENOENT ? 0 : -errno;
	json_t *sites = json_object(), *site;
	const char *name;
	char *line = NULL;
	size_t capacity = 0;
	for (ssize_t len; (len = getline(&line, &capacity, file)) > 0;) {
		json_t *record = json_loadb(line, (size_t)len, 0, NULL);
		count_record(record, sites);
		json_decref(record);
	}
	free(line);
	fclose(file);
	json_object_foreach(sites, name, site)
	{
		say_site(name, site, notice);
	}
	json_decref(sites);
	return 0;
}
