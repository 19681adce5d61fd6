/* The keeper's answers. */
#include "base/clock.h"
#include "base/error.h"
#include "codec/question.h"
#include "codec/text.h"
#include "upstream/keeper_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { SILENT_MS = 10000 };

/* ---- status ---- */

static const char *session_name(const struct keeper *k, size_t at)
{
	return k->sessions[at].up ? "up" : "down";
}

/* Whether the router takes no such rules: they are not at it, whatever ExaBGP says. */
static bool lacks(const struct keeper *k, size_t at, const struct route *route)
{
	return k->sessions != NULL && session_lacks(&k->sessions[at], exabgp_family_of(route));
}

/* Whether its router agreed to what it is used for; null: that is not known. */
static void add_families(const struct session *s, const struct upstream_operator *o, struct buffer *out)
{
	size_t count = 0;
	buffer_text(out, ",\"families\":{");
	for (unsigned i = 0; i < EXABGP_FAMILIES; i++) {
		enum exabgp_family family = (enum exabgp_family)i;
		bool known = s->up && (s->known & 1U << i) != 0;
		if (exabgp_family_is_used(o, family))
			buffer_printf(out, "%s\"%s\":%s", count++ > 0 ? "," : "", exabgp_family_name(family),
				      !known                     ? "null"
				      : session_lacks(s, family) ? "false"
								 : "true");
	}
	buffer_byte(out, '}');
}

static void add_operator(const struct keeper *k, size_t at, struct buffer *out)
{
	const struct upstream_operator *o = &k->options.operators[at];
	const struct session *s = &k->sessions[at];
	char text[ADDRESS_TEXT_BYTES];
	size_t falls = session_falls(s, k->now_ms);
	buffer_printf(out, "{\"name\":\"%s\",\"peer\":\"%s\",\"session\":\"%s\",\"seconds\":%" PRIu64 ",\"falls\":%zu,",
		      o->name, address_format(&o->peer, text), session_name(k, at),
		      s->since_ms > 0 ? (k->now_ms - s->since_ms) / 1000 : 0, falls);
	buffer_printf(out, "\"flaps\":%s,\"said\":", falls >= SESSION_FLAPS ? "true" : "false");
	text_add_json(out, slice_from_string(s->said));
	add_families(s, o, out);
	buffer_printf(out, ",\"announced\":%zu,\"rules_most\":%" PRIu32 "}", lease_announced(k->book, (uint32_t)at),
		      o->rules_most);
}

static const char *state_name(const struct keeper *k, const struct lease *lease)
{
	bool sent = lease->state != LEASE_ANNOUNCED || !lacks(k, lease->operator_, &lease->route);
	return sent ? lease_state_name(lease->state) : "not sent";
}

static void add_lease(const struct keeper *k, const struct lease *lease, struct buffer *out)
{
	struct buffer text = buffer_make(NULL);
	buffer_printf(out, "{\"id\":%" PRIu32 ",\"operator\":\"%s\",\"session\":\"%s\",\"state\":\"%s\",", lease->id,
		      k->options.operators[lease->operator_].name, session_name(k, lease->operator_),
		      state_name(k, lease));
	buffer_printf(out, "\"taken\":%s,\"yes\":%s,", lease->taken ? "true" : "false", lease->yes ? "true" : "false");
	buffer_printf(out, "\"seconds_left\":%" PRIu64 ",\"age_seconds\":%" PRIu64 ",\"by\":%lu,\"told\":",
		      lease->until_ms > k->now_ms ? (lease->until_ms - k->now_ms) / 1000 : 0,
		      (k->now_ms - lease->since_ms) / 1000, (unsigned long)lease->by);
	route_tell(&lease->route, &text);
	text_add_json(out, buffer_slice(&text));
	buffer_clear(&text);
	(void)route_write(&lease->route, &text);
	buffer_text(out, ",\"route\":");
	text_add_json(out, buffer_slice(&text));
	buffer_text(out, ",\"why\":");
	text_add_json(out, slice_from_string(lease->why));
	buffer_text(out, "}");
	out->error = out->error != 0 ? out->error : text.error;
	buffer_free(&text);
}

/* Who holds the rules: since when nothing was heard of it, and when all of them end if that stays so. */
static void add_watch(const struct keeper *k, struct buffer *out)
{
	uint64_t heard_ms = lease_held_ms(k->book), passed_ms = k->now_ms - heard_ms;
	buffer_printf(out, "\"held\":%s,", lease_is_held(k->book, k->now_ms) ? "true" : "false");
	if (heard_ms != 0)
		buffer_printf(out,
			      "\"watch\":{\"silent\":%s,\"heard_seconds\":%" PRIu64 ",\"seconds_left\":%" PRIu64 "},",
			      passed_ms > LEASE_SILENT_MS ? "true" : "false", passed_ms / 1000,
			      passed_ms < LEASE_HOLD_MS ? (LEASE_HOLD_MS - passed_ms) / 1000 : 0);
}

static void status(const struct keeper *k, struct buffer *out)
{
	const struct lease *leases;
	size_t count = lease_list(k->book, &leases);
	bool answers = k->answered_ms != 0 && k->now_ms - k->answered_ms < SILENT_MS;
	buffer_printf(out, "{\"exabgp\":%s,", answers ? "true" : "false");
	add_watch(k, out);
	buffer_text(out, "\"operators\":[");
	for (size_t i = 0; i < k->options.count; i++) {
		buffer_text(out, i > 0 ? "," : "");
		add_operator(k, i, out);
	}
	buffer_text(out, "],\"rules\":[");
	for (size_t i = 0; i < count; i++) {
		buffer_text(out, i > 0 ? "," : "");
		add_lease(k, &leases[i], out);
	}
	buffer_text(out, "]}\n");
}

/* ---- asking ---- */

struct asked {
	bool dry;
	struct slice operator_;
	struct route route;
	struct lease_ask ask;
};

static const char *read_ask(const struct keeper *k, uid_t who, struct slice rest, struct asked *a)
{
	uint64_t seconds = 0;
	a->operator_ = question_word(&rest);
	bool good = slice_number(question_word(&rest), OPERATOR_LIFETIME_MOST_S, &seconds);
	struct slice yes = question_word(&rest), why;
	struct slice route = slice_cut(rest, '\t', &why);
	if (!good || !(slice_equal(yes, SLICE("yes")) || slice_equal(yes, SLICE("-"))))
		return "not a question: ask OPERATOR SECONDS yes|- WHY<TAB>ROUTE";
	if (!route_read(route, &a->route))
		return "not a route as it is written here";
	a->ask = (struct lease_ask){.route = &a->route,
				    .until_ms = k->now_ms + seconds * 1000,
				    .yes = slice_equal(yes, SLICE("yes")),
				    .by = who,
				    .why = why};
	/* Trying does nothing that somebody would have to agree to. */
	if (a->ask.yes && !a->dry && who != 0 && who != geteuid())
		return "a yes counts only from root and from the keeper's own user";
	return NULL;
}

static void add_says(const struct keeper *k, size_t at, const struct route *route, int outcome, struct buffer *out)
{
	const char *text = outcome < 0 ? "cannot be held: no memory is left" : lease_outcome_text(outcome);
	const char *family = exabgp_family_name(exabgp_family_of(route));
	if (outcome != GUARD_PASSES || !lacks(k, at, route)) {
		text_add_json(out, slice_from_string(text));
		return;
	}
	buffer_printf(out, "\"%s, but is not sent: the router takes no %s\",\"lacks\":\"%s\"", text, family, family);
}

static void add_outcome(struct keeper *k, size_t at, const struct asked *a, struct buffer *out)
{
	const struct upstream_operator *o = &k->options.operators[at];
	struct lease_ask ask = a->ask;
	struct route route = a->route;
	const struct lease *lease;
	/* A blackhole's next hop is agreed with each operator, and not for whoever asks to say. */
	if (route.kind == ROUTE_BLACKHOLE && o->has_next_hop[!prefix_is_v4(&route.prefix)])
		route.next_hop = o->next_hop[!prefix_is_v4(&route.prefix)];
	ask.route = &route;
	ask.operator_ = (uint32_t)at;
	int outcome =
		a->dry ? lease_try(k->book, &ask, k->now_ms) : lease_ask(k->book, &ask, k->now_ms, &k->sink, &lease);
	buffer_printf(out,
		      "{\"operator\":\"%s\",\"passes\":%s,\"needs_yes\":%s,\"says\":", k->options.operators[at].name,
		      outcome == GUARD_PASSES ? "true" : "false",
		      outcome == GUARD_NEEDS_YES || outcome == GUARD_BLACKHOLES ? "true" : "false");
	add_says(k, at, &route, outcome, out);
	if (outcome == GUARD_PASSES && !a->dry)
		buffer_printf(out, ",\"id\":%" PRIu32 ",\"session\":\"%s\"", lease->id, session_name(k, at));
	buffer_text(out, "}");
}

static void ask(struct keeper *k, uid_t who, bool dry, struct slice rest, struct buffer *out)
{
	struct asked a = {.dry = dry};
	const char *wrong = read_ask(k, who, rest, &a);
	size_t meant = 0;
	if (wrong != NULL) {
		question_fault(out, wrong);
		return;
	}
	size_t from = out->len;
	struct buffer told = buffer_make(NULL);
	route_tell(&a.route, &told);
	buffer_byte(out, '{');
	if (!dry)
		add_watch(k, out);
	buffer_text(out, "\"told\":");
	text_add_json(out, buffer_slice(&told));
	buffer_text(out, ",\"outcomes\":[");
	for (size_t i = 0; i < k->options.count; i++) {
		if (!slice_equal(a.operator_, SLICE("*")) &&
		    !slice_equal(a.operator_, slice_from_string(k->options.operators[i].name)))
			continue;
		buffer_text(out, meant++ > 0 ? "," : "");
		add_outcome(k, i, &a, out);
	}
	buffer_text(out, "]}\n");
	buffer_free(&told);
	if (meant > 0)
		return;
	out->len = from;
	char text[96];
	snprintf(text, sizeof(text), "no such operator: %.*s", (int)(a.operator_.len < 64 ? a.operator_.len : 64),
		 (const char *)a.operator_.ptr);
	question_fault(out, text);
}

/* ---- what is asked for already ---- */

static int end_all(struct keeper *k)
{
	const struct lease *leases;
	int ended = 0;
	for (size_t i = lease_list(k->book, &leases); i-- > 0;)
		ended += lease_end(k->book, leases[i].id, &k->sink) == 0;
	return ended;
}

static void change(struct keeper *k, struct slice verb, struct slice which, struct buffer *out)
{
	uint64_t id = 0;
	if (slice_equal(verb, SLICE("end")) && slice_equal(which, SLICE("all"))) {
		buffer_printf(out, "{\"ended\":%d}\n", end_all(k));
		return;
	}
	if (!slice_number(which, UINT32_MAX, &id)) {
		question_fault(out, "which? the number of a rule");
		return;
	}
	int outcome = slice_equal(verb, SLICE("end"))    ? lease_end(k->book, (uint32_t)id, &k->sink)
		      : slice_equal(verb, SLICE("lift")) ? lease_lift(k->book, (uint32_t)id, &k->sink)
							 : lease_raise(k->book, (uint32_t)id, k->now_ms, &k->sink);
	if (outcome == 0)
		buffer_printf(out, "{\"%.*s\":%" PRIu64 "}\n", SLICE_ARG(verb), id);
	else
		question_fault(out, outcome < 0 ? "no memory is left" : lease_outcome_text(outcome));
}

/* Who holds hears whether anybody could be asked at all. */
static void held(struct keeper *k, struct buffer *out)
{
	size_t up = 0, carry = 0;
	for (size_t i = 0; i < k->options.count; i++) {
		up += k->sessions[i].up;
		carry += session_carries(&k->sessions[i], &k->options.operators[i]);
	}
	lease_hold(k->book, k->now_ms, &k->sink);
	const struct lease *leases;
	buffer_printf(out, "{\"held\":true,\"operators\":%zu,\"up\":%zu,\"carry\":%zu,\"rules\":%zu}\n",
		      k->options.count, up, carry, lease_list(k->book, &leases));
}

static void news(struct keeper *k, struct slice words, struct buffer *out)
{
	uint64_t life, number;
	if (!slice_number(question_word(&words), INT64_MAX, &life) ||
	    !slice_number(question_word(&words), INT64_MAX, &number)) {
		question_fault(out, "not a question: news LIFE NUMBER");
		return;
	}
	lease_news_forget(&k->news, life, number, &k->journal);
	lease_news_write(&k->news, out);
}

void keeper_answer(struct keeper *k, uid_t who, struct slice question, struct buffer *out)
{
	struct slice verb = question_word(&question);
	if (slice_equal(verb, SLICE("news"))) {
		news(k, question, out);
	} else if (slice_equal(verb, SLICE("status"))) {
		status(k, out);
	} else if (slice_equal(verb, SLICE("hold"))) {
		held(k, out);
	} else if (slice_equal(verb, SLICE("ask")) || slice_equal(verb, SLICE("try"))) {
		ask(k, who, slice_equal(verb, SLICE("try")), question, out);
	} else if (slice_equal(verb, SLICE("end")) || slice_equal(verb, SLICE("lift")) ||
		   slice_equal(verb, SLICE("raise"))) {
		change(k, verb, question, out);
	} else {
		question_fault(out, "no such question");
	}
}

int keeper_plan(const struct keeper_options *options, struct slice question, struct buffer *out)
{
	struct keeper k = {.options = *options, .now_ms = (uint64_t)clock_boot_ms()};
	struct buffer journal = buffer_make(NULL);
	const struct lease_sink sink = {.journal = &journal};
	int r = lease_book_create(options->operators, options->count, &k.book);
	if (r != 0)
		return r;
	lease_hold(k.book, k.now_ms, &sink);
	(void)question_word(&question);
	ask(&k, geteuid(), true, question, out);
	buffer_free(&journal);
	lease_book_free(k.book);
	return out->error;
}
