/*
 * The loop: a token in, the window on, until it wants no more or none is left. What is folded is in sqli_window.c; what
 * a long value has been folded to before is in sqli_step.c.
 */
#include "match/sqli_fold.h"

#include "match/sqli_step.h"

#define BIT(kind) (1U << (kind))

static bool is_empty_start(const struct sqli_token *token)
{
	return (BIT(token->kind) & (BIT(SQLI_COMMENT) | BIT(SQLI_OPEN) | BIT(SQLI_TYPE))) != 0 ||
	       (token->kind == SQLI_OPERATOR && (token->traits & SQLI_TRAIT_UNARY) != 0);
}

/* What a term may start with without meaning anything: comments, open parentheses, casts, signs. */
static bool start(struct sqli_window *w, struct sqli_feed *feed)
{
	do {
		if (!sqli_token_read(&feed->reader, &w->tokens[0]))
			return false;
	} while (is_empty_start(&w->tokens[0]));
	w->count = 1;
	return true;
}

static void run(struct sqli_window *w, struct sqli_feed *feed)
{
	while (sqli_window_run(w)) {
		if (!sqli_feed_next(feed, &w->tokens[w->count])) {
			sqli_window_end(w);
			return;
		}
		w->count++;
	}
}

/* An unclosed empty ` at the end works as a comment in old MySQL clients. */
static bool is_tick_comment(const struct sqli_folded *folded)
{
	const struct sqli_token *last = &folded->tokens[folded->count - 1];
	return folded->count > 2 && last->kind == SQLI_NAME && last->open == '`' && last->len == 0 && last->close == 0;
}

void sqli_fold_by(struct sqli_steps *steps, struct slice input, uint8_t quote, enum sqli_dialect dialect,
		  struct sqli_folded *ret)
{
	struct sqli_feed feed = {.reader = {.input = input, .dialect = dialect, .quote = quote}};
	struct sqli_window w = {.tokens = ret->tokens};
	if (start(&w, &feed)) {
		if (steps == NULL)
			run(&w, &feed);
		else if (sqli_window_run(&w))
			sqli_steps_run(steps, &w, &feed);
		if (w.count < SQLI_FINGERPRINT_MAX && feed.comment_last)
			ret->tokens[w.count++] = feed.comment;
	}
	ret->count = w.count < SQLI_FINGERPRINT_MAX ? w.count : SQLI_FINGERPRINT_MAX;
	if (ret->count > 0 && is_tick_comment(ret))
		ret->tokens[ret->count - 1].kind = SQLI_COMMENT;
	ret->tokens_read = feed.reader.tokens;
	ret->dialects_differ = feed.reader.dialects_differ;
}

void sqli_fold(struct slice input, uint8_t quote, enum sqli_dialect dialect, struct sqli_folded *ret)
{
	sqli_fold_by(NULL, input, quote, dialect, ret);
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
