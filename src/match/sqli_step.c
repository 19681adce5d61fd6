/*
 * An automaton that is made as it is walked. A step is 16 bits; while known steps are taken only the tokens are kept,
 * and the window's places are restored from the state's number when a step is new.
 */
#include "match/sqli_step.h"

#include "match/sqli_single.h"

_Static_assert(SQLI_KINDS <= 32, "a kind takes five bits");
enum { LATER_AT = 5, EMPTY_AT = 6, IF_AT = 7 };

/* Where things stand in a state's `rest`. */
enum { COUNT_AT = 16, SETTLED_AT = 20, KEPT_AT = 24, PAIRS_AT = 28, PAIRED_AT = 32, TOUCHED_AT = 33 };

/* And in a step: the state it leads to, where the token is put, one more than the place of a word that was tried. */
enum { TO_MASK = SQLI_STATES - 1, PLACE_AT = 6, TRIED_AT = 9, EIGHT_MASK = 7, TAKEN = 1 << 15 };

_Static_assert(SQLI_STATES == 1 << PLACE_AT, "a step has a state's number");

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

/* With no step from it yet. There is room. */
static unsigned state_add(struct sqli_steps *steps, struct sqli_state state)
{
	unsigned number = steps->states++;
	steps->state[number] = state;
	memset(steps->step[number], 0, sizeof(steps->step[number]));
	return number;
}

static unsigned begin_anew(struct sqli_steps *steps, struct sqli_state state)
{
	sqli_steps_begin(steps);
	return state_add(steps, state);
}

/* SQLI_STATES: it has none yet. */
static unsigned state_find(const struct sqli_steps *steps, struct sqli_state state)
{
	for (unsigned i = 0; i < steps->states; i++)
		if (same_state(steps->state[i], state))
			return i;
	return SQLI_STATES;
}

static unsigned state_number(struct sqli_steps *steps, struct sqli_state state)
{
	unsigned number = state_find(steps, state);
	if (number < SQLI_STATES)
		return number;
	return steps->states == SQLI_STATES ? begin_anew(steps, state) : state_add(steps, state);
}

static uint8_t *class_slot(struct sqli_steps *steps, uint64_t class)
{
	return &steps->slot[(class ^ class >> 5 ^ class >> 9) % SQLI_CLASS_SLOTS];
}

/* By a look at all, and so that it is found at once the next time. SQLI_CLASSES: there are too many. */
static __attribute__((noinline)) unsigned class_seek(struct sqli_steps *steps, uint64_t class)
{
	unsigned number = 0;
	while (number < steps->classes && steps->class[number] != class)
		number++;
	if (number == SQLI_CLASSES)
		return number;
	if (number == steps->classes)
		steps->class[steps->classes++] = (uint16_t) class;
	*class_slot(steps, class) = (uint8_t)number;
	return number;
}

static inline unsigned class_number(struct sqli_steps *steps, uint64_t class)
{
	unsigned number = *class_slot(steps, class);
	return number < steps->classes && steps->class[number] == class ? number : class_seek(steps, class);
}

/* False: the tokens are all that is needed. *ret_step is 0 where the step hangs on more than it may, else it lacks
 * only the state that it leads to. */
static bool take(struct sqli_window *w, const struct sqli_token *came, unsigned *ret_step)
{
	struct sqli_token before[SQLI_FINGERPRINT_MAX];
	size_t count = w->count;
	memcpy(before, w->tokens, count * sizeof(before[0]));
	w->tokens[w->count++] = *came;
	w->by_text = false;
	w->tried = 0;
	*ret_step = 0;
	if (!sqli_window_run(w))
		return false;
	size_t place = place_of(w, before, count, came), tried = tried_place(w, before, count, came);
	if (place != ELSEWHERE && tried != ELSEWHERE)
		*ret_step = TAKEN | (unsigned)place << PLACE_AT | (unsigned)tried << TRIED_AT;
	return true;
}

/* The number of the state that a step led to; the step is kept unless it is 0, or all steps are forgotten for it. */
static unsigned arrive(struct sqli_steps *steps, uint16_t *place, unsigned step, struct sqli_state to)
{
	unsigned states = steps->states, number = state_number(steps, to);
	if (step != 0 && steps->states >= states)
		*place = (uint16_t)(step | number);
	return number;
}

/* A step that was taken after a phrase had been tried is the same if there is none now. */
static inline bool no_phrase(const struct sqli_window *w, unsigned step, const struct sqli_token *came)
{
	unsigned tried = step >> TRIED_AT & EIGHT_MASK;
	return tried == 0 || sqli_phrase_find(&w->tokens[tried - 1], came).kind == SQLI_NONE;
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

/* Takes the steps of tokens of one byte that are known, by states alone. Whether there was one. */
static inline bool run_singles(const struct sqli_steps *steps, struct sqli_window *w, struct sqli_feed *feed,
			       unsigned *now)
{
	struct slice s = feed->reader.input;
	size_t from = feed->reader.at, at = from;
	unsigned state = *now;
	for (uint64_t head; (head = sqli_single_at(s, at)) != 0; at++) {
		unsigned number = steps->single[s.ptr[at]];
		unsigned step = number == 0 ? 0 : steps->step[state][number - 1];
		if (step == 0 || (step >> TRIED_AT & EIGHT_MASK) != 0)
			break;
		struct sqli_token came = {.head = head, .text = s.ptr + at};
		put(&w->tokens[step >> PLACE_AT & EIGHT_MASK], &came);
		state = step & TO_MASK;
	}
	*now = state;
	feed->reader.at = at;
	feed->reader.tokens += (unsigned)(at - from);
	feed->comment_last &= at == from;
	return at != from;
}

void sqli_steps_run(struct sqli_steps *steps, struct sqli_window *w, struct sqli_feed *feed)
{
	unsigned now = state_number(steps, state_of(w)), step;
	struct sqli_token came;
	bool behind = false; /* `w` is, but for texts: it is as it was before the last steps */
	for (;;) {
		behind |= run_singles(steps, w, feed, &now);
		if (!sqli_feed_next(feed, &came))
			break;
		uint64_t class = class_of(&came);
		unsigned number = class_number(steps, class);
		if (number == SQLI_CLASSES) {
			now = begin_anew(steps, steps->state[now]);
			number = class_number(steps, class);
		}
		step = steps->step[now][number];
		if (step != 0 && no_phrase(w, step, &came)) {
			put(&w->tokens[step >> PLACE_AT & EIGHT_MASK], &came);
			now = step & TO_MASK;
			behind = true;
			continue;
		}
		if (behind)
			state_restore(steps->state[now], w);
		behind = false;
		if (!take(w, &came, &step))
			return;
		if (sqli_is_single(&came))
			steps->single[came.text[0]] = (uint8_t)(number + 1);
		now = arrive(steps, &steps->step[now][number], step, state_of(w));
	}
	if (behind)
		state_restore(steps->state[now], w);
	sqli_window_end(w);
}
