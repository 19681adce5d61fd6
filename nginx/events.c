/*
 * Hashes are computed once, on arrival, into the passage: the end, a head that is kept and a finding say them again.
 * Events are written straight into the ring's slot. Whose head never came arrives, for the counters, with its end.
 */
#include "events.h"

#include "bans.h"
#include "clock.h"
#include "context.h"
#include "event.h"
#include "findings.h"
#include "flight.h"
#include "origin.h"
#include "signatures.h"
#include "source.h"
#include "telling.h"

#include "wire/fingerprint.h"

enum {
	HEADS_A_SECOND = 32, /* of each site, by each process */
	HEADS_AT_ONCE = 8,
};

static struct teller {
	struct outbox *outbox; /* NULL: nothing is told */
	const struct gate_main *main;
	uint16_t sites[OUTBOX_SITES]; /* of the configuration, as the outbox numbers them */
	uint64_t head_due_ns[OUTBOX_SITES];
	uint64_t requests;
} teller;

ngx_int_t gate_events_site(ngx_conf_t *cf, struct gate_main *main, ngx_str_t *name)
{
	ngx_str_t *known = main->sites.elts;

	for (ngx_uint_t i = 0; i < main->sites.nelts; i++)
		if (known[i].len == name->len && ngx_memcmp(known[i].data, name->data, name->len) == 0)
			return (ngx_int_t)i;
	if (main->sites.nelts == OUTBOX_SITES)
		ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "guia_site \"%V\" is one too many to be told apart in events",
				   name);
	ngx_str_t *site = ngx_array_push(&main->sites);
	if (site == NULL)
		return NGX_ERROR;
	*site = *name;
	return (ngx_int_t)main->sites.nelts - 1;
}

static void sites_map(const struct gate_main *main)
{
	const ngx_str_t *names = main->sites.elts;

	for (ngx_uint_t i = 0; i < main->sites.nelts && i < OUTBOX_SITES; i++)
		teller.sites[i] = outbox_site(teller.outbox, (struct slice){names[i].data, names[i].len});
	teller.main = main;
}

/* A process without a master keeps its outbox over reloads. */
static uint16_t site_of(ngx_http_request_t *r)
{
	const struct gate_main *main = ngx_http_get_module_main_conf(r, ngx_http_guia_module);
	const struct gate_location *location = ngx_http_get_module_loc_conf(r, ngx_http_guia_module);

	if (main != teller.main)
		sites_map(main);
	return location->site_number < OUTBOX_SITES ? teller.sites[location->site_number] : 0;
}

static uint16_t flags_of(ngx_http_request_t *r, const struct gate_connection *connection)
{
	unsigned flags = 0;

#if (NGX_HTTP_SSL)
	if (r->connection->ssl != NULL)
		flags |= EVENT_TLS;
#endif
	if (r->http_version == NGX_HTTP_VERSION_20)
		flags |= EVENT_HTTP2;
	else if (r->http_version < NGX_HTTP_VERSION_11)
		flags |= EVENT_HTTP10;
	if (connection != NULL && connection->peer != r->connection->sockaddr)
		flags |= EVENT_FROM_HEADER;
	if (connection != NULL && connection->connection->requests > 1)
		flags |= EVENT_REPEATED;
	if (r->headers_in.content_length_n > 0 || r->headers_in.chunked)
		flags |= EVENT_BODY;
	return (uint16_t)flags;
}

/* Who it is from, and what holds for that source: asked once, where all that needs it comes right behind. */
static void source_take(const ngx_http_request_t *r, struct gate_passage *passage)
{
	struct address source = gate_address(r->connection->sockaddr);

	passage->ban = gate_bans_at(&source, passage->at_ns);
	passage->source = gate_event_source(r->connection->sockaddr);
	passage->from = r->connection->sockaddr;
	if (passage->ban.kind == BAN_ALLOW)
		passage->flags |= EVENT_ALLOWED;
}

static void fingerprint_take(const ngx_http_request_t *r, struct fingerprint *print)
{
	const struct hash_key *key = &teller.outbox->key;
	const ngx_list_part_t *part = &r->headers_in.headers.part;

	for (; part != NULL; part = part->next) {
		const ngx_table_elt_t *header = part->elts;
		for (ngx_uint_t i = 0; i < part->nelts; i++)
			fingerprint_add(print, key, (struct slice){header[i].key.data, header[i].key.len},
					(struct slice){header[i].value.data, header[i].value.len});
	}
}

static void passage_begin(ngx_http_request_t *r, struct gate_passage *passage)
{
	const struct hash_key *key = &teller.outbox->key;
	struct fingerprint print = {0};

	fingerprint_take(r, &print);
	passage->request = teller.requests++;
	passage->path = fingerprint_text(key, (struct slice){r->uri.data, r->uri.len});
	passage->agent = print.agent;
	passage->shape = print.shape;
	passage->arrival = (struct event_arrival){
		.query = fingerprint_query(key, (struct slice){r->args.data, r->args.len}),
		.accept = print.accept,
		.language = print.language,
		.length = r->headers_in.content_length_n > 0 ? (uint64_t)r->headers_in.content_length_n : 0,
		.present = print.present,
		.uri_bytes = (uint16_t)ngx_min(r->unparsed_uri.len, UINT16_MAX),
		.headers = print.headers,
	};
	passage->site = site_of(r);
	passage->connection = gate_connection_find(r);
	passage->flags = flags_of(r, passage->connection);
	source_take(r, passage);
	gate_passage_enter(passage);
}

static void arrival_tell(ngx_http_request_t *r, struct gate_context *context)
{
	struct gate_passage *passage = &context->passage;

	passage->at_ns = gate_now_ns();
	passage_begin(r, passage);
	counter_add(&outbox_counters(teller.outbox, passage->site)->arrived, 1);
	struct event *event = ring_begin(&teller.outbox->events);
	gate_event_arrival(event, r, passage);
	gate_signatures_ask(context, event);
	ring_commit(&teller.outbox->events);
}

ngx_int_t gate_events_arrive(ngx_http_request_t *r)
{
	struct gate_context *context;

	if (teller.outbox != NULL && r == r->main && (context = gate_context_get(r)) != NULL &&
	    !context->passage.arrived)
		arrival_tell(r, context);
	return NGX_DECLINED;
}

static uint32_t clamp_us(uint64_t us)
{
	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static void verdict_set(const struct gate_context *context, struct event_end *end)
{
	const ngx_http_request_t *r = context->request;
	const struct guia_verdict *verdict = &context->verdict;
	bool seen = context->transaction != NULL && context->request_state != GATE_NEW;

	end->rule = verdict->rule_id > 0 ? (uint64_t)verdict->rule_id : 0;
	if (context->blocked || context->banned_by != 0 || context->refused_by != 0 || context->limited)
		end->verdict = EVENT_BLOCKED;
	else if (seen)
		end->verdict = verdict->would_block ? EVENT_WOULD_BLOCK : EVENT_PASSED;
	else
		end->verdict = EVENT_UNSEEN;
	if (context->banned_by != 0) {
		end->reason = EVENT_BY_BAN;
		end->rule = context->banned_by;
	} else if (context->refused_by != 0) {
		end->reason = EVENT_BY_SIGNATURE;
		end->rule = context->refused_by;
	} else if (context->kept_out_by != 0) {
		end->reason = EVENT_BY_MODE;
		end->rule = context->kept_out_by;
	} else if (context->limited)
		end->reason = EVENT_BY_LIMIT;
	else if (context->crowded_out)
		end->reason = EVENT_CROWDED_OUT;
	else if (verdict->failed)
		end->reason = EVENT_BY_FAILURE;
	else if (end->verdict == EVENT_BLOCKED || end->verdict == EVENT_WOULD_BLOCK)
		end->reason = EVENT_BY_RULE;
	else if (context->slow || (!seen && end->status >= NGX_HTTP_BAD_REQUEST && r->upstream == NULL))
		end->reason = EVENT_BY_SERVER;
}

static void end_count(const struct event *event)
{
	struct site_counters *c = outbox_counters(teller.outbox, event->site);
	const struct event_end *end = &event->end;

	if (event->flags & EVENT_UNREAD)
		counter_add(&c->arrived, 1);
	counter_add(&c->ended[end->verdict][end->reason], 1);
	counter_add(&c->status[end->status / 100 < STATUS_CLASSES ? end->status / 100 : 0], 1);
	counter_add(&c->bytes_in, end->bytes_in);
	counter_add(&c->bytes_out, end->bytes_out);
	if (event->flags & EVENT_ORIGIN) {
		counter_add(&c->origin_requests, 1);
		counter_add(&c->origin_us, end->origin_us);
	}
	if (event->flags & EVENT_COPY)
		counter_add(&c->copies, 1);
}

static void end_tell(struct gate_context *context, uint64_t now_ns)
{
	ngx_http_request_t *r = context->request;
	struct gate_passage *passage = &context->passage;
	unsigned flags = passage->flags;
	struct event_end end = {
		.bytes_in = r->request_length > 0 ? (uint64_t)r->request_length : 0,
		.bytes_out = r->connection->sent > 0 ? (uint64_t)r->connection->sent : 0,
		.total_us = clamp_us((now_ns - passage->at_ns) / 1000),
		.status = (uint16_t)(r->err_status != 0 ? r->err_status : r->headers_out.status),
		.present = passage->arrival.present,
	};

	verdict_set(context, &end);
	flags |= gate_origin_time(r, &end.origin_us) ? EVENT_ORIGIN : 0;
	flags |= gate_answer_is_copy(r) ? EVENT_COPY : 0;
	struct event *event = ring_begin(&teller.outbox->events);
	gate_event_fill(event, r, passage, now_ns);
	event->kind = EVENT_END;
	event->flags = (uint16_t)flags;
	event->end = end;
	end_count(event);
	gate_findings_tell(context, event, teller.outbox);
	ring_commit(&teller.outbox->events);
}

/* A request whose head was refused, or never came whole, has no arrival: it arrives with its end. */
static void passage_unread(ngx_http_request_t *r, struct gate_passage *passage)
{
	passage->request = teller.requests++;
	passage->at_ns = gate_now_ns();
	passage->site = site_of(r);
	passage->connection = gate_connection_find(r);
	passage->flags = flags_of(r, passage->connection) | EVENT_UNREAD;
	source_take(r, passage);
	gate_passage_enter(passage);
}

ngx_int_t gate_events_end(ngx_http_request_t *r)
{
	struct gate_context *context;

	if (teller.outbox == NULL || r != r->main || (context = gate_context_get(r)) == NULL || context->passage.ended)
		return NGX_OK;
	if (!context->passage.arrived)
		passage_unread(r, &context->passage);
	context->passage.ended = 1;
	uint64_t now_ns = gate_now_ns();
	end_tell(context, now_ns);
	gate_passage_leave(&context->passage, now_ns);
	return NGX_OK;
}

void gate_events_head(struct gate_context *context)
{
	struct gate_passage *passage = &context->passage;
	struct event common;

	if (teller.outbox == NULL || !passage->arrived ||
	    !gate_rate_allows(&teller.head_due_ns[passage->site], passage->at_ns, 1, HEADS_A_SECOND, HEADS_AT_ONCE))
		return;
	struct guia_slice text = guia_transaction_redacted_head(context->transaction);
	if (text.len == 0)
		return;
	gate_event_fill(&common, context->request, passage, passage->at_ns);
	struct head *head = ring_begin(&teller.outbox->heads);
	head->at_ns = common.at_ns;
	head->wall_ms = common.wall_ms;
	head->request = common.request;
	ngx_memcpy(head->source, common.source, sizeof(head->source));
	head->port = common.port;
	head->site = common.site;
	head->flags = passage->flags;
	head->path = passage->path;
	head->agent = passage->agent;
	head->shape = passage->shape;
	head->query = passage->arrival.query;
	head->length = (uint16_t)ngx_min(text.len, sizeof(head->text));
	ngx_memcpy(head->text, text.ptr, head->length);
	ring_commit(&teller.outbox->heads);
}

void gate_events_start(const struct gate_main *main, struct outbox *outbox)
{
	teller.outbox = outbox;
	teller.requests = outbox->events.next;
	sites_map(main);
}

void gate_events_stop(void)
{
	teller.outbox = NULL;
}
