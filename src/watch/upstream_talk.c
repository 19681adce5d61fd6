/* Questions to the keeper and its answers, one at a time: nothing here waits for it. */
#include "watch/upstream_inside.h"

#include "base/control.h"
#include "base/error.h"
#include "upstream/lease.h"

#include <inttypes.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ANSWER_BYTES = 4 << 20,
	PIECE_BYTES = 16384, /* read at once */
};

static void say_fault(int error, char fault[UPSTREAM_FAULT_BYTES])
{
	const struct passwd *user;
	switch (error) {
	case -EACCES:
		user = getpwuid(geteuid());
		snprintf(fault, UPSTREAM_FAULT_BYTES,
			 "the keeper does not answer %s, who the watch runs as, or left there what is another's: "
			 "ExaBGP must run as a user of that group (docs/operators.md)",
			 user != NULL ? user->pw_name : "the user");
		break;
	case -EBADMSG:
		snprintf(fault, UPSTREAM_FAULT_BYTES, "the keeper's answer cannot be read; no operator is asked");
		break;
	case -ETIMEDOUT:
	case -EAGAIN:
		snprintf(fault, UPSTREAM_FAULT_BYTES,
			 "the keeper does not answer in time; until then no operator is asked");
		break;
	default:
		snprintf(fault, UPSTREAM_FAULT_BYTES, "%s; no operator is asked until ExaBGP runs there",
			 strerror(-error));
	}
}

/* Whether the keeper answers. That it does not is told when it is so twice: it may have been killed just then. */
static void heed(struct upstream *u, int error)
{
	u->unanswered = error != 0 ? u->unanswered + 1 : 0;
	if (error != 0)
		u->up = u->unfit = 0;
	/* Whoever comes next holds what the journal says, and must be known anew. */
	u->adopted = u->adopted && error == 0;
	if (error == u->error || u->unanswered == 1)
		return;
	u->error = error;
	u->fault[0] = '\0';
	if (error != 0)
		say_fault(error, u->fault);
	fprintf(stderr, "guia: watch: %s: %s\n", u->socket, error != 0 ? u->fault : "the keeper answers");
}

static void send_question(struct upstream *u, const char *question, enum asking asking, uint64_t now_ms)
{
	int r = control_send(u->socket, question, &u->fd);
	u->asking = r == 0 ? asking : ASKING_NOTHING;
	u->asked_ms = now_ms;
	buffer_clear(&u->answer);
	if (r != 0)
		heed(u, r);
}

static void ask_request(struct upstream *u, struct request *request, uint64_t now_ms)
{
	static const char *const verbs[] = {[REQUEST_LIFT] = "lift", [REQUEST_RAISE] = "raise", [REQUEST_END] = "end"};
	struct buffer question = buffer_make(NULL);
	u->at = (size_t)(request - u->requests.items);
	if (request->due == REQUEST_ASK) {
		buffer_printf(&question, "ask * %d - %s\t", REQUEST_SECONDS, request->why);
		(void)route_write(&request->route, &question);
	} else if (u->id_at < request->id_count) {
		buffer_printf(&question, "%s %" PRIu32, verbs[request->due], request->ids[u->id_at]);
	}
	buffer_byte(&question, '\0');
	if (question.error == 0 && question.len > 1)
		send_question(u, (const char *)question.ptr, ASKING_REQUEST, now_ms);
	else
		requests_done(&u->requests, request, NULL, 0, false, now_ms);
	buffer_free(&question);
}

/* What was told before is in the queue of who writes it down. */
static void ask_news(struct upstream *u, uint64_t now_ms)
{
	char question[64];
	u->news_due = false;
	snprintf(question, sizeof(question), "news %" PRIu64 " %" PRIu64, u->news.life, u->news.number);
	send_question(u, question, ASKING_NEWS, now_ms);
}

static void ask_next(struct upstream *u, uint64_t now_ms)
{
	struct request *request = u->adopted ? requests_next(&u->requests) : NULL;
	if (now_ms >= u->hold_ms) {
		u->hold_ms = now_ms + LEASE_RENEW_MS;
		send_question(u, "hold", ASKING_HOLD, now_ms);
	} else if (u->fault[0] != '\0') {
		return;
	} else if (!u->adopted) {
		send_question(u, "status", ASKING_STATUS, now_ms);
	} else if (u->news_due) {
		ask_news(u, now_ms);
	} else if (request != NULL) {
		ask_request(u, request, now_ms);
	}
}

/* ---- answers ---- */

static bool text_is(const json_t *object, const char *key, const char *expected)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL && strcmp(text, expected) == 0;
}

/* Rules that a watch of this user's asked for by itself. */
static void adopt(struct upstream *u, const json_t *answer, uint64_t now_ms)
{
	const json_t *rule;
	size_t i;
	u->requests.count = 0;
	u->id_at = 0;
	json_array_foreach(json_object_get(answer, "rules"), i, rule)
	{
		const char *why = json_string_value(json_object_get(rule, "why"));
		const char *text = json_string_value(json_object_get(rule, "route"));
		struct route route;
		if (why == NULL || strncmp(why, UPSTREAM_WHY, strlen(UPSTREAM_WHY)) != 0 || text == NULL ||
		    json_integer_value(json_object_get(rule, "by")) != (json_int_t)geteuid() ||
		    !route_read(slice_from_string(text), &route))
			continue;
		requests_adopt(&u->requests, &route, (uint32_t)json_integer_value(json_object_get(rule, "id")), why,
			       !text_is(rule, "state", "not sent"), now_ms);
	}
	u->adopted = json_object_get(answer, "rules") != NULL;
}

static void say_outcomes(const struct request *request, const json_t *outcomes)
{
	const json_t *outcome;
	size_t i;
	struct buffer told = buffer_make(NULL);
	route_tell(&request->route, &told);
	json_array_foreach(outcomes, i, outcome)
		fprintf(stderr, "guia: watch: %s of %s: %.*s: %s\n", request->asked ? "asked again" : "asked",
			json_string_value(json_object_get(outcome, "operator")), SLICE_ARG(buffer_slice(&told)),
			json_string_value(json_object_get(outcome, "says")));
	buffer_free(&told);
}

static void request_answered(struct upstream *u, const json_t *answer, uint64_t now_ms)
{
	struct request *request = u->at < u->requests.count ? &u->requests.items[u->at] : NULL;
	const json_t *outcomes = json_object_get(answer, "outcomes"), *outcome;
	uint32_t ids[REQUEST_IDS];
	size_t count = 0, i;
	bool sent = false;
	if (request == NULL)
		return;
	if (request->due != REQUEST_ASK) {
		if (++u->id_at < request->id_count)
			return;
		u->id_at = 0;
		requests_done(&u->requests, request, NULL, 0, false, now_ms);
		return;
	}
	json_array_foreach(outcomes, i, outcome)
	{
		if (!json_is_true(json_object_get(outcome, "passes")) || count == REQUEST_IDS)
			continue;
		ids[count++] = (uint32_t)json_integer_value(json_object_get(outcome, "id"));
		sent = sent || json_object_get(outcome, "lacks") == NULL;
	}
	if (!request->asked)
		say_outcomes(request, outcomes);
	requests_done(&u->requests, request, ids, count, sent, now_ms);
}

static void held(struct upstream *u, const json_t *answer)
{
	const json_t *carry = json_object_get(answer, "carry");
	size_t up = (size_t)json_integer_value(json_object_get(answer, "up"));
	/* A keeper of an earlier version does not know. */
	u->up = carry != NULL ? (size_t)json_integer_value(carry) : up;
	u->unfit = up > u->up ? up - u->up : 0;
	u->operators = (size_t)json_integer_value(json_object_get(answer, "operators"));
	u->rules = (size_t)json_integer_value(json_object_get(answer, "rules"));
}

/* `whole`: to its end. */
static void answered(struct upstream *u, bool whole, uint64_t now_ms)
{
	enum asking asking = u->asking;
	json_t *answer = json_loadb((const char *)u->answer.ptr, u->answer.len, 0, NULL);
	close(u->fd);
	u->fd = -1;
	u->asking = ASKING_NOTHING;
	heed(u, answer != NULL ? 0 : !whole ? -ETIMEDOUT : u->answer.len > 0 ? -EBADMSG : -EACCES);
	if (answer != NULL && asking == ASKING_STATUS)
		adopt(u, answer, now_ms);
	else if (answer != NULL && asking == ASKING_NEWS)
		upstream_news_read(&u->news, answer);
	else if (answer != NULL && asking == ASKING_HOLD)
		held(u, answer);
	else if (answer != NULL && asking == ASKING_REQUEST)
		request_answered(u, answer, now_ms);
	u->news_due = u->news_due || asking == ASKING_HOLD;
	json_decref(answer);
}

static void answer_take(struct upstream *u, uint64_t now_ms)
{
	char bytes[PIECE_BYTES];
	ssize_t n;
	while ((n = recv(u->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		if (u->answer.len < ANSWER_BYTES)
			buffer_add(&u->answer, slice_make(bytes, (size_t)n));
	bool waits = n < 0 && (errno == EAGAIN || errno == EINTR) && now_ms - u->asked_ms < LEASE_PATIENCE_MS;
	if (!waits)
		answered(u, n == 0 || errno == ECONNRESET, now_ms);
}

void upstream_talk(struct upstream *u, uint64_t now_ms)
{
	if (u->fd >= 0)
		answer_take(u, now_ms);
	if (u->fd < 0)
		ask_next(u, now_ms);
}
