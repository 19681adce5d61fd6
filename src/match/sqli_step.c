#include "match/sqli_step.h"

_Static_assert(SQLI_KINDS <= 32, "a kind takes five bits");
enum { LATER_AT = 5, EMPTY_AT = 6, IF_AT = 7 };

/* Where things stand in a state's `rest`. */
enum {
	COUNT_AT = 16,
	SETTLED_AT = 20,
	KEPT_AT = 24,
	PAIRS_AT = 28,
	PAIRED_AT = 32,
	TOUCHED_AT = 33,
	TOKEN_AT = 48,
	TRIED_AT = 52
};

/* Kind and traits, and what folding asks of most texts. */
static uint64_t class_of(const struct sqli_token *token)
{
	uint64_t later = sqli_word_continues(token->text, token->len);
	return token->kind | later << LATER_AT | (uint64_t)(token->len == 0) << EMPTY_AT |
	       (uint64_t)sqli_is_word_if(token) << IF_AT | (uint64_t)token->traits << 8;
}

/* The place in `tokens` of what is dropped: one that no window uses. */
enum { NOWHERE = SQLI_FINGERPRINT_MAX + 2, ELSEWHERE };

static struct sqli_state state_of(const struct sqli_window *w)
{
	uint64_t classes[SQLI_FINGERPRINT_MAX] = {0};
	for (size_t i = 0; i < w->count; i++)
		classes[i] = class_of(&w->tokens[i]);
	uint64_t place = (uint64_t)w->count << COUNT_AT | (uint64_t)w->settled << SETTLED_AT |
			 (uint64_t)w->kept << KEPT_AT | (uint64_t)w->kept_pairs << PAIRS_AT |
			 (uint64_t)w->paired << PAIRED_AT | (uint64_t)(w->paired && w->touched) << TOUCHED_AT;
	return (struct sqli_state){classes[0] | classes[1] << 16 | classes[2] << 32 | classes[3] << 48,
				   classes[4] | place};
}

static void state_restore(struct sqli_state state, struct sqli_window *w)
{
	w->count = state.rest >> COUNT_AT & 15;
	w->settled = state.rest >> SETTLED_AT & 15;
	w->kept = state.rest >> KEPT_AT & 15;
	w->kept_pairs = state.rest >> PAIRS_AT & 15;
	w->paired = (state.rest >> PAIRED_AT & 1) != 0;
	w->touched = (state.rest >> TOUCHED_AT & 1) != 0;
	for (size_t i = 0; i < w->count; i++) {
		uint64_t class = i < 4 ? state.first >> (16 * i) : state.rest;
		w->tokens[i].kind = class & 31;
		w->tokens[i].traits = (uint8_t)(class >> 8);
	}
}

static bool same_text(const struct sqli_token *a, const struct sqli_token *b)
{
	return a->text == b->text && a->len == b->len && a->open == b->open && a->close == b->close;
}

/* Where `came` is now, if all others are where they were. */
static size_t place_of(const struct sqli_window *w, const struct sqli_token *before, size_t count,
		       const struct sqli_token *came)
{
	size_t place = NOWHERE;
	for (size_t i = 0; i < w->count; i++) {
		if (i < count && same_text(&w->tokens[i], &before[i]))
			continue;
		if (place != NOWHERE || !same_text(&w->tokens[i], came))
			return ELSEWHERE;
		place = i;
	}
	return place;
}

static size_t slot_of(struct sqli_state from)
{
	uint64_t mixed = from.first * 0x9e3779b97f4a7c15U + from.rest * 0xc2b2ae3d27d4eb4fU;
	return mixed >> 52 & (SQLI_STEPS - 2);
}

static bool same_state(struct sqli_state a, struct sqli_state b)
{
	return a.first == b.first && a.rest == b.rest;
}

/*
 * One more than the place of the word with which `came` was tried for a phrase, 0 if none was; ELSEWHERE if the step
 * hangs on other texts.
 */
static size_t tried_place(const struct sqli_window *w, const struct sqli_token *before, size_t count,
			  const struct sqli_token *came)
{
	if (w->by_text || w->tried > 1)
		return ELSEWHERE;
	if (w->tried == 0)
		return 0;
	for (size_t i = 0; i < count && same_text(&w->tried_second, came); i++)
		if (same_text(&w->tried_first, &before[i]))
			return i + 1;
	return ELSEWHERE;
}

/* In the first of two slots; what was there goes to the second. */
static void keep(struct sqli_steps *steps, struct sqli_state from, struct sqli_state to, size_t place, size_t tried)
{
	size_t slot = slot_of(from);
	steps->steps[slot + 1] = steps->steps[slot];
	steps->steps[slot].from = from;
	steps->steps[slot].to =
		(struct sqli_state){to.first, to.rest | (uint64_t)place << TOKEN_AT | (uint64_t)tried << TRIED_AT};
}

static bool take(struct sqli_steps *steps, struct sqli_state from, struct sqli_window *w, const struct sqli_token *came)
{
	struct sqli_token before[SQLI_FINGERPRINT_MAX];
	size_t count = w->count;
	memcpy(before, w->tokens, count * sizeof(before[0]));
	w->tokens[w->count++] = *came;
	w->by_text = false;
	w->tried = 0;
	if (!sqli_window_run(w))
		return false;
	size_t place = place_of(w, before, count, came), tried = tried_place(w, before, count, came);
	if (place != ELSEWHERE && tried != ELSEWHERE)
		keep(steps, from, state_of(w), place, tried);
	return true;
}

/* A step that was taken after a phrase had been tried is the same if there is none now. */
static inline bool no_phrase(const struct sqli_window *w, struct sqli_state to, const struct sqli_token *came)
{
	size_t tried = to.rest >> TRIED_AT;
	return tried == 0 || sqli_phrase_find(&w->tokens[tried - 1], came).kind == SQLI_NONE;
}

/* A known step in *ret_to, with the place of the token that came. */
static inline bool find(const struct sqli_steps *steps, struct sqli_state from, struct sqli_state *ret_to)
{
	size_t slot = slot_of(from);
	/* A branch, not a choice: what comes next need not wait until the states are compared. */
	if (__builtin_expect(same_state(steps->steps[slot].from, from), 1)) {
		*ret_to = steps->steps[slot].to;
		return true;
	}
	*ret_to = steps->steps[slot + 1].to;
	return same_state(steps->steps[slot + 1].from, from);
}

/*
 * In two words, which the asm keeps the compiler from joining: what was written as two, as tokens of one byte are, need
 * not have come to memory before it can be read as two.
 */
static inline void put(struct sqli_token *place, const struct sqli_token *token)
{
	uint64_t head = token->head;
	__asm__("" : "+r"(head));
	place->text = token->text;
	place->head = head;
}

void sqli_steps_run(struct sqli_steps *steps, struct sqli_window *w, struct sqli_feed *feed)
{
	struct sqli_state now = state_of(w), to;
	struct sqli_token came;
	bool behind = false; /* `w` is, but for texts: it is as it was before the last steps */
	while (sqli_feed_next(feed, &came)) {
		struct sqli_state from = {now.first, now.rest | class_of(&came) << TOKEN_AT};
		if (find(steps, from, &to) && no_phrase(w, to, &came)) {
			put(&w->tokens[to.rest >> TOKEN_AT & 15], &came);
			now = (struct sqli_state){to.first, to.rest & ((1ULL << TOKEN_AT) - 1)};
			behind = true;
			continue;
		}
		if (behind)
			state_restore(now, w);
		if (!take(steps, from, w, &came))
			return;
		now = state_of(w);
		behind = false;
	}
	if (behind)
		state_restore(now, w);
	sqli_window_end(w);
}
