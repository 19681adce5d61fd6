/*
 * A line for each standing, the latest at its head: who is next is taken from the better lines' heads, who must go from
 * the worse lines' tails. An event of ours begins with a few, and posts itself for the next turn of the loop while
 * anybody waits.
 */
#include "door.h"

#include "clock.h"

#include <ngx_event.h>

enum {
	EACH_TURN = 8,  /* are begun with */
	ROOM_SHARE = 8, /* of a worker's connections one in so many may wait */
	STAY_MS = 1000,
};

struct waiting {
	ngx_queue_t link;
	ngx_connection_t *connection;
	uint64_t since_ns;
};

static struct door {
	struct gate_door_host host;
	ngx_queue_t lines[SEEN_STANDINGS]; /* the latest first; nobody stands in that of those who are known */
	ngx_uint_t count;
	ngx_event_t turn;
	ngx_connection_t nobody; /* nginx's debug log wants a connection behind every event */
} door;

static ngx_connection_t *leave(ngx_queue_t *q)
{
	const struct waiting *waiting = ngx_queue_data(q, struct waiting, link);

	ngx_queue_remove(q);
	door.count--;
	if (gate_now_ns() - waiting->since_ns > GATE_DOOR_LATE_MS * UINT64_C(1000000))
		door.host.kept_waiting();
	return waiting->connection;
}

static ngx_connection_t *next(void)
{
	for (enum seen standing = SEEN_LATELY; standing < SEEN_STANDINGS; standing++) {
		if (!ngx_queue_empty(&door.lines[standing]))
			return leave(ngx_queue_head(&door.lines[standing]));
	}
	return NULL;
}

static ngx_connection_t *last(void)
{
	for (enum seen standing = SEEN_STANDINGS; standing-- > SEEN_LATELY;) {
		if (!ngx_queue_empty(&door.lines[standing]))
			return leave(ngx_queue_last(&door.lines[standing]));
	}
	return NULL;
}

/* A worker that is to end does so once nothing has a timer any more: who waits here has none of his own yet. */
static void stay(void)
{
	if (!door.turn.timer_set)
		ngx_add_timer(&door.turn, STAY_MS);
}

static void take_turn(ngx_event_t *event)
{
	ngx_connection_t *c;

	for (ngx_uint_t i = 0; i < EACH_TURN && (c = next()) != NULL; i++)
		door.host.begin(c);
	if (door.count > 0) {
		ngx_post_event(event, &ngx_posted_next_events);
		stay();
	} else if (event->timer_set)
		ngx_del_timer(event);
}

void gate_door_start(const struct gate_door_host *host, ngx_log_t *log)
{
	door = (struct door){.host = *host};
	for (enum seen standing = 0; standing < SEEN_STANDINGS; standing++) {
		ngx_queue_init(&door.lines[standing]);
	}
	door.nobody.fd = (ngx_socket_t)-1;
	door.turn = (ngx_event_t){.handler = take_turn, .data = &door.nobody, .log = log};
}

void gate_door_come(ngx_connection_t *c, enum seen standing)
{
	struct waiting *waiting = standing == SEEN_KNOWN ? NULL : ngx_palloc(c->pool, sizeof(*waiting));

	if (waiting == NULL) {
		door.host.begin(c);
		return;
	}
	*waiting = (struct waiting){.connection = c, .since_ns = gate_now_ns()};
	ngx_queue_insert_head(&door.lines[standing], &waiting->link);
	door.count++;
	if (door.count > ngx_max(ngx_cycle->connection_n / ROOM_SHARE, EACH_TURN))
		door.host.turn_away(last());
	ngx_post_event(&door.turn, &ngx_posted_events);
	stay();
}
