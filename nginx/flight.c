/*
 * Lists change in O(1): a connection moves when the count of its requests leaves 0 or comes back to it. It is found by
 * its cleanup in nginx's pool, which is also how it leaves. States are read off nginx's own structures.
 */
#include "flight.h"

#include "clock.h"
#include "counts.h"

static struct gate_flight flight;

struct gate_flight *gate_flight(void)
{
	return &flight;
}

void gate_flight_start(struct connection_counters *counters)
{
	flight.counters = counters;
	flight.next = NULL;
	ngx_queue_init(&flight.waiting);
	ngx_queue_init(&flight.serving);
	ngx_queue_init(&flight.requests);
}

void gate_flight_stop(void)
{
	flight.counters = NULL;
}

static void connection_leave(void *data)
{
	struct gate_connection *own = data;

	if (flight.counters == NULL)
		return;
	ngx_queue_remove(&own->link);
	gate_counts_leave(&own->ticket);
	counter_add(&flight.counters->closed, 1);
	if (own->served == 0 && own->serving == 0)
		counter_add(&flight.counters->silent, 1);
}

struct gate_connection *gate_flight_enter(ngx_connection_t *c)
{
	ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(c->pool, sizeof(struct gate_connection));

	if (cleanup == NULL)
		return NULL;
	struct gate_connection *own = cleanup->data;
	*own = (struct gate_connection){.connection = c, .peer = c->sockaddr, .since_ns = gate_now_ns()};
	cleanup->handler = connection_leave;
	ngx_queue_insert_tail(&flight.waiting, &own->link);
	counter_add(&flight.counters->accepted, 1);
	return own;
}

struct gate_connection *gate_connection_find(ngx_http_request_t *r)
{
	ngx_connection_t *c = r->connection;

#if (NGX_HTTP_V2)
	if (r->stream != NULL)
		c = r->stream->connection->connection;
#endif
	for (ngx_pool_cleanup_t *cleanup = c->pool->cleanup; cleanup != NULL; cleanup = cleanup->next)
		if (cleanup->handler == connection_leave)
			return cleanup->data;
	return NULL;
}

void gate_passage_enter(struct gate_passage *passage)
{
	struct gate_connection *own = passage->connection;

	passage->arrived = 1;
	ngx_queue_insert_tail(&flight.requests, &passage->link);
	if (own != NULL && own->serving++ == 0) {
		ngx_queue_remove(&own->link);
		ngx_queue_insert_tail(&flight.serving, &own->link);
	}
}

void gate_passage_leave(struct gate_passage *passage, uint64_t now_ns)
{
	struct gate_connection *own = passage->connection;

	if (flight.counters == NULL || !passage->arrived || passage->left)
		return;
	passage->left = 1;
	if (flight.next == &passage->link)
		flight.next = ngx_queue_next(&passage->link);
	ngx_queue_remove(&passage->link);
	if (own == NULL)
		return;
	own->served++;
	if (--own->serving == 0) {
		own->since_ns = now_ns;
		ngx_queue_remove(&own->link);
		ngx_queue_insert_tail(&flight.waiting, &own->link);
	}
}

/* One that may be taken for another use has sent nothing of a request. */
enum connection_state gate_connection_state(const struct gate_connection *own)
{
	return own->served > 0 && own->connection->reusable ? STATE_IDLE : STATE_READING_HEADER;
}

static bool reads_body(const struct gate_context *context)
{
	const ngx_http_request_body_t *body = context->request->request_body;

	return context->request_state == GATE_READING || (body != NULL && body->rest > 0);
}

enum connection_state gate_request_state(const struct gate_context *context)
{
	const ngx_http_request_t *r = context->request;

	if (reads_body(context))
		return STATE_READING_BODY;
	if (r->header_sent)
		return STATE_WRITING;
	return r->upstream != NULL && r->upstream->peer.connection != NULL ? STATE_WAITING : STATE_WORKING;
}
