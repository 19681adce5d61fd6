/* What is gathered while a rule and its chain are evaluated, and what becomes of it in the logs. */
#ifndef GUIA_ENGINE_CHAIN_H
#define GUIA_ENGINE_CHAIN_H

#include "engine/action.h"
#include "engine/operator.h"

/* A match to be told to the trace, once it is known whether the chain is complete. */
struct chain_trace {
	struct guia_trace trace;
	struct chain_trace *next;
};

/* Where a match stood and what was done to it, for the log's [ref]: written out only if there is a log line. */
struct chain_reference {
	const struct rule *rule;
	struct chain_reference *next;
	bool has_value;
	uint8_t span_count;
	uint16_t steps;
	size_t offset;
	size_t sent_len;
	struct regex_span spans[];
};

/* A text of a rule, expanded when its link matched. */
struct chain_text {
	struct slice bytes;
	bool varies;         /* it was expanded: values of the request may stand in it, as transformations left them */
	struct slice secret; /* the name of a secret that had matched by then; empty if none */
};

struct chain {
	struct transaction *t;
	const struct rule *head;
	struct score_change change;
	/* The newest match: what the log line tells of. */
	const struct rule *link;
	struct matched matched;
	struct slice original; /* its value before transformations */
	struct shown *shown;   /* where texts are wanted */
	bool has_match;
	bool wants_log; /* the head logs, or a trace listens: texts are wanted */
	bool disruptive;
	uint8_t severity;
	uint32_t steps_matched; /* of a head with multiMatch and no chain */
	struct chain_text message;
	struct chain_text data;
	struct chain_reference *references; /* of its matches, the newest first */
	struct chain_trace *traces;         /* the newest first */
};

struct chain chain_begin(struct transaction *t, const struct rule *head);

/* Notes that `operand` matched. `steps` is how many transformations of the rule made it. 0 or -ENOMEM. */
int chain_note(struct chain *chain, const struct target *target, const struct value *value,
	       const struct operand *operand, size_t steps);

/* The texts of a link whose rule has matched: severity, logdata, msg. */
void chain_texts(struct chain *chain, const struct rule *rule);

/* Adds a line to the logs; NULL when the arena is exhausted. */
struct log_entry *chain_log(struct chain *chain);

/* Tells the trace, at the end. */
void chain_tell(struct chain *chain, bool completed);

#endif
