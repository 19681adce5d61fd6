/*
 * One request and its response, as the engine holds them. Its memory is one arena with a hard cap; when that is reached
 * `memory_exceeded` is set, what could not be kept is left out, and the phase's verdict follows the policy for
 * failures.
 *
 * Here is the state; who fills it: request.c, body.c. Who reads it: variable.c. What rules do: rule.c,
 * action.c, ctl.c. Who asks for all that: phase.c.
 */
#ifndef GUIA_ENGINE_TRANSACTION_H
#define GUIA_ENGINE_TRANSACTION_H

#include "base/region.h"
#include "engine/owed.h"
#include "engine/tx.h"
#include "engine/value.h"
#include "engine/worker.h"
#include "http/redact.h"
#include "http/uri.h"

struct course_settled;
struct shown;
struct xml_document;

/* A text that may hold secrets until it is told: by shown_whole() or shown_beginning(), none else looks at it. */
struct log_text {
	struct slice raw;
	struct slice told; /* ptr NULL: nobody asked for all of it */
};

/* What a rule with `log` leaves for the logs: expanded, secrets redacted. */
struct log_entry {
	const struct rule *rule; /* the head */
	uint8_t phase;
	bool disruptive; /* it ended the transaction */
	bool audit;
	bool message_as_written; /* the wording has it, with its escapes */
	uint16_t status;
	uint8_t severity;
	uint32_t untold; /* matches of the same rule with multiMatch besides, which have no message */
	struct slice message;
	struct log_text data;
	const struct rule *link;  /* whose operator matched last, ...; NULL: none did */
	struct slice parameter;   /* ... its argument, where that varies, ... */
	struct slice name;        /* ... and the variable's name ... */
	struct slice value;       /* ... and value, as they are shown: shown.h */
	struct slice reference;   /* the log's [ref] */
	const struct slice *tags; /* expanded; as many as the head has. NULL: the wording has them */
};

/* A link that returned true, or a run of links that do so whatever the request. */
struct match_entry {
	const struct rule *rule; /* NULL: settled */
	const struct course_settled *settled;
	struct matched matched;
	struct log_entry *log; /* of the completing link, where the head has `log` */
	bool completed;
	bool scored;
};

/* A target taken away by ctl:ruleRemoveTarget... */
struct removed_target {
	const struct ctl *ctl;
	struct removed_target *next;
};

/* A rule taken away by ctl:ruleRemoveBy... */
struct removed_rules {
	const struct ctl *ctl;
	struct removed_rules *next;
};

struct environment {
	struct slice name;
	struct slice value;
	struct environment *next;
};

/* The nodes an XPath expression selected, remembered because many rules ask for the same. */
struct xml_selection {
	struct slice xpath;
	const struct rule_namespace *namespaces;
	struct value_set set;
	struct xml_selection *next;
};

struct audit_parts_change {
	struct slice parts; /* "+E", "-C", or the whole list */
	struct audit_parts_change *next;
};

struct body {
	struct slice bytes;
	size_t capacity; /* of bytes.ptr where it is a copy; 0 where it is the caller's */
	uint64_t limit;
	bool rejects;
	bool over_limit;
	struct region region; /* where its bytes are, if it was said how many will come */
};

/*
 * Neighbours in a collection whose bytes lie in one piece, from which they follow: they are asked together (member.h).
 */
struct member_run {
	enum variable variable; /* of the values; their names stand at the same places */
	uint32_t first;
	uint32_t count;
	struct slice text;
};

enum { MEMBER_RUNS = 8, MEMBER_RUN_PAIRS = 16, MEMBER_RUN_BYTES = 928 };

enum {
	STORED_COLLECTIONS = 5,
	TRANSACTION_HOLDER_BYTES = 32,
	SHOWN_KEPT = 4,
	JUDGED_NAMES = 4,
	ESCAPED_NAMES = 4,
	KEPT_TEXTS = 8
};

/* A text of the logs that holds no secrets; what rules tell of one value ends alike. */
struct kept_text {
	struct slice text;
	size_t names; /* how many names of secrets there were beside the table's */
};

/* A name as it stands in lines of the log. */
struct escaped_name {
	struct slice name; /* by its place: it stays as long as the transaction */
	struct slice text;
};

/* A long name of which it is known whether it says that its value is a secret; many rules tell of one value. */
struct judged_name {
	struct slice name; /* a copy; empty: none */
	size_t names;      /* how many names of secrets there were beside the table's */
	bool secret;
};

struct transaction {
	struct worker *worker;
	const struct plan *plan;
	const struct ruleset *ruleset;
	struct transaction *next_idle;
	struct arena arena;
	struct tx_collection tx;

	/* The connection and the clock. All from here on is cleared when a transaction begins. */
	int64_t begun_us;
	struct slice unique_id;
	struct slice client_address;
	struct slice server_address;
	struct slice server_name;
	struct slice site;
	uint16_t client_port;
	uint16_t server_port;

	/* The exchange. */
	struct slice line; /* as a text: method, URI and protocol lie in it; ptr NULL: it has not come yet */
	struct slice method;
	struct slice protocol;
	struct slice response_protocol;
	struct uri uri;
	size_t offset;       /* of what comes next, in the request as a text; for the log's [ref] */
	uint8_t *field_room; /* where the text of the next headers goes, */
	size_t field_left;   /* and how much of it */
	struct member_run runs[MEMBER_RUNS];
	size_t run_count;
	struct slice content_type;
	struct slice response_type;
	enum body_processor body_type;      /* from Content-Type */
	enum body_processor body_processor; /* JSON or XML, from ctl */
	struct body request_body;
	struct slice *body_rest; /* of the request's body: parts that variables show whole or not at all */
	size_t body_rest_count;
	struct body response_body;
	size_t arguments_bytes; /* ARGS_COMBINED_SIZE ... */
	bool arguments_counted; /* ... which is empty until there is an argument */
	bool document_by_sight; /* the type says nothing of XML */
	struct xml_document *xml;
	struct xml_selection *xml_selections; /* what XPath expressions have selected */
	uint16_t response_status;
	uint16_t sent_status;
	uint64_t sent_bytes;

	/* What rules see and change. */
	struct value_set sets[VARIABLE_COUNT];
	struct matched *matched; /* MATCHED_VARS; the last is MATCHED_VAR */
	uint32_t matched_count;
	uint32_t matched_capacity;
	struct owed_key stored_keys[STORED_COLLECTIONS]; /* initcol */
	uint8_t stored_read[STORED_COLLECTIONS]; /* the phase in which its set was filled last; 0: not since a change */
	struct environment *environment;         /* setenv */
	uint8_t highest_severity;

	/* What ctl changes. */
	enum switch_mode rule_engine;
	enum switch_mode audit_engine;
	struct audit_parts_change *audit_parts;
	bool request_body_access;
	bool force_request_body; /* REQUEST_BODY of XML as it came */
	bool response_body_access;
	uint8_t parse_xml_into_args;
	struct removed_rules *removed_rules;
	struct removed_target *removed_targets;

	/* Which steps of the courses are to be taken, and what has been asked so far: candidate.c. Made in phase 1. */
	uint64_t *candidates;
	uint32_t *name_counts;              /* values by name, where rules count them */
	const struct value **asked_scalars; /* by family of probes: the value that was asked */
	uint32_t *asked_counts;             /* by family: how many values were asked */
	uint16_t page_steps[VALUE_STEPS];   /* that the response's body made candidates of, when it was asked; ... */
	uint8_t page_step_count;            /* ... 0 also where they were more */
	bool page_is_told;                  /* these are all of them */

	/* Where evaluation stands. */
	uint8_t phase;           /* of the rules that run; 0 between */
	const struct rule *head; /* of the chain that runs */
	uint8_t phases_done;
	uint8_t phases_whole; /* that ran to their ends, or to a rule that disrupted */
	bool strayed;         /* a phase ended otherwise: what courses count on may not hold */
	int32_t step;         /* of the course, among those of all phases; -1: values are not to be asked for it */
	uint32_t last_place;  /* in the phase's list, behind the rule evaluated last */
	uint32_t skip;
	struct slice skip_after; /* a marker; empty if none */
	enum disruptive allow;   /* ALLOW... or NONE */
	uint16_t pending_status; /* of `status`; 0 the default */
	bool disrupted;          /* in this phase */
	struct guia_verdict verdict;

	/* What was found. */
	struct match_entry *matches;
	uint32_t match_count;
	uint32_t match_capacity;
	struct log_entry **logs;
	uint32_t log_count;
	uint32_t log_capacity;
	bool memory_exceeded;
	bool scan_failed;
	bool relevant; /* a logged rule with auditlog matched */
	guia_trace_fn *trace;
	void *trace_context;

	struct redact_names redact;
	struct shown *shown[SHOWN_KEPT];                  /* the newest first */
	struct escaped_name escaped_names[ESCAPED_NAMES]; /* the newest first */
	struct judged_name judged_names[JUDGED_NAMES];    /* the newest first */
	struct kept_text kept_texts[KEPT_TEXTS];          /* the newest first */
	struct slice log_client; /* what all lines of the log have in common: how they begin, ... */
	struct slice log_tail;   /* ... and what tells the request; made for the first, and when names change */
	_Alignas(16) uint8_t holder[TRANSACTION_HOLDER_BYTES];
};

/* Text of the transaction: a copy in its arena. Empty, with memory_exceeded set, when there is no room. */
struct slice transaction_copy(struct transaction *t, struct slice s);

/* Room for one more match; NULL when the arena is exhausted. */
struct match_entry *transaction_add_match(struct transaction *t);

/* The next `count` of MATCHED_VARS. 0 or -ENOMEM. */
int transaction_add_matched(struct transaction *t, const struct matched *matched, size_t count);

/* Notes that memory ran out; the arena's own flag says so too. */
static inline void transaction_out_of_memory(struct transaction *t)
{
	t->memory_exceeded = true;
}

/* Memory beside the transaction for whoever wraps it, as long-lived as the transaction. */
void *transaction_holder(struct transaction *t);

/* `plan` must stay. 0 or -ENOMEM. */
int transaction_begin(struct worker *worker, const struct plan *plan, const struct guia_connection *connection,
		      struct slice unique_id, int64_t now_us, struct transaction **ret_transaction);
void transaction_end(struct transaction *t);

#endif
