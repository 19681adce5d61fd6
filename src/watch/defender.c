/*
 * Told as events come, carried out at the end of each turn: jobs, bans, what is kept for the next watch, then rules.
 * One job at a time goes to the thread, and a search goes before a file. Another key makes another defence, of the
 * files that were kept.
 */
#include "watch/defender.h"

#include "base/error.h"
#include "base/file.h"
#include "limit/ban_files.h"
#include "watch/upstream.h"
#include "watch/witness.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	BANS_AT_ONCE = 512,
	REMEMBER_FIRST_MS = 30 * 1000,
	REMEMBER_MS = 10 * 60 * 1000,
	KEEP_MS = 5 * 1000, /* while anything is on */
	FULL_SAID_EACH_MS = 60 * 1000,
	RETRY_MS = 1000,
	EPISODES_FILE_BYTES = 16 << 20,
};

/* ---- jobs ---- */

struct defender_job {
	struct defence_search *search; /* a search, or ... */
	struct buffer memory;          /* ... what is to be written */
	const char *path;
	int result;
};

static void job_run(void *context)
{
	struct defender_job *job = context;
	if (job->search != NULL)
		defence_search_run(job->search);
	else
		job->result = file_replace(job->path, buffer_slice(&job->memory), 0600);
}

static void job_free(struct defender_job *job)
{
	if (job == NULL)
		return;
	defence_search_free(job->search);
	buffer_free(&job->memory);
	free(job);
}

static void say_fault(struct defender *defender, const char *path, int error)
{
	if (error != 0 && error != defender->told)
		fprintf(stderr, "guia: watch: %s: %s\n", path, strerror(-error));
	defender->told = error;
}

static void job_give(struct defender *defender, struct defender_job job)
{
	defender->job = malloc(sizeof(job));
	if (defender->job == NULL) {
		if (job.search != NULL)
			job.search->result = -ENOMEM;
		if (job.search != NULL)
			defence_search_give(defender->defence, job.search);
		buffer_free(&job.memory);
		return;
	}
	*defender->job = job;
	background_give(defender->background, job_run, defender->job);
}

static void job_take(struct defender *defender)
{
	struct defender_job *done = background_take(defender->background);
	if (done == NULL)
		return;
	defender->job = NULL;
	if (done->search != NULL)
		defence_search_give(defender->defence, done->search);
	else
		say_fault(defender, done->path, done->result);
	done->search = NULL;
	job_free(done);
}

/* ---- beginning and end ---- */

static int paths_make(struct defender *defender, const char *directory)
{
	int a = snprintf(defender->memory, PATH_MAX, "%s/%s", directory, DEFENDER_MEMORY_FILE);
	int b = snprintf(defender->episodes, PATH_MAX, "%s/%s", directory, DEFENDER_EPISODES_FILE);
	return a >= PATH_MAX || b >= PATH_MAX ? -ENAMETOOLONG : image_boot_read(defender->boot);
}

/* A watch that was killed while it wrote a file left it unnamed. */
static void sweep(const char *directory)
{
	static const char *const names[] = {DEFENDER_MEMORY_FILE, DEFENDER_EPISODES_FILE, SIGNATURE_IMAGE_FILE,
					    BAN_BASE_FILE,        BAN_DELTA_FILE,         MODE_RECORDS_FILE};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char pattern[PATH_MAX];
		glob_t found = {0};
		if (snprintf(pattern, sizeof(pattern), "%s/%s.??????", directory, names[i]) >= (int)sizeof(pattern))
			continue;
		(void)glob(pattern, GLOB_NOSORT, NULL, &found);
		for (size_t at = 0; at < found.gl_pathc; at++)
			(void)unlink(found.gl_pathv[at]);
		globfree(&found);
	}
}

int defender_begin(struct defender *defender, const char *directory, const char *record, struct ban_register *bans,
		   const struct intake *intake, const char **ret_what)
{
	*defender = (struct defender){.bans = bans, .intake = intake};
	*ret_what = record;
	int r = recorder_open(&defender->recorder, record);
	if (r != 0)
		return r;
	*ret_what = "a thread";
	r = background_start(&defender->background);
	if (r != 0 || directory == NULL)
		return r;
	*ret_what = directory;
	r = paths_make(defender, directory);
	sweep(directory);
	return r != 0 ? r : rule_register_open(directory, &defender->rules, ret_what);
}

/* Of a time of quiet: an episode may have been learned of only just now. */
static bool remember(struct defender *defender, struct buffer *ret_bytes)
{
	*ret_bytes = buffer_make(NULL);
	return defender->memory[0] != '\0' && defence_is_calm(defender->defence) &&
	       defence_remember(defender->defence, ret_bytes) == 0;
}

void defender_end(struct defender *defender)
{
	struct buffer bytes;
	job_free(background_stop(defender->background));
	if (defender->defence != NULL && remember(defender, &bytes)) {
		say_fault(defender, defender->memory, file_replace(defender->memory, buffer_slice(&bytes), 0600));
		buffer_free(&bytes);
	}
	recorder_flush(&defender->recorder);
	recorder_close(&defender->recorder);
	rule_register_close(defender->rules);
	defence_free(defender->defence);
	*defender = (struct defender){0};
}

static struct defence_time time_of(struct ban_times now)
{
	return (struct defence_time){now.boot_ms, now.wall_ms};
}

static void say(void *context, struct defence_time now, const struct defence_news *news)
{
	const struct defender *defender = context;
	(void)now;
	fprintf(stderr, "guia: watch: %s\n", news->line);
	witness_decided(defender->witness, news);
	if (defender->said != NULL)
		defender->said(defender->said_context, news->line);
}

static void recall(struct defender *defender, struct defence *defence)
{
	struct buffer bytes = buffer_make(NULL);
	int r = file_read(defender->memory, TRAFFIC_MEMORY_BYTES, &bytes);
	enum traffic_memory_fault fault = r == 0 ? defence_recall(defence, &bytes) : TRAFFIC_MEMORY_GOOD;
	if ((r != 0 && r != -ENOENT) || fault != TRAFFIC_MEMORY_GOOD)
		fprintf(stderr, "guia: watch: %s: %s; what is normal is learned anew\n", defender->memory,
			r != 0 ? strerror(-r) : traffic_memory_fault_text(fault));
	buffer_free(&bytes);
}

static void restore(struct defender *defender, struct defence *defence)
{
	struct buffer bytes = buffer_make(NULL);
	int r = file_read(defender->episodes, EPISODES_FILE_BYTES, &bytes);
	enum image_fault fault = r == 0 ? defence_restore(defence, buffer_slice(&bytes), defender->boot) : IMAGE_GOOD;
	if ((r != 0 && r != -ENOENT) || (fault != IMAGE_GOOD && fault != IMAGE_BOOT))
		fprintf(stderr, "guia: watch: %s: %s; what it says is not taken\n", defender->episodes,
			r != 0 ? strerror(-r) : image_fault_text(fault));
	buffer_free(&bytes);
}

/* What is searched for is the old one's. */
static int defence_replace(struct defender *defender, struct defence *defence)
{
	job_free(background_stop(defender->background));
	defender->background = NULL;
	defender->job = NULL;
	defence_free(defender->defence);
	defender->defence = NULL;
	int r = background_start(&defender->background);
	if (r == 0)
		defender->defence = defence;
	else
		defence_free(defence);
	return r;
}

/* With what had been learned, which is less than what is told from now on. */
static void record_begin(struct defender *defender, struct defence *defence, struct ban_times now)
{
	struct buffer learned = buffer_make(NULL);
	if (!recorder_is_on(&defender->recorder))
		return;
	(void)defence_remember(defence, &learned);
	recording_begin(&defender->key, time_of(now), buffer_slice(&learned), &defender->recorder.pending);
	recording_spared(defender->spared, defender->spared_count, &defender->recorder.pending);
	buffer_free(&learned);
}

static bool key_is_known(struct defender *defender, struct ban_times now)
{
	struct hash_key key;
	struct defence *defence;
	if (defender->intake->directory < 0 || inbox_read_key(defender->intake->directory, &key) != 0)
		return defender->defence != NULL;
	if (defender->defence != NULL && key.k0 == defender->key.k0 && key.k1 == defender->key.k1)
		return true;
	if (defence_new(&key, time_of(now), &defence) != 0)
		return defender->defence != NULL;
	if (defence_spare(defence, defender->spared, defender->spared_count) != 0) {
		defence_free(defence);
		return defender->defence != NULL;
	}
	defence_listen(defence, say, defender);
	if (defender->memory[0] != '\0') {
		recall(defender, defence);
		restore(defender, defence);
	}
	defender->key = key;
	record_begin(defender, defence, now);
	defender->remember_pause_ms = REMEMBER_FIRST_MS;
	defender->remember_ms = now.boot_ms + REMEMBER_FIRST_MS;
	return defence_replace(defender, defence) == 0;
}

/* ---- what is told ---- */

/* What connections do is known of the gate, and not of a site: it stands with what belongs to none, as slow heads do.
 */
static void site_look(struct defender *defender, uint16_t number, const struct site_view *view,
		      const struct connection_sums *connections)
{
	static const enum connection_state states[] = {STATE_READING_HEADER, STATE_READING_BODY, STATE_WAITING,
						       STATE_WRITING};
	uint64_t gone = site_ended(&view->now) + view->now.abandoned;
	struct defence_standing standing = {0};
	/* Where requests wait: a site's for a slot of its origin, the gate's for an answer. */
	enum { STANDING_WAITING = TRAFFIC_WAITING - TRAFFIC_READING_HEADER };
	standing.slots = view->now.arrived > gone ? (double)(view->now.arrived - gone) : 0;
	if (view->load.at_most > 0) {
		standing.slots = (double)view->load.in_use;
		standing.slots_at_most = (double)view->load.at_most;
		standing.states[STANDING_WAITING] = (double)view->load.waiting;
	}
	if (view->name[0] == '\0') {
		for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
			standing.states[i] = (double)connections->now[states[i]];
		standing.connections_at_most = (double)connections->at_most;
		standing.shed = (double)connection_sums_shed(connections);
	}
	(void)defence_site(defender->defence, number, view->name);
	defence_stands(defender->defence, number, &standing);
	if (!recorder_is_on(&defender->recorder))
		return;
	recording_site(number, view->name, &defender->recorder.pending);
	recording_stands(number, &standing, &defender->recorder.pending);
}

void defender_look(struct defender *defender, const struct sites *sites, struct ban_times now)
{
	if (!key_is_known(defender, now))
		return;
	for (size_t i = 0; i < sites->count; i++)
		site_look(defender, (uint16_t)i, &sites->views[i], &sites->connections);
}

void defender_connections(struct defender *defender, const struct sites *sites)
{
	if (defender->defence == NULL)
		return;
	for (size_t i = 0; i < sites->count; i++)
		if (sites->views[i].name[0] == '\0' || sites->views[i].load.at_most > 0)
			site_look(defender, (uint16_t)i, &sites->views[i], &sites->connections);
}

void defender_packets(struct defender *defender, const struct defence_packets *packets)
{
	if (defender->defence == NULL)
		return;
	if (recorder_is_on(&defender->recorder))
		recording_packets(packets, &defender->recorder.pending);
	defence_packets(defender->defence, packets);
}

void defender_events(struct defender *defender, const struct sites *sites, unsigned box, const struct event *events,
		     size_t count)
{
	if (defender->defence == NULL)
		return;
	if (recorder_is_on(&defender->recorder))
		recording_events(sites->map[box], events, count, &defender->recorder.pending);
	defence_events(defender->defence, sites->map[box], events, count);
}

static uint64_t hits(const void *context, uint32_t id)
{
	const struct defender *defender = context;
	return intake_hits(defender->intake, id) + (defender->edge != NULL ? edge_bans_hits(defender->edge, id) : 0);
}

void defender_tick(struct defender *defender, struct ban_times now)
{
	if (defender->defence == NULL)
		return;
	if (now.boot_ms / 1000 != defender->second)
		defence_hits(defender->defence, hits, defender);
	defender->second = now.boot_ms / 1000;
	if (recorder_is_on(&defender->recorder))
		recording_time(time_of(now), &defender->recorder.pending);
	defence_tick(defender->defence, time_of(now));
}

bool defender_is_calm(const struct defender *defender)
{
	return defender->defence != NULL && defence_is_calm(defender->defence);
}

/* ---- what is done ---- */

static void work(struct defender *defender, struct ban_times now)
{
	struct buffer bytes;
	job_take(defender);
	if (defender->job != NULL)
		return;
	struct defence_search *wanted = defence_search_take(defender->defence);
	if (wanted != NULL) {
		job_give(defender, (struct defender_job){.search = wanted, .memory = buffer_make(NULL)});
	} else if (now.boot_ms >= defender->remember_ms && defence_is_calm(defender->defence)) {
		defender->remember_pause_ms *= defender->remember_pause_ms < REMEMBER_MS ? 2 : 1;
		defender->remember_ms = now.boot_ms + defender->remember_pause_ms;
		if (remember(defender, &bytes))
			job_give(defender, (struct defender_job){.memory = bytes, .path = defender->memory});
	}
}

/* For the next watch, should this one be killed. */
static void keep(struct defender *defender, struct ban_times now)
{
	uint64_t state = defence_state(defender->defence);
	bool is_due = state != defender->kept_state ||
		      (now.boot_ms - defender->kept_ms >= KEEP_MS && !defence_is_calm(defender->defence));
	struct buffer bytes = buffer_make(NULL);
	bool failed = defender->told != 0 && now.boot_ms - defender->kept_ms < RETRY_MS;
	if (defender->episodes[0] == '\0' || !is_due || failed)
		return;
	defender->kept_ms = now.boot_ms;
	int r = defence_keep(defender->defence, defender->boot, &bytes);
	r = r != 0 ? r : file_replace_volatile(defender->episodes, buffer_slice(&bytes), 0600);
	if (r == 0)
		defender->kept_state = state;
	say_fault(defender, defender->episodes, r);
	buffer_free(&bytes);
}

static void publish(struct defender *defender, struct ban_times now)
{
	struct plan_rule plan[SIGNATURE_RULES_MOST];
	struct signature_rule rules[SIGNATURE_RULES_MOST];
	struct site_mode_rule modes[SITE_MODES_MOST];
	struct signature_content content = {.rules = rules, .modes = modes};
	uint64_t version = defence_version(defender->defence);
	content.rule_count = defence_plan(defender->defence, plan, SIGNATURE_RULES_MOST);
	for (size_t i = 0; i < content.rule_count; i++)
		rules[i] = (struct signature_rule){.id = plan[i].id,
						   .site = slice_from_string(plan[i].site),
						   .why = slice_from_string(plan[i].why),
						   .signature = *plan[i].signature};
	content.shed_until_ms = defence_sheds(defender->defence) ? now.boot_ms : 0;
	if (defender->modes != NULL) {
		content.mode_count = mode_register_rules(defender->modes, now, modes);
		version += mode_register_version(defender->modes);
	}
	int r = rule_register_publish(defender->rules, &content, version, now.boot_ms);
	if (r != 0)
		say_fault(defender, SIGNATURE_IMAGE_FILE, r);
}

static void banned(struct defender *defender, const struct plan_ban *ban, struct ban_times now)
{
	struct ban_entry entry;
	bool known = ban_register_said(defender->bans, &ban->prefix, BAN_AUTOMATIC, now, &entry);
	uint64_t until_ms =
		known && entry.expires_ms != BAN_FOR_EVER ? now.wall_ms + entry.expires_ms - now.boot_ms : 0;
	upstream_banned(defender->upstream, &ban->prefix, ban->id);
	witness_banned(defender->witness, &ban->prefix, ban->id, until_ms);
}

/* Whoever reads that bans are in force must not think that all are; and not read it a thousand times. */
static void say_full(struct defender *defender, struct ban_times now)
{
	if (now.boot_ms < defender->full_ms)
		return;
	defender->full_ms = now.boot_ms + FULL_SAID_EACH_MS;
	char line[128];
	snprintf(line, sizeof(line), "%zu prefixes are banned or allowed already: there is no place for more bans",
		 ban_register_count(defender->bans, now));
	fprintf(stderr, "guia: watch: %s\n", line);
	if (defender->said != NULL)
		defender->said(defender->said_context, line);
}

void defender_carry_out(struct defender *defender, struct ban_times now)
{
	struct plan_ban bans[BANS_AT_ONCE];
	if (defender->defence == NULL)
		return;
	recorder_flush(&defender->recorder);
	work(defender, now);
	size_t count = defence_bans_take(defender->defence, bans, BANS_AT_ONCE), placeless = 0;
	for (size_t i = 0; i < count && defender->bans != NULL; i++) {
		struct ban_entry had;
		if (ban_register_said(defender->bans, &bans[i].prefix, BAN_AUTOMATIC, now, &had))
			continue;
		int r = ban_register_punish(defender->bans, &bans[i].prefix, bans[i].id, now);
		if (r == 0)
			banned(defender, &bans[i], now);
		placeless += r == BAN_ORDER_FULL;
	}
	if (placeless > 0)
		say_full(defender, now);
	keep(defender, now);
	if (defender->rules != NULL)
		publish(defender, now);
}
