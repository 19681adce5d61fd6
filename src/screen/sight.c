/*
 * Answers are kept as they came and read anew by each page. Only what needs a past is made of them here: the course,
 * what is usual, and a digest of the sites' states, by which pages learn that one has changed.
 */
#include "screen/sight.h"

#include "base/error.h"
#include "screen/answer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	FRESH_MS = 3000,
	LATE_MS = 1000, /* an answer that takes so long is a service degraded */
	COPIES_PERCENT = 5,
	PROBES_TELL = 3, /* of fewer nothing is known yet */
};

void sight_begin(struct sight *sight, const char *control)
{
	asker_begin(&sight->asker, control);
}

void sight_end(struct sight *sight)
{
	asker_end(&sight->asker);
}

bool sight_is_fresh(const struct sight *sight)
{
	return sight->asker.answers[ASKER_STATUS] != NULL && sight->now_ms - sight->asker.answered_ms < FRESH_MS;
}

/* Milliseconds since 1970 of a time that the watch tells; 0 for none. */
static uint64_t time_of(const char *text)
{
	struct tm parts = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
	uint64_t ms = 0;
	if (rest == NULL)
		return 0;
	time_t seconds = timegm(&parts);
	if (rest[0] == '.')
		for (size_t i = 1; i <= 3 && byte_is_digit((uint8_t)rest[i]); i++)
			ms = ms * 10 + (uint64_t)(rest[i] - '0');
	return seconds > 0 ? (uint64_t)seconds * 1000 + ms : 0;
}

static bool is_attacked(const json_t *episode)
{
	return episode != NULL && strcmp(answer_text(episode, "state"), "quiet") != 0;
}

uint64_t sight_onset(const json_t *site)
{
	const json_t *episode = json_object_get(site, "episode");
	return is_attacked(episode) ? time_of(answer_text(episode, "onset")) : 0;
}

/* In that a part of what visitors get is not as it should be. */
static bool is_degraded(const json_t *site)
{
	const json_t *visitors = json_object_get(site, "visitors"), *mode = json_object_get(site, "mode");
	double asked = answer_number(visitors, "asked");
	bool restricted = mode != NULL && strcmp(answer_text(mode, "mode"), "open") != 0;
	bool late = answer_number(json_object_get(site, "probe"), "ms") >= LATE_MS;
	bool unanswered = asked >= CASE_VISITORS_TELL && answer_number(visitors, "success_percent") < 95;
	bool copies = asked >= CASE_VISITORS_TELL && answer_number(visitors, "copies") * 100 > asked * COPIES_PERCENT &&
		      answer_number(site, "errors_per_s") > 0;
	return restricted || late || unanswered || copies;
}

enum site_state sight_state(const json_t *site)
{
	const json_t *probe = json_object_get(site, "probe");
	if (is_attacked(json_object_get(site, "episode")))
		return SITE_ATTACKED;
	if (probe != NULL && !answer_truth(probe, "up"))
		return answer_count(probe, "asked") <= PROBES_TELL ? SITE_UNWATCHED : SITE_DOWN;
	if (is_degraded(site))
		return SITE_DEGRADED;
	return probe != NULL ? SITE_UP : SITE_UNWATCHED;
}

/* ---- what the status adds to the course ---- */

static enum course_kind kind_of(const char *verdict, const char *reason)
{
	static const struct {
		const char *reason;
		enum course_kind kind;
	} reasons[] = {{"ban", COURSE_LIMITED},
		       {"limit", COURSE_LIMITED},
		       {"signature", COURSE_SIGNATURE},
		       {"crowded-out", COURSE_CROWDED_OUT},
		       {"mode", COURSE_CROWDED_OUT}};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reason, reasons[i].reason) == 0)
			return reasons[i].kind;
	return strcmp(verdict, "block") == 0    ? COURSE_BLOCKED
	       : strcmp(verdict, "unseen") == 0 ? COURSE_OTHER
						: COURSE_PASSED;
}

static void add_sums(json_t *site, uint64_t sums[COURSE_KINDS])
{
	const char *verdict, *reason;
	json_t *reasons, *count;
	json_object_foreach(json_object_get(site, "ended"), verdict, reasons)
	{
		json_object_foreach(reasons, reason, count)
		{
			json_int_t number = json_integer_value(count);
			sums[kind_of(verdict, reason)] += number > 0 ? (uint64_t)number : 0;
		}
	}
}

static void add_marks(struct sight *sight, const json_t *site)
{
	const json_t *mitigation;
	size_t i;
	json_array_foreach(json_object_get(json_object_get(site, "episode"), "mitigations"), i, mitigation)
	{
		uint64_t ago_ms = (uint64_t)(answer_number(mitigation, "seconds") * 1000);
		if (strcmp(answer_text(mitigation, "stage"), "in force") == 0 && ago_ms < sight->wall_ms)
			course_mark(&sight->course, answer_count(mitigation, "id"), answer_text(site, "site"),
				    answer_text(mitigation, "what"), sight->wall_ms - ago_ms, sight->wall_ms);
	}
}

static void take_status(struct sight *sight)
{
	uint64_t sums[COURSE_KINDS] = {0}, states = 0;
	json_t *site;
	size_t i;
	sight->attacked = false;
	sight->status_wall_ms = sight->wall_ms;
	json_array_foreach(json_object_get(sight->asker.answers[ASKER_STATUS], "sites"), i, site)
	{
		enum site_state state = sight_state(site);
		add_sums(site, sums);
		add_marks(sight, site);
		sight->attacked = sight->attacked || state == SITE_ATTACKED;
		states = (states * 31 + (uint64_t)state + 1) * 31 +
			 json_array_size(json_object_get(json_object_get(site, "episode"), "changes"));
	}
	course_sums(&sight->course, sums, sight->wall_ms);
	sight->changes += states != sight->states;
	sight->states = states;
}

/* ---- what is usual ---- */

const char *sight_kind_name(enum sight_kind kind)
{
	static const char *const names[SIGHT_KINDS] = {"source", "network", "operator", "country",
						       "path",   "agent",   "rule"};
	return names[kind];
}

void sight_key(enum sight_kind kind, const json_t *item, char key[QUIET_KEY_BYTES])
{
	const char *site = kind == SIGHT_PATH ? answer_text(item, "site") : "";
	snprintf(key, QUIET_KEY_BYTES, "%.150s%.160s", site, answer_text(item, "key"));
}

static void take_top(struct sight *sight)
{
	char key[QUIET_KEY_BYTES];
	const json_t *item;
	size_t i;
	if (sight->attacked || sight->status_wall_ms == 0)
		return;
	quiet_second(&sight->quiet);
	for (enum sight_kind kind = 0; kind < SIGHT_KINDS; kind++)
		json_array_foreach(json_object_get(sight->asker.answers[ASKER_TOP], sight_kind_name(kind)), i, item)
		{
			sight_key(kind, item, key);
			quiet_see(&sight->quiet, kind, key, answer_number(item, "per_s"));
		}
}

bool sight_step(struct sight *sight, uint64_t now_ms, uint64_t wall_ms)
{
	enum asker_question question;
	sight->now_ms = now_ms;
	sight->wall_ms = wall_ms;
	if (!asker_step(&sight->asker, now_ms, &question))
		return false;
	if (question == ASKER_STATUS)
		take_status(sight);
	if (question == ASKER_TOP)
		take_top(sight);
	return true;
}

int sight_store(const struct sight *sight, struct case_store **ret_store)
{
	const char *path = answer_text(sight->asker.answers[ASKER_HISTORY], "path");
	return path[0] != '\0' ? case_store_look(path, ret_store) : -EAGAIN;
}
