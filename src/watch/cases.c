#include "watch/cases.h"

#include "base/error.h"
#include "casebook/store.h"
#include "watch/background.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TALLIED = 20 }; /* of each dimension and second */

/* All that is new, in copies that are the thread's while it writes. */
struct cases_job {
	struct case_record record;
	struct case_entry entries[CASE_ENTRIES];
	size_t entry_count;
	struct case_point points[CASE_POINTS];
	size_t point_count;
	struct ranking_item items[RANKING_DIMENSIONS][TALLIED];
	size_t item_counts[RANKING_DIMENSIONS];
	int result;
};

struct cases {
	struct background *background;
	struct cases_job *job;    /* under way, or to be tried again; NULL: none */
	bool waits;               /* that it is tried again */
	struct case_store *store; /* the thread's while a job is under way; NULL: there is none yet, or none is to be */
	bool given_up;
	int told;
	char path[PATH_MAX];
	struct case_sighting sightings[SITES_MAX];
	struct case_mitigation mitigations[SITES_MAX][DEFENCE_MITIGATIONS];
	struct casebook book;
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
static int open_store(struct cases *cases)
{
	struct buffer name = buffer_make(NULL);
	int r = case_store_open(cases->path, &cases->store);
	if (r == CASE_STORE_DAMAGED) {
		r = case_store_put_aside(cases->path, &name);
		if (r == 0) {
			fprintf(stderr, "guia: watch: %s: it is damaged; it is %.*s now, and a new one is begun\n",
				cases->path, SLICE_ARG(buffer_slice(&name)));
			r = case_store_open(cases->path, &cases->store);
		}
	}
	buffer_free(&name);
	return r;
}

static struct case_news news_of(const struct cases_job *job, struct case_tally *tallies)
{
	size_t count = 0;
	for (unsigned d = 0; d < RANKING_DIMENSIONS; d++)
		for (size_t i = 0; i < job->item_counts[d]; i++) {
			const struct ranking_item *item = &job->items[d][i];
			tallies[count++] = (struct case_tally){ranking_dimension_name((enum ranking_dimension)d),
							       item->text, item->count - item->error};
		}
	return (struct case_news){&job->record, job->entries, job->entry_count, job->points, job->point_count,
				  tallies,      count};
}

static void job_run(void *context)
{
	struct cases *cases = context;
	struct cases_job *job = cases->job;
	struct case_tally tallies[RANKING_DIMENSIONS * TALLIED];
	const struct case_news news = news_of(job, tallies);
	job->result = cases->store == NULL ? open_store(cases) : 0;
	if (job->result == 0)
		job->result = case_store_write(cases->store, &news);
	if (job->result == CASE_STORE_DAMAGED) {
		case_store_close(cases->store);
		cases->store = NULL; /* it is put aside when it is tried again */
	}
}

/* ---- beginning and end ---- */

static void read_latest(struct cases *cases)
{
	struct case_record *latest = malloc(sizeof(*latest));
	int r = latest == NULL ? -ENOMEM : open_store(cases);
	if (r == 0)
		r = case_store_latest(cases->store, latest);
	casebook_begin(&cases->book, r == 0 ? latest : NULL);
	cases->given_up = r == CASE_STORE_NEWER;
	if (r != CASE_STORE_NONE)
		say(cases, r);
	free(latest);
}

int cases_begin(const char *directory, struct cases **ret_cases)
{
	struct cases *cases = calloc(1, sizeof(*cases));
	if (cases == NULL)
		return -ENOMEM;
	cases->given_up = directory == NULL;
	if (directory != NULL && snprintf(cases->path, PATH_MAX, "%s/%s", directory, CASE_STORE_FILE) >= PATH_MAX) {
		free(cases);
		return -ENAMETOOLONG;
	}
	int r = background_start(&cases->background);
	if (r != 0) {
		free(cases);
		return r;
	}
	if (directory != NULL)
		read_latest(cases);
	*ret_cases = cases;
	return 0;
}

/* ---- what is new ---- */

static void take_tallies(const struct cases_sight *sight, struct cases_job *job)
{
	for (unsigned d = 0; d < RANKING_DIMENSIONS; d++) {
		job->item_counts[d] =
			ranking_top(sight->ranking, (enum ranking_dimension)d, sight->now_ns, job->items[d], TALLIED);
		for (size_t i = 0; i < job->item_counts[d]; i++) {
			job->items[d][i].count /= RANKING_SECONDS;
			job->items[d][i].error /= RANKING_SECONDS;
		}
	}
}

static struct cases_job *job_make(struct cases *cases)
{
	struct cases_job *job = malloc(sizeof(*job));
	if (job == NULL)
		return NULL;
	job->record = cases->book.now;
	job->entry_count = cases->book.entry_count;
	memcpy(job->entries, cases->book.entries, job->entry_count * sizeof(job->entries[0]));
	job->point_count = cases->book.point_count;
	memcpy(job->points, cases->book.points, job->point_count * sizeof(job->points[0]));
	memset(job->item_counts, 0, sizeof(job->item_counts));
	cases->book.entry_count = cases->book.point_count = 0;
	cases->book.changed = false;
	return job;
}

static void job_take(struct cases *cases)
{
	if (cases->job == NULL || cases->waits || background_take(cases->background) == NULL)
		return;
	say(cases, cases->job->result);
	cases->given_up = cases->job->result == CASE_STORE_NEWER;
	if (cases->job->result == 0 || cases->given_up) {
		free(cases->job);
		cases->job = NULL;
	} else {
		cases->waits = true;
	}
}

static void job_give(struct cases *cases, const struct cases_sight *sight, bool second)
{
	if (cases->given_up || (cases->job != NULL && !cases->waits))
		return;
	if (cases->job == NULL) {
		if (!cases->book.changed || (cases->job = job_make(cases)) == NULL)
			return;
		if (second && casebook_is_on(&cases->book))
			take_tallies(sight, cases->job);
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
	free(cases->job);
	cases->job = cases->book.changed && !cases->given_up ? job_make(cases) : NULL;
	if (cases->job != NULL)
		job_run(cases);
	free(cases->job);
	case_store_close(cases->store);
	free(cases);
}

/* ---- each second ---- */

static uint64_t grown(const struct site_view *view, unsigned verdict, unsigned reason)
{
	uint64_t now = view->now.ended[verdict][reason], then = view->past[0].ended[verdict][reason];
	return now > then ? now - then : 0;
}

/* By what became of them, whatever the verdict says. */
static void count_reason(struct case_requests *requests, unsigned verdict, unsigned reason, uint64_t count)
{
	switch (reason) {
	case EVENT_BY_BAN:
	case EVENT_BY_LIMIT:
		requests->limited += count;
		break;
	case EVENT_BY_SIGNATURE:
		requests->signature += count;
		break;
	case EVENT_CROWDED_OUT:
	case EVENT_BY_MODE:
		requests->crowded_out += count;
		break;
	default:
		if (verdict == EVENT_BLOCKED)
			requests->blocked += count;
		else if (verdict == EVENT_UNSEEN)
			requests->other += count;
		else
			requests->passed += count;
	}
}

static struct case_requests requests_of(const struct site_view *view)
{
	struct case_requests requests = {0};
	for (unsigned verdict = 0; verdict < EVENT_VERDICTS; verdict++)
		for (unsigned reason = 0; reason < EVENT_REASONS; reason++)
			count_reason(&requests, verdict, reason, grown(view, verdict, reason));
	if (view->now.copies > view->past[0].copies)
		requests.copies = view->now.copies - view->past[0].copies;
	return requests;
}

static const struct probe *probe_of(const struct cases_sight *sight, const char *site)
{
	for (size_t i = 0; i < sight->probe_count; i++)
		if (strcmp(sight->probes[i].target.host, site) == 0)
			return &sight->probes[i];
	return NULL;
}

static uint64_t wall_of(const struct ban_times *now, uint64_t boot_ms)
{
	return now->wall_ms - (now->boot_ms > boot_ms ? now->boot_ms - boot_ms : 0);
}

/* What requests must have in common, in words. */
static void describe(const struct mitigation *mitigation, char what[CASE_TEXT_BYTES])
{
	struct buffer words = buffer_make(NULL);
	if (mitigation->kind == MITIGATION_SIGNATURE)
		signature_describe(&mitigation->signature, &words);
	snprintf(what, CASE_TEXT_BYTES, "%.*s", SLICE_ARG(buffer_slice(&words)));
	buffer_free(&words);
}

static size_t mitigations_of(const struct defence_view *defence, const struct ban_times *now,
			     struct case_mitigation out[DEFENCE_MITIGATIONS])
{
	size_t count = 0;
	for (size_t i = 0; i < defence->mitigation_count; i++) {
		const struct mitigation *mitigation = &defence->mitigations[i];
		if (mitigation->stage != MITIGATION_IN_FORCE)
			continue;
		struct case_mitigation *seen = &out[count++];
		*seen = (struct case_mitigation){
			.id = mitigation->id, .since_ms = wall_of(now, mitigation->since_ms), .hits = mitigation->hits};
		snprintf(seen->kind, sizeof(seen->kind), "%s", mitigation_kind_name(mitigation->kind));
		describe(mitigation, seen->what);
	}
	return count;
}

static void look_at_defence(const struct defence_view *defence, const struct ban_times *now, struct case_sighting *s)
{
	const struct incident *incident = defence->incident;
	s->attacked = incident->state != INCIDENT_QUIET;
	s->held = incident->state == INCIDENT_MITIGATED;
	s->nature = defence->nature;
	s->harmed = defence->nature > TRAFFIC_SURGE;
	s->harm = s->attacked ? incident->harm : 0;
	s->onset_ms = s->attacked ? wall_of(now, incident->onset_ms) : 0;
	s->visitors = (struct case_visitors){defence->visitors.asked, defence->visitors.answered};
}

static struct case_sighting sighting_of(const struct cases_sight *sight, size_t number,
					struct case_mitigation mitigations[DEFENCE_MITIGATIONS])
{
	const struct site_view *view = &sight->sites->views[number];
	const struct probe *probe = probe_of(sight, view->name);
	struct case_sighting s = {.site = view->name, .probed = probe != NULL, .up = probe != NULL && probe->up};
	struct defence_view defence;
	if (sight->sites->seconds > 0)
		s.requests = requests_of(view);
	if (sight->defender->defence != NULL && defence_look(sight->defender->defence, (uint16_t)number, &defence)) {
		look_at_defence(&defence, &sight->now, &s);
		s.mitigations = mitigations;
		s.mitigation_count = mitigations_of(&defence, &sight->now, mitigations);
	}
	return s;
}

static void see_places(struct cases *cases, const struct places *places)
{
	const struct place_image *image = places_image(places);
	char made[16] = "", text[CASE_PLACES_BYTES];
	struct tm parts;
	if (image == NULL)
		return;
	time_t seconds = (time_t)image->source.made_s;
	if (gmtime_r(&seconds, &parts) != NULL)
		(void)strftime(made, sizeof(made), "%Y-%m-%d", &parts);
	snprintf(text, sizeof(text), "%.96s, %s", image->source.vendor, made);
	casebook_places(&cases->book, text);
}

void cases_second(struct cases *cases, const struct cases_sight *sight)
{
	if (cases == NULL)
		return;
	for (size_t i = 0; i < sight->sites->count; i++)
		cases->sightings[i] = sighting_of(sight, i, cases->mitigations[i]);
	casebook_second(&cases->book, cases->sightings, sight->sites->count, sight->now.wall_ms);
	see_places(cases, sight->places);
	job_take(cases);
	job_give(cases, sight, true);
}

/* A disk that refuses is asked again each second only. */
void cases_step(struct cases *cases, const struct cases_sight *sight)
{
	if (cases == NULL || cases->book.entry_count == 0)
		return;
	job_take(cases);
	if (!cases->waits)
		job_give(cases, sight, false);
}

const struct case_record *cases_latest(const struct cases *cases)
{
	return cases != NULL ? &cases->book.now : NULL;
}

const char *cases_path(const struct cases *cases)
{
	return cases != NULL ? cases->path : "";
}

void cases_note(struct cases *cases, enum case_entry_kind kind, const char *text, uint64_t wall_ms)
{
	if (cases != NULL)
		casebook_note(&cases->book, kind, text, wall_ms);
}
