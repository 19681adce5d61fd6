/*
 * nginx's callbacks for a peer are wrapped, and its own called with its own data. Queues are worked off by an event of
 * ours, the pump: when a slot comes back here, and every PUMP_MS while somebody waits, for of other workers' slots
 * nobody tells. Who is pushed out of a queue waits in a second one for the pump, which refuses him.
 */
#include "admission_peer.h"

#include "bans.h"
#include "context.h"
#include "load.h"
#include "modes.h"
#include "signatures.h"
#include "slot.h"
#include "source.h"

#include <stdatomic.h>
#include <sys/eventfd.h>

enum {
	PUMP_MS = 4,            /* how soon a slot that another worker's request left is found */
	CALM_US = 10 * 1000000, /* from when somebody had to wait */
	QUEUE_FEWEST = 16,      /* requests that may wait */
	QUEUE_BY_LIMIT = 2,     /* and for each that may be asked at once */
};

enum peer_state {
	PEER_NEW,
	PEER_WAITS,
	PEER_ADMITTED,
	PEER_DONE, /* the slot is given back, or never was taken */
};

/* A request on its way to an upstream, in place of the upstream's own peer data. */
struct gate_peer {
	struct fair_queue_entry entry; /* first */
	struct fair_queue *queue;      /* where it waits */
	struct gate_origin *origin;
	ngx_http_request_t *request;
	enum peer_state state;
	uint64_t sent_us;
	ngx_connection_t *standin; /* while it waits */
	bool kept;                 /* nginx would keep the answer in a cache */

	void *data; /* nginx's own, for nginx's own */
	ngx_event_get_peer_pt get;
	ngx_event_free_peer_pt free;
	ngx_event_notify_peer_pt notify;
	ngx_event_set_peer_session_pt set_session;
	ngx_event_save_peer_session_pt save_session;
};

static ngx_log_t silence; /* at no level */
static struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

static void pump_soon(struct gate_admission *admission)
{
	ngx_post_event(&admission->pump, &ngx_posted_events);
}

static bool slot_take(struct gate_admission *admission, struct gate_peer *peer)
{
	uint64_t now_us = gate_admission_clock_us();
	if (!gate_slot_take(admission, peer->origin, now_us))
		return false;
	peer->state = PEER_ADMITTED;
	peer->sent_us = now_us;
	return true;
}

static void slot_give(struct gate_peer *peer, enum admission_outcome outcome)
{
	if (peer->state != PEER_ADMITTED)
		return;
	peer->state = PEER_DONE;
	struct gate_slot slot =
		gate_slot_of(gate_admission_of(peer->request), peer->origin, peer->request, peer->sent_us);
	gate_slot_give(&slot, outcome);
}

static enum admission_outcome outcome_of(const ngx_http_request_t *r)
{
	return gate_slot_outcome(r->upstream->headers_in.status_n);
}

/* Its client has left and its origin works on it: the slot and the connection are nobody's until it answers. */
static void slot_keep(struct gate_peer *peer, ngx_peer_connection_t *pc)
{
	ngx_http_upstream_t *u = peer->request->upstream;

	if (peer->state != PEER_ADMITTED || pc->connection == NULL || !u->request_sent || u->headers_in.status_n != 0)
		return;
	struct gate_slot slot =
		gate_slot_of(gate_admission_of(peer->request), peer->origin, peer->request, peer->sent_us);
	if (!gate_slot_keep(&slot, peer->request, pc->connection))
		return;
	peer->state = PEER_DONE;
	pc->connection = NULL;
}

static void pressure_note(struct gate_admission *admission)
{
	atomic_store_explicit(&admission->shared->calm_from_us, gate_admission_clock_us() + CALM_US,
			      memory_order_relaxed);
}

/* Somebody finds no slot at all: who was first seen shortly before may be why. */
static void crowd_note(struct gate_admission *admission, struct gate_context *context)
{
	seen_sources_distrust(admission->shared->seen, gate_admission_clock_us() / 1000);
	if (context != NULL)
		context->crowded_out = 1;
}

static ngx_int_t standin_make(struct gate_peer *peer, ngx_peer_connection_t *pc)
{
	ngx_socket_t fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ngx_connection_t *c = fd == -1 ? NULL : ngx_get_connection(fd, pc->log);
	if (c == NULL) {
		if (fd != -1)
			(void)close(fd);
		return NGX_ERROR;
	}
	c->read->log = c->write->log = pc->log;
	c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
	pc->connection = peer->standin = c;
	pc->sockaddr = &nowhere; /* so that nginx frees this peer */
	pc->socklen = sizeof(nowhere);
	return NGX_OK;
}

/*
 * Of an answer that is for a cache nginx waits for the origin even when the client has left: then the next one has it.
 * Nobody shall wait in the queue for nobody: so nginx is not told before the origin is asked.
 */
static void keeping_put_off(struct gate_peer *peer)
{
#if (NGX_HTTP_CACHE)
	peer->kept = peer->request->upstream->cacheable;
	peer->request->upstream->cacheable = 0;
#endif
}

static void keeping_resume(struct gate_peer *peer)
{
#if (NGX_HTTP_CACHE)
	peer->request->upstream->cacheable |= peer->kept;
#endif
	peer->kept = false;
}

static bool client_left(const ngx_http_request_t *r)
{
	return r->connection->error || r->connection->read->pending_eof;
}

/* nginx finds the connection broken and tries the next server, if tries are left. */
static void standin_fail(struct gate_peer *peer)
{
	ngx_connection_t *c = peer->standin;
	c->log = c->read->log = c->write->log = &silence;
	if (c->pool != NULL)
		c->pool->log = &silence;
	c->write->handler(c->write);
}

/* All that nginx set up of the stand-in is the true connection's. */
static void standin_replace(struct gate_peer *peer, ngx_connection_t *c)
{
	ngx_http_request_t *r = peer->request;
	ngx_http_upstream_t *u = r->upstream;
	ngx_connection_t *standin = peer->standin;

	peer->standin = NULL;
	c->requests++;
	c->data = r;
	c->write->handler = standin->write->handler;
	c->read->handler = standin->read->handler;
	c->sendfile &= r->connection->sendfile;
	u->output.sendfile = c->sendfile;
	if (r->connection->tcp_nopush == NGX_TCP_NOPUSH_DISABLED)
		c->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;
	if (c->pool == NULL)
		c->pool = standin->pool;
	else
		ngx_destroy_pool(standin->pool);
	c->log = c->pool->log = c->read->log = c->write->log = r->connection->log;
	u->writer.connection = c;
	u->state->peer = u->peer.name;
	u->start_time = ngx_current_msec; /* from here on it is the origin's time */
	standin->pool = NULL;
	ngx_close_connection(standin);
}

/* Its turn has come, and its slot is taken. */
static void peer_go(struct gate_peer *peer)
{
	ngx_http_request_t *r = peer->request;
	ngx_peer_connection_t *pc = &r->upstream->peer;

	keeping_resume(peer);
	pc->sockaddr = NULL;
	pc->connection = NULL;
	ngx_int_t rc = ngx_event_connect_peer(pc);
	if (rc != NGX_OK && rc != NGX_AGAIN && rc != NGX_DONE) {
		pc->connection = peer->standin;
		if (pc->sockaddr == NULL)
			pc->sockaddr = &nowhere;
		standin_fail(peer);
		return;
	}
	ngx_connection_t *c = pc->connection;
	standin_replace(peer, c);
	if (rc == NGX_AGAIN)
		ngx_add_timer(c->write, r->upstream->conf->connect_timeout);
	else
		c->write->handler(c->write);
}

/* It is taken out of the queue already. */
static void peer_drop(struct gate_peer *peer)
{
	keeping_resume(peer);
	peer->request->upstream->peer.tries = 0;
	standin_fail(peer);
}

static void peer_refuse(struct gate_peer *peer)
{
	crowd_note(gate_admission_of(peer->request), gate_context_get(peer->request));
	peer_drop(peer);
}

static void origin_pump(struct gate_admission *admission, struct gate_origin *origin)
{
	struct fair_queue *queue = &origin->queue;
	uint64_t now_us = gate_admission_clock_us();
	struct fair_queue_entry *entry;

	while (queue->count > 0 && gate_slot_take(admission, origin, now_us)) {
		struct gate_peer *peer = (struct gate_peer *)fair_queue_take(queue);
		peer->state = PEER_ADMITTED;
		peer->sent_us = now_us;
		peer_go(peer);
	}
	while ((entry = fair_queue_take_overdue(queue, now_us - admission->wait_ms * 1000)) != NULL)
		peer_refuse((struct gate_peer *)entry);
	while ((entry = fair_queue_take(&origin->crowded_out)) != NULL)
		peer_refuse((struct gate_peer *)entry);
}

void gate_peer_pump(ngx_event_t *event)
{
	struct gate_admission *admission = event->data;
	struct gate_origin *origins = admission->origins.elts;
	size_t waiting = 0;

	for (ngx_uint_t i = 0; i < admission->origins.nelts; i++) {
		if (origins[i].queue.count + origins[i].crowded_out.count > 0)
			origin_pump(admission, &origins[i]);
		waiting += origins[i].queue.count + origins[i].crowded_out.count;
	}
	if (waiting > 0 && !event->timer_set)
		ngx_add_timer(event, PUMP_MS);
}

static bool is_unwanted(struct fair_queue_entry *entry, void *nothing)
{
	const struct gate_peer *peer = (const struct gate_peer *)entry;
	const struct sockaddr *from = peer->request->connection->sockaddr;
	struct gate_context *context = gate_context_find(peer->request);

	(void)nothing;
	return gate_bans_of_peer(from).kind == BAN_REFUSE || (context != NULL && gate_signatures_cancel(context));
}

void gate_peers_refuse_unwanted(struct gate_admission *admission)
{
	struct gate_origin *origins = admission->origins.elts;
	struct fair_queue_entry *entry;

	for (ngx_uint_t i = 0; i < admission->origins.nelts; i++) {
		while ((entry = fair_queue_take_if(&origins[i].queue, is_unwanted, NULL)) != NULL)
			peer_drop((struct gate_peer *)entry);
	}
}

/* A place at the end, or that of one who has to leave it. */
static bool queue_join(struct gate_admission *admission, struct gate_peer *peer)
{
	struct gate_origin *origin = peer->origin;
	struct fair_queue_entry *out, *none;
	uint64_t now_us = gate_admission_clock_us();
	struct address source = gate_address(peer->request->connection->sockaddr);
	uint8_t rank =
		fair_queue_rank(gate_admission_seen(admission, &source), gate_slot_debt_us(admission, peer->request));
	if (gate_bans_of(&source).kind == BAN_ALLOW)
		rank = 0;
	else if (gate_is_proxy(peer->request->connection->sockaddr))
		rank = fair_queue_rank(SEEN_LATELY, 0);

	origin->queue.capacity = QUEUE_FEWEST + QUEUE_BY_LIMIT * admission_limit(&origin->shared->admission, now_us);
	if (!fair_queue_join(&origin->queue, &peer->entry, rank, now_us, &out))
		return false;
	peer->queue = &origin->queue;
	if (out != NULL) {
		/* It is told later: not from within another request. */
		((struct gate_peer *)out)->queue = &origin->crowded_out;
		(void)fair_queue_join(&origin->crowded_out, out, 0, now_us, &none);
		pump_soon(admission);
	}
	return true;
}

static ngx_int_t peer_wait(struct gate_admission *admission, struct gate_peer *peer, ngx_peer_connection_t *pc)
{
	pressure_note(admission);
	if (client_left(peer->request) || !queue_join(admission, peer))
		return NGX_DECLINED;
	if (standin_make(peer, pc) != NGX_OK) {
		fair_queue_leave(peer->queue, &peer->entry);
		return NGX_DECLINED;
	}
	peer->state = PEER_WAITS;
	keeping_put_off(peer);
	if (!admission->pump.timer_set)
		ngx_add_timer(&admission->pump, PUMP_MS);
	return NGX_AGAIN;
}

static ngx_int_t peer_get(ngx_peer_connection_t *pc, void *data)
{
	struct gate_peer *peer = data;
	struct gate_admission *admission = gate_admission_of(peer->request);
	struct gate_context *context;

	if (peer->state == PEER_NEW &&
	    gate_mode_keeps_out(peer->request, gate_slot_debt_us(admission, peer->request))) {
		pc->tries = 0;
		return NGX_DECLINED;
	}
	/* Where others wait a free slot is theirs: all that come in a turn of the event loop stand in line. */
	bool others_wait = peer->origin->queue.count > 0;
	if (peer->state != PEER_ADMITTED && (others_wait || !slot_take(admission, peer))) {
		if (others_wait)
			pump_soon(admission);
		context = gate_context_get(peer->request);
		if (context == NULL)
			return NGX_ERROR;
		ngx_int_t rc = context->crowded_out ? NGX_DECLINED : peer_wait(admission, peer, pc);
		if (rc == NGX_DECLINED) {
			if (!client_left(peer->request))
				crowd_note(admission, context);
			pc->tries = 0;
		}
		context->waited = 1;
		return rc;
	}
	ngx_int_t rc = peer->get(pc, peer->data);
	/* No server to ask: nginx will not call peer_free. */
	if (rc != NGX_OK && rc != NGX_DONE && rc != NGX_AGAIN && pc->sockaddr == NULL)
		slot_give(peer, ADMISSION_ABANDONED);
	return rc;
}

static void peer_free(ngx_peer_connection_t *pc, void *data, ngx_uint_t state)
{
	struct gate_peer *peer = data;
	bool answered = peer->request->upstream->headers_in.status_n != 0;

	if (peer->state == PEER_WAITS) {
		fair_queue_leave(peer->queue, &peer->entry);
		peer->state = PEER_DONE;
	}
	if (!(state & NGX_PEER_FAILED))
		slot_keep(peer, pc);
	slot_give(peer, (state & NGX_PEER_FAILED) && !answered ? ADMISSION_OVERLOADED : outcome_of(peer->request));
	if (pc->sockaddr != &nowhere)
		peer->free(pc, peer->data, state);
}

static void peer_notify(ngx_peer_connection_t *pc, void *data, ngx_uint_t type)
{
	struct gate_peer *peer = data;
	peer->notify(pc, peer->data, type);
}

static ngx_int_t peer_set_session(ngx_peer_connection_t *pc, void *data)
{
	struct gate_peer *peer = data;
	return peer->set_session(pc, peer->data);
}

static void peer_save_session(ngx_peer_connection_t *pc, void *data)
{
	struct gate_peer *peer = data;
	peer->save_session(pc, peer->data);
}

static struct gate_origin *origin_find(struct gate_admission *admission, const ngx_http_upstream_srv_conf_t *upstream)
{
	struct gate_origin *origins = admission->origins.elts;
	for (ngx_uint_t i = 0; i < admission->origins.nelts; i++) {
		if (origins[i].upstream == upstream)
			return &origins[i];
	}
	return NULL;
}

ngx_int_t gate_peer_init(ngx_http_request_t *r, ngx_http_upstream_srv_conf_t *upstream)
{
	struct gate_admission *admission = gate_admission_of(r);
	struct gate_origin *origin = origin_find(admission, upstream);
	ngx_peer_connection_t *pc = &r->upstream->peer;

	if (origin->peer_init(r, upstream) != NGX_OK)
		return NGX_ERROR;
	if (admission->process == ADMISSION_PROCESSES)
		return NGX_OK;
	struct gate_peer *peer = ngx_pcalloc(r->pool, sizeof(*peer));
	if (peer == NULL)
		return NGX_ERROR;
	gate_load_note(r, origin);
	peer->origin = origin;
	peer->request = r;
	peer->data = pc->data;
	peer->get = pc->get;
	peer->free = pc->free;
	peer->notify = pc->notify;
	peer->set_session = pc->set_session;
	peer->save_session = pc->save_session;
	pc->data = peer;
	pc->get = peer_get;
	pc->free = peer_free;
	pc->notify = pc->notify == NULL ? NULL : peer_notify;
	pc->set_session = pc->set_session == NULL ? NULL : peer_set_session;
	pc->save_session = pc->save_session == NULL ? NULL : peer_save_session;
	return NGX_OK;
}

void gate_peer_answered(ngx_http_request_t *r)
{
	if (r->upstream != NULL && r->upstream->peer.get == peer_get && r->upstream->headers_in.status_n != 0)
		slot_give(r->upstream->peer.data, outcome_of(r));
}
