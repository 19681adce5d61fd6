/*
 * Admission to each origin: how many requests it is asked at once is learned (limit/admission.h); who finds no slot
 * waits a moment in a fair queue (limit/fair_queue.h), and who finds no place there, or waits too long, gets the last
 * good copy where there is one, else the page for when the origin fails.
 *
 * It stands where nginx chooses a server of an upstream, after its cache was asked: what a copy answers takes no slot.
 * nginx cannot wait there, but it can for a connection: a request that waits is given one that goes nowhere (an
 * eventfd), and when its turn comes the true one takes its place. To refuse it that connection fails, silently, with no
 * further server to try; nginx then goes on as for an origin that is down.
 *
 * What is learned lies in a zone that workers share and that stays over reloads. A queue is a worker's own.
 */
#include "gate.h"

#include "limit/admission.h"
#include "limit/fair_queue.h"
#include "limit/seen_sources.h"

#include <stdatomic.h>
#include <signal.h>
#include <sys/eventfd.h>

enum {
	NAME_BYTES = 112,
	SEEN_MS = 7 * 24 * 3600 * 1000,
	PUMP_MS = 4,        /* how soon a slot that another worker's request left is found */
	CALM_US = 10 * 1000000,
	QUEUE_FEWEST = 16,  /* requests that may wait */
	QUEUE_BY_LIMIT = 2, /* and for each that may be asked at once */
};

/* In the zone, found by its name, never freed: an older configuration's workers may still use it. */
struct shared_origin {
	struct shared_origin *next;
	u_char name[NAME_BYTES];
	struct admission admission;
};

struct shared_part {
	struct shared_origin *first;
	struct seen_sources *seen;
	_Atomic pid_t processes[ADMISSION_PROCESSES]; /* 0: free */
};

/* A worker's view of one upstream. */
struct gate_origin {
	const ngx_http_upstream_srv_conf_t *upstream;
	ngx_str_t name;
	struct shared_origin *shared;
	ngx_http_upstream_init_peer_pt peer_init; /* nginx's */
	struct fair_queue queue;
	struct fair_queue crowded_out; /* of the queue, by better ones; to be told so */
};

struct gate_admission {
	struct shared_part *shared;
	size_t sources;
	ngx_msec_t wait_ms;
	uint64_t calm_from_us; /* in this process nothing has had to wait for a while by then */
	ngx_array_t origins; /* struct gate_origin */
	size_t process;      /* its place among the processes; ADMISSION_PROCESSES: none was free */
	ngx_event_t pump;
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

	void *data; /* nginx's own, for nginx's own */
	ngx_event_get_peer_pt get;
	ngx_event_free_peer_pt free;
	ngx_event_notify_peer_pt notify;
	ngx_event_set_peer_session_pt set_session;
	ngx_event_save_peer_session_pt save_session;
};

static ngx_http_output_header_filter_pt next_header_filter;
static ngx_str_t zone_name = ngx_string("guia_admission");
static ngx_log_t silence; /* at no level */
static struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

static uint64_t clock_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct gate_admission *admission_of(ngx_http_request_t *r)
{
	struct gate_main *main = ngx_http_get_module_main_conf(r, ngx_http_guia_module);
	return main->admission;
}

/* ---- who asks ---- */

static uint64_t source_key(struct gate_admission *admission, ngx_http_request_t *r)
{
	struct sockaddr *address = r->connection->sockaddr;
	const struct seen_sources *seen = admission->shared->seen;
	switch (address->sa_family) {
	case AF_INET:
		return seen_sources_key(seen, (uint8_t *)&((struct sockaddr_in *)address)->sin_addr, 4);
	case AF_INET6:
		return seen_sources_key(seen, (uint8_t *)&((struct sockaddr_in6 *)address)->sin6_addr, 16);
	default:
		return 0;
	}
}

/* Requests of like cost: by method and path. */
static uint64_t kind_of(ngx_http_request_t *r)
{
	return ngx_murmur_hash2(r->uri.data, r->uri.len) + r->method * UINT64_C(0x9e3779b1);
}

/* ---- slots ---- */

static void pump_soon(struct gate_admission *admission)
{
	ngx_post_event(&admission->pump, &ngx_posted_events);
}

static bool slot_take(struct gate_admission *admission, struct gate_peer *peer)
{
	uint64_t now_us = clock_us();
	if (!admission_enter(&peer->origin->shared->admission, admission->process, now_us))
		return false;
	peer->state = PEER_ADMITTED;
	peer->sent_us = now_us;
	return true;
}

static void slot_give(struct gate_peer *peer, enum admission_outcome outcome)
{
	struct gate_admission *admission = admission_of(peer->request);
	uint64_t now_us = clock_us();
	if (peer->state != PEER_ADMITTED)
		return;
	peer->state = PEER_DONE;
	admission_leave(&peer->origin->shared->admission, admission->process, kind_of(peer->request), outcome,
			now_us - peer->sent_us, now_us);
	if (peer->origin->queue.count > 0)
		pump_soon(admission);
}

static enum admission_outcome outcome_of(const ngx_http_request_t *r)
{
	switch (r->upstream->headers_in.status_n) {
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

/* ---- those who wait ---- */

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
	standin->pool = NULL;
	ngx_close_connection(standin);
}

/* Its turn has come, and its slot is taken. */
static void peer_go(struct gate_peer *peer)
{
	ngx_http_request_t *r = peer->request;
	ngx_peer_connection_t *pc = &r->upstream->peer;

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
static void peer_refuse(struct gate_peer *peer)
{
	struct gate_context *context = gate_context_get(peer->request);
	if (context != NULL)
		context->crowded_out = 1;
	peer->request->upstream->peer.tries = 0;
	standin_fail(peer);
}

static void origin_pump(struct gate_admission *admission, struct gate_origin *origin)
{
	struct fair_queue *queue = &origin->queue;
	uint64_t now_us = clock_us();
	struct fair_queue_entry *entry;

	while (queue->count > 0 && admission_enter(&origin->shared->admission, admission->process, now_us)) {
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

static void pump_handler(ngx_event_t *event)
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

/* A place at the end, or that of one who has to leave it. */
static bool queue_join(struct gate_admission *admission, struct gate_peer *peer)
{
	struct gate_origin *origin = peer->origin;
	struct fair_queue_entry *out, *none;
	uint64_t now_us = clock_us();
	bool known = seen_sources_has(admission->shared->seen, source_key(admission, peer->request));

	origin->queue.capacity = QUEUE_FEWEST + QUEUE_BY_LIMIT * admission_limit(&origin->shared->admission, now_us);
	if (!fair_queue_join(&origin->queue, &peer->entry, fair_queue_rank(known, 0), now_us, &out))
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
	admission->calm_from_us = clock_us() + CALM_US;
	if (!queue_join(admission, peer))
		return NGX_DECLINED;
	if (standin_make(peer, pc) != NGX_OK) {
		fair_queue_leave(peer->queue, &peer->entry);
		return NGX_DECLINED;
	}
	peer->state = PEER_WAITS;
	if (!admission->pump.timer_set)
		ngx_add_timer(&admission->pump, PUMP_MS);
	return NGX_AGAIN;
}

/* ---- an upstream's peers ---- */

static ngx_int_t peer_get(ngx_peer_connection_t *pc, void *data)
{
	struct gate_peer *peer = data;
	struct gate_admission *admission = admission_of(peer->request);
	struct gate_context *context;

	if (peer->state != PEER_ADMITTED && !slot_take(admission, peer)) {
		context = gate_context_get(peer->request);
		if (context == NULL)
			return NGX_ERROR;
		ngx_int_t rc = context->crowded_out ? NGX_DECLINED : peer_wait(admission, peer, pc);
		if (rc == NGX_DECLINED) {
			context->crowded_out = 1;
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

static ngx_int_t peer_init(ngx_http_request_t *r, ngx_http_upstream_srv_conf_t *upstream)
{
	struct gate_admission *admission = admission_of(r);
	struct gate_origin *origin = origin_find(admission, upstream);
	ngx_peer_connection_t *pc = &r->upstream->peer;

	if (origin->peer_init(r, upstream) != NGX_OK)
		return NGX_ERROR;
	if (admission->process == ADMISSION_PROCESSES)
		return NGX_OK;
	struct gate_peer *peer = ngx_pcalloc(r->pool, sizeof(*peer));
	if (peer == NULL)
		return NGX_ERROR;
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

/* The origin has answered: what it still sends takes no slot, a stream of events may last for hours. */
static ngx_int_t header_filter(ngx_http_request_t *r)
{
	if (r->upstream != NULL && r->upstream->peer.get == peer_get && r->upstream->headers_in.status_n != 0)
		slot_give(r->upstream->peer.data, outcome_of(r));
	return next_header_filter(r);
}

/* A source is known once it was answered well while nothing had to wait. */
static ngx_int_t log_handler(ngx_http_request_t *r)
{
	struct gate_admission *admission = admission_of(r);
	struct gate_context *context = gate_context_find(r);
	ngx_uint_t status = r->err_status != 0 ? r->err_status : r->headers_out.status;
	uint64_t now_us = clock_us();

	if (status >= NGX_HTTP_OK && status < NGX_HTTP_BAD_REQUEST && now_us > admission->calm_from_us &&
	    (context == NULL || (!context->blocked && !context->verdict.would_block)))
		seen_sources_add(admission->shared->seen, source_key(admission, r), now_us / 1000);
	return NGX_OK;
}

/* ---- processes ---- */

static void process_forget(struct shared_part *shared, size_t place)
{
	for (struct shared_origin *o = shared->first; o != NULL; o = o->next)
		admission_forget(&o->admission, place);
}

/* A place that nobody has, or that one has who is no more. */
void gate_admission_process_start(struct gate_admission *admission, ngx_log_t *log)
{
	admission->pump.handler = pump_handler;
	admission->pump.data = admission;
	admission->pump.log = log;
	for (size_t i = 0; i < ADMISSION_PROCESSES; i++) {
		pid_t owner = atomic_load(&admission->shared->processes[i]);
		if (owner != 0 && (kill(owner, 0) == 0 || errno != ESRCH))
			continue;
		if (!atomic_compare_exchange_strong(&admission->shared->processes[i], &owner, ngx_pid))
			continue;
		process_forget(admission->shared, i);
		admission->process = i;
		return;
	}
	ngx_log_error(NGX_LOG_WARN, log, 0, "guia_admission: more than %d processes: this one admits everything",
		      ADMISSION_PROCESSES);
}

void gate_admission_process_end(struct gate_admission *admission)
{
	if (admission->process == ADMISSION_PROCESSES)
		return;
	process_forget(admission->shared, admission->process);
	atomic_store(&admission->shared->processes[admission->process], 0);
}

/* ---- configuration ---- */

static struct shared_origin *shared_origin_get(ngx_slab_pool_t *slab, struct shared_part *shared, ngx_str_t name)
{
	struct shared_origin *o;
	size_t len = ngx_min(name.len, NAME_BYTES - 1);
	for (o = shared->first; o != NULL; o = o->next) {
		if (ngx_strncmp(o->name, name.data, len) == 0 && o->name[len] == '\0')
			return o;
	}
	o = ngx_slab_calloc(slab, sizeof(*o));
	if (o == NULL)
		return NULL;
	ngx_memcpy(o->name, name.data, len);
	o->next = shared->first;
	shared->first = o;
	return o;
}

static struct shared_part *shared_part_make(ngx_slab_pool_t *slab, size_t sources)
{
	struct shared_part *shared = ngx_slab_calloc(slab, sizeof(*shared));
	size_t words, bytes = seen_sources_bytes(sources, &words);
	if (shared == NULL || (shared->seen = ngx_slab_calloc(slab, bytes)) == NULL)
		return NULL;
	shared->seen->words = words;
	shared->seen->generation_ms = SEEN_MS;
	shared->seen->secret = hash_key_random();
	return shared;
}

static ngx_int_t zone_init(ngx_shm_zone_t *zone, void *data)
{
	struct gate_admission *admission = zone->data, *before = data;
	struct gate_origin *origins = admission->origins.elts;
	ngx_slab_pool_t *slab = (ngx_slab_pool_t *)zone->shm.addr;

	admission->shared = before != NULL ? before->shared : shared_part_make(slab, admission->sources);
	for (ngx_uint_t i = 0; admission->shared != NULL && i < admission->origins.nelts; i++) {
		origins[i].shared = shared_origin_get(slab, admission->shared, origins[i].name);
		if (origins[i].shared == NULL)
			admission->shared = NULL;
	}
	if (admission->shared != NULL)
		return NGX_OK;
	ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0, "guia_admission: \"%V\" has no room for %ui upstreams: give more",
		      &zone->shm.name, admission->origins.nelts);
	return NGX_ERROR;
}

struct gate_admission *gate_admission_add(ngx_conf_t *cf, size_t bytes)
{
	struct gate_admission *admission = ngx_pcalloc(cf->pool, sizeof(*admission));
	ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &zone_name, bytes, &ngx_http_guia_module);
	size_t words;

	if (admission == NULL || zone == NULL ||
	    ngx_array_init(&admission->origins, cf->pool, 8, sizeof(struct gate_origin)) != NGX_OK)
		return NULL;
	/* As many as fit into half of the zone. */
	for (admission->sources = 256; seen_sources_bytes(2 * admission->sources, &words) <= bytes / 2;)
		admission->sources *= 2;
	admission->process = ADMISSION_PROCESSES;
	zone->init = zone_init;
	zone->data = admission;
	return admission;
}

static ngx_int_t origin_add(struct gate_admission *admission, ngx_http_upstream_srv_conf_t *upstream)
{
	struct gate_origin *origin = ngx_array_push(&admission->origins);
	if (origin == NULL)
		return NGX_ERROR;
	*origin = (struct gate_origin){.upstream = upstream,
				       .name = upstream->host,
				       .peer_init = upstream->peer.init,
				       .crowded_out = {.capacity = SIZE_MAX}};
	upstream->peer.init = peer_init;
	return NGX_OK;
}

ngx_int_t gate_admission_install(ngx_conf_t *cf, struct gate_admission *admission, ngx_msec_t wait_ms)
{
	ngx_http_upstream_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
	ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
	ngx_http_upstream_srv_conf_t **upstreams = main->upstreams.elts;
	ngx_http_handler_pt *handler = ngx_array_push(&core->phases[NGX_HTTP_LOG_PHASE].handlers);

	if (handler == NULL)
		return NGX_ERROR;
	*handler = log_handler;
	admission->wait_ms = wait_ms;
	for (ngx_uint_t i = 0; i < main->upstreams.nelts; i++) {
		if (upstreams[i]->peer.init != NULL && origin_add(admission, upstreams[i]) != NGX_OK)
			return NGX_ERROR;
	}
	next_header_filter = ngx_http_top_header_filter;
	ngx_http_top_header_filter = header_filter;
	return NGX_OK;
}
