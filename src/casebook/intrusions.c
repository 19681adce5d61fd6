/*
 * An incident and its actor point at each other, and are let go together. What is seen of a request goes to the actor;
 * once a second the incident is moved on by when that did something last. News is what has grown since it was taken
 * before.
 */
#include "base/error.h"
#include "casebook/intrusions_inside.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int intrusions_new(const struct hash_key *key, struct intrusions **ret_intrusions)
{
	struct intrusions *intrusions = calloc(1, sizeof(*intrusions));
	if (intrusions == NULL)
		return -ENOMEM;
	intrusions->actors.key = intrusions->missing.key = *key;
	*ret_intrusions = intrusions;
	return 0;
}

void intrusions_free(struct intrusions *intrusions)
{
	free(intrusions);
}

uint64_t intrusions_unplaced(const struct intrusions *intrusions)
{
	return intrusions->actors.unplaced + intrusions->unopened;
}

/* ---- the timeline ---- */

/* Of more than there is room for the first stay: how it began. */
static void write_entry(struct intrusion *in, enum case_entry_kind kind, const char *text, uint64_t now_ms)
{
	in->changed = true;
	if (in->entry_count == INTRUSION_ENTRIES)
		return;
	struct case_entry *entry = &in->entries[in->entry_count++];
	*entry = (struct case_entry){.incident = in->id, .at_ms = now_ms, .kind = kind};
	snprintf(entry->text, sizeof(entry->text), "%s", text);
}

static void move(struct intrusion *in, enum case_cause cause, uint64_t now_ms)
{
	char text[CASE_TEXT_BYTES];
	enum case_phase to;
	if (!case_phase_next(in->phase, cause, &to))
		return;
	in->phase = to;
	snprintf(text, sizeof(text), "%s: %s", case_phase_name(to), case_cause_text(in->kind, cause));
	write_entry(in, CASE_ENTRY_PHASE, text, now_ms);
}

static bool is_on(const struct intrusion *in)
{
	return in->id != 0 && in->phase != CASE_OVER;
}

void intrusions_note(struct intrusions *intrusions, enum case_entry_kind kind, const char *text, uint64_t now_ms)
{
	for (size_t i = 0; i < INTRUSIONS_MOST; i++)
		if (is_on(&intrusions->list[i]))
			write_entry(&intrusions->list[i], kind, text, now_ms);
}

/* ---- what is seen ---- */

static struct intrusion *intrusion_of(struct intrusions *intrusions, const struct actor *actor)
{
	return actor != NULL && actor->incident != 0 ? &intrusions->list[actor->incident - 1] : NULL;
}

/* The name of what was sent is remembered, whether it was refused or not. */
static void upload_take(struct intrusions *intrusions, const struct actor_sight *sight, const struct actor *actor)
{
	if (sight->kinds >> CASE_SHELL & 1)
		uploads_add(&intrusions->uploads, upload_name(sight->finding),
			    (uint32_t)(actor - intrusions->actors.list), actor->since_ms);
}

/* To ask for a file by its own path is to look for it; in an argument, it is to make something read it. */
static uint32_t classes_of(const struct finding *finding)
{
	uint32_t classes = 0;
	for (size_t i = 0; i < finding->head.match_count; i++) {
		bool is_path = slice_equal(finding->match_texts[i].name, SLICE("REQUEST_FILENAME")) ||
			       slice_equal(finding->match_texts[i].name, SLICE("REQUEST_BASENAME"));
		uint32_t looks = is_path ? UINT32_C(1) << FINDING_CLASS_FILE_ACCESS : 0;
		classes |= finding->matches[i].classes & ~looks;
	}
	return classes;
}

/*
 * A watch that begins finds in the rings what one before it has taken already: of who is on record until its last
 * word, and of anybody what is so long ago that it shares nothing with what comes now.
 */
static bool is_past(struct intrusions *intrusions, const struct address *source, uint64_t at_ms, uint64_t now_ms)
{
	const struct actor *actor = actors_find(&intrusions->actors, source);
	return (actor != NULL && at_ms <= actor->known_ms) || (now_ms > at_ms && now_ms - at_ms > CASE_WINDOW_MS);
}

uint64_t intrusions_finding(struct intrusions *intrusions, const struct finding *finding, uint16_t site,
			    const char *site_name, uint64_t now_ms)
{
	struct actor_sight sight = {.at_ms = now_ms,
				    .source = address_from_v6(finding->head.source),
				    .site = site != ACTOR_NO_SITE ? site : ACTOR_NO_SITE - 1,
				    .site_name = site_name,
				    .agent = finding->head.agent,
				    .shape = finding->head.shape,
				    .asked = (finding->head.path ^ finding->head.query * 3) + site,
				    .classes = finding->head.classes,
				    .finding = finding,
				    .kinds = case_kinds_of(classes_of(finding), finding->head.found)};
	if (sight.kinds == 0)
		return 0;
	if (is_past(intrusions, &sight.source, finding->head.wall_ms, now_ms))
		return intrusions_incident_of(intrusions, &sight.source);
	struct actor *actor = actors_take(&intrusions->actors, &sight);
	if (actor == NULL)
		return 0;
	upload_take(intrusions, &sight, actor);
	struct intrusion *in = intrusion_of(intrusions, actor);
	if (in == NULL)
		return 0;
	in->changed = true;
	return in->id;
}

void intrusions_head(struct intrusions *intrusions, unsigned box, const struct head *head)
{
	uploads_head(&intrusions->uploads, box, head);
}

static void missing_take(struct intrusions *intrusions, const struct actor_sight *sight, uint64_t path)
{
	static const struct address nobody;
	if (address_equal(&sight->source, &nobody))
		return;
	uint32_t count = missing_add(&intrusions->missing, &sight->source, path, sight->at_ms);
	struct actor *actor = count == 0 ? NULL : actors_take_missing(&intrusions->actors, sight);
	if (actor == NULL)
		return;
	actor_add_missing(actor, sight, path, count);
	if (actor->incident != 0)
		intrusion_of(intrusions, actor)->changed = true;
}

static void uploaded_is_asked_for(struct intrusions *intrusions, const struct upload *upload, uint64_t now_ms)
{
	char text[CASE_TEXT_BYTES];
	struct actor *actor = &intrusions->actors.list[upload->actor];
	struct intrusion *in = intrusion_of(intrusions, actor);
	if (in == NULL || actor->since_ms != upload->since_ms)
		return;
	snprintf(text, sizeof(text), "a file of the name that was sent, %s, was asked for and answered", upload->name);
	write_entry(in, CASE_ENTRY_PHASE, text, now_ms);
	actor->last_ms = actor->passed_ms = now_ms;
}

void intrusions_event(struct intrusions *intrusions, unsigned box, const struct event *event, uint16_t site,
		      const char *site_name, uint64_t now_ms)
{
	enum { NOT_FOUND = 404, GONE = 410 };
	if (event->kind != EVENT_END)
		return;
	const struct actor_sight sight = {.at_ms = now_ms,
					  .source = address_from_v6(event->source),
					  .site = site,
					  .site_name = site_name,
					  .agent = event->agent,
					  .shape = event->shape};
	if ((event->end.status == NOT_FOUND || event->end.status == GONE) && event->end.verdict != EVENT_BLOCKED &&
	    !is_past(intrusions, &sight.source, event->wall_ms, now_ms))
		missing_take(intrusions, &sight, event->path);
	const struct upload *upload = uploads_end(&intrusions->uploads, box, event);
	if (upload != NULL && !is_past(intrusions, &sight.source, event->wall_ms, now_ms))
		uploaded_is_asked_for(intrusions, upload, now_ms);
}

/* ---- each second ---- */

static bool may_return(const struct intrusion *in, uint64_t now_ms)
{
	return now_ms - in->over_ms < CASE_REOPEN_MS;
}

struct intrusion *intrusions_place(struct intrusions *intrusions, enum case_kind kind)
{
	struct intrusion *place = NULL;
	size_t scans = 0;
	for (size_t i = 0; i < INTRUSIONS_MOST; i++) {
		scans += intrusions->list[i].id != 0 && intrusions->list[i].kind == CASE_SCAN;
		if (place == NULL && intrusions->list[i].id == 0)
			place = &intrusions->list[i];
	}
	return kind == CASE_SCAN && scans >= INTRUSIONS_MOST / 2 ? NULL : place;
}

static void open(struct intrusions *intrusions, struct actor *actor, enum case_kind kind, uint64_t *last_id,
		 uint64_t now_ms)
{
	char text[CASE_TEXT_BYTES];
	struct intrusion *in = intrusions_place(intrusions, kind);
	if (in == NULL) {
		intrusions->unopened += !actor->waits;
		actor->waits = true;
		return;
	}
	*in = (struct intrusion){.id = ++*last_id,
				 .actor = (uint32_t)(actor - intrusions->actors.list),
				 .kind = kind,
				 .kinds = 1u << kind,
				 .onset_ms = actor->onset_ms != 0 ? actor->onset_ms : now_ms,
				 .opened_ms = now_ms};
	actor->incident = (uint32_t)(in - intrusions->list) + 1;
	actor->waits = false;
	snprintf(text, sizeof(text), "%s: %s", case_phase_name(CASE_ONSET), case_kind_text(kind));
	write_entry(in, CASE_ENTRY_PHASE, text, now_ms);
}

static void become(struct intrusion *in, enum case_kind kind, uint64_t now_ms)
{
	char text[CASE_TEXT_BYTES];
	if (kind == CASE_FLOOD || in->kinds >> kind & 1)
		return;
	in->kinds |= 1u << kind;
	in->kind = kind > in->kind ? kind : in->kind;
	snprintf(text, sizeof(text), "%s: %s", case_kind_name(kind), case_kind_text(kind));
	write_entry(in, CASE_ENTRY_PHASE, text, now_ms);
}

static bool within(uint64_t then_ms, uint64_t now_ms, uint64_t span_ms)
{
	return then_ms != 0 && (now_ms < then_ms || now_ms - then_ms < span_ms);
}

static void move_on(struct intrusion *in, const struct actor *actor, uint64_t now_ms)
{
	bool comes = within(actor->last_ms, now_ms, INTRUSION_QUIET_MS);
	bool escapes = within(actor->passed_ms, now_ms, INTRUSION_QUIET_MS);
	if (!within(actor->last_ms, now_ms, INTRUSION_OVER_MS)) {
		in->over_ms = now_ms;
		move(in, CASE_ENDS, now_ms);
		return;
	}
	if (in->phase == CASE_ONSET)
		move(in, escapes ? CASE_GOES_ON : CASE_CONTAINED, now_ms);
	else if (escapes)
		move(in, CASE_ESCAPES, now_ms);
	else if (in->phase == CASE_RISING)
		move(in, CASE_CONTAINED, now_ms);
	else
		move(in, comes ? CASE_RISES : CASE_FALLS, now_ms);
	if (in->phase == CASE_HELD && in->held_ms == 0)
		in->held_ms = now_ms;
}

static void reopen(struct intrusion *in, uint64_t now_ms)
{
	in->over_ms = 0;
	in->reopened++;
	move(in, CASE_RETURNS, now_ms);
}

static void actor_second(struct intrusions *intrusions, struct actor *actor, uint64_t *last_id, uint64_t now_ms)
{
	struct intrusion *in = intrusion_of(intrusions, actor);
	enum case_kind kind = actor_kind(actor);
	if (in == NULL) {
		if (kind != CASE_FLOOD && within(actor->last_ms, now_ms, INTRUSION_OVER_MS))
			open(intrusions, actor, kind, last_id, now_ms);
	} else if (in->phase != CASE_OVER) {
		bool fresh = in->opened_ms == now_ms;
		become(in, kind, now_ms);
		if (!fresh)
			move_on(in, actor, now_ms);
	} else if (actor->last_ms > in->over_ms) {
		reopen(in, now_ms);
	} else if (!may_return(in, now_ms) && !in->changed) {
		actor->incident = 0;
		actor->used = false;
		*in = (struct intrusion){0};
	}
	actor_tick(actor, now_ms);
}

/* What floods is refused by rules too, and asks for what is not there: it is a flood already. */
void intrusions_second(struct intrusions *intrusions, bool flood, uint64_t *last_id, uint64_t now_ms)
{
	for (size_t i = 0; i < ACTORS_MOST; i++) {
		struct actor *actor = &intrusions->actors.list[i];
		if (flood && actor->incident == 0)
			actor_forgive_scan(actor);
		if (actor->used)
			actor_second(intrusions, actor, last_id, now_ms);
	}
}

/* ---- what there is ---- */

uint64_t intrusions_incident_of(struct intrusions *intrusions, const struct address *source)
{
	const struct intrusion *in = intrusion_of(intrusions, actors_find(&intrusions->actors, source));
	return in != NULL && is_on(in) ? in->id : 0;
}

static struct case_glance glance_of(const struct intrusion *in, const struct actor *actor)
{
	struct case_glance glance = {.id = in->id,
				     .kind = in->kind,
				     .phase = in->phase,
				     .onset_ms = in->onset_ms,
				     .site_count = actor->site_count};
	for (size_t i = 0; i < actor->site_count; i++) {
		glance.sites[i] = actor->sites[i].name;
		glance.requests.blocked += actor->sites[i].blocked;
		glance.requests.passed += actor->sites[i].passed;
	}
	return glance;
}

void intrusions_each(const struct intrusions *intrusions, case_glance_fn *each, void *context)
{
	for (size_t i = 0; i < INTRUSIONS_MOST; i++) {
		const struct intrusion *in = &intrusions->list[i];
		if (in->id == 0)
			continue;
		const struct case_glance glance = glance_of(in, &intrusions->actors.list[in->actor]);
		each(context, &glance);
	}
}

/* ---- what is new ---- */

static void take_site(struct intrusion *in, struct actor_site *from, uint16_t number, uint64_t now_ms,
		      struct intrusion_news *news)
{
	struct case_site *site = &news->record.sites[number];
	struct case_requests grown = {.passed = from->passed - from->passed_told,
				      .blocked = from->blocked - from->blocked_told};
	*site = (struct case_site){.attacked = is_on(in),
				   .onset_ms = from->onset_ms,
				   .until_ms = from->until_ms,
				   .held_ms = in->held_ms,
				   .sums = {.passed = from->passed, .blocked = from->blocked},
				   .worst_percent = 100};
	snprintf(site->name, sizeof(site->name), "%s", from->name);
	from->passed_told = from->passed;
	from->blocked_told = from->blocked;
	from->peak = fmax(from->peak, (double)(grown.passed + grown.blocked));
	site->peak = from->peak;
	if (grown.passed + grown.blocked > 0)
		news->points[news->point_count++] =
			(struct case_point){.incident = in->id, .at_ms = now_ms, .site = number, .requests = grown};
}

static void take_record(struct intrusion *in, struct actor *actor, uint64_t now_ms, struct intrusion_news *news)
{
	news->record = (struct case_record){.id = in->id,
					    .kind = in->kind,
					    .phase = in->phase,
					    .onset_ms = in->onset_ms,
					    .opened_ms = in->opened_ms,
					    .held_ms = in->held_ms,
					    .over_ms = in->over_ms,
					    .reopened = in->reopened,
					    .site_count = actor->site_count};
	double grown = 0;
	for (uint16_t i = 0; i < actor->site_count; i++)
		take_site(in, &actor->sites[i], i, now_ms, news);
	for (size_t i = 0; i < news->point_count; i++)
		grown += (double)case_requests_all(&news->points[i].requests);
	news->record.peak = in->peak = fmax(in->peak, grown);
}

static void take_actor(const struct intrusion *in, const struct actor *actor, struct intrusion_news *news)
{
	const struct actor_item *agent = &actor->items[ACTOR_AGENT][0];
	for (size_t i = 1; i < ACTOR_ITEMS; i++)
		if (actor->items[ACTOR_AGENT][i].count > agent->count)
			agent = &actor->items[ACTOR_AGENT][i];
	news->actor = (struct case_actor){.sources = actor_sources(actor),
					  .paths = actor_paths(actor),
					  .findings = actor->findings,
					  .missing = actor->missing,
					  .kinds = in->kinds,
					  .classes = actor->classes,
					  .agent = agent->key,
					  .shape = actor->shapes[0],
					  .asked = actor->asked[0]};
}

static void take_tallies(struct actor *actor, struct intrusion_news *news)
{
	for (unsigned d = 0; d < ACTOR_DIMENSIONS; d++)
		for (size_t i = 0; i < ACTOR_ITEMS; i++) {
			struct actor_item *item = &actor->items[d][i];
			if (item->count == item->told)
				continue;
			struct intrusion_tally *tally = &news->tallies[news->tally_count++];
			tally->dimension = actor_dimension_name((enum actor_dimension)d);
			tally->requests = item->count - item->told;
			snprintf(tally->key, sizeof(tally->key), "%s", item->text);
			item->told = item->count;
		}
}

_Static_assert((int)INTRUSION_TALLIES >= (int)ACTOR_DIMENSIONS * ACTOR_ITEMS, "each item may be told");
_Static_assert((int)INTRUSION_TALLY_BYTES >= (int)ACTOR_TEXT_BYTES, "as it is");
_Static_assert((int)CASE_SITES >= (int)ACTOR_SITES, "each site has a place");

bool intrusions_changed(const struct intrusions *intrusions)
{
	for (size_t i = 0; i < INTRUSIONS_MOST; i++)
		if (intrusions->list[i].id != 0 && intrusions->list[i].changed)
			return true;
	return false;
}

bool intrusions_take(struct intrusions *intrusions, uint64_t now_ms, struct intrusion_news *ret_news)
{
	for (size_t i = 0; i < INTRUSIONS_MOST; i++) {
		struct intrusion *in = &intrusions->list[i];
		if (in->id == 0 || !in->changed)
			continue;
		struct actor *actor = &intrusions->actors.list[in->actor];
		ret_news->point_count = ret_news->tally_count = 0;
		ret_news->entry_count = in->entry_count;
		memcpy(ret_news->entries, in->entries, in->entry_count * sizeof(in->entries[0]));
		take_record(in, actor, now_ms, ret_news);
		take_actor(in, actor, ret_news);
		take_tallies(actor, ret_news);
		in->entry_count = 0;
		in->changed = false;
		return true;
	}
	return false;
}
