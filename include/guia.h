/*
 * Guia's engine: compile SecLang rules, inspect a web transaction, get a verdict.
 *
 * Four kinds of object:
 *   guia_pool         compiled patterns and databases, shared by all rule sets of a process; outlives them
 *   guia_rules        a compiled rule set: immutable, reference-counted, read by any number of threads
 *   guia_worker       scratch memory, remembered results; one per thread, used by one thread at a time
 *   guia_transaction  one request and its response; belongs to the worker that began it
 *
 * Functions that return int: 0 is success, negative is -errno. Strings marked "NUL" end in one; slices do not.
 * The library never logs and never exits.
 */
#ifndef GUIA_H
#define GUIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct guia_pool;
struct guia_rules;
struct guia_worker;
struct guia_transaction;

struct guia_slice {
	const uint8_t *ptr;
	size_t len;
};

/* The version of the library, as "0.1.0". */
const char *guia_version(void);

/* Rules. */

enum guia_severity { GUIA_NOTE, GUIA_WARNING, GUIA_ERROR };

/* Something a person wrote wrong, or should know. */
struct guia_diagnostic {
	enum guia_severity severity;
	const char *file; /* "" if none; NUL, as all strings here */
	unsigned line;    /* from 1; 0 unknown */
	unsigned column;  /* bytes, from 1; 0 unknown */
	const char *message;
	const char *hint; /* "" if none */
	const char *text; /* the whole as a person reads it, with the source line and a caret; ends in a newline */
};

/* Called during compilation, once per diagnostic, in order of appearance. The strings live for the call. */
typedef void guia_diagnostic_fn(void *context, const struct guia_diagnostic *diagnostic);

struct guia_pool_options {
	const char *cache_dir; /* compiled databases are kept here; NULL: not cached. Created 0700 if absent. */
};

/* `options` may be NULL. A cache that cannot be used is told at the first compilation. 0 or -ENOMEM. */
int guia_pool_new(const struct guia_pool_options *options, struct guia_pool **ret_pool);
void guia_pool_free(struct guia_pool *pool); /* NULL is allowed; every rule set must be gone */

/* How many things it holds. It grows when something new is compiled; nothing leaves a pool before the pool goes. */
size_t guia_pool_count(const struct guia_pool *pool);

enum guia_source_kind {
	GUIA_SOURCE_FILE, /* `text` is a path; includes and data files are relative to the including file */
	GUIA_SOURCE_TEXT, /* `text` is rules; `name` and `line` say where they stand, for diagnostics */
};

struct guia_source {
	enum guia_source_kind kind;
	const char *text; /* NUL */
	const char *name; /* NUL; of GUIA_SOURCE_TEXT */
	unsigned line;
};

struct guia_compile_stats {
	size_t rules;            /* heads, without markers */
	size_t links;            /* heads and links of chains */
	size_t removed;          /* by SecRuleRemove* */
	size_t files;            /* read, data files included */
	size_t patterns;         /* of scans: literals by Hyperscan, regexes by automata */
	size_t exact_patterns;   /* of those, whose hit is the verdict */
	size_t databases;        /* of Hyperscan, for literals: regexes have automata, which are never stored */
	size_t databases_cached; /* of those, read from the cache */
	uint64_t elapsed_us;
};

/*
 * Compiles the sources in order into one rule set. Equal sources are compiled once per pool, by content. -EINVAL when
 * a diagnostic was an error; -ENOMEM. `ret_stats` may be NULL.
 */
int guia_rules_compile(struct guia_pool *pool, const struct guia_source *sources, size_t source_count,
		       guia_diagnostic_fn *diagnostic, void *context, struct guia_rules **ret_rules,
		       struct guia_compile_stats *ret_stats);

/* One reference more, or one less: the last frees them. From any thread. */
struct guia_rules *guia_rules_ref(struct guia_rules *rules);
void guia_rules_unref(struct guia_rules *rules); /* NULL is allowed */

/* What the gate needs to know before it feeds a transaction. Strings are NUL-terminated and live with the rules. */
struct guia_rules_info {
	bool engine_off;     /* nothing need be fed */
	bool detection_only; /* no verdict will disrupt */
	bool request_body_access;
	bool response_body_access;
	uint64_t request_body_limit;
	bool request_body_limit_rejects; /* else inspected up to the limit */
	uint64_t response_body_limit;
	bool response_body_limit_rejects;
	bool response_can_block; /* a rule of phase 3 or 4 could disrupt */
	bool uses_collections;   /* needs a store */
	const char *audit_log;   /* SecAuditLog; "" if none */
	const char *debug_log;
};
void guia_rules_info(const struct guia_rules *rules, struct guia_rules_info *ret_info);

/* Names that SecGuiaRedact adds to the built-in table of secrets. False past the end. */
bool guia_rules_secret_name_at(const struct guia_rules *rules, size_t index, struct guia_slice *ret_name);

/* Persistent collections. */

/*
 * Where IP, GLOBAL, SESSION, RESOURCE and USER live between transactions. `collection` is the SecLang name, `key` what
 * initcol gave. Calls are short, never block beyond a lock, and may be made by several processes at once.
 */
struct guia_collection_store {
	void *context;
	/* The value of one variable: up to `capacity` bytes of it. 0 or -ENOENT. The others return 0 or negative. */
	int (*get)(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
		   int64_t now_ms, uint8_t *value, size_t capacity, size_t *ret_len);
	int (*set)(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
		   struct guia_slice value, int64_t now_ms, int64_t record_timeout_ms);
	/* Adds atomically; an absent or non-numeric value counts as 0. */
	int (*add)(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
		   int64_t amount, int64_t now_ms, int64_t record_timeout_ms, int64_t *ret_sum);
	int (*remove)(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name);
	int (*expire)(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
		      int64_t expires_ms);
	/* Calls `each` for every live variable of a record, outside of any lock. */
	int (*list)(void *context, struct guia_slice collection, struct guia_slice key, int64_t now_ms,
		    void (*each)(void *each_context, struct guia_slice name, struct guia_slice value),
		    void *each_context);
};

/* A store in this process's own memory, for commands and tests. 0 or -ENOMEM. */
int guia_store_new_local(size_t capacity_bytes, struct guia_collection_store **ret_store);
void guia_store_free_local(struct guia_collection_store *store);

/* Mutual exclusion among all who share a region; it may be given up by somebody else for a process that died. */
struct guia_store_lock {
	void (*take)(void *context);
	void (*give)(void *context);
	void *context;
};

/*
 * A store in memory that the caller shares among processes, aligned to 64 bytes: formatted if it is all zero, else kept
 * with what is in it. Each process (or its parent before it forks) attaches for itself. Freeing leaves the region. 0,
 * -ENOMEM, or -EINVAL: the region is too small, too large (64 GB), or not aligned. What it holds in another form is
 * lost.
 */
int guia_store_attach(void *region, size_t bytes, const struct guia_store_lock *lock,
		      struct guia_collection_store **ret_store);
void guia_store_detach(struct guia_collection_store *store); /* NULL is allowed */

/* Asynchronous name lookups for @rbl. `ask` never blocks: 1 listed, 0 not listed, -EAGAIN not known yet (no match). */
struct guia_resolver {
	void *context;
	int (*ask)(void *context, const char *name);
};

/* Workers. */

enum guia_failure_policy { GUIA_FAILURE_BLOCK, GUIA_FAILURE_PASS };

struct guia_worker_options {
	size_t transaction_memory_bytes;             /* 0: 16 MiB; a rule set's SecGuiaMemoryLimit goes first */
	enum guia_failure_policy on_request_failure; /* memory cap, scan error */
	enum guia_failure_policy on_response_failure;
	const struct guia_collection_store *store; /* NULL: collections are empty */
	const struct guia_resolver *resolver;      /* NULL: @rbl never matches */
	/*
	 * For a gate: verdicts, scores and logs are all that is wanted. guia_match_at() and guia_tx_at() may leave out
	 * what only keeps books.
	 */
	bool verdicts_only;
	bool reference_path; /* for tests: every rule by PCRE2 alone, nothing scanned ahead, nothing remembered */
};

/* For one thread. All that requests need is taken now and in guia_worker_prepare(). 0 or -ENOMEM. */
int guia_worker_new(const struct guia_worker_options *options, struct guia_worker **ret_worker);
void guia_worker_free(struct guia_worker *worker); /* NULL is allowed; every transaction must have ended */

/* Grows the worker's scratch for these rules, off the request path. Call once per worker and rule set. */
int guia_worker_prepare(struct guia_worker *worker, const struct guia_rules *rules);

/* Transactions. */

struct guia_connection {
	struct guia_slice client_address; /* text; after realip */
	uint16_t client_port;
	struct guia_slice server_address;
	uint16_t server_port;
	struct guia_slice server_name; /* the Host asked for, without port */
	struct guia_slice site;        /* for logs; SecWebAppId goes first */
};

enum guia_action { GUIA_PASS, GUIA_DENY, GUIA_REDIRECT, GUIA_DROP };

/* What to do now. Once an action other than GUIA_PASS is given it stays. Slices live as long as the transaction. */
struct guia_verdict {
	enum guia_action action;
	uint16_t status;               /* of GUIA_DENY and GUIA_REDIRECT */
	struct guia_slice redirect_to; /* of GUIA_REDIRECT */
	int64_t rule_id;               /* whose action it is; 0 for a limit or a failure */
	bool would_block;              /* DetectionOnly: this would have been an action other than GUIA_PASS */
	bool failed;                   /* decided by on_*_failure */
};

/*
 * Begins a transaction; an empty `unique_id` has one made. It holds a reference to the rules. The bytes of every slice
 * given to a transaction must stay until it ends, except where a function says that it copies. The connection's slices
 * are copied.
 */
int guia_transaction_begin(struct guia_worker *worker, struct guia_rules *rules,
			   const struct guia_connection *connection, struct guia_slice unique_id, int64_t now_us,
			   struct guia_transaction **ret_transaction);

/* The transaction's memory goes back to its worker. NULL is allowed. */
void guia_transaction_end(struct guia_transaction *transaction);

/* The request line. `uri` as sent, unparsed; `protocol` as "HTTP/1.1". Copied. */
int guia_request_line(struct guia_transaction *transaction, struct guia_slice method, struct guia_slice uri,
		      struct guia_slice protocol);
/* Copied. */
int guia_request_header(struct guia_transaction *transaction, struct guia_slice name, struct guia_slice value);

/* Phase 1. Every phase runs at most once; asked again it returns the standing verdict. */
struct guia_verdict guia_request_headers_done(struct guia_transaction *transaction);

/* After phase 1: whether the body is wanted (a ctl may have changed it). */
bool guia_request_body_wanted(const struct guia_transaction *transaction);

/*
 * For a body that will be given in pieces, before the first: how many bytes. They are then kept beside the
 * transaction's memory, as many as the limit lets in; after phase 2 what no rule can ask for any more, such as the
 * content of files, is given back to the system. Without it, pieces count as the transaction's memory. 0 or -ENOMEM,
 * which the phase's verdict will reflect.
 */
int guia_request_body_expect(struct guia_transaction *transaction, uint64_t bytes);

/*
 * Adds body bytes. One piece given with `stays` is used in place; otherwise the bytes are copied. Returns 0, or 1 when
 * the limit was reached and the rest is not wanted (if limits reject, request_body_done will refuse with 413), or
 * -ENOMEM, which the phase's verdict will reflect.
 */
int guia_request_body(struct guia_transaction *transaction, struct guia_slice bytes, bool stays);

/* The rest of the body is not to be had, as where a file cannot be read: phase 2 ends as a failure to inspect. */
void guia_request_body_lost(struct guia_transaction *transaction);

/* Phase 2. */
struct guia_verdict guia_request_body_done(struct guia_transaction *transaction);

/* Copied. */
int guia_response_header(struct guia_transaction *transaction, struct guia_slice name, struct guia_slice value);

/* Phase 3. */
struct guia_verdict guia_response_headers_done(struct guia_transaction *transaction, uint16_t status,
					       struct guia_slice protocol);

/* After phase 3: access is on and the type is one that is inspected. */
bool guia_response_body_wanted(const struct guia_transaction *transaction);

/* As guia_request_body. */
int guia_response_body(struct guia_transaction *transaction, struct guia_slice bytes, bool stays);

/* Phase 4. */
struct guia_verdict guia_response_body_done(struct guia_transaction *transaction);

/* Phase 5. `status` is what the client was answered; `sent_bytes` the length of the body sent. */
void guia_transaction_log(struct guia_transaction *transaction, uint16_t status, uint64_t sent_bytes);

/* What was found. */

/* As given to guia_transaction_begin(), or made there; it lives as long as the transaction. */
struct guia_slice guia_transaction_id(const struct guia_transaction *transaction);

struct guia_summary {
	/* What the CRS counts: TX:blocking_inbound_anomaly_score (4.x) or TX:anomaly_score (3.x), and so on; else 0. */
	int64_t inbound_score;
	int64_t outbound_score;
	int64_t inbound_threshold; /* 0 where the rules have none */
	int64_t outbound_threshold;
	struct guia_verdict verdict;
	bool memory_exceeded;
	bool scan_failed;
};
void guia_transaction_summary(const struct guia_transaction *transaction, struct guia_summary *ret_summary);

/*
 * A rule, or a link of a chain, that returned true, in the order of evaluation, bookkeeping included. A link has its
 * head's id and a depth from 1; `completed` marks the entry whose match made the whole chain match (a rule without
 * chain: always).
 */
struct guia_match {
	int64_t rule_id;
	uint8_t chain_depth;
	uint8_t phase;
	bool completed;
	bool logged;                /* the rule has `log` and is complete */
	bool scored;                /* added to an anomaly score */
	struct guia_slice message;  /* expanded; empty if none */
	struct guia_slice data;     /* logdata, expanded, as in the logs: redacted */
	struct guia_slice variable; /* "ARGS:q"; empty for SecAction */
};
size_t guia_match_count(const struct guia_transaction *transaction);
void guia_match_at(const struct guia_transaction *transaction, size_t index, struct guia_match *ret_match);

/* The collection TX as it stands, sorted by name. False past the end. */
bool guia_tx_at(struct guia_transaction *transaction, size_t index, struct guia_slice *ret_name,
		struct guia_slice *ret_value);

/*
 * The lines for the error log, one a logged match, in ModSecurity's form, control bytes escaped, secrets redacted; and
 * the audit record as one line of JSON without the newline (empty: nothing to write, as SecAuditEngine says). Made in
 * the transaction's memory, after guia_transaction_log.
 */
size_t guia_log_line_count(const struct guia_transaction *transaction);
struct guia_slice guia_log_line_at(struct guia_transaction *transaction, size_t index);
struct guia_slice guia_audit_record(struct guia_transaction *transaction);
/* Whether there is an audit record to be made. */
bool guia_audit_wanted(struct guia_transaction *transaction);

/* What such a line says, in parts: for who tells of it in another form. */
struct guia_log_entry {
	int64_t rule_id;
	uint8_t phase;
	uint8_t severity; /* 0 EMERGENCY to 7 DEBUG; 255: none */
	uint8_t paranoia_level;
	bool disruptive;            /* it ended the transaction */
	struct guia_slice message;  /* as in the line, but not escaped: redacted */
	struct guia_slice data;     /* likewise: its beginning, as much as the line shows or a little more */
	struct guia_slice variable; /* "ARGS:q"; empty for SecAction */
	size_t tag_count;
};
void guia_log_entry_at(struct guia_transaction *transaction, size_t index, struct guia_log_entry *ret_entry);
struct guia_slice guia_log_tag_at(const struct guia_transaction *transaction, size_t index, size_t tag);

/*
 * Any text about the request, such as a line of another's log, with the secrets replaced that stand in it by name. In
 * the transaction's memory; empty if there is none left.
 */
struct guia_slice guia_transaction_redact(struct guia_transaction *transaction, struct guia_slice text);
/* The URI as sent, likewise. */
struct guia_slice guia_transaction_redacted_uri(struct guia_transaction *transaction);
/* The request line and the headers, a line each, likewise. */
struct guia_slice guia_transaction_redacted_head(struct guia_transaction *transaction);

/* As much of the response's body as was taken in to be inspected, as it came: until the transaction ends. */
struct guia_slice guia_transaction_response_body(const struct guia_transaction *transaction);

/* Explanation. */

struct guia_trace_step {
	const char *transform; /* SecLang name */
	struct guia_slice value;
};

/* One match of one link of one rule, as the engine saw it: nothing is escaped, and nothing but `message` and `data`
 * redacted. */
struct guia_trace {
	int64_t rule_id;
	uint8_t chain_depth;
	uint8_t phase;
	const char *file;
	unsigned line;
	struct guia_slice variable;          /* "ARGS:q" */
	bool secret;                         /* by its name, or by the names in a document */
	struct guia_slice value;             /* before transformations */
	const struct guia_trace_step *steps; /* one for each transformation that changed the value */
	size_t step_count;
	const char *operator_name;
	bool operator_negated;
	struct guia_slice operator_argument; /* expanded */
	size_t match_offset;                 /* within the last step's value, or `value` */
	size_t match_len;                    /* 0: the place is not known */
	struct guia_slice found;             /* the fingerprint of @detectSQLi; else empty */
	uint8_t paranoia_level;              /* 0: none */
	struct guia_slice message;
	struct guia_slice data;
	bool completed;
	/* What the chain added to the scores, on its completing link; 0 and 0 for a rule that only keeps books. */
	int64_t inbound_added;
	int64_t outbound_added;
};
typedef void guia_trace_fn(void *context, const struct guia_trace *trace);

/* Called for every match from now on; the slices live for the call. It costs time: for explaining only. */
void guia_transaction_trace(struct guia_transaction *transaction, guia_trace_fn *trace, void *context);

/* Profile. */

/*
 * What transactions cost, stage by stage and rule by rule, and what is known of each rule since it was loaded: what an
 * author needs to know to make a slow rule fast. For commands: a clock is read around each stage and evaluation (its
 * own cost is taken off). A worker without a profile pays a branch a stage.
 */
struct guia_profile;

/* Holds a reference to the rules. 0 or -ENOMEM. */
int guia_profile_new(struct guia_rules *rules, struct guia_profile **ret_profile);
void guia_profile_free(struct guia_profile *profile); /* NULL is allowed; no worker may count in it any more */
void guia_profile_clear(struct guia_profile *profile);

/* From now on this worker's transactions, all of the profile's rules, are counted in it; NULL: no longer. */
void guia_worker_profile(struct guia_worker *worker, struct guia_profile *profile);

/* How many transactions were counted. */
uint64_t guia_profile_transactions(const struct guia_profile *profile);

enum guia_profile_part {
	GUIA_PROFILE_PARSING,    /* bytes to variables */
	GUIA_PROFILE_CANDIDATES, /* the values of a variable are asked which rules they could matter to */
	GUIA_PROFILE_RULES,      /* evaluation of those rules, by phase */
	GUIA_PROFILE_LOGGING,
};

struct guia_profile_stage {
	enum guia_profile_part part;
	const char *name; /* "request body, JSON", "ARGS", "phase 2"; "" for a stage that is not in use */
	uint64_t count;   /* times; of candidates: values */
	uint64_t ns;
	/* Of candidates. */
	uint64_t known;     /* values whose answer was remembered */
	uint64_t scans;     /* for many patterns at once */
	uint64_t questions; /* to one rule's operator */
};

/* In the order of a transaction. False past the end. */
bool guia_profile_stage_at(const struct guia_profile *profile, size_t index, struct guia_profile_stage *ret_stage);

/* What became of a rule when it was loaded. */
enum guia_standing {
	GUIA_STANDING_NEVER,     /* the configuration keeps it from ever matching */
	GUIA_STANDING_SETTLED,   /* it always matches: what it sets is kept, and it is not evaluated */
	GUIA_STANDING_CANDIDATE, /* evaluated when a value makes a candidate of it */
	GUIA_STANDING_ALWAYS,    /* for every request that comes to it, unless its number in TX says no; see `reason` */
};

struct guia_profile_rule {
	int64_t id;
	bool marker; /* SecMarker: all the rest is 0 */
	uint8_t phase;
	const char *file;
	unsigned line;
	enum guia_standing standing;
	const char *reason;       /* "reads TX"; "" if none */
	unsigned scanned_targets; /* of the first link: asked by the scan for many patterns ... */
	unsigned inexact_targets; /* ... of those, whose hits must be confirmed one by one */
	unsigned asked_targets;   /* asked by the operator itself */
	bool pcre2;               /* and that is @rx: PCRE2 for each value */
	uint64_t evaluations;     /* of the rule with its chain */
	uint64_t matches;
	uint64_t evaluation_ns;
	uint64_t questions; /* to its operators alone, while candidates were looked for */
	uint64_t question_ns;
};

/* In the order of the rule set. False past the end. */
bool guia_profile_rule_at(const struct guia_profile *profile, size_t index, struct guia_profile_rule *ret_rule);

#ifdef __cplusplus
}
#endif

#endif
