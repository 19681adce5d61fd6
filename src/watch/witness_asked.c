/*
 * What a person asks of the evidence through the control socket:
 *
 *   evidence                                              where it is
 *   evidence export STEP ID INCIDENT FILES BYTES SHA256|- WHY   a bundle is made (bundle/seal.h)
 *   evidence hold|release INCIDENT FROM TO WHY            what was kept between two times is not deleted; `mistaken` in
 *                                                         the answer: none of it was held
 *   evidence rotate                                       another key takes over
 */
#include "watch/witness_inside.h"

#include "codec/question.h"
#include "codec/text.h"
#include "evidence/holds.h"

static void say_place(const struct witness *witness, struct buffer *out)
{
	buffer_text(out, "{\"path\":");
	text_add_json(out, slice_from_string(witness->folder));
	buffer_printf(out, ",\"authority\":%s}\n", witness->has_authority ? "true" : "false");
}

static void say_done(bool put, struct buffer *out)
{
	if (put)
		buffer_text(out, "{}\n");
	else
		question_fault(out, "the evidence log takes nothing now: guia status tells why");
}

/* "-": none. */
static bool digest_of(struct slice word, uint8_t out[MERKLE_HASH_BYTES], bool *ret_given)
{
	*ret_given = !slice_equal(word, SLICE("-"));
	return !*ret_given || hex_exact(word, out, MERKLE_HASH_BYTES);
}

static void answer_export(struct witness *witness, uid_t who, struct slice words, struct buffer *out)
{
	uint64_t incident, files, bytes;
	uint8_t digest[32];
	bool given;
	struct slice step = question_word(&words), id = question_word(&words);
	bool good = slice_number(question_word(&words), INT64_MAX, &incident) &&
		    slice_number(question_word(&words), INT64_MAX, &files) &&
		    slice_number(question_word(&words), INT64_MAX, &bytes) &&
		    digest_of(question_word(&words), digest, &given);
	if (!good || step.len == 0 || id.len == 0) {
		question_fault(out, "not an order");
		return;
	}
	const struct leaf_value values[LEAF_FIELDS_MOST] = {
		leaf_text(id),
		leaf_text(step),
		leaf_number(incident),
		leaf_number(who),
		leaf_text(words),
		{.bytes = {given ? digest : NULL, sizeof(digest)}},
		{.number = files, .given = given},
		{.number = bytes, .given = given},
	};
	say_done(writer_put(witness->writer, LEAF_EXPORT, values), out);
	writer_stamp(witness->writer);
}

static const char *hold_fault(int r)
{
	return r == HOLDS_FULL      ? "too many incidents are held: release some"
	       : r == HOLDS_DAMAGED ? "the file of holds is damaged; nothing is deleted until it is mended"
				    : "the file of holds cannot be written";
}

static void answer_hold(struct witness *witness, uid_t who, bool held, struct slice words, struct buffer *out)
{
	struct hold hold;
	if (!slice_number(question_word(&words), INT64_MAX, &hold.incident) ||
	    !slice_number(question_word(&words), INT64_MAX, &hold.from_ms) ||
	    !slice_number(question_word(&words), INT64_MAX, &hold.to_ms)) {
		question_fault(out, "not an order");
		return;
	}
	int r = held ? holds_put(witness->folder, &hold) : holds_lift(witness->folder, hold.incident);
	if (r == HOLDS_NONE) {
		buffer_text(out, "{\"fault\":\"this incident is not held\",\"mistaken\":true}\n");
		return;
	} else if (r != 0) {
		question_fault(out, hold_fault(r));
		return;
	}
	const struct leaf_value values[LEAF_FIELDS_MOST] = {
		leaf_number(hold.incident), leaf_text(held ? SLICE("held") : SLICE("released")),
		leaf_number(hold.from_ms),  leaf_number(hold.to_ms),
		leaf_number(who),           leaf_text(words)};
	say_done(writer_put(witness->writer, LEAF_HOLD, values), out);
}

static void answer_rotate(struct witness *witness, uid_t who, struct buffer *out)
{
	witness_ordered(witness, who, SLICE("evidence rotate"), SLICE(""));
	writer_rotate(witness->writer);
	buffer_text(out, "{}\n");
}

bool witness_answer(struct witness *witness, uid_t who, struct slice question, struct buffer *out)
{
	if (!slice_equal(question_word(&question), SLICE("evidence")))
		return false;
	if (witness == NULL) {
		question_fault(out, "this watch keeps no evidence");
		return true;
	}
	struct slice verb = question_word(&question);
	if (verb.len == 0)
		say_place(witness, out);
	else if (slice_equal(verb, SLICE("export")))
		answer_export(witness, who, question, out);
	else if (slice_equal(verb, SLICE("hold")) || slice_equal(verb, SLICE("release")))
		answer_hold(witness, who, slice_equal(verb, SLICE("hold")), question, out);
	else if (slice_equal(verb, SLICE("rotate")) && question.len == 0)
		answer_rotate(witness, who, out);
	else
		question_fault(out, "not an order");
	return true;
}
