#include "watch/guard.h"

#include "base/error.h"
#include "base/file.h"
#include "limit/ban_files.h"
#include "watch/upstream.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	BANS_AT_ONCE = 512,
	REMEMBER_FIRST_MS = 30 * 1000,
	REMEMBER_MS = 10 * 60 * 1000,
	KEEP_MS = 5 * 1000, /* while anything is on */
	RETRY_MS = 1000,
	INCIDENT_FILE_BYTES = 16 << 20,
};

/* ---- jobs ---- */

struct guard_job {
	struct defence_search *search; /* a search, or ... */
	struct buffer memory;          /* ... what is to be written */
	const char *path;
	int result;
};

static void job_run(void *context)
{
	struct guard_job *job = context;
	if (job->search != NULL)
		defence_search_run(job->search);
	else
		job->result = file_replace(job->path, buffer_slice(&job->memory), 0600);
}

static void job_free(struct guard_job *job)
{
	if (job == NULL)
		return;
	defence_search_free(job->search);
	buffer_free(&job->memory);
	free(job);
}

static void say_fault(struct guard *guard, const char *path, int error)
{
	if (error != 0 && error != guard->told)
		fprintf(stderr, "guia: watch: %s: %s\n", path, strerror(-error));
	guard->told = error;
}

static void job_give(struct guard *guard, struct guard_job job)
{
	guard->job = malloc(sizeof(job));
	if (guard->job == NULL) {
		if (job.search != NULL)
			job.search->result = -ENOMEM;
		if (job.search != NULL)
			defence_search_give(guard->defence, job.search);
		buffer_free(&job.memory);
		return;
	}
	*guard->job = job;
	background_give(guard->background, job_run, guard->job);
}

static void job_take(struct guard *guard)
{
	struct guard_job *done = background_take(guard->background);
	if (done == NULL)
		return;
	guard->job = NULL;
	if (done->search != NULL)
		defence_search_give(guard->defence, done->search);
	else
		say_fault(guard, done->path, done->result);
	done->search = NULL;
	job_free(done);
}

/* ---- beginning and end ---- */

static int paths_make(struct guard *guard, const char *directory)
{
	int a = snprintf(guard->memory, PATH_MAX, "%s/%s", directory, GUARD_MEMORY_FILE);
	int b = snprintf(guard->incidents, PATH_MAX, "%s/%s", directory, GUARD_INCIDENT_FILE);
	return a >= PATH_MAX || b >= PATH_MAX ? -ENAMETOOLONG : image_boot_read(guard->boot);
}

/* A watch that was killed while it wrote a file left it unnamed. */
static void sweep(const char *directory)
{
	static const char *const names[] = {GUARD_MEMORY_FILE, GUARD_INCIDENT_FILE, SIGNATURE_IMAGE_FILE,
					    BAN_BASE_FILE,     BAN_DELTA_FILE,      MODE_RECORDS_FILE};
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

int guard_begin(struct guard *guard, const char *directory, const char *record, struct ban_register *bans,
		const struct intake *intake, const char **ret_what)
{
	*guard = (struct guard){.bans = bans, .intake = intake};
	*ret_what = record;
	int r = recorder_open(&guard->recorder, record);
	if (r != 0)
		return r;
	*ret_what = "a thread";
	r = background_start(&guard->background);
	if (r != 0 || directory == NULL)
		return r;
	*ret_what = directory;
	r = paths_make(guard, directory);
	sweep(directory);
	return r != 0 ? r : rule_register_open(directory, &guard->rules, ret_what);
}

/* Of a time of quiet: an incident may have been learned of only just now. */
static bool remember(struct guard *guard, struct buffer *ret_bytes)
{
	*ret_bytes = buffer_make(NULL);
	return guard->memory[0] != '\0' && defence_is_calm(guard->defence) &&
	       defence_remember(guard->defence, ret_bytes) == 0;
}

void guard_end(struct guard *guard)
{
	struct buffer bytes;
	job_free(background_stop(guard->background));
	if (guard->defence != NULL && remember(guard, &bytes)) {
		say_fault(guard, guard->memory, file_replace(guard->memory, buffer_slice(&bytes), 0600));
		buffer_free(&bytes);
	}
	recorder_flush(&guard->recorder);
	recorder_close(&guard->recorder);
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

static void recall(struct guard *guard, struct defence *defence)
{
	struct buffer bytes = buffer_make(NULL);
	int r = file_read(guard->memory, TRAFFIC_MEMORY_BYTES, &bytes);
	enum traffic_memory_fault fault = r == 0 ? defence_recall(defence, &bytes) : TRAFFIC_MEMORY_GOOD;
	if ((r != 0 && r != -ENOENT) || fault != TRAFFIC_MEMORY_GOOD)
		fprintf(stderr, "guia: watch: %s: %s; what is normal is learned anew\n", guard->memory,
			r != 0 ? strerror(-r) : traffic_memory_fault_text(fault));
	buffer_free(&bytes);
}

static void restore(struct guard *guard, struct defence *defence)
{
	struct buffer bytes = buffer_make(NULL);
	int r = file_read(guard->incidents, INCIDENT_FILE_BYTES, &bytes);
	enum image_fault fault = r == 0 ? defence_restore(defence, buffer_slice(&bytes), guard->boot) : IMAGE_GOOD;
	if ((r != 0 && r != -ENOENT) || (fault != IMAGE_GOOD && fault != IMAGE_BOOT))
		fprintf(stderr, "guia: watch: %s: %s; what it says is not taken\n", guard->incidents,
			r != 0 ? strerror(-r) : image_fault_text(fault));
	buffer_free(&bytes);
}

/* What is searched for is the old one's. */
static int defence_replace(struct guard *guard, struct defence *defence)
{
	job_free(background_stop(guard->background));
	guard->background = NULL;
	guard->job = NULL;
	defence_free(guard->defence);
	guard->defence = NULL;
	int r = background_start(&guard->background);
	if (r == 0)
		guard->defence = defence;
	else
		defence_free(defence);
	return r;
}

/* With what had been learned, which is less than what is told from now on. */
static void record_begin(struct guard *guard, struct defence *defence, struct ban_times now)
{
	struct buffer learned = buffer_make(NULL);
	if (!recorder_is_on(&guard->recorder))
		return;
	(void)defence_remember(defence, &learned);
	recording_begin(&guard->key, time_of(now), buffer_slice(&learned), &guard->recorder.pending);
	buffer_free(&learned);
}

static bool key_is_known(struct guard *guard, struct ban_times now)
{
	struct hash_key key;
	struct defence *defence;
	if (guard->intake->directory < 0 || inbox_read_key(guard->intake->directory, &key) != 0)
		return guard->defence != NULL;
	if (guard->defence != NULL && key.k0 == guard->key.k0 && key.k1 == guard->key.k1)
		return true;
	if (defence_new(&key, time_of(now), &defence) != 0)
		return guard->defence != NULL;
	defence_listen(defence, say, NULL);
	if (guard->memory[0] != '\0') {
		recall(guard, defence);
		restore(guard, defence);
	}
	guard->key = key;
	record_begin(guard, defence, now);
	guard->remember_pause_ms = REMEMBER_FIRST_MS;
	guard->remember_ms = now.boot_ms + REMEMBER_FIRST_MS;
	return defence_replace(guard, defence) == 0;
}

/* ---- what is told ---- */

/* What connections do is known of the gate, and not of a site: it stands with what belongs to none, as slow heads do.
 */
static void site_look(struct guard *guard, uint16_t number, const struct site_view *view,
		      const struct connection_sums *connections)
{
	static const enum connection_state states[] = {STATE_READING_HEADER, STATE_READING_BODY, STATE_WAITING,
						       STATE_WRITING};
	uint64_t gone = site_ended(&view->now) + view->now.abandoned;
	struct defence_standing standing = {0};
	standing.slots = view->now.arrived > gone ? (double)(view->now.arrived - gone) : 0;
	if (view->name[0] == '\0') {
		for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
			standing.states[i] = (double)connections->now[states[i]];
		standing.connections_at_most = (double)connections->at_most;
		standing.shed = (double)connection_sums_shed(connections);
	}
	(void)defence_site(guard->defence, number, view->name);
	defence_stands(guard->defence, number, &standing);
	if (!recorder_is_on(&guard->recorder))
		return;
	recording_site(number, view->name, &guard->recorder.pending);
	recording_stands(number, &standing, &guard->recorder.pending);
}

void guard_look(struct guard *guard, const struct sites *sites, struct ban_times now)
{
	if (!key_is_known(guard, now))
		return;
	for (size_t i = 0; i < sites->count; i++)
		site_look(guard, (uint16_t)i, &sites->views[i], &sites->connections);
}

void guard_connections(struct guard *guard, const struct sites *sites)
{
	if (guard->defence == NULL)
		return;
	for (size_t i = 0; i < sites->count; i++)
		if (sites->views[i].name[0] == '\0')
			site_look(guard, (uint16_t)i, &sites->views[i], &sites->connections);
}

void guard_events(struct guard *guard, const struct sites *sites, unsigned box, const struct event *events,
		  size_t count)
{
	if (guard->defence == NULL)
		return;
	if (recorder_is_on(&guard->recorder))
		recording_events(sites->map[box], events, count, &guard->recorder.pending);
	defence_events(guard->defence, sites->map[box], events, count);
}

static uint64_t hits(const void *context, uint32_t id)
{
	const struct guard *guard = context;
	return intake_hits(guard->intake, id) + (guard->edge != NULL ? edge_bans_hits(guard->edge, id) : 0);
}

void guard_tick(struct guard *guard, struct ban_times now)
{
	if (guard->defence == NULL)
		return;
	if (now.boot_ms / 1000 != guard->second)
		defence_hits(guard->defence, hits, guard);
	guard->second = now.boot_ms / 1000;
	if (recorder_is_on(&guard->recorder))
		recording_time(time_of(now), &guard->recorder.pending);
	defence_tick(guard->defence, time_of(now));
}

/* ---- what is done ---- */

static void work(struct guard *guard, struct ban_times now)
{
	struct buffer bytes;
	job_take(guard);
	if (guard->job != NULL)
		return;
	struct defence_search *wanted = defence_search_take(guard->defence);
	if (wanted != NULL) {
		job_give(guard, (struct guard_job){.search = wanted, .memory = buffer_make(NULL)});
	} else if (now.boot_ms >= guard->remember_ms && defence_is_calm(guard->defence)) {
		guard->remember_pause_ms *= guard->remember_pause_ms < REMEMBER_MS ? 2 : 1;
		guard->remember_ms = now.boot_ms + guard->remember_pause_ms;
		if (remember(guard, &bytes))
			job_give(guard, (struct guard_job){.memory = bytes, .path = guard->memory});
	}
}

/* For the next watch, should this one be killed. */
static void keep(struct guard *guard, struct ban_times now)
{
	uint64_t state = defence_state(guard->defence);
	bool is_due = state != guard->kept_state ||
		      (now.boot_ms - guard->kept_ms >= KEEP_MS && !defence_is_calm(guard->defence));
	struct buffer bytes = buffer_make(NULL);
	bool failed = guard->told != 0 && now.boot_ms - guard->kept_ms < RETRY_MS;
	if (guard->incidents[0] == '\0' || !is_due || failed)
		return;
	guard->kept_ms = now.boot_ms;
	int r = defence_keep(guard->defence, guard->boot, &bytes);
	r = r != 0 ? r : file_replace_volatile(guard->incidents, buffer_slice(&bytes), 0600);
	if (r == 0)
		guard->kept_state = state;
	say_fault(guard, guard->incidents, r);
	buffer_free(&bytes);
}

static void publish(struct guard *guard, struct ban_times now)
{
	struct plan_rule plan[SIGNATURE_RULES_MOST];
	struct signature_rule rules[SIGNATURE_RULES_MOST];
	struct site_mode_rule modes[SITE_MODES_MOST];
	struct signature_content content = {.rules = rules, .modes = modes};
	uint64_t version = defence_version(guard->defence);
	content.rule_count = defence_plan(guard->defence, plan, SIGNATURE_RULES_MOST);
	for (size_t i = 0; i < content.rule_count; i++)
		rules[i] = (struct signature_rule){.id = plan[i].id,
						   .site = slice_from_string(plan[i].site),
						   .why = slice_from_string(plan[i].why),
						   .signature = *plan[i].signature};
	content.shed_until_ms = defence_sheds(guard->defence) ? now.boot_ms : 0;
	if (guard->modes != NULL) {
		content.mode_count = mode_register_rules(guard->modes, now, modes);
		version += mode_register_version(guard->modes);
	}
	int r = rule_register_publish(guard->rules, &content, version, now.boot_ms);
	if (r != 0)
		say_fault(guard, SIGNATURE_IMAGE_FILE, r);
}

void guard_carry_out(struct guard *guard, struct ban_times now)
{
	struct plan_ban bans[BANS_AT_ONCE];
	if (guard->defence == NULL)
		return;
	recorder_flush(&guard->recorder);
	work(guard, now);
	size_t count = defence_bans_take(guard->defence, bans, BANS_AT_ONCE);
	for (size_t i = 0; i < count && guard->bans != NULL; i++)
		if (ban_register_punish(guard->bans, &bans[i].prefix, bans[i].id, now) == 0)
			upstream_banned(guard->upstream, &bans[i].prefix, bans[i].id);
	keep(guard, now);
	if (guard->rules != NULL)
		publish(guard, now);
}
