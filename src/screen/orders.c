/*
 * What the form says is taken apart, checked, and put together again as one line for the watch, with `for UID` in
 * front.
 */
#include "screen/orders.h"

#include "base/address.h"
#include "base/control.h"
#include "base/error.h"
#include "codec/question.h"
#include "screen/answer.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 256, WHY_BYTES = 160, OPEN_SECONDS = 1 };

/* One line of plain words: what a person typed is kept, and what would be another question is not. */
static void plain(const char *text, char out[WHY_BYTES])
{
	size_t len = 0;
	for (; text[len] != '\0' && len + 1 < WHY_BYTES; len++)
		out[len] = (uint8_t)text[len] < ' ' || text[len] == 0x7f ? ' ' : text[len];
	out[len] = '\0';
}

static bool is_name(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.ptr[i] <= ' ' || word.ptr[i] == 0x7f)
			return false;
	return word.len > 0 && word.len < NAME_BYTES;
}

static bool make_question(struct slice order, const char *why, char *question, size_t room)
{
	struct slice verb = question_word(&order), what = question_word(&order);
	struct prefix prefix;
	uint64_t number;
	int len = -1;
	if (order.len > 0)
		return false;
	if (slice_equal(verb, SLICE("unban")) && prefix_parse(what, &prefix))
		len = snprintf(question, room, "unban %.*s %s", SLICE_ARG(what), why);
	else if (slice_equal(verb, SLICE("open")) && is_name(what))
		len = snprintf(question, room, "mode %.*s open %d %s", SLICE_ARG(what), OPEN_SECONDS, why);
	else if (slice_equal(verb, SLICE("lift")) && slice_number(what, UINT32_MAX, &number))
		len = snprintf(question, room, "lift %.*s %s", SLICE_ARG(what), why);
	return len > 0 && (size_t)len < room;
}

static bool take_answer(struct slice text, const char *question, struct buffer *ret_said)
{
	json_t *answer = json_loadb((const char *)text.ptr, text.len, 0, NULL);
	const char *fault = answer_text(answer, "fault");
	bool done = answer != NULL && fault[0] == '\0';
	buffer_text(ret_said, done ? question : answer == NULL ? "the watch's answer cannot be read" : fault);
	json_decref(answer);
	return done;
}

bool orders_pass_on(const char *control, uid_t who, const char *order, const char *why, struct buffer *ret_said)
{
	char reason[WHY_BYTES], question[NAME_BYTES + WHY_BYTES + 64], line[sizeof(question) + 32];
	struct buffer answer = buffer_make(NULL);
	plain(why, reason);
	if (!make_question(slice_from_string(order), reason, question, sizeof(question))) {
		buffer_text(ret_said, "not an order");
		return false;
	}
	snprintf(line, sizeof(line), "for %u %s", (unsigned)who, question);
	int r = control_ask(control, line, &answer);
	bool done = r == 0 && take_answer(buffer_slice(&answer), question, ret_said);
	if (r != 0)
		buffer_printf(ret_said, "the watch does not answer: %s", strerror(-r));
	buffer_free(&answer);
	return done;
}
