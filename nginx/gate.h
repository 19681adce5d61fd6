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

#include "guia.h"

#include "limit/ban_image.h"
#include "limit/connection_counts.h"
#include "wire/event.h"

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
	size_t body_rate; /* that a body must have, bytes a second; 0: any */
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
	size_t body_rate;         /* that a body must have, bytes a second; 0: any */
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

/* A connection that was accepted while events are told: from then to its end, in a list of the process's. */
struct gate_connection {
	ngx_queue_t link;
	ngx_connection_t *connection;
	struct sockaddr *peer; /* whom we speak with, whatever a header says */
	uint64_t since_ns;     /* it serves no request, or was accepted */
	ngx_uint_t serving;    /* requests begun and not ended */
	ngx_uint_t served;
	struct connection_ticket ticket; /* by which its source's are counted */
	unsigned closing : 1;            /* its source was banned, or it was slow: its socket is shut down */
};

/* A request's part, in its context. */
struct gate_passage {
	ngx_queue_t link; /* of those in flight */
	uint64_t at_ns;
	uint64_t request;
	uint64_t path;
	uint64_t agent;
	uint64_t shape;
	struct event_arrival arrival;
	const struct sockaddr *from; /* whom `source` and `ban` are of, as they were when it arrived */
	struct address source;       /* as it is told */
	struct ban_answer ban;
	uint32_t since_ms; /* its source's last request; 0: nobody knows */
	uint16_t site;
	uint16_t flags;
	struct gate_connection *connection;
	unsigned arrived : 1; /* it is, or was, in flight */
	unsigned ended : 1;   /* its end was told */
	unsigned left : 1;    /* it is not in flight any more */
};

struct gate_answer;

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
	u_char id[32];           /* gate_context_id() gives it */
	ngx_event_t replacement; /* of a response that a verdict refused */
	struct guia_verdict replacement_verdict;
	u_char *held; /* response bytes so far */
	size_t held_len;
	size_t held_capacity;
	struct gate_answer *answer; /* that a rule refused; NULL: none, or there was no memory for it */
	struct gate_store *stores;  /* what nginx would keep in a cache, of this request and its subrequests */
	struct gate_passage passage;
	u_char *body_piece; /* the first of a body that is in a file, as long as somebody may ask; else NULL */
	size_t body_piece_len;
};

static inline struct guia_slice gate_slice(ngx_str_t text)
{
	return (struct guia_slice){text.data, text.len};
}

#endif
