/*
 * What is new in the books is copied into a job (cases_job.c), which the thread writes; meanwhile the books go on. A
 * job that failed is kept and given again each second, and what is new after it waits in the books.
 */
#include "watch/cases.h"

#include "base/clock.h"
#include "base/error.h"
#include "casebook/actor.h"
#include "casebook/store.h"
#include "watch/background.h"
#include "watch/cases_job.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct cases {
	struct background *background;
	struct cases_job *job;    /* under way, or to be tried again; NULL: none */
	bool waits;               /* that it is tried again */
	struct case_store *store; /* the thread's while a job is under way; NULL: there is none yet, or none is to be */
	bool given_up;
	bool unread; /* what was on record when the watch began: nobody knows which numbers were given */
	int told;
	char path[PATH_MAX];
	struct cases_seen seen; /* at the last look */
	struct casebook book;
	struct intrusions *intrusions;
	bool decided;    /* something was, since it was last looked for an onset */
	uint64_t now_ms; /* of the last second */
	uint64_t unplaced_told, unplaced_ms;
	char places[CASE_PLACES_BYTES];
};

/* ---- the store ---- */

static const char *fault_text(int r)
{
	switch (r) {
	case CASE_STORE_NEWER:
		return "a later version of Guia wrote it; it is left alone, and incidents are not kept";
	case CASE_STORE_DAMAGED:
		return "it is damaged";
	default:
		return strerror(-r);
	}
}

static void say(struct cases *cases, int r)
{
	if (r != 0 && r != cases->told)
		fprintf(stderr, "guia: watch: %s: %s\n", cases->path, fault_text(r));
	cases->told = r;
}

/* What is damaged is kept beside, for somebody to look at; a new one is begun. */
static int put_aside(struct cases *cases)
{
	struct buffer name = buffer_make(NULL);
	int r = case_store_put_aside(cases->path, &name);
	if (r == 0)
		fprintf(stderr, "guia: watch: %s: it is damaged; it is %.*s now, and a new one is begun\n", cases->path,
			SLICE_ARG(buffer_slice(&name)));
	buffer_free(&name);
	return r;
}

static int open_store(struct cases *cases)
{
	int r = case_store_open(cases->path, &cases->store);
	if (r != CASE_STORE_DAMAGED)
		return r;
	cases->unread = true;
	r = put_aside(cases);
	return r != 0 ? r : case_store_open(cases->path, &cases->store);
}

static int job_write(struct cases *cases)
{
	int r = cases->store == NULL ? open_store(cases) : 0;
	r = r != 0 ? r : cases_job_write(cases->job, cases->store);
	if (r == CASE_STORE_DAMAGED) {
		case_store_close(cases->store);
		cases->store = NULL;
	}
	return r;
}

/* A page that is damaged shows when it is needed, and not to who opens the file again. */
static void job_run(void *context)
{
	struct cases *cases = context;
	int r = job_write(cases);
	if (r == CASE_STORE_DAMAGED && put_aside(cases) == 0)
		r = job_write(cases);
	cases->job->result = r;
}

/* ---- beginning and end ---- */

static bool take_id(void *context, const struct case_record *record)
{
	uint64_t *id = context;
	*id = record->id;
	return false;
}

struct resuming {
	struct cases *cases;
	uint64_t id;
	uint64_t now_ms;
};

static bool resume_source(void *context, const struct case_tally *tally)
{
	const struct resuming *resuming = context;
	intrusions_resume_source(resuming->cases->intrusions, resuming->id, tally->key);
	return true;
}

/* One that may go on. */
static bool resume_intrusion(void *context, const struct case_record *record)
{
	struct resuming *resuming = context;
	struct case_actor actor;
	bool is_recent = record->over_ms == 0 || resuming->now_ms - record->over_ms < CASE_REOPEN_MS;
	if (record->kind == CASE_FLOOD || !is_recent ||
	    case_store_actor(resuming->cases->store, record->id, &actor) != 0)
		return true;
	resuming->id = record->id;
	intrusions_resume(resuming->cases->intrusions, record, &actor);
	(void)case_store_tallies(resuming->cases->store, record->id, actor_dimension_name(ACTOR_SOURCE),
				 INTRUSION_SOURCES_RESUMED, resume_source, resuming);
	return true;
}

/*
 * Where that cannot be read, incidents are numbered from the time on: nothing has such a number, neither the store that
 * may be opened later, nor holds and records of the log, which name incidents by theirs.
 */
static uint64_t read_last_id(struct cases *cases, int opened, uint64_t now_ms)
{
	uint64_t last_id = 0;
	if (opened != 0 || case_store_records(cases->store, 0, 1, take_id, &last_id) != 0)
		cases->unread = true;
	return cases->unread ? now_ms : last_id;
}

static void read_latest(struct cases *cases)
{
	struct case_record *latest = malloc(sizeof(*latest));
	struct resuming resuming = {cases, 0, clock_now_ms()};
	int r = latest == NULL ? -ENOMEM : open_store(cases);
	uint64_t last_id = read_last_id(cases, r, resuming.now_ms);
	r = r != 0 ? r : case_store_records(cases->store, 0, INTRUSIONS_MOST * 2, resume_intrusion, &resuming);
	if (r == 0)
		r = case_store_latest_flood(cases->store, latest);
	casebook_begin(&cases->book, r == 0 ? latest : NULL, last_id);
	cases->given_up = r == CASE_STORE_NEWER;
	if (r != CASE_STORE_NONE)
		say(cases, r);
	free(latest);
}

static void release(struct cases *cases)
{
	case_store_close(cases->store);
	intrusions_free(cases->intrusions);
	free(cases);
}

int cases_begin(const char *directory, struct cases **ret_cases)
{
	struct cases *cases = calloc(1, sizeof(*cases));
	if (cases == NULL)
		return -ENOMEM;
	cases->given_up = directory == NULL;
	const struct hash_key key = hash_key_random();
	int r = intrusions_new(&key, &cases->intrusions);
	if (directory != NULL && snprintf(cases->path, PATH_MAX, "%s/%s", directory, CASE_STORE_FILE) >= PATH_MAX)
		r = -ENAMETOOLONG;
	r = r != 0 ? r : background_start(&cases->background);
	if (r != 0) {
		release(cases);
		return r;
	}
	if (directory != NULL)
		read_latest(cases);
	*ret_cases = cases;
	return 0;
}

/* ---- what is new ---- */

static void job_take(struct cases *cases)
{
	if (cases->job == NULL || cases->waits || background_take(cases->background) == NULL)
		return;
	say(cases, cases->job->result);
	cases->given_up = cases->job->result == CASE_STORE_NEWER;
	if (cases->job->result == 0 || cases->given_up) {
		cases_job_free(cases->job);
		cases->job = NULL;
	} else {
		cases->waits = true;
	}
}

static bool is_news(const struct cases *cases)
{
	return cases->book.changed || intrusions_changed(cases->intrusions);
}

static void job_give(struct cases *cases, const struct cases_sight *sight, bool second)
{
	if (cases->given_up || (cases->job != NULL && !cases->waits))
		return;
	if (cases->job == NULL) {
		if (!is_news(cases) ||
		    (cases->job = cases_job_make(&cases->book, cases->intrusions, sight->now.wall_ms)) == NULL)
			return;
		cases_job_places(cases->job, places_image(sight->places), cases->places);
		if (second && casebook_is_on(&cases->book))
			cases_job_tally(cases->job, sight->ranking, sight->now_ns);
	}
	cases->waits = false;
	background_give(cases->background, job_run, cases);
}

void cases_end(struct cases *cases)
{
	if (cases == NULL)
		return;
	(void)background_stop(cases->background);
	/* The last words, by this thread. */
	if (cases->job != NULL && cases->job->result != 0 && !cases->given_up)
		job_run(cases);
	cases_job_free(cases->job);
	while (is_news(cases) && !cases->given_up &&
	       (cases->job = cases_job_make(&cases->book, cases->intrusions, cases->now_ms)) != NULL) {
		job_run(cases);
		cases_job_free(cases->job);
	}
	release(cases);
}

/* ---- each second ---- */

static void see_places(struct cases *cases, const struct places *places)
{
	const struct place_image *image = places_image(places);
	char made[16] = "";
	struct tm parts;
	if (image == NULL)
		return;
	time_t seconds = (time_t)image->source.made_s;
	if (gmtime_r(&seconds, &parts) != NULL)
		(void)strftime(made, sizeof(made), "%Y-%m-%d", &parts);
	snprintf(cases->places, sizeof(cases->places), "%.96s, %s", image->source.vendor, made);
	casebook_places(&cases->book, cases->places);
}

/* Once a minute at most. */
static void say_unplaced(struct cases *cases)
{
	uint64_t unplaced = intrusions_unplaced(cases->intrusions);
	if (unplaced == cases->unplaced_told || cases->now_ms - cases->unplaced_ms < 60 * 1000)
		return;
	fprintf(stderr, "guia: watch: %" PRIu64 " requests that rules matched, or groups of them, found no place\n",
		unplaced - cases->unplaced_told);
	cases->unplaced_told = unplaced;
	cases->unplaced_ms = cases->now_ms;
}

void cases_second(struct cases *cases, const struct cases_sight *sight)
{
	if (cases == NULL)
		return;
	cases_look(sight, &cases->seen);
	casebook_second(&cases->book, &cases->seen.second, sight->now.wall_ms);
	see_places(cases, sight->places);
	cases->now_ms = sight->now.wall_ms;
	intrusions_second(cases->intrusions, casebook_is_on(&cases->book), &cases->book.last_id, cases->now_ms);
	say_unplaced(cases);
	job_take(cases);
	job_give(cases, sight, true);
}

/* What has just been decided may be that an attack begins: whoever looks on is not to wait for the second to be over.
 */
static void look_for_onset(struct cases *cases, const struct cases_sight *sight)
{
	if (!cases->decided || casebook_is_on(&cases->book))
		return;
	cases->decided = false;
	cases_look(sight, &cases->seen);
	casebook_onset(&cases->book, &cases->seen.second, sight->now.wall_ms);
}

/* A disk that refuses is asked again each second only. */
void cases_step(struct cases *cases, const struct cases_sight *sight)
{
	if (cases == NULL)
		return;
	look_for_onset(cases, sight);
	if (cases->book.entry_count == 0)
		return;
	job_take(cases);
	if (!cases->waits)
		job_give(cases, sight, false);
}

void cases_each(const struct cases *cases, case_glance_fn *each, void *context)
{
	if (cases == NULL)
		return;
	const struct case_glance flood = case_record_glance(&cases->book.now);
	if (flood.id != 0)
		each(context, &flood);
	intrusions_each(cases->intrusions, each, context);
}

uint64_t cases_incident(const struct cases *cases, const struct address *source, const char *site)
{
	uint64_t id = cases != NULL && source != NULL ? intrusions_incident_of(cases->intrusions, source) : 0;
	return cases == NULL || id != 0 ? id : casebook_incident_at(&cases->book, site);
}

/* ---- what the rings hold ---- */

static const char *site_name(const struct sites *sites, uint16_t number)
{
	return number < sites->count ? sites->views[number].name : "";
}

uint64_t cases_finding(struct cases *cases, const struct sites *sites, unsigned box, const struct finding *finding,
		       uint64_t wall_ms)
{
	uint16_t site = sites_number(sites, box, finding->head.site);
	const char *name = site_name(sites, site);
	if (cases == NULL)
		return 0;
	uint64_t id = intrusions_finding(cases->intrusions, finding, site, name, wall_ms);
	return id != 0 ? id : casebook_incident_at(&cases->book, name);
}

void cases_heads(struct cases *cases, unsigned box, const struct head *heads, size_t count)
{
	for (size_t i = 0; cases != NULL && i < count; i++)
		intrusions_head(cases->intrusions, box, &heads[i]);
}

void cases_events(struct cases *cases, const struct sites *sites, unsigned box, const struct event *events,
		  size_t count, uint64_t wall_ms)
{
	for (size_t i = 0; cases != NULL && i < count; i++) {
		uint16_t site = sites_number(sites, box, events[i].site);
		intrusions_event(cases->intrusions, box, &events[i], site, site_name(sites, site), wall_ms);
	}
}

const char *cases_path(const struct cases *cases)
{
	return cases != NULL ? cases->path : "";
}

void cases_note(struct cases *cases, enum case_entry_kind kind, const char *text, uint64_t wall_ms)
{
	if (cases == NULL)
		return;
	casebook_note(&cases->book, kind, text, wall_ms);
	cases->decided = cases->decided || kind == CASE_ENTRY_ACTION;
	if (kind == CASE_ENTRY_ORDER)
		intrusions_note(cases->intrusions, kind, text, wall_ms);
}
