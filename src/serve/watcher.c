/* The watch beside the gate. */
#include "serve/companion.h"

#include "base/error.h"
#include "serve/digests.h"
#include "serve/evidence_place.h"
#include "serve/process.h"
#include "serve/targets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 28 }; /* of the command, without the sites */

static int add_word(struct arena *arena, const char *option, struct slice value, const char **words, size_t *count)
{
	words[(*count)++] = option;
	words[(*count)++] = arena_string(arena, value);
	return words[*count - 1] == NULL ? -ENOMEM : 0;
}

/* The link; and where there are operators, their keeper and what is to be protected. */
static int add_upstream(const struct serve_config *config, struct arena *arena, const char **words, size_t *count)
{
	char number[32];
	int r = 0;
	snprintf(number, sizeof(number), "%lld", (long long)config->link_mbit);
	if (r == 0 && config->link_mbit > 0)
		r = add_word(arena, "--link-mbit", slice_from_string(number), words, count);
	if (r == 0 && config->link_interface.len > 0)
		r = add_word(arena, "--link-interface", config->link_interface, words, count);
	if (config->operators.count == 0)
		return r;
	r = r != 0 ? r : add_word(arena, "--upstream", config_upstream_dir(config), words, count);
	for (size_t i = 0; r == 0 && i < config->addresses.count; i++)
		r = add_word(arena, "--address", config->addresses.items[i], words, count);
	return r;
}

static int add_homes(const struct serve_config *config, struct arena *arena, const char **words, size_t *count)
{
	const struct {
		const char *option;
		const struct text_list *list;
	} kinds[] = {{"--home", &config->home_networks},
		     {"--home-country", &config->home_countries},
		     {"--home-list", &config->home_lists}};
	int r = 0;
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
		for (size_t i = 0; r == 0 && i < kinds[kind].list->count; i++)
			r = add_word(arena, kinds[kind].option, kinds[kind].list->items[i], words, count);
	return r;
}

static int add_days(struct arena *arena, const char *option, int64_t days, const char **words, size_t *count)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64, days);
	return add_word(arena, option, slice_make(text, (size_t)len), words, count);
}

/* Where evidence is kept, if not in the folder of bans; and what it shall say that the gate goes by. */
static int add_evidence(const struct serve_config *config, const struct run_dir *dir, const struct text_list *digests,
			struct arena *arena, const char **words, size_t *count)
{
	int r = 0;
	if (config->evidence.folder.len > 0) {
		(void)evidence_place_make(config, dir); /* the watch says what is wrong with it */
		r = add_word(arena, "--evidence", config->evidence.folder, words, count);
	}
	if (r == 0 && config->evidence.authority.len > 0)
		r = add_word(arena, "--authority", config->evidence.authority, words, count);
	if (r == 0 && config->evidence.certificate.len > 0)
		r = add_word(arena, "--export-certificate", config->evidence.certificate, words, count);
	if (r == 0)
		r = add_days(arena, "--keep-messages", config->retention.messages, words, count);
	if (r == 0)
		r = add_days(arena, "--keep-records", config->retention.records, words, count);
	for (size_t i = 0; r == 0 && i < digests->count; i++)
		r = add_word(arena, "--digest", digests->items[i], words, count);
	return r;
}

static int start(const struct serve_config *config, const struct serve_parts *parts, const struct run_dir *dir,
		 pid_t *ret_pid)
{
	struct arena arena;
	arena_init(&arena, 16 << 20, 0);
	struct text_list targets = {.arena = &arena}, digests = {.arena = &arena};
	size_t count = 0;
	int r = targets_list(config, &targets);
	r = r != 0 ? r : digests_list(config, parts, dir, &digests);
	size_t most = WORDS +
		      2 * (targets.count + digests.count + config->trusted_proxies.count + config->home_networks.count +
			   config->home_countries.count + config->home_lists.count + config->addresses.count);
	const char **words = r == 0 ? calloc(most, sizeof(*words)) : NULL;
	if (words == NULL) {
		arena_destroy(&arena);
		return -ENOMEM;
	}
	const char *const first[] = {"/proc/self/exe", "watch", "--run-dir", dir->path, "--events", dir->events.path};
	for (; count < sizeof(first) / sizeof(first[0]); count++)
		words[count] = first[count];
	if (run_dir_watch_user(dir) != NULL) {
		words[count++] = "--user";
		words[count++] = run_dir_watch_user(dir);
	}
	if (dir->bans[0] != '\0') {
		words[count++] = "--bans";
		words[count++] = dir->bans;
	}
	r = add_upstream(config, &arena, words, &count);
	r = r != 0 ? r : add_evidence(config, dir, &digests, &arena, words, &count);
	for (size_t i = 0; i < targets.count; i++) {
		words[count++] = "--probe";
		words[count++] = arena_string(&arena, targets.items[i]);
		r = words[count - 1] == NULL ? -ENOMEM : r;
	}
	r = r != 0 ? r : add_homes(config, &arena, words, &count);
	for (size_t i = 0; i < config->trusted_proxies.count; i++) {
		words[count++] = "--proxy";
		words[count++] = arena_string(&arena, config->trusted_proxies.items[i]);
		r = words[count - 1] == NULL ? -ENOMEM : r;
	}
	r = r != 0 ? r : process_start(words, ret_pid);
	free(words);
	arena_destroy(&arena);
	return r;
}

/* Where the gate is off, or tells nothing, there is nothing to watch. */
static bool is_wanted(const struct serve_config *config, const struct run_dir *dir)
{
	return !config->gate_off && dir->events.path[0] != '\0';
}

const struct companion_kind companion_watch = {"watch", "control", is_wanted, start};
