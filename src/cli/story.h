/* What happened to one request, rule by rule, copied out of the engine's trace so that it can be told afterwards. */
#ifndef GUIA_CLI_STORY_H
#define GUIA_CLI_STORY_H

#include "guia.h"
#include "base/arena.h"
#include "http/redact.h"

struct story_step {
	const char *transform;
	struct slice value;
};

/* One match of one link. `value` and the steps are what may be shown: secrets are replaced. */
struct story_link {
	uint8_t depth;
	uint8_t phase;
	struct slice variable;
	struct slice value;
	struct story_step *steps;
	size_t step_count;
	const char *operator_name;
	bool negated;
	struct slice argument;
	size_t match_offset; /* in the last step's value, else in `value` */
	size_t match_len;    /* 0: not to be marked */
	struct slice found;  /* the fingerprint of @detectSQLi; else empty */
	struct story_link *next;
};

struct story_rule {
	int64_t id;
	const char *file;
	unsigned line;
	uint8_t paranoia_level;
	struct slice message;
	int64_t inbound;
	int64_t outbound;
	bool blocked;             /* of itself, whatever the score */
	struct story_link *links; /* in order */
	struct story_link *last;
	struct story_rule *next;
};

struct story {
	struct arena *arena;
	struct redact_names secrets; /* of the rules: story_secrets */
	struct story_rule *rules;    /* in the order of their first match */
	struct story_rule *last;
	bool lost; /* no memory for all of it */
};

/* Takes the names that the rules add to the table of secrets. 0 or -ENOMEM. */
int story_secrets(struct story *story, const struct guia_rules *rules);

/* A guia_trace_fn; `context` is the story. */
void story_trace(void *story, const struct guia_trace *trace);

/* Marks the rule of the verdict, if it did not merely add up. */
void story_blocked(struct story *story, int64_t rule_id);

/* Whether it scored or blocked by what it found itself: 949, 959 and 980 only add up. */
bool story_rule_counts(const struct story_rule *rule);

#endif
