#include "match/sqli_fold.h"

#include "match/sqli_word.h"

#define BIT(kind) (1U << (kind))
#define WORDS                                                                                                          \
	(BIT(SQLI_KEYWORD) | BIT(SQLI_NAME) | BIT(SQLI_OPERATOR) | BIT(SQLI_UNION) | BIT(SQLI_FUNCTION) |              \
	 BIT(SQLI_EXPRESSION) | BIT(SQLI_TSQL) | BIT(SQLI_TYPE))
#define TERMS (BIT(SQLI_NAME) | BIT(SQLI_NUMBER) | BIT(SQLI_VARIABLE) | BIT(SQLI_STRING))

/* The window of tokens: those before `settled` no longer change, those from it to `count` are being looked at. */
struct window {
	struct sqli_reader reader;
	struct sqli_token *tokens;
	size_t settled;
	size_t count;
	bool more;
	bool comment_last; /* the last token read was a comment; it is in `comment` */
	struct sqli_token comment;
};

enum outcome { KEPT, FOLDED, STOPPED };

static bool is(const struct sqli_token *token, unsigned kinds)
{
	return (BIT(token->kind) & kinds) != 0;
}

static bool is_unary(const struct sqli_token *token)
{
	return token->kind == SQLI_OPERATOR && (token->traits & SQLI_TRAIT_UNARY) != 0;
}

/* One more token; a comment is only remembered. */
static void window_read(struct window *w)
{
	struct sqli_token *token = &w->tokens[w->count];
	w->more = sqli_token_read(&w->reader, token);
	if (!w->more)
		return;
	w->comment_last = token->kind == SQLI_COMMENT;
	if (w->comment_last)
		w->comment = *token;
	else
		w->count++;
}

/* Tokens go until `wanted` of them stand after the settled ones. */
static bool window_fill(struct window *w, size_t wanted)
{
	while (w->count - w->settled < wanted && w->more && w->count <= SQLI_FINGERPRINT_MAX)
		window_read(w);
	return w->count - w->settled >= wanted;
}

/* Forget the last `dropped` tokens of the window and look again from its start. */
static enum outcome drop_and_restart(struct window *w, size_t dropped)
{
	w->count -= dropped;
	w->settled = 0;
	return FOLDED;
}

static enum outcome drop_and_step_back(struct window *w)
{
	w->count--;
	if (w->settled > 0)
		w->settled--;
	return FOLDED;
}

/* Two words that make a phrase ("UNION" "ALL") become one token. */
static bool merge_words(struct sqli_token *first, const struct sqli_token *second)
{
	if ((first->traits & SQLI_TRAIT_PHRASE) == 0 || !is(first, WORDS) || !is(second, WORDS | BIT(SQLI_LOGIC)))
		return false;
	size_t len = (size_t)first->len + second->len + 1;
	if (len > SQLI_TEXT_MAX)
		return false;
	uint8_t text[SQLI_TEXT_MAX];
	memcpy(text, first->text, first->len);
	text[first->len] = ' ';
	memcpy(text + first->len + 1, second->text, second->len);
	struct sqli_word word = sqli_word_find(text, len);
	if (word.kind == SQLI_NONE)
		return false;
	*first = (struct sqli_token){.kind = word.kind, .traits = word.traits, .len = (uint8_t)len, .text = word.text};
	return true;
}

static bool is_word_if(const struct sqli_token *token)
{
	return token->len >= 2 && byte_lower(token->text[0]) == 'i' && byte_lower(token->text[1]) == 'f';
}

/* Signs beside each other of which one says nothing; KEPT where there are none. */
static enum outcome fold_signs(struct window *w, const struct sqli_token *left, const struct sqli_token *right)
{
	switch ((enum sqli_kind)left->kind) {
	case SQLI_STRING:
	case SQLI_SEMICOLON:
		if (left->kind != right->kind)
			return KEPT;
		w->count--;
		return FOLDED;
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
static enum outcome fold_brace(struct window *w, const struct sqli_token *right)
{
	return right->kind == SQLI_BRACE_CLOSE ? drop_and_restart(w, 1) : KEPT;
}

/* Pairs that start with a word, a name or a number. */
static enum outcome fold_word(struct window *w, struct sqli_token *left, struct sqli_token *right)
{
	switch ((enum sqli_kind)left->kind) {
	case SQLI_NAME:
	case SQLI_VARIABLE:
		if (right->kind == SQLI_OPEN && (left->traits & SQLI_TRAIT_CALLABLE) != 0) {
			left->kind = SQLI_FUNCTION;
			return FOLDED;
		}
		break;
	case SQLI_KEYWORD:
		if ((left->traits & SQLI_TRAIT_IN) != 0) {
			left->kind = right->kind == SQLI_OPEN ? SQLI_OPERATOR : SQLI_NAME;
			return FOLDED;
		}
		break;
	case SQLI_OPERATOR:
		if ((left->traits & SQLI_TRAIT_LIKE) != 0) {
			if (right->kind == SQLI_OPEN)
				left->kind = SQLI_FUNCTION;
			return KEPT;
		}
		break;
	case SQLI_TYPE:
		if (is(right, TERMS | BIT(SQLI_TYPE) | BIT(SQLI_OPEN) | BIT(SQLI_FUNCTION))) {
			*left = *right;
			return drop_and_restart(w, 1);
		}
		break;
	case SQLI_COLLATE:
		if (right->kind == SQLI_NAME) {
			/* Collations are too many to list, but all have a _. */
			if (memchr(right->text, '_', right->len) != NULL) {
				right->kind = SQLI_TYPE;
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
static enum outcome fold_pair(struct window *w)
{
	struct sqli_token *left = &w->tokens[w->settled];
	struct sqli_token *right = left + 1;
	enum outcome outcome = fold_signs(w, left, right);
	if (outcome != KEPT)
		return outcome;
	if (merge_words(left, right))
		return drop_and_step_back(w);

	switch ((enum sqli_kind)left->kind) {
	case SQLI_SEMICOLON:
		if (right->kind == SQLI_FUNCTION && is_word_if(right)) {
			right->kind = SQLI_TSQL;
			return FOLDED;
		}
		break;
	case SQLI_BACKSLASH:
		/* SQL Server reads \%1 as 0 % 1, and \1 as 1. */
		if (right->kind == SQLI_OPERATOR && (right->traits & SQLI_TRAIT_ARITH) != 0) {
			left->kind = SQLI_NUMBER;
			return drop_and_restart(w, 0);
		}
		*left = *right;
		return drop_and_restart(w, 1);
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

static enum outcome apply(struct window *w, const struct triple *row, struct sqli_token *left)
{
	if (row->fold == DROP_TWO)
		return drop_and_restart(w, 2);
	left[1] = left[2];
	return drop_and_restart(w, row->fold == DROP_ALL ? 3 : 1);
}

static enum outcome fold_triple(struct window *w)
{
	struct sqli_token *left = &w->tokens[w->settled];
	if (is_repeated(left))
		return drop_and_restart(w, 2);
	for (const struct triple *row = triples_around(left + 1); row->first != 0; row++)
		if (is(left, row->first) && is(left + 2, row->third) && middle_fits(row, left + 1))
			return apply(w, row, left);
	if (left->kind == SQLI_FUNCTION && left[1].kind == SQLI_OPEN && left[2].kind != SQLI_CLOSE &&
	    (left->traits & SQLI_TRAIT_USER) != 0)
		left->kind = SQLI_NAME;
	return KEPT;
}

/* A full window that is only arithmetic in parentheses tells nothing yet: its first token stands for all. */
static void fold_full(struct window *w)
{
	const struct sqli_token *t = w->tokens;
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
	w->settled = 0;
}

/* What a term may start with without meaning anything: comments, open parentheses, casts, signs. */
static bool window_start(struct window *w)
{
	struct sqli_token *first = &w->tokens[0];
	do {
		if (!sqli_token_read(&w->reader, first))
			return false;
	} while (is(first, BIT(SQLI_COMMENT) | BIT(SQLI_OPEN) | BIT(SQLI_TYPE)) || is_unary(first));
	w->count = 1;
	return true;
}

static size_t window_fold(struct window *w)
{
	for (;;) {
		if (w->count >= SQLI_FINGERPRINT_MAX)
			fold_full(w);
		if (!w->more || w->settled >= SQLI_FINGERPRINT_MAX)
			return w->count;
		if (!window_fill(w, 2)) {
			w->settled = w->count;
			continue;
		}
		enum outcome outcome = fold_pair(w);
		if (outcome == STOPPED) {
			w->tokens[0].kind = SQLI_EVIL;
			return 1;
		}
		if (outcome == FOLDED)
			continue;
		if (!window_fill(w, 3)) {
			w->settled = w->count;
			continue;
		}
		if (fold_triple(w) == KEPT)
			w->settled++;
	}
}

/* An unclosed empty ` at the end works as a comment in old MySQL clients. */
static bool is_tick_comment(const struct sqli_folded *folded)
{
	const struct sqli_token *last = &folded->tokens[folded->count - 1];
	return folded->count > 2 && last->kind == SQLI_NAME && last->open == '`' && last->len == 0 && last->close == 0;
}

void sqli_fold(struct slice input, uint8_t quote, enum sqli_dialect dialect, struct sqli_folded *ret)
{
	struct window w = {
		.reader = {.input = input, .dialect = dialect, .quote = quote},
		.tokens = ret->tokens,
		.more = true,
	};
	ret->count = 0;
	if (window_start(&w)) {
		ret->count = window_fold(&w);
		if (ret->count < SQLI_FINGERPRINT_MAX && w.comment_last)
			ret->tokens[ret->count++] = w.comment;
	}
	if (ret->count > SQLI_FINGERPRINT_MAX)
		ret->count = SQLI_FINGERPRINT_MAX;
	if (ret->count > 0 && is_tick_comment(ret))
		ret->tokens[ret->count - 1].kind = SQLI_COMMENT;
	ret->tokens_read = w.reader.tokens;
	ret->dialects_differ = w.reader.dialects_differ;
}

struct sqli_fingerprint sqli_fingerprint_of(const struct sqli_folded *folded)
{
	struct sqli_fingerprint fingerprint = {.text = ""};
	for (size_t i = 0; i < folded->count; i++) {
		if (folded->tokens[i].kind == SQLI_EVIL)
			return (struct sqli_fingerprint){.text = "X"};
		fingerprint.text[i] = SQLI_KIND_LETTERS[folded->tokens[i].kind];
	}
	return fingerprint;
}
