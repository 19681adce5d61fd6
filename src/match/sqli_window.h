/*
 * The window that folding looks through: the first tokens of a stream, folded as far as they can be without the next.
 * What is done hangs on kinds and traits, and on the texts of few: the window says so, so that the same step need not
 * be taken twice (sqli_step.h).
 */
#ifndef GUIA_MATCH_SQLI_WINDOW_H
#define GUIA_MATCH_SQLI_WINDOW_H

#include "match/sqli_fold.h"
#include "match/sqli_word.h"

/*
 * Tokens before `settled` no longer change, those from it to `count` are being looked at. Most folds send the look back
 * to the start; where it stands on three tokens that it has kept before, it would keep them again, so it goes on behind
 * such places.
 */
struct sqli_window {
	struct sqli_token *tokens; /* of struct sqli_folded */
	size_t settled;
	size_t count; /* at most one more than SQLI_FINGERPRINT_MAX */
	size_t kept;  /* places from the start on that were looked at and kept, and whose tokens are the same since */
	size_t kept_pairs; /* so many of which that holds for the pair */
	bool touched;      /* a token was changed by the look at this place */
	bool paired;       /* the pair at this place was looked at: a third token is wanted */
	/* What was done hangs on texts. For others to forget, as the next. */
	bool by_text;
	/* How often words were tried for a phrase in vain, and the last two. */
	unsigned tried;
	struct sqli_token tried_first, tried_second;
};

/* The phrase that two words make ("UNION" "ALL"). */
struct sqli_word sqli_phrase_find(const struct sqli_token *first, const struct sqli_token *second);

static inline bool sqli_is_word_if(const struct sqli_token *token)
{
	return token->len >= 2 && byte_lower(token->text[0]) == 'i' && byte_lower(token->text[1]) == 'f';
}

/* Where its tokens come from. A comment is only remembered, as one that is the last counts. */
struct sqli_feed {
	struct sqli_reader reader;
	bool comment_last; /* the last token read was a comment; it is in `comment` */
	struct sqli_token comment;
};

/* The next token that is no comment; false at the end. */
static inline bool sqli_feed_next(struct sqli_feed *feed, struct sqli_token *ret)
{
	while (sqli_token_read(&feed->reader, ret)) {
		feed->comment_last = ret->kind == SQLI_COMMENT;
		if (!feed->comment_last)
			return true;
		feed->comment = *ret;
	}
	return false;
}

/* Folds until another token is wanted, to be put behind the last; false if the tokens are all that is needed. */
bool sqli_window_run(struct sqli_window *w);

/* What is still to be folded where no other token comes. */
void sqli_window_end(struct sqli_window *w);

#endif
