/*
 * Which part of the watch a question is for. An order goes into the evidence however it was answered, and into the
 * casebook if it was carried out.
 */
#include "codec/question.h"
#include "codec/text.h"
#include "watch/orders.h"
#include "watch/report.h"
#include "watch/watch_state.h"

#include <stdio.h>

enum { TOP_COUNT = 10 };

static const char *edge_of(const void *context, const struct prefix *prefix, enum ban_kind kind)
{
	const struct watch *w = context;
	return edge_bans_standing(&w->edge, prefix, kind);
}

/* Workers tell of all their sites when they begin. */
static bool serves(const void *context, struct slice site)
{
	const struct watch *w = context;
	for (size_t i = 0; i < w->sites.count; i++)
		if (slice_equal(slice_from_string(w->sites.views[i].name), site))
			return true;
	return false;
}

/* What a person ordered; of what was done the incident tells. */
static void ordered(struct watch *w, uid_t who, struct slice question, struct slice answer)
{
	static const char *const verbs[] = {"ban ", "unban ", "allow ", "mode ", "lift "};
	char text[CASE_TEXT_BYTES];
	bool is_order = false;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		is_order = is_order || slice_starts_with(question, slice_from_string(verbs[i]));
	if (is_order)
		witness_ordered(w->witness, who, question, answer);
	if (!is_order || slice_starts_with(answer, SLICE("{\"fault\"")))
		return;
	snprintf(text, sizeof(text), "user %u: %.*s", (unsigned)who, SLICE_ARG(question));
	cases_note(w->cases, CASE_ENTRY_ORDER, text, watch_times(w).wall_ms);
}

static void history_answer(const struct watch *w, struct buffer *out)
{
	buffer_text(out, "{\"path\":");
	text_add_json(out, slice_from_string(cases_path(w->cases)));
	buffer_text(out, "}\n");
}

/* "for USER QUESTION": whoever may ask at all may pass on what another user wants, who is then named as its author. */
static struct slice on_behalf(struct slice question, uid_t *who)
{
	struct slice rest = question;
	uint64_t user;
	if (!slice_equal(question_word(&rest), SLICE("for")) || !slice_number(question_word(&rest), UINT32_MAX, &user))
		return question;
	*who = (uid_t)user;
	return rest;
}

void watch_answer(void *context, uid_t who, struct slice question, struct buffer *out)
{
	struct watch *w = context;
	question = on_behalf(question, &who);
	const struct orders orders = {.bans = w->bans,
				      .modes = w->modes,
				      .homes = &w->homes,
				      .spared = w->spared,
				      .spared_count = w->spared_count,
				      .now = watch_times(w),
				      .by = who,
				      .hits = watch_hits,
				      .edge = edge_of,
				      .serves = serves,
				      .context = w,
				      .defence = w->defender.defence};
	const struct report report = {
		.intake = &w->intake,
		.sites = &w->sites,
		.ranking = &w->ranking,
		.places = &w->places,
		.defender = &w->defender,
		.edge = &w->edge,
		.upstream = w->upstream,
		.witness = w->witness,
		.modes = w->modes,
		.hits = watch_hits,
		.context = w,
		.probes = w->probes,
		.probe_count = w->probe_count,
		.began_ns = w->began_ns,
		.now_ns = w->now_ns,
	};
	const struct upstream_sight sight = watch_upstream_sight(w);
	uint64_t top = TOP_COUNT;
	struct slice verb, rest = slice_cut(question, ' ', &verb);
	(void)slice_number(rest, UINT32_MAX, &top);
	if (slice_equal(verb, SLICE("status")))
		report_status(&report, out);
	else if (slice_equal(verb, SLICE("top")))
		report_top(&report, top, out);
	else if (slice_equal(verb, SLICE("history")))
		history_answer(w, out);
	else if (slice_equal(verb, SLICE("upstream")))
		upstream_report(w->upstream, &sight, out);
	else if (witness_answer(w->witness, who, question, out))
		;
	else if (!orders_answer(&orders, question, out))
		buffer_text(out, "{\"fault\":\"no such question\"}\n");
	else
		ordered(w, who, question, buffer_slice(out));
}
