#include "watch/guard.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

enum { BANS_AT_ONCE = 512 };

int guard_begin(struct guard *guard, const char *directory, struct ban_register *bans, const struct intake *intake,
		const char **ret_what)
{
	*guard = (struct guard){.bans = bans, .intake = intake};
	*ret_what = "a thread";
	int r = searcher_start(&guard->searcher);
	return r != 0 || directory == NULL ? r : rule_register_open(directory, &guard->rules, ret_what);
}

void guard_end(struct guard *guard)
{
	searcher_stop(guard->searcher);
	rule_register_close(guard->rules);
	defence_free(guard->defence);
	*guard = (struct guard){0};
}

static struct defence_time time_of(struct ban_times now)
{
	return (struct defence_time){now.boot_ms, now.wall_ms};
}

static void say(void *context, struct defence_time now, const char *line)
{
	(void)context;
	(void)now;
	fprintf(stderr, "guia: watch: %s\n", line);
}

static bool key_is_known(struct guard *guard, struct ban_times now)
{
	struct hash_key key;
	if (guard->intake->directory < 0 || inbox_read_key(guard->intake->directory, &key) != 0)
		return guard->defence != NULL;
	if (guard->defence != NULL && key.k0 == guard->key.k0 && key.k1 == guard->key.k1)
		return true;
	struct defence *defence;
	if (defence_new(&key, time_of(now), &defence) != 0)
		return guard->defence != NULL;
	/* What is searched for is the old one's. */
	searcher_stop(guard->searcher);
	guard->searcher = NULL;
	defence_free(guard->defence);
	guard->defence = NULL;
	if (searcher_start(&guard->searcher) != 0) {
		defence_free(defence);
		return false;
	}
	defence_listen(defence, say, NULL);
	guard->defence = defence;
	guard->key = key;
	return true;
}

static void site_look(struct guard *guard, uint16_t number, const struct site_view *view)
{
	uint64_t gone = site_ended(&view->now) + view->now.abandoned;
	const struct defence_standing standing = {.slots = view->now.arrived > gone ? (double)(view->now.arrived - gone)
										    : 0};
	(void)defence_site(guard->defence, number, view->name);
	defence_stands(guard->defence, number, &standing);
}

void guard_look(struct guard *guard, const struct sites *sites, struct ban_times now)
{
	if (!key_is_known(guard, now))
		return;
	for (size_t i = 0; i < sites->count; i++)
		site_look(guard, (uint16_t)i, &sites->views[i]);
}

void guard_events(struct guard *guard, const struct sites *sites, unsigned box, const struct event *events,
		  size_t count)
{
	if (guard->defence != NULL)
		defence_events(guard->defence, sites->map[box], events, count);
}

static uint64_t hits(const void *context, uint32_t id)
{
	const struct guard *guard = context;
	return intake_hits(guard->intake, id);
}

void guard_tick(struct guard *guard, struct ban_times now)
{
	if (guard->defence == NULL)
		return;
	if (now.boot_ms / 1000 != guard->second)
		defence_hits(guard->defence, hits, guard);
	guard->second = now.boot_ms / 1000;
	defence_tick(guard->defence, time_of(now));
}

static void search(struct guard *guard)
{
	struct defence_search *done = searcher_take(guard->searcher), *wanted;
	if (done != NULL)
		defence_search_give(guard->defence, done);
	wanted = defence_search_take(guard->defence);
	if (wanted != NULL)
		searcher_give(guard->searcher, wanted);
}

static void publish(struct guard *guard, struct ban_times now)
{
	struct plan_rule plan[SIGNATURE_RULES_MOST];
	struct signature_rule rules[SIGNATURE_RULES_MOST];
	struct signature_content content = {.rules = rules};
	content.rule_count = defence_plan(guard->defence, plan, SIGNATURE_RULES_MOST);
	for (size_t i = 0; i < content.rule_count; i++)
		rules[i] = (struct signature_rule){.id = plan[i].id,
						   .site = slice_from_string(plan[i].site),
						   .why = slice_from_string(plan[i].why),
						   .signature = *plan[i].signature};
	int r = rule_register_publish(guard->rules, &content, defence_version(guard->defence), now.boot_ms);
	if (r != guard->rules_told && r != 0)
		fprintf(stderr, "guia: watch: signatures cannot be written: %s; what the gate has holds\n",
			strerror(-r));
	guard->rules_told = r;
}

void guard_carry_out(struct guard *guard, struct ban_times now)
{
	struct plan_ban bans[BANS_AT_ONCE];
	if (guard->defence == NULL)
		return;
	search(guard);
	size_t count = defence_bans_take(guard->defence, bans, BANS_AT_ONCE);
	for (size_t i = 0; i < count && guard->bans != NULL; i++)
		(void)ban_register_punish(guard->bans, &bans[i].prefix, bans[i].id, now);
	if (guard->rules != NULL)
		publish(guard, now);
}
