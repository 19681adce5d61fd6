/*
 * At each place the pair is folded, then the triple; where a fold was made the look goes back to what was kept before.
 * Triples are rows of tables by the middle token, pairs are told by their first.
 */
#include "match/sqli_window.h"

#define BIT(kind) (1U << (kind))
#define WORDS                                                                                                          \
	(BIT(SQLI_KEYWORD) | BIT(SQLI_NAME) | BIT(SQLI_OPERATOR) | BIT(SQLI_UNION) | BIT(SQLI_FUNCTION) |              \
	 BIT(SQLI_EXPRESSION) | BIT(SQLI_TSQL) | BIT(SQLI_TYPE))
#define TERMS (BIT(SQLI_NAME) | BIT(SQLI_NUMBER) | BIT(SQLI_VARIABLE) | BIT(SQLI_STRING))

enum outcome { KEPT, FOLDED, STOPPED };

static bool is(const struct sqli_token *token, unsigned kinds)
{
	return (BIT(token->kind) & kinds) != 0;
}

static bool is_unary(const struct sqli_token *token)
{
	return token->kind == SQLI_OPERATOR && (token->traits & SQLI_TRAIT_UNARY) != 0;
}

/* The tokens from `from` on are others now. */
static void touch(struct sqli_window *w, size_t from)
{
	size_t pairs = from < 1 ? 0 : from - 1;
	size_t places = from < 2 ? 0 : from - 2;
	w->touched = true;
	if (w->kept_pairs > pairs)
		w->kept_pairs = pairs;
	if (w->kept > places)
		w->kept = places;
}

/* Forget the last `dropped` tokens of the window. */
static enum outcome drop(struct sqli_window *w, size_t dropped)
{
	w->count -= dropped;
	touch(w, w->count);
	return FOLDED;
}

/* The same, and look again from the window's start. */
static enum outcome drop_and_restart(struct sqli_window *w, size_t dropped)
{
	drop(w, dropped);
	w->settled = w->kept;
	return FOLDED;
}

static enum outcome drop_and_step_back(struct sqli_window *w)
{
	drop(w, 1);
	if (w->settled > 0)
		w->settled--;
	return FOLDED;
}

/* What stands at `left` goes, and the last token. */
static enum outcome replace_and_restart(struct sqli_window *w, struct sqli_token *left, const struct sqli_token *right)
{
	*left = *right;
	touch(w, w->settled);
	return drop_and_restart(w, 1);
}

static enum outcome change(struct sqli_window *w, struct sqli_token *token, enum sqli_kind kind)
{
	token->kind = (uint8_t)kind;
	touch(w, (size_t)(token - w->tokens));
	return FOLDED;
}

struct sqli_word sqli_phrase_find(const struct sqli_token *first, const struct sqli_token *second)
{
	size_t len = (size_t)first->len + second->len + 1;
	if (len > SQLI_TEXT_MAX)
		return (struct sqli_word){SQLI_NONE, 0, NULL};
	uint8_t text[SQLI_TEXT_MAX];
	memcpy(text, first->text, first->len);
	text[first->len] = ' ';
	memcpy(text + first->len + 1, second->text, second->len);
	return sqli_word_find(text, len);
}

/* Two words that make a phrase become one token. */
static bool merge_words(struct sqli_window *w, struct sqli_token *first, const struct sqli_token *second)
{
	if ((first->traits & SQLI_TRAIT_PHRASE) == 0 || !is(first, WORDS) || !is(second, WORDS | BIT(SQLI_LOGIC)))
		return false;
	if (!sqli_word_continues(second->text, second->len))
		return false;
	w->tried++;
	w->tried_first = *first;
	w->tried_second = *second;
	struct sqli_word word = sqli_phrase_find(first, second);
	if (word.kind == SQLI_NONE)
		return false;
	w->by_text = true;
	*first = (struct sqli_token){.kind = word.kind,
				     .traits = word.traits,
				     .len = (uint8_t)(first->len + second->len + 1),
				     .text = word.text};
	touch(w, w->settled);
	return true;
}

/* Signs beside each other of which one says nothing; KEPT where there are none. */
static enum outcome fold_signs(struct sqli_window *w, const struct sqli_token *left, const struct sqli_token *right)
{
	switch ((enum sqli_kind)left->kind) {
	case SQLI_STRING:
	case SQLI_SEMICOLON:
		if (left->kind != right->kind)
			return KEPT;
		return drop(w, 1);
	case SQLI_OPERATOR:
	case SQLI_LOGIC:
		return is_unary(right) || right->kind == SQLI_TYPE ? drop_and_restart(w, 1) : KEPT;
	case SQLI_OPEN:
		return is_unary(right) ? drop_and_step_back(w) : KEPT;
	default:
		return KEPT;
	}
}

/* What else may be said of a pair: a brace closes it. */
static enum outcome fold_brace(struct sqli_window *w, const struct sqli_token *right)
{
	return right->kind == SQLI_BRACE_CLOSE ? drop_and_restart(w, 1) : KEPT;
}

/* Pairs that start with a word, a name or a number. */
static enum outcome fold_word(struct sqli_window *w, struct sqli_token *left, struct sqli_token *right)
{
	switch ((enum sqli_kind)left->kind) {
	case SQLI_NAME:
	case SQLI_VARIABLE:
		if (right->kind == SQLI_OPEN && (left->traits & SQLI_TRAIT_CALLABLE) != 0)
			return change(w, left, SQLI_FUNCTION);
		break;
	case SQLI_KEYWORD:
		if ((left->traits & SQLI_TRAIT_IN) != 0)
			return change(w, left, right->kind == SQLI_OPEN ? SQLI_OPERATOR : SQLI_NAME);
		break;
	case SQLI_OPERATOR:
		if ((left->traits & SQLI_TRAIT_LIKE) != 0) {
			if (right->kind == SQLI_OPEN)
				change(w, left, SQLI_FUNCTION);
			return KEPT;
		}
		break;
	case SQLI_TYPE:
		if (is(right, TERMS | BIT(SQLI_TYPE) | BIT(SQLI_OPEN) | BIT(SQLI_FUNCTION))) {
			return replace_and_restart(w, left, right);
		}
		break;
	case SQLI_COLLATE:
		if (right->kind == SQLI_NAME) {
			w->by_text = true;
			/* Collations are too many to list, but all have a _. */
			if (memchr(right->text, '_', right->len) != NULL) {
				change(w, right, SQLI_TYPE);
				w->settled = 0;
			}
			return KEPT;
		}
		break;
	default:
		break;
	}
	return fold_brace(w, right);
}

/* Pairs by their first token; KEPT where nothing is to be done or the pair was changed in place for good. */
static enum outcome fold_new_pair(struct sqli_window *w)
{
	struct sqli_token *left = &w->tokens[w->settled];
	struct sqli_token *right = left + 1;
	enum outcome outcome = fold_signs(w, left, right);
	if (outcome != KEPT)
		return outcome;
	if (merge_words(w, left, right))
		return drop_and_step_back(w);

	switch ((enum sqli_kind)left->kind) {
	case SQLI_SEMICOLON:
		if (right->kind == SQLI_FUNCTION && sqli_is_word_if(right))
			return change(w, right, SQLI_TSQL);
		break;
	case SQLI_BACKSLASH:
		/* SQL Server reads \%1 as 0 % 1, and \1 as 1. */
		if (right->kind == SQLI_OPERATOR && (right->traits & SQLI_TRAIT_ARITH) != 0) {
			change(w, left, SQLI_NUMBER);
			return drop_and_restart(w, 0);
		}
		return replace_and_restart(w, left, right);
	case SQLI_OPEN:
	case SQLI_CLOSE:
		if (right->kind == left->kind)
			return drop_and_restart(w, 1);
		break;
	case SQLI_BRACE_OPEN:
		if (right->kind == SQLI_NAME) {
			/* MySQL takes {``.``.id}; nobody writes it in earnest. */
			if (right->len == 0)
				return STOPPED;
			/* ODBC's {name expression} is the expression. */
			return drop_and_restart(w, 2);
		}
		break;
	default:
		return fold_word(w, left, right);
	}
	return fold_brace(w, right);
}

static enum outcome fold_pair(struct sqli_window *w)
{
	w->touched = false;
	if (w->settled < w->kept_pairs)
		return KEPT;
	enum outcome outcome = fold_new_pair(w);
	if (!w->touched && outcome == KEPT && w->kept_pairs == w->settled)
		w->kept_pairs++;
	return outcome;
}

/* A row: the kinds on both sides of a middle token, whether that must be unary, and what then goes. */
struct triple {
	unsigned first, third;
	enum { ANY_MIDDLE, UNARY_MIDDLE, CAST_MIDDLE } middle;
	enum { DROP_TWO, DROP_MIDDLE, DROP_ALL } fold;
};

static const struct triple around_operator[] = {
	{BIT(SQLI_NUMBER), BIT(SQLI_NUMBER), ANY_MIDDLE, DROP_TWO},
	{BIT(SQLI_VARIABLE), BIT(SQLI_VARIABLE) | BIT(SQLI_NUMBER) | BIT(SQLI_NAME), ANY_MIDDLE, DROP_TWO},
	{BIT(SQLI_NAME) | BIT(SQLI_NUMBER), BIT(SQLI_NUMBER) | BIT(SQLI_NAME), ANY_MIDDLE, DROP_TWO},
	{TERMS, BIT(SQLI_TYPE), CAST_MIDDLE, DROP_TWO},
	{BIT(SQLI_EXPRESSION) | BIT(SQLI_GROUP) | BIT(SQLI_COMMA), BIT(SQLI_OPEN), UNARY_MIDDLE, DROP_MIDDLE},
	{BIT(SQLI_KEYWORD) | BIT(SQLI_EXPRESSION) | BIT(SQLI_GROUP), TERMS | BIT(SQLI_FUNCTION), UNARY_MIDDLE,
	 DROP_MIDDLE},
	/* ", -1": without the sign the comma may fold with what is before it. */
	{BIT(SQLI_COMMA), TERMS, UNARY_MIDDLE, DROP_ALL},
	{BIT(SQLI_COMMA), BIT(SQLI_FUNCTION), UNARY_MIDDLE, DROP_MIDDLE},
	{0},
};

static const struct triple around_comma[] = {
	{TERMS, TERMS, ANY_MIDDLE, DROP_TWO},
	{0},
};

static const struct triple around_dot[] = {
	{BIT(SQLI_NAME), BIT(SQLI_NAME), ANY_MIDDLE, DROP_TWO},
	{BIT(SQLI_EXPRESSION), BIT(SQLI_NAME), ANY_MIDDLE, DROP_MIDDLE},
	{0},
};

static const struct triple around_others[] = {{0}};

static const struct triple *triples_around(const struct sqli_token *middle)
{
	switch ((enum sqli_kind)middle->kind) {
	case SQLI_OPERATOR:
		return around_operator;
	case SQLI_COMMA:
		return around_comma;
	case SQLI_DOT:
		return around_dot;
	default:
		return around_others;
	}
}

/* "+ 1 +" is "+", "and 1 and" is "and". */
static bool is_repeated(const struct sqli_token *left)
{
	return left->kind == left[2].kind &&
	       ((left->kind == SQLI_OPERATOR && left[1].kind != SQLI_OPEN) || left->kind == SQLI_LOGIC);
}

static bool middle_fits(const struct triple *row, const struct sqli_token *middle)
{
	if (row->middle == ANY_MIDDLE)
		return true;
	return (middle->traits & (row->middle == UNARY_MIDDLE ? SQLI_TRAIT_UNARY : SQLI_TRAIT_CAST)) != 0;
}

static enum outcome apply(struct sqli_window *w, const struct triple *row, struct sqli_token *left)
{
	if (row->fold == DROP_TWO)
		return drop_and_restart(w, 2);
	left[1] = left[2];
	touch(w, w->settled + 1);
	return drop_and_restart(w, row->fold == DROP_ALL ? 3 : 1);
}

static enum outcome fold_triple(struct sqli_window *w)
{
	struct sqli_token *left = &w->tokens[w->settled];
	if (is_repeated(left))
		return drop_and_restart(w, 2);
	for (const struct triple *row = triples_around(left + 1); row->first != 0; row++)
		if (is(left, row->first) && is(left + 2, row->third) && middle_fits(row, left + 1))
			return apply(w, row, left);
	if (left->kind == SQLI_FUNCTION && left[1].kind == SQLI_OPEN && left[2].kind != SQLI_CLOSE &&
	    (left->traits & SQLI_TRAIT_USER) != 0)
		change(w, left, SQLI_NAME);
	return KEPT;
}

/* A full window that is only arithmetic in parentheses tells nothing yet: its first token stands for all. */
void sqli_window_end(struct sqli_window *w)
{
	const struct sqli_token *t = w->tokens;
	if (w->count < SQLI_FINGERPRINT_MAX)
		return;
	bool arithmetic = (t[0].kind == SQLI_NUMBER && is(&t[1], BIT(SQLI_OPERATOR) | BIT(SQLI_COMMA)) &&
			   t[2].kind == SQLI_OPEN && t[3].kind == SQLI_NUMBER && t[4].kind == SQLI_CLOSE) ||
			  (t[0].kind == SQLI_NAME && t[1].kind == SQLI_OPERATOR && t[2].kind == SQLI_OPEN &&
			   is(&t[3], BIT(SQLI_NAME) | BIT(SQLI_NUMBER)) && t[4].kind == SQLI_CLOSE) ||
			  (t[0].kind == SQLI_NUMBER && t[1].kind == SQLI_CLOSE && t[2].kind == SQLI_COMMA &&
			   t[3].kind == SQLI_OPEN && t[4].kind == SQLI_NUMBER) ||
			  (t[0].kind == SQLI_NAME && t[1].kind == SQLI_CLOSE && t[2].kind == SQLI_OPERATOR &&
			   t[3].kind == SQLI_OPEN && t[4].kind == SQLI_NAME);
	if (!arithmetic)
		return;
	if (w->count > SQLI_FINGERPRINT_MAX) {
		w->tokens[1] = w->tokens[SQLI_FINGERPRINT_MAX];
		w->count = 2;
	} else {
		w->count = 1;
	}
	touch(w, 1);
	w->settled = 0;
}

/* Whether there are `wanted` tokens from the place on; false with *ret_more where there may yet be. */
static bool has(struct sqli_window *w, size_t wanted, bool *ret_more)
{
	if (w->count - w->settled >= wanted)
		return true;
	*ret_more = w->count <= SQLI_FINGERPRINT_MAX;
	w->paired &= *ret_more;
	if (!*ret_more)
		w->settled = w->count;
	return false;
}

/* A place where nothing is to be done. */
static void step(struct sqli_window *w)
{
	if (!w->touched && w->kept == w->settled)
		w->kept++;
	w->settled++;
}

bool sqli_window_run(struct sqli_window *w)
{
	for (;;) {
		bool more = false;
		if (!w->paired) {
			sqli_window_end(w);
			if (w->settled >= SQLI_FINGERPRINT_MAX)
				return false;
			if (!has(w, 2, &more)) {
				if (more)
					return true;
				continue;
			}
			enum outcome outcome = fold_pair(w);
			if (outcome == STOPPED) {
				w->tokens[0].kind = SQLI_EVIL;
				w->count = 1;
				return false;
			}
			w->paired = outcome == KEPT;
		} else if (has(w, 3, &more)) {
			w->paired = false;
			if (fold_triple(w) == KEPT)
				step(w);
		} else if (more) {
			return true;
		}
	}
}
