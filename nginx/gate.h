/*
 * The gate module's own types. One gate_context for each client request, owned by the main request's pool; one
 * gate_profile for each distinct set of worker options; one gate_ruleset for each distinct list of rule sources.
 * All configuration lives in the cycle's pool and is read-only after the workers are forked, but for what the profile
 * says. A process is one thread.
 */
#ifndef GUIA_NGINX_GATE_H
#define GUIA_NGINX_GATE_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "events.h"
#include "guia.h"
#include "rates.h"

extern ngx_module_t ngx_http_guia_module;

/* One argument of guia_rules or guia_rules_before, and the line of nginx's configuration where it stands. */
struct gate_source {
	ngx_uint_t kind; /* enum guia_source_kind */
	ngx_str_t text;  /* NUL-terminated */
	ngx_str_t conf_file;
	ngx_uint_t line;      /* where the text begins */
	ngx_uint_t directive; /* where the directive ends, as nginx counts */
};

struct gate_ruleset {
	ngx_array_t *sources; /* struct gate_source */
	struct guia_rules *rules;
	struct guia_rules_info info;
	ngx_open_file_t *audit; /* NULL: no audit log */
};

/* Worker options that some location asks for. `worker` is made in each process after the fork. */
struct gate_profile {
	enum guia_failure_policy on_request;
	enum guia_failure_policy on_response;
	size_t memory;
	struct guia_worker *worker;
	struct guia_worker *judge; /* for background updates of a cache: sees no collections; NULL until needed */
	ngx_uint_t live;           /* transactions begun and not ended in this process */
};

struct gate_main {
	ngx_array_t rulesets; /* struct gate_ruleset * */
	ngx_array_t profiles; /* struct gate_profile * */
	ngx_str_t cache_dir;
	ngx_flag_t end_with_master;
	size_t log_rate;   /* bytes of records a second in each process; 0: as many as come */
	ngx_str_t events;  /* the directory, NUL-terminated; data NULL: events are not told */
	ngx_array_t sites; /* ngx_str_t: every guia_site there is */
	struct gate_pool *pool;
	struct gate_collections *collections; /* NULL: none */
	struct gate_admission *admission;     /* NULL: every request goes to its origin at once */
	ngx_msec_t admission_wait_ms;
	ngx_str_t bans;               /* the directory; data NULL: none */
	ngx_array_t *trusted_proxies; /* ngx_cidr_t; NULL: none */
	struct gate_pace *pace;       /* of sources, for signatures; NULL: nobody asks */
	struct gate_counts *counts;   /* of connections; NULL: any number */
	size_t body_rate;             /* that a body must have, bytes a second; 0: any */
	struct gate_limits *limits;   /* NULL: none */
};

/* At http, server and location level. */
struct gate_location {
	ngx_flag_t enabled;
	ngx_flag_t request_body;
	ngx_str_t site;
	ngx_uint_t site_number; /* among those of the configuration */
	ngx_uint_t on_request;
	ngx_uint_t on_response;
	size_t memory;
	ngx_uint_t log_level;     /* of the lines of rules with `log` */
	struct gate_limit *limit; /* NULL: none */
	ngx_flag_t limit_set;     /* at this level, be it to `off` */

	ngx_array_t *before; /* of this level alone: struct gate_source */
	ngx_array_t *after;
	ngx_flag_t afresh;    /* `none`: the outer level's do not count */
	ngx_array_t *sources; /* all in effect, outer levels included */
	ngx_flag_t merged;

	struct gate_ruleset *ruleset; /* NULL while not enabled */
	struct gate_profile *profile;
};

enum gate_request_state {
	GATE_NEW,
	GATE_READING,      /* the request's body */
	GATE_REQUEST_READ, /* phase 2 is due */
	GATE_REQUEST_DONE,
};

enum gate_response_state {
	GATE_RESPONSE_NEW,
	GATE_RESPONSE_HELD,    /* headers wait, bytes are kept */
	GATE_RESPONSE_WATCHED, /* bytes pass and are inspected */
	GATE_RESPONSE_VOID,    /* to be replaced: what still comes is thrown away */
	GATE_RESPONSE_PASSED,  /* nothing more to do */
};

struct gate_context {
	ngx_http_request_t *request;    /* main */
	struct gate_location *location; /* of the first location found */
	struct guia_transaction *transaction;
	struct guia_verdict verdict; /* the standing one */
	enum gate_request_state request_state;
	enum gate_response_state response_state;
	unsigned blocked : 1; /* the client was given an answer of the gate's choice */
	unsigned logged : 1;
	unsigned slow : 1;              /* its body was given up */
	unsigned waited : 1;            /* found no slot of its origin at first */
	unsigned crowded_out : 1;       /* found none at all */
	unsigned limited : 1;           /* refused by a limit */
	uint32_t banned_by;             /* the mitigation that refuses its source; 0: none */
	uint32_t matched_by;            /* the mitigation whose signature it matches; 0: none */
	uint32_t refused_by;            /* the same, once it was refused for it */
	uint32_t kept_out_by;           /* the mode of its site that keeps it from the origin; 0: none */
	const struct gate_limit *limit; /* that it was asked by, once; NULL: none yet */
	const ngx_str_t *limit_site;
	u_char id[32];
	ngx_event_t replacement; /* of a response that a verdict refused */
	struct guia_verdict replacement_verdict;
	u_char *held; /* response bytes so far */
	size_t held_len;
	size_t held_capacity;
	struct gate_store *stores; /* what nginx would keep in a cache, of this request and its subrequests */
	struct gate_passage passage;
	u_char *body_piece; /* the first of a body that is in a file, as long as somebody may ask; else NULL */
	size_t body_piece_len;
};

/* ---- rules.c ---- */

/* Adds the arguments of a directive to a list, made if NULL. */
ngx_int_t gate_sources_add(ngx_conf_t *cf, ngx_array_t **list, ngx_str_t *arguments, ngx_uint_t count);
/* before, outer, after: a new list, or `outer` itself where the others are empty. NULL without memory. */
ngx_array_t *gate_sources_join(ngx_conf_t *cf, ngx_array_t *before, ngx_array_t *outer, ngx_array_t *after);
/* The rule set of a list: one and the same for equal lists. */
struct gate_ruleset *gate_ruleset_find(ngx_conf_t *cf, struct gate_main *main, ngx_array_t *sources);
/* Compiles all, opens the audit logs, and says what is wrong as nginx does. */
ngx_int_t gate_rulesets_compile(ngx_conf_t *cf, struct gate_main *main);
/* An audit log's file->flush: nginx is about to open it again. */
void gate_audit_reopens(ngx_open_file_t *file, ngx_log_t *log);
/* Gives back what the cycle holds, unless this process still has transactions. A pool's cleanup handler. */
void gate_main_cleanup(void *data);

/* ---- worker.c ---- */

struct gate_profile *gate_profile_find(ngx_conf_t *cf, struct gate_main *main, const struct gate_location *location);
/* Makes this process's worker and prepares it for every rule set. */
ngx_int_t gate_profile_start(struct gate_main *main, struct gate_profile *profile, ngx_log_t *log);
/* The profile's second worker, made when first asked for. NULL without memory. */
struct guia_worker *gate_profile_judge(struct gate_main *main, struct gate_profile *profile);
/* nginx has taken a configuration; in the master, before it forks. */
ngx_int_t gate_cycle_ready(ngx_cycle_t *cycle);
ngx_int_t gate_process_start(ngx_cycle_t *cycle);
void gate_process_end(ngx_cycle_t *cycle);

/* ---- request.c ---- */

/* The context of a request or subrequest's main request, or NULL: nginx clears its own pointer on internal redirects.
 */
struct gate_context *gate_context_find(ngx_http_request_t *r);
/* Found or made. NULL without memory. */
struct gate_context *gate_context_get(ngx_http_request_t *r);
/* Begins the transaction and gives it the request's line and headers. */
ngx_int_t gate_transaction_begin(struct gate_context *context);
/* Another transaction on the same request, for guia_transaction_end. It counts in the profile's `live`. NULL without
   memory. */
struct guia_transaction *gate_judge_begin(struct gate_context *context);
ngx_int_t gate_rewrite_handler(ngx_http_request_t *r);
ngx_int_t gate_preaccess_handler(ngx_http_request_t *r);
/* The status nginx answers for a verdict other than GUIA_PASS; sets Location where it redirects. */
ngx_int_t gate_verdict_status(ngx_http_request_t *r, const struct guia_verdict *verdict);

/* ---- body.c ---- */

/* Whether there is a body to read that rules ask for. */
bool gate_body_wanted(struct gate_context *context);
/* Begins to read it: NGX_DONE, phases go on when it is read; or a status. */
ngx_int_t gate_body_read(struct gate_context *context);
/* Gives what was read to the transaction. */
void gate_body_feed(struct gate_context *context);
/* Nobody will ask for what was kept of one in a file. */
void gate_body_forget(struct gate_context *context);
/* Its first bytes as they came, copied: as many as there is room for, and as are in memory. */
size_t gate_body_copy(const struct gate_context *context, u_char *bytes, size_t room);

/* ---- response.c ---- */

void gate_filters_install(void);
/* All the headers of a response as they are now. 0 or -errno. */
int gate_response_headers_give(ngx_http_request_t *r, struct guia_transaction *transaction);

/* ---- replace.c ---- */

/* Nothing of the response has been sent. What the filter that asks is to return. */
ngx_int_t gate_response_replace(struct gate_context *context, const struct guia_verdict *verdict);
ngx_int_t gate_response_replace_status(struct gate_context *context, uint16_t status);

/* ---- store.c ---- */

/* All at the time of the response's headers; nothing is done where nginx would not keep the response. */

/* Where the disk has no room it is not kept. */
void gate_store_check_room(struct gate_context *context, ngx_http_request_t *r);
/* Nothing of this response is kept before the context's verdict is known. */
void gate_store_hold(struct gate_context *context, ngx_http_request_t *r);
/* The response of a background update is judged by itself before it is kept. */
void gate_store_judge(struct gate_context *context, ngx_http_request_t *r);
/* It is not kept. */
void gate_store_refuse(ngx_http_request_t *r);

/* The verdict is known: the page and its parts may be kept. */
void gate_stores_keep(struct gate_context *context);
/* They may not, and a copy that was the answer is deleted. */
void gate_stores_forget(struct gate_context *context);
/* The request ends. What has no verdict is not kept. */
void gate_stores_end(struct gate_context *context);

/* ---- log.c ---- */

ngx_int_t gate_log_handler(ngx_http_request_t *r);
/* From here on what nginx logs of a request names it without secrets. A handler of nginx's first phase. */
ngx_int_t gate_log_watch(ngx_http_request_t *r);

/* ---- variables.c ---- */

ngx_int_t gate_variables_add(ngx_conf_t *cf);

/* ---- collections.c ---- */

ngx_int_t gate_collections_add(ngx_conf_t *cf, struct gate_main *main, size_t bytes);
const struct guia_collection_store *gate_collections_store(const struct gate_collections *collections);

/* ---- admission.c ---- */

/* With a zone of so many bytes. NULL without memory. */
struct gate_admission *gate_admission_add(ngx_conf_t *cf, size_t bytes);
/* Stands before all upstreams known by now. A request waits for a slot so long at most. */
ngx_int_t gate_admission_install(ngx_conf_t *cf, struct gate_admission *admission, ngx_msec_t wait_ms);
void gate_admission_process_start(struct gate_admission *admission, ngx_log_t *log);
void gate_admission_process_end(struct gate_admission *admission);
/* There are news: refuses those who wait and are banned now, or match a signature. */
void gate_admission_refuse_unwanted(struct gate_admission *admission);

/* ---- small ---- */

static inline struct guia_slice gate_slice(ngx_str_t text)
{
	return (struct guia_slice){text.data, text.len};
}

#endif
