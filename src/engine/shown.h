/*
 * What logs show of a value that matched. One value is often matched by many rules: what was found out for the first
 * serves all, as long as nothing it depends on has changed.
 */
#ifndef GUIA_ENGINE_SHOWN_H
#define GUIA_ENGINE_SHOWN_H

#include "engine/transaction.h"

struct shown {
	/* Of what, and when: buffers of the web server stay as they are while a phase runs. */
	struct matched matched; /* its key only, and the variable */
	struct slice original;
	size_t names; /* how many names of secrets there were beside the table's */
	uint8_t phase;
	/* Made when it is asked for. */
	bool judged;
	bool secret_by_name;
	bool secret;
	struct slice name;  /* "ARGS:q" */
	struct slice value; /* without secrets, escaped, up to LOG_VALUE bytes of it; ptr NULL: not made yet */
};

/* `original`: the value before transformations. Lives as long as the transaction; NULL when the arena is exhausted. */
struct shown *shown_get(struct transaction *t, const struct matched *matched, struct slice original);

/* Whether the value must not be shown; ->secret_by_name: whether its name says so. */
bool shown_is_secret(struct transaction *t, struct shown *shown);

/* Empty when the arena is exhausted. */
struct slice shown_value(struct transaction *t, struct shown *shown);

/* Free text without secrets; `variable`, with that value, is one by its name, or empty. Empty when the arena is
 * exhausted. */
struct slice shown_text(struct transaction *t, struct slice variable, struct slice value, struct slice text);

/*
 * A text of the logs without secrets. All of it is made once; of its beginning, at least `limit` bytes where there are
 * as many, nothing is kept, and `ret_left` is how many bytes of the text come behind. Empty when the arena is
 * exhausted.
 */
struct slice shown_whole(struct transaction *t, struct log_text *text);
struct slice shown_beginning(struct transaction *t, const struct log_text *text, size_t limit, size_t *ret_left);

/* Whether a variable must not be shown, by its whole name. */
bool shown_name_is_secret(struct transaction *t, struct slice name);
/* The same as its name alone says: what redact_name_is_secret() tells, which is remembered of long names. */
bool shown_name_says_secret(struct transaction *t, struct slice name);

#endif
