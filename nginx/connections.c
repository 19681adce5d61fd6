/*
 * Connections from accept on, and what state each is in. Every listening socket of HTTP's has its handler replaced by
 * ours, which puts a cleanup into the connection's pool and goes on to nginx's. States are not followed but looked at,
 * from a timer: nginx has no hook for most changes, and whoever serves a flood should not pay for each.
 */
#include "bans.h"
#include "counts.h"
#include "events.h"
#include "gate.h"

#include <time.h>

enum {
	LOOK_MS = 100,
	LOOK_SHARE = 100, /* looking takes at most one part in so many of the time */
};

static struct watched {
	struct outbox *outbox; /* NULL: nothing is watched */
	ngx_queue_t waiting;   /* connections that serve no request */
	ngx_queue_t serving;
	ngx_queue_t requests; /* in flight: struct gate_passage */
	size_t body_rate;     /* that a body must have, bytes a second; 0: any */
	ngx_event_t timer;
	ngx_connection_t nobody; /* nginx's debug log wants a connection behind every event */
} watched;

uint64_t gate_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void connection_leave(void *data)
{
	struct gate_connection *own = data;

	if (watched.outbox == NULL)
		return;
	ngx_queue_remove(&own->link);
	gate_counts_leave(&own->ticket);
	counter_add(&watched.outbox->connections->closed, 1);
	if (own->served == 0 && own->serving == 0)
		counter_add(&watched.outbox->connections->silent, 1);
}

/* False: its source has too many. */
static bool count_enter(struct gate_connection *own)
{
	struct prefix crowd;

	switch (gate_counts_enter(own->peer, &own->ticket, &crowd)) {
	case GATE_CROWDED:
		(void)gate_slow_end_one(&watched.waiting, &watched.requests, &crowd);
		return true;
	case GATE_OVERRUN:
		return gate_slow_end_one(&watched.waiting, &watched.requests, &crowd);
	default:
		return true;
	}
}

/* Without memory it is nginx's problem in a moment; what is not in the list is not counted either. */
static bool connection_enter(ngx_connection_t *c)
{
	ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(c->pool, sizeof(struct gate_connection));

	if (cleanup == NULL)
		return true;
	struct gate_connection *own = cleanup->data;
	*own = (struct gate_connection){.connection = c, .peer = c->sockaddr, .since_ns = gate_now_ns()};
	cleanup->handler = connection_leave;
	ngx_queue_insert_tail(&watched.waiting, &own->link);
	counter_add(&watched.outbox->connections->accepted, 1);
	return count_enter(own);
}

static bool peer_refuse(const struct sockaddr *peer)
{
	struct ban_answer answer = gate_bans_of_peer(peer);

	if (answer.kind != BAN_REFUSE)
		return false;
	gate_events_hit(answer.id);
	if (watched.outbox != NULL)
		counter_add(&watched.outbox->connections->banned, 1);
	return true;
}

/* What comes after it, the reading of the last bytes among it, nginx does as for a client that hung up. */
static void connections_refuse(const ngx_queue_t *list)
{
	for (ngx_queue_t *q = ngx_queue_head(list); q != ngx_queue_sentinel(list); q = ngx_queue_next(q)) {
		struct gate_connection *own = ngx_queue_data(q, struct gate_connection, link);
		if (own->refused || !peer_refuse(own->peer))
			continue;
		own->refused = 1;
		(void)shutdown(own->connection->fd, SHUT_RDWR);
	}
}

void gate_connections_refuse(void)
{
	if (watched.outbox == NULL)
		return;
	connections_refuse(&watched.waiting);
	connections_refuse(&watched.serving);
}

static void connection_begin(ngx_connection_t *c)
{
	if (peer_refuse(c->sockaddr)) {
		if (watched.outbox != NULL) {
			counter_add(&watched.outbox->connections->accepted, 1);
			counter_add(&watched.outbox->connections->closed, 1);
			counter_add(&watched.outbox->connections->silent, 1);
		}
		ngx_http_close_connection(c);
		return;
	}
	if (watched.outbox != NULL && !connection_enter(c)) {
		gate_slow_refused();
		ngx_http_close_connection(c);
		return;
	}
	ngx_http_init_connection(c);
}

void gate_connections_watch(ngx_cycle_t *cycle)
{
	ngx_listening_t *listening = cycle->listening.elts;

	for (ngx_uint_t i = 0; i < cycle->listening.nelts; i++)
		if (listening[i].handler == ngx_http_init_connection)
			listening[i].handler = connection_begin;
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

void gate_connections_enter(struct gate_passage *passage)
{
	struct gate_connection *own = passage->connection;

	ngx_queue_insert_tail(&watched.requests, &passage->link);
	if (own != NULL && own->serving++ == 0) {
		ngx_queue_remove(&own->link);
		ngx_queue_insert_tail(&watched.serving, &own->link);
	}
}

void gate_connections_leave(struct gate_passage *passage)
{
	struct gate_connection *own = passage->connection;

	if (watched.outbox == NULL)
		return;
	ngx_queue_remove(&passage->link);
	if (own == NULL)
		return;
	own->served++;
	if (--own->serving == 0) {
		own->since_ns = gate_now_ns();
		ngx_queue_remove(&own->link);
		ngx_queue_insert_tail(&watched.waiting, &own->link);
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

static void states_count(uint64_t counts[CONNECTION_STATES])
{
	ngx_queue_t *q;

	for (q = ngx_queue_head(&watched.waiting); q != ngx_queue_sentinel(&watched.waiting); q = ngx_queue_next(q))
		counts[gate_connection_state(ngx_queue_data(q, struct gate_connection, link))]++;
	for (q = ngx_queue_head(&watched.requests); q != ngx_queue_sentinel(&watched.requests); q = ngx_queue_next(q))
		counts[gate_request_state(ngx_queue_data(q, struct gate_context, passage.link))]++;
}

static void states_look(ngx_event_t *event)
{
	struct connection_counters *connections = watched.outbox->connections;
	uint64_t counts[CONNECTION_STATES] = {0};

	gate_slow_look(&watched.waiting, &watched.requests, watched.body_rate, event->log);
	/* Only counting is rarer where it takes long: where connections must be closed, there is no time to lose. */
	uint64_t began_ns = gate_now_ns();
	states_count(counts);
	for (size_t i = 0; i < CONNECTION_STATES; i++)
		counter_set(&connections->now[i], counts[i]);
	uint64_t ended_ns = gate_now_ns();
	counter_set(&connections->now_at_ns, ended_ns);
	counter_set(&connections->at_most, ngx_cycle->connection_n);
	ngx_msec_t pause = (ngx_msec_t)((ended_ns - began_ns) * LOOK_SHARE / 1000000);
	ngx_add_timer(event, ngx_max(pause, LOOK_MS));
}

void gate_connections_start(struct outbox *outbox, size_t body_rate, ngx_log_t *log)
{
	watched.outbox = outbox;
	watched.body_rate = body_rate;
	gate_slow_start(outbox->connections);
	ngx_queue_init(&watched.waiting);
	ngx_queue_init(&watched.serving);
	ngx_queue_init(&watched.requests);
	watched.nobody.fd = (ngx_socket_t)-1;
	watched.timer = (ngx_event_t){.handler = states_look, .data = &watched.nobody, .log = log, .cancelable = 1};
	ngx_add_timer(&watched.timer, LOOK_MS);
}

void gate_connections_stop(void)
{
	if (watched.timer.timer_set)
		ngx_del_timer(&watched.timer);
	watched.outbox = NULL;
}
