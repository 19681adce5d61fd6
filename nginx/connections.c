/*
 * Connections from accept on, and what state each is in. Every listening socket of HTTP's has its handler replaced by
 * ours, which puts a cleanup into the connection's pool and goes on to nginx's. States are not followed but looked at,
 * from a timer, and as connections come where few are free: nginx has no hook for most changes, and whoever serves a
 * flood should not pay for each.
 */
#include "connections.h"

#include "admission_zone.h"
#include "bans.h"
#include "clock.h"
#include "counts.h"
#include "door.h"
#include "slow.h"
#include "source.h"
#include "telling.h"

enum {
	LOOK_MS = 100,
	PRESSING_SHARE = 8, /* fewer connections than this part are free: those that come are looked at too ... */
	LOOK_SHARE = 4,     /* but those looks take at most one part in so many of the time */
	COUNT_SHARE = 100,  /* and counting one in so many, with a pause between these: */
	COUNT_MOST_OFTEN_MS = LOOK_MS / 2,
	COUNT_LEAST_OFTEN_MS = 1000,
	NS_A_MS = 1000000,
};

static const struct gate_admission *admission; /* NULL: nobody knows who was here before */

static struct look {
	uint64_t look_ns;  /* not before it is looked again, where it is pressing */
	uint64_t count_ns; /* nor counted */
	ngx_event_t timer;
	ngx_connection_t nobody; /* nginx's debug log wants a connection behind every event */
} look;

/* False: its source has too many. */
static bool count_enter(struct gate_connection *own)
{
	struct prefix crowd;

	switch (gate_counts_enter(own->peer, &own->ticket, &crowd)) {
	case GATE_CROWDED:
		(void)gate_slow_end_one(gate_flight(), &crowd);
		return true;
	case GATE_OVERRUN:
		return gate_slow_end_one(gate_flight(), &crowd);
	default:
		return true;
	}
}

static bool peer_refuse(const struct sockaddr *peer)
{
	struct ban_answer answer = gate_bans_of_peer(peer);
	struct connection_counters *counters = gate_flight()->counters;

	if (answer.kind != BAN_REFUSE)
		return false;
	gate_hit_tell(answer.id);
	if (counters != NULL)
		counter_add(&counters->banned, 1);
	return true;
}

/* What comes after it, the reading of the last bytes among it, nginx does as for a client that hung up. */
static void connections_refuse(const ngx_queue_t *list)
{
	for (ngx_queue_t *q = ngx_queue_head(list); q != ngx_queue_sentinel(list); q = ngx_queue_next(q)) {
		struct gate_connection *own = ngx_queue_data(q, struct gate_connection, link);
		if (own->closing || !peer_refuse(own->peer))
			continue;
		own->closing = 1;
		(void)shutdown(own->connection->fd, SHUT_RDWR);
	}
}

void gate_connections_refuse(void)
{
	const struct gate_flight *flight = gate_flight();

	if (flight->counters == NULL)
		return;
	connections_refuse(&flight->waiting);
	connections_refuse(&flight->serving);
}

/* Without memory it is nginx's problem in a moment; what is not in the list is not counted either. */
static bool connection_enter(ngx_connection_t *c)
{
	struct gate_connection *own = gate_flight_enter(c);

	return own == NULL || count_enter(own);
}

/* Nothing was begun with it. */
static void connection_close(ngx_connection_t *c)
{
	struct connection_counters *counters = gate_flight()->counters;

	if (counters != NULL) {
		counter_add(&counters->accepted, 1);
		counter_add(&counters->closed, 1);
		counter_add(&counters->silent, 1);
	}
	ngx_http_close_connection(c);
}

/* By a reset: a client that sends on, or waits for its answer, would go on doing so. */
static void connection_turn_away(ngx_connection_t *c)
{
	const struct linger none = {.l_onoff = 1};

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	gate_slow_turned_away();
	connection_close(c);
}

static void connection_begin(ngx_connection_t *c)
{
	if (gate_flight()->counters != NULL && !connection_enter(c)) {
		gate_slow_refused();
		ngx_http_close_connection(c);
		return;
	}
	ngx_http_init_connection(c);
}

/* It may have been banned while it waited. */
static void connection_begin_late(ngx_connection_t *c)
{
	if (peer_refuse(c->sockaddr))
		connection_close(c);
	else
		connection_begin(c);
}

static void connection_kept_waiting(void)
{
	if (gate_flight()->counters != NULL)
		counter_add(&gate_flight()->counters->kept_waiting, 1);
}

/* Connections may come faster than a timer looks, and nginx closes idle visitors' and new ones when none is free. */
static void look_if_pressing(void)
{
	if (ngx_cycle->free_connection_n < ngx_cycle->connection_n / PRESSING_SHARE &&
	    gate_flight()->counters != NULL && gate_now_ns() >= look.look_ns) {
		ngx_post_event(&look.timer, &ngx_posted_events);
	}
}

static void connection_come(ngx_connection_t *c)
{
	const struct address source = gate_address(c->sockaddr);

	look_if_pressing();
	if (peer_refuse(c->sockaddr))
		connection_close(c);
	else if (admission == NULL || gate_flight()->counters == NULL || !gate_source_bounded(c->sockaddr))
		connection_begin(c);
	else
		gate_door_come(c, gate_admission_seen(admission, &source));
}

void gate_connections_watch(ngx_cycle_t *cycle)
{
	ngx_listening_t *listening = cycle->listening.elts;

	for (ngx_uint_t i = 0; i < cycle->listening.nelts; i++)
		if (listening[i].handler == ngx_http_init_connection)
			listening[i].handler = connection_come;
}

static void states_count(const struct gate_flight *flight, uint64_t counts[CONNECTION_STATES])
{
	ngx_queue_t *q;

	for (q = ngx_queue_head(&flight->waiting); q != ngx_queue_sentinel(&flight->waiting); q = ngx_queue_next(q))
		counts[gate_connection_state(ngx_queue_data(q, struct gate_connection, link))]++;
	for (q = ngx_queue_head(&flight->requests); q != ngx_queue_sentinel(&flight->requests); q = ngx_queue_next(q))
		counts[gate_request_state(ngx_queue_data(q, struct gate_context, passage.link))]++;
}

static void states_tell(struct gate_flight *flight, uint64_t now_ns)
{
	uint64_t counts[CONNECTION_STATES] = {0}, began_ns = gate_worked_ns();

	states_count(flight, counts);
	for (size_t i = 0; i < CONNECTION_STATES; i++)
		counter_set(&flight->counters->now[i], counts[i]);
	counter_set(&flight->counters->now_at_ns, now_ns);
	counter_set(&flight->counters->at_most, ngx_cycle->connection_n);
	uint64_t pause_ns = (gate_worked_ns() - began_ns) * COUNT_SHARE;
	pause_ns = ngx_min(pause_ns, (uint64_t)COUNT_LEAST_OFTEN_MS * NS_A_MS);
	look.count_ns = now_ns + ngx_max(pause_ns, (uint64_t)COUNT_MOST_OFTEN_MS * NS_A_MS);
}

/* Only counting is rarer where it takes long: where connections must be closed, there is no time to lose. */
static void connections_look(ngx_event_t *event)
{
	struct gate_flight *flight = gate_flight();
	uint64_t now_ns = gate_now_ns(), began_ns = gate_worked_ns();

	if (event->posted) { /* the timer comes first */
		ngx_delete_posted_event(event);
	}
	gate_slow_look(flight, event->log);
	look.look_ns = now_ns + (gate_worked_ns() - began_ns) * LOOK_SHARE;
	if (now_ns >= look.count_ns)
		states_tell(flight, now_ns);
	ngx_add_timer(event, LOOK_MS);
}

void gate_connections_start(const struct gate_main *main, struct connection_counters *counters, ngx_log_t *log)
{
	static const struct gate_door_host host = {connection_begin_late, connection_turn_away,
						   connection_kept_waiting};

	gate_flight_start(counters);
	gate_slow_start(gate_flight());
	gate_door_start(&host, log);
	admission = main->admission;
	look.nobody.fd = (ngx_socket_t)-1;
	look.look_ns = look.count_ns = 0;
	look.timer = (ngx_event_t){.handler = connections_look, .data = &look.nobody, .log = log, .cancelable = 1};
	ngx_add_timer(&look.timer, LOOK_MS);
}

void gate_connections_stop(void)
{
	if (look.timer.timer_set)
		ngx_del_timer(&look.timer);
	if (look.timer.posted) {
		ngx_delete_posted_event(&look.timer);
	}
	gate_flight_stop();
}
