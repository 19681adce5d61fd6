/*
 * What a rule's lines in logs say whatever the request: written out when the rule is compiled, for the error log and as
 * JSON for the audit record, so that a match only copies it. Immutable; lies where the rule lies.
 */
#ifndef GUIA_RULESET_WORDING_H
#define GUIA_RULESET_WORDING_H

#include "base/buffer.h"
#include "ruleset/ruleset.h"

enum wording_form { WORDING_LOG, WORDING_JSON, WORDING_FORMS };

/* Pieces as they stand in the form, punctuation included, up to what is known only when the rule has matched. */
struct wording_text {
	struct slice match;   /* of a link: 'Matched "Operator ...' */
	struct slice rule;    /* file, line, id, up to the message (log) or the data (JSON) */
	struct slice message; /* ptr NULL: it varies, or the table of secrets' names takes something out of it */
	struct slice version; /* what stands behind the severity, up to the tags */
	struct slice tags;    /* ptr NULL: they vary */
	struct slice end;     /* what stands behind the tags */
};

struct wording {
	/* Of the audit record's list of links that matched. */
	struct slice link;      /* the rule, up to whether it completed */
	struct slice operation; /* what was asked of the variable, and behind which transformations; of operators */
	bool for_log;           /* the chain logs: here is what follows, too */
	bool match_is_whole;    /* ->match is all that is told of a match of this operator */
	bool parameter_varies;  /* the operator's argument has macros: ->match ends before it */
	struct wording_text texts[WORDING_FORMS];
};

/* Makes what `rule`, a link of the chain that `head` begins, lacks of its ->wording. 0 or -ENOMEM. */
int wording_make(struct arena *arena, const struct rule *head, struct rule *rule);

/* Behind an operator's argument; needs no escape in either form. */
#define WORDING_AGAINST "' against variable `"

enum { WORDING_PARAMETER = 200 }; /* bytes of an operator's argument that are shown */

/* `text` up to `limit` bytes, and how many were left out. */
void wording_add_limited(struct buffer *out, struct slice text, size_t limit);
void wording_add_omitted(struct buffer *out, size_t count);

/* In the form's escapes, as a part of what stands between quotes. */
void wording_add_escaped(struct buffer *out, enum wording_form form, struct slice text);

void wording_add_tag(struct buffer *out, enum wording_form form, bool first, struct slice tag);

#endif
