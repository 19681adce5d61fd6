/* The watch beside the gate. */
#include "serve/companion.h"

#include "base/error.h"
#include "base/vector.h"
#include "serve/digests.h"
#include "serve/evidence_place.h"
#include "serve/process.h"
#include "serve/targets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 16 << 20 };

/* Words of a command, the NULL behind them included once it is started. The first error stays. */
struct words {
	const char **items;
	size_t count;
	size_t room;
	struct arena arena; /* of copies */
	int error;
};

static void add(struct words *words, const char *word)
{
	if (words->error == 0)
		words->error = vector_grow((void **)&words->items, &words->room, words->count, sizeof(*words->items));
	if (words->error == 0)
		words->items[words->count++] = word;
}

static void add_option(struct words *words, const char *option, struct slice value)
{
	const char *copy = arena_string(&words->arena, value);
	words->error = words->error == 0 && copy == NULL ? -ENOMEM : words->error;
	add(words, option);
	add(words, copy);
}

/* What was not said is left to the watch. */
static void add_said(struct words *words, const char *option, struct slice value)
{
	if (value.len > 0)
		add_option(words, option, value);
}

static void add_list(struct words *words, const char *option, const struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		add_option(words, option, list->items[i]);
}

static void add_number(struct words *words, const char *option, int64_t number)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64, number);
	add_option(words, option, slice_make(text, (size_t)len));
}

/* The link; and where there are operators, their keeper and what is to be protected. */
static void add_upstream(struct words *words, const struct serve_config *config)
{
	if (config->link_mbit > 0)
		add_number(words, "--link-mbit", config->link_mbit);
	add_said(words, "--link-interface", config->link_interface);
	if (config->operators.count == 0)
		return;
	add_option(words, "--upstream", config_upstream_dir(config));
	add_list(words, "--address", &config->addresses);
}

/* Where evidence is kept, if not in the folder of bans; and what it shall say that the gate goes by. */
static void add_evidence(struct words *words, const struct serve_config *config, const struct text_list *digests)
{
	add_said(words, "--evidence", config->evidence.folder);
	add_said(words, "--authority", config->evidence.authority);
	add_said(words, "--export-certificate", config->evidence.certificate);
	add_number(words, "--keep-messages", config->retention.messages);
	add_number(words, "--keep-records", config->retention.records);
	add_list(words, "--digest", digests);
}

static void add_place(struct words *words, const struct run_dir *dir)
{
	const char *user = run_dir_watch_user(dir);
	const char *const place[] = {"/proc/self/exe", "watch", "--run-dir", dir->path, "--events", dir->events.path};
	for (size_t i = 0; i < sizeof(place) / sizeof(place[0]); i++)
		add(words, place[i]);
	if (user != NULL)
		add_option(words, "--user", slice_from_string(user));
	add_said(words, "--bans", slice_from_string(dir->bans));
}

static int start(const struct serve_config *config, const struct serve_parts *parts, const struct run_dir *dir,
		 pid_t *ret_pid, int *ret_words)
{
	struct words words = {.items = NULL};
	struct text_list targets = {.arena = &words.arena}, digests = {.arena = &words.arena};
	arena_init(&words.arena, ARENA_BYTES, 0);
	int r = targets_list(config, &targets);
	r = r != 0 ? r : digests_list(config, parts, dir, &digests);
	(void)evidence_place_make(config, dir); /* the watch says what is wrong with it */
	add_place(&words, dir);
	add_upstream(&words, config);
	add_evidence(&words, config, &digests);
	add_list(&words, "--probe", &targets);
	add_list(&words, "--home", &config->home_networks);
	add_list(&words, "--home-country", &config->home_countries);
	add_list(&words, "--home-list", &config->home_lists);
	add_list(&words, "--proxy", &config->trusted_proxies);
	add(&words, NULL);
	r = r != 0 ? r : words.error;
	r = r != 0 ? r : process_start_telling(words.items, COMPANION_LOOK_MS, ret_pid, ret_words);
	free(words.items);
	arena_destroy(&words.arena);
	return r;
}

/* Where the gate is off, or tells nothing, there is nothing to watch. */
static bool is_wanted(const struct serve_config *config, const struct run_dir *dir)
{
	return !config->gate_off && dir->events.path[0] != '\0';
}

const struct companion_kind companion_watch = {"watch", "control", is_wanted, start};
