/*
 * Taking and giving are limit/admission.c's; the time that a slot was held is charged to its source's debt in a rate
 * table. A connection that is kept has handlers of its own, and reads no more than the beginning of the status line.
 */
#include "slot.h"

#include "context.h"
#include "rates.h"
#include "source.h"

enum {
	PAID_US_A_SECOND = 100000,
	STATUS_AT = 9, /* "HTTP/1.1 503" */
	STATUS_END = 12,
};

/* An origin's connection that nobody waits for, in its own pool. */
struct unattended {
	struct gate_slot slot;
	struct gate_owed owed;
	uint64_t left_us;
	u_char answer[STATUS_END];
	size_t have;
};

/*
 * A slot's time is what a source costs; the same of those of its requests that look alike, so that of many people
 * behind one address those pay who ask. A second of an origin's time in each ten is forgiven.
 */
static struct rate_key debt_key(const struct gate_admission *admission, ngx_http_request_t *r)
{
	struct address source = gate_address(r->connection->sockaddr);
	struct gate_context *context = gate_context_find(r);
	return rate_key_make(&admission->debts, &source, context != NULL ? context->passage.shape : 0);
}

uint64_t gate_slot_debt_us(const struct gate_admission *admission, ngx_http_request_t *r)
{
	struct rate_key key = debt_key(admission, r);
	return rate_table_debt_us(&key, 0, gate_admission_clock_us()) * PAID_US_A_SECOND / 1000000;
}

static void debt_charge(const struct rate_key *debtor, uint64_t cost_us, uint64_t now_us)
{
	const struct rate_limits paid = {.level = {rate_limit_make(PAID_US_A_SECOND, PAID_US_A_SECOND)}};
	rate_table_charge(debtor, &paid, cost_us, now_us);
}

/* Requests of like cost: by method and path. */
static uint64_t kind_of(ngx_http_request_t *r)
{
	return ngx_murmur_hash2(r->uri.data, r->uri.len) + r->method * UINT64_C(0x9e3779b1);
}

bool gate_slot_take(struct gate_admission *admission, struct gate_origin *origin, uint64_t now_us)
{
	return admission_enter(&origin->shared->admission, admission->process, now_us);
}

struct gate_slot gate_slot_of(struct gate_admission *admission, struct gate_origin *origin, ngx_http_request_t *r,
			      uint64_t sent_us)
{
	return (struct gate_slot){.admission = admission,
				  .origin = origin,
				  .debtor = debt_key(admission, r),
				  .kind = kind_of(r),
				  .sent_us = sent_us};
}

void gate_slot_give(const struct gate_slot *slot, enum admission_outcome outcome)
{
	uint64_t now_us = gate_admission_clock_us();

	debt_charge(&slot->debtor, now_us - slot->sent_us, now_us);
	admission_leave(&slot->origin->shared->admission, slot->admission->process, slot->kind, outcome,
			now_us - slot->sent_us, now_us);
	if (slot->origin->queue.count > 0) {
		ngx_post_event(&slot->admission->pump, &ngx_posted_events);
	}
}

enum admission_outcome gate_slot_outcome(ngx_uint_t status)
{
	switch (status) {
	case 0:
		return ADMISSION_ABANDONED;
	case NGX_HTTP_BAD_GATEWAY:
	case NGX_HTTP_SERVICE_UNAVAILABLE:
	case NGX_HTTP_GATEWAY_TIME_OUT:
		return ADMISSION_OVERLOADED;
	default:
		return ADMISSION_ANSWERED;
	}
}

static void unattended_end(ngx_connection_t *c, enum admission_outcome outcome)
{
	struct unattended *own = c->data;
	ngx_pool_t *pool = c->pool;

	gate_limit_charge(&own->owed, gate_admission_clock_us() - own->left_us);
	gate_slot_give(&own->slot, outcome);
#if (NGX_HTTP_SSL)
	if (c->ssl != NULL) {
		c->ssl->no_wait_shutdown = 1;
		(void)ngx_ssl_shutdown(c);
	}
#endif
	ngx_close_connection(c);
	ngx_destroy_pool(pool);
}

/* Of another protocol than HTTP nothing is known of how it went. */
static enum admission_outcome outcome_of(const struct unattended *own)
{
	if (ngx_strncmp(own->answer, "HTTP/1.", sizeof("HTTP/1.") - 1) != 0)
		return ADMISSION_ABANDONED;
	ngx_int_t status = ngx_atoi((u_char *)own->answer + STATUS_AT, STATUS_END - STATUS_AT);
	return gate_slot_outcome(status == NGX_ERROR ? 0 : (ngx_uint_t)status);
}

static void unattended_read(ngx_event_t *event)
{
	ngx_connection_t *c = event->data;
	struct unattended *own = c->data;
	ssize_t n = 0;

	if (event->timedout || c->close) {
		unattended_end(c, event->timedout ? ADMISSION_OVERLOADED : ADMISSION_ABANDONED);
		return;
	}
	while (own->have < STATUS_END && (n = c->recv(c, own->answer + own->have, STATUS_END - own->have)) > 0)
		own->have += (size_t)n;
	if (own->have == STATUS_END)
		unattended_end(c, outcome_of(own));
	else if (n != NGX_AGAIN || ngx_handle_read_event(event, 0) != NGX_OK)
		unattended_end(c, ADMISSION_ABANDONED);
}

static void unattended_write(ngx_event_t *event)
{
	(void)ngx_handle_write_event(event, 0);
}

/* Nothing of the request's, which ends now, may be left in it. */
static void connection_detach(ngx_connection_t *c, struct unattended *own)
{
	c->data = own;
	c->read->handler = unattended_read;
	c->write->handler = unattended_write;
	c->log = c->read->log = c->write->log = c->pool->log = ngx_cycle->log;
	c->log_error = NGX_ERROR_INFO;
#if (NGX_HTTP_SSL)
	if (c->ssl != NULL)
		c->ssl->save_session = NULL;
#endif
}

bool gate_slot_keep(const struct gate_slot *slot, ngx_http_request_t *r, ngx_connection_t *c)
{
	struct unattended *own = c->pool == NULL ? NULL : ngx_pcalloc(c->pool, sizeof(*own));

	if (own == NULL)
		return false;
	own->slot = *slot;
	own->owed = gate_limit_owed(r);
	own->left_us = gate_admission_clock_us();
	connection_detach(c, own);
	if (c->write->timer_set)
		ngx_del_timer(c->write);
	if (!c->read->timer_set)
		ngx_add_timer(c->read, r->upstream->conf->read_timeout);
	if (c->read->ready) {
		ngx_post_event(c->read, &ngx_posted_events);
	}
	return true;
}
