/*
 * Slow clients. Connections are what a worker has least of, and one that sends its request a byte at a time holds one
 * for as long as nginx's timeouts let it. So a body has a lowest rate, over the whole of it, and where connections run
 * short those go that have held theirs longest without bringing a request: first heads that are not there yet, the
 * oldest first, then bodies, the slowest first. A client on a poor line is let alone as long as there is room. Where
 * the watch tells of an attack of slow clients there is room for fewer of them, and who takes some seconds is slow.
 *
 * Whom we close is timed out as nginx would have done later: each of its handlers knows what to do then.
 */
#include "slow.h"

#include "clock.h"
#include "signatures.h"
#include "source.h"

#include "limit/signature_image.h"

enum {
	NS_A_MS = 1000000,
	BODY_GRACE_MS = 10000,   /* before its rate is looked at */
	SHED_HEAD_MS = 1000,     /* a head that takes less is not slow */
	SHED_BODY_MS = 2000,     /* nor a body that has come for less long */
	SHED_BODY_RATE = 256000, /* nor one that comes at so many bytes a second */
	FREE_QUARTERS = 1,       /* of a worker's connections are kept free */
	TOLD_FREE_QUARTERS = 3,  /* in an attack of slow clients; but then who is closed early ... */
	TOLD_MS = 2000,          /* has taken so long, ... */
	TOLD_BODY_RATE = 2000,   /* and a body has come at less than that: no line is so poor */
	TELL_MS = 1000,
	LOOKED_THROUGH = 512, /* when one of a network's is to go */
	SLOWEST_RATE = 1000,  /* bytes a second: the first rate below which bodies are ended */
	RATE_OF_ITS_LOCATION = 0,
};

static struct shed {
	struct connection_counters *counters;
	ngx_uint_t untold[SHED_KINDS]; /* since it was last told */
	uint64_t told_ns;
} shed;

static void count_shed(enum shed_kind kind, ngx_uint_t more)
{
	shed.untold[kind] += more;
	counter_add(&shed.counters->shed[kind], more);
}

static void time_out(ngx_event_t *read)
{
	read->timedout = 1;
	ngx_post_event(read, &ngx_posted_events);
}

static ngx_uint_t heads_shed(ngx_queue_t *waiting, uint64_t now_ns, uint64_t least_ms, ngx_uint_t wanted)
{
	ngx_uint_t count = 0;

	for (ngx_queue_t *q = ngx_queue_head(waiting); q != ngx_queue_sentinel(waiting) && count < wanted;
	     q = ngx_queue_next(q)) {
		struct gate_connection *own = ngx_queue_data(q, struct gate_connection, link);
		if (now_ns - own->since_ns < least_ms * NS_A_MS)
			break;
		if (own->connection->read->timedout || gate_connection_state(own) != STATE_READING_HEADER)
			continue;
		time_out(own->connection->read);
		count++;
	}
	return count;
}

/* Bytes a second since its head was there; nginx counts the head too. */
static uint64_t body_rate(const struct gate_context *context, uint64_t now_ns)
{
	uint64_t ms = (now_ns - context->passage.at_ns) / NS_A_MS;

	return (uint64_t)context->request->request_length * 1000 / ngx_max(ms, 1);
}

static void body_end(struct gate_context *context)
{
	ngx_http_request_t *r = context->request;
	ngx_connection_t *c = r->connection;

	c->read->timedout = 1;
	context->slow = 1;
	r->read_event_handler(r);
	ngx_http_run_posted_requests(c);
}

/*
 * With the connection that it holds. Where that has other streams it would stay, however slow each of them is: it is
 * closed as a banned one's is, and its streams end as when a client hangs up.
 */
static void holder_end(struct gate_context *context)
{
	struct gate_connection *own = context->passage.connection;

	if (context->request->stream == NULL || own == NULL) {
		body_end(context);
		return;
	}
	context->slow = 1;
	own->closing = 1;
	(void)shutdown(own->connection->fd, SHUT_RDWR);
}

static bool is_ending(const struct gate_context *context)
{
	const struct gate_connection *own = context->passage.connection;

	return context->slow || (own != NULL && own->closing);
}

/* Bodies that are gone through. */
struct bodies {
	struct gate_flight *flight;
	uint64_t now_ns;
	uint64_t least_ms; /* that one has come for: of fewer it is not known yet how fast it comes */
};

/* The requests arrived in this order: behind one that is too young there are only younger ones. */
static bool is_old(const struct bodies *bodies, const ngx_queue_t *q)
{
	const struct gate_context *context = ngx_queue_data(q, struct gate_context, passage.link);

	return q != ngx_queue_sentinel(&bodies->flight->requests) &&
	       bodies->now_ns - context->passage.at_ns >= bodies->least_ms * NS_A_MS;
}

static bool may_end(const struct gate_context *context)
{
	return !is_ending(context) && gate_request_state(context) == STATE_READING_BODY;
}

static uint64_t rate_of_its_location(const struct gate_context *context)
{
	const struct gate_location *location = ngx_http_get_module_loc_conf(context->request, ngx_http_guia_module);

	return location->body_rate;
}

/* Those that are below a rate, `most` of them. One that is ended may take others along, which leave the list too. */
static ngx_uint_t bodies_end(const struct bodies *bodies, uint64_t rate, ngx_uint_t most,
			     void (*end)(struct gate_context *context))
{
	struct gate_flight *flight = bodies->flight;
	ngx_uint_t count = 0;

	for (ngx_queue_t *q = ngx_queue_head(&flight->requests); count < most && is_old(bodies, q); q = flight->next) {
		struct gate_context *context = ngx_queue_data(q, struct gate_context, passage.link);
		flight->next = ngx_queue_next(q);
		uint64_t least = rate == RATE_OF_ITS_LOCATION ? rate_of_its_location(context) : rate;
		if (!may_end(context) || body_rate(context, bodies->now_ns) >= least)
			continue;
		end(context);
		count++;
	}
	flight->next = NULL;
	return count;
}

/* Bit N: there are some below 2^N times the slowest rate, and not below half of that. */
static uint64_t rates_find(const struct bodies *bodies)
{
	const ngx_queue_t *requests = &bodies->flight->requests;
	uint64_t found = 0;

	for (ngx_queue_t *q = ngx_queue_head(requests); is_old(bodies, q); q = ngx_queue_next(q)) {
		const struct gate_context *context = ngx_queue_data(q, struct gate_context, passage.link);
		uint64_t slowest = may_end(context) ? body_rate(context, bodies->now_ns) / SLOWEST_RATE : UINT64_MAX;
		found |= slowest == 0                ? 1
			 : slowest <= SHED_BODY_RATE ? UINT64_C(2) << (63 - __builtin_clzll(slowest))
						     : 0;
	}
	return found;
}

/* The slowest first: by doubling rates, of which those that nobody has are passed over. */
static ngx_uint_t bodies_shed(struct gate_flight *flight, uint64_t now_ns, uint64_t rate_most, ngx_uint_t wanted)
{
	const struct bodies bodies = {flight, now_ns, SHED_BODY_MS};
	uint64_t found = wanted > 0 ? rates_find(&bodies) : 0;
	ngx_uint_t count = 0;

	for (uint64_t rate = SLOWEST_RATE; rate <= rate_most && count < wanted; rate *= 2, found >>= 1)
		count += (found & 1) != 0 ? bodies_end(&bodies, rate, wanted - count, holder_end) : 0;
	return count;
}

static struct gate_connection *waiting_find(ngx_queue_t *waiting, const struct prefix *network, uint64_t now_ns)
{
	struct gate_connection *idle = NULL;
	ngx_uint_t looked = 0;

	for (ngx_queue_t *q = ngx_queue_head(waiting); q != ngx_queue_sentinel(waiting) && looked < LOOKED_THROUGH;
	     q = ngx_queue_next(q), looked++) {
		struct gate_connection *own = ngx_queue_data(q, struct gate_connection, link);
		struct address peer = gate_address(own->peer);
		if (now_ns - own->since_ns < (uint64_t)SHED_HEAD_MS * NS_A_MS)
			break;
		if (own->connection->read->timedout || !prefix_has(network, &peer))
			continue;
		if (gate_connection_state(own) == STATE_READING_HEADER)
			return own;
		if (idle == NULL)
			idle = own;
	}
	return idle;
}

static struct gate_context *body_find(ngx_queue_t *requests, const struct prefix *network, uint64_t now_ns)
{
	ngx_uint_t looked = 0;

	for (ngx_queue_t *q = ngx_queue_head(requests); q != ngx_queue_sentinel(requests) && looked < LOOKED_THROUGH;
	     q = ngx_queue_next(q), looked++) {
		struct gate_context *context = ngx_queue_data(q, struct gate_context, passage.link);
		const struct gate_connection *own = context->passage.connection;
		if (now_ns - context->passage.at_ns < (uint64_t)SHED_BODY_MS * NS_A_MS)
			break;
		if (own == NULL || is_ending(context) || gate_request_state(context) != STATE_READING_BODY ||
		    body_rate(context, now_ns) >= SHED_BODY_RATE)
			continue;
		struct address peer = gate_address(own->peer);
		if (prefix_has(network, &peer))
			return context;
	}
	return NULL;
}

bool gate_slow_end_one(struct gate_flight *flight, const struct prefix *network)
{
	uint64_t now_ns = gate_now_ns();
	struct gate_connection *silent = waiting_find(&flight->waiting, network, now_ns);
	struct gate_context *body = silent == NULL ? body_find(&flight->requests, network, now_ns) : NULL;

	if (silent != NULL)
		time_out(silent->connection->read);
	if (body != NULL)
		holder_end(body);
	count_shed(SHED_CROWDED, silent != NULL || body != NULL);
	return silent != NULL || body != NULL;
}

void gate_slow_refused(void)
{
	count_shed(SHED_REFUSED, 1);
}

void gate_slow_turned_away(void)
{
	count_shed(SHED_TURNED_AWAY, 1);
}

static void tell(uint64_t now_ns, ngx_log_t *log)
{
	const ngx_uint_t *n = shed.untold, slow = n[SHED_HEAD] + n[SHED_BODY] + n[SHED_BELOW_RATE];
	const ngx_uint_t crowded = n[SHED_CROWDED] + n[SHED_REFUSED];
	const ngx_uint_t turned_away = n[SHED_TURNED_AWAY];

	if (slow + crowded + turned_away == 0 || now_ns - shed.told_ns < (uint64_t)TELL_MS * NS_A_MS)
		return;
	if (slow > 0)
		ngx_log_error(
			NGX_LOG_WARN, log, 0,
			"guia: connections run short: %ui were closed that had sent no whole head, %ui that sent a "
			"body slowly; %ui bodies were below guia_body_rate",
			n[SHED_HEAD], n[SHED_BODY], n[SHED_BELOW_RATE]);
	if (crowded > 0)
		ngx_log_error(
			NGX_LOG_WARN, log, 0,
			"guia_connections: of sources that had too many, %ui were closed that brought nothing, and "
			"%ui not let in",
			n[SHED_CROWDED], n[SHED_REFUSED]);
	if (turned_away > 0)
		ngx_log_error(NGX_LOG_WARN, log, 0,
			      "guia: more connections come than can be begun with: %ui of strangers were turned away",
			      turned_away);
	ngx_memzero(shed.untold, sizeof(shed.untold));
	shed.told_ns = now_ns;
}

static void make_room(struct gate_flight *flight, uint64_t now_ns, uint64_t least_ms, uint64_t rate_most,
		      ngx_uint_t wanted)
{
	ngx_uint_t heads = heads_shed(&flight->waiting, now_ns, least_ms, wanted);

	count_shed(SHED_HEAD, heads);
	count_shed(SHED_BODY, bodies_shed(flight, now_ns, rate_most, wanted - heads));
}

static bool is_told(uint64_t now_ns)
{
	const struct signature_image *image = gate_published();

	return image != NULL && image->shed_until_ms > now_ns / NS_A_MS;
}

void gate_slow_start(struct gate_flight *flight)
{
	shed = (struct shed){.counters = flight->counters};
}

void gate_slow_look(struct gate_flight *flight, ngx_log_t *log)
{
	ngx_uint_t all = ngx_cycle->connection_n, free = ngx_cycle->free_connection_n;
	uint64_t now_ns = gate_now_ns();
	const struct bodies grown = {flight, now_ns, BODY_GRACE_MS};

	count_shed(SHED_BELOW_RATE, bodies_end(&grown, RATE_OF_ITS_LOCATION, NGX_MAX_INT_T_VALUE, body_end));
	if (free < all * FREE_QUARTERS / 4)
		make_room(flight, now_ns, SHED_HEAD_MS, SHED_BODY_RATE, all * FREE_QUARTERS / 4 - free);
	else if (is_told(now_ns) && free < all * TOLD_FREE_QUARTERS / 4)
		make_room(flight, now_ns, TOLD_MS, TOLD_BODY_RATE, all * TOLD_FREE_QUARTERS / 4 - free);
	tell(now_ns, log);
}
